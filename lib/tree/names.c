#include "tree/names_internal.h"

#include <errno.h>
#include <string.h>

static size_t first_slot(const struct name_table *table, const struct ingot_node *folder,
			 const char *name, size_t length)
{
	uint64_t key = table->key ^ (uint64_t)(uintptr_t)folder;

	return (size_t)ingot_tree_hash(key, name, length) & (table->size - 1);
}

struct entry *ingot_names_find(const struct name_table *table, const struct entry *folder,
			       const char *name, size_t length)
{
	size_t i;

	if (table->count == 0)
		return NULL;
	i = first_slot(table, &folder->node, name, length);
	for (; table->slots[i]; i = (i + 1) & (table->size - 1)) {
		const struct ingot_node *node = &table->slots[i]->node;

		if (node->parent == &folder->node && node->name_length == length &&
		    memcmp(node->name, name, length) == 0)
			return table->slots[i];
	}
	return NULL;
}

static void put(struct name_table *table, struct entry *entry)
{
	size_t i = first_slot(table, entry->node.parent, entry->node.name, entry->node.name_length);

	while (table->slots[i])
		i = (i + 1) & (table->size - 1);
	table->slots[i] = entry;
}

static int make_room(struct name_table *table, struct ingot_error *err)
{
	struct name_table larger = {.size = table->size ? table->size * 2 : 1024,
				    .count = table->count,
				    .key = table->key};

	if (table->count < table->size / 2)
		return 0;
	larger.slots = ingot_alloc(larger.size, sizeof(struct entry *), err);
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i])
			put(&larger, table->slots[i]);
	free(table->slots);
	*table = larger;
	return 0;
}

int ingot_names_add(struct name_table *table, struct entry *entry, struct ingot_error *err)
{
	int rc = make_room(table, err);

	if (rc < 0)
		return rc;
	put(table, entry);
	table->count++;
	return 0;
}

void ingot_names_done(struct name_table *table)
{
	free(table->slots);
	*table = (struct name_table){0};
}

#include "tree/inodes_internal.h"

#include <errno.h>

static struct inode_slot *slot_for(const struct inode_table *table, uint64_t dev, uint64_t ino)
{
	uint64_t key[2] = {dev, ino};
	size_t i = ingot_tree_hash(0, key, sizeof(key)) & (table->size - 1);

	while (table->slots[i].used && (table->slots[i].ino != ino || table->slots[i].dev != dev))
		i = (i + 1) & (table->size - 1);
	return &table->slots[i];
}

static int make_room(struct inode_table *table, struct ingot_error *err)
{
	struct inode_table larger = {.size = table->size ? table->size * 2 : 256,
				     .count = table->count};

	if (table->count < table->size / 2)
		return 0;
	larger.slots = ingot_alloc(larger.size, sizeof(*larger.slots), err);
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++) {
		const struct inode_slot *old = &table->slots[i];

		if (old->used)
			*slot_for(&larger, old->dev, old->ino) = *old;
	}
	free(table->slots);
	*table = larger;
	return 0;
}

int ingot_inodes_find(struct inode_table *table, uint64_t dev, uint64_t ino,
		      struct inode_slot **ret, struct ingot_error *err)
{
	int rc = make_room(table, err);

	if (rc < 0)
		return rc;
	*ret = slot_for(table, dev, ino);
	if (!(*ret)->used) {
		**ret = (struct inode_slot){.dev = dev, .ino = ino, .used = true};
		table->count++;
	}
	return 0;
}

void ingot_inodes_done(struct inode_table *table)
{
	free(table->slots);
	*table = (struct inode_table){0};
}

/* Short names for one folder: exact ones first, then the lowest free tail for the others. */
#include "fs/fat_internal.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* --- no two names that differ only in case ----------------------------- */

struct folded {
	struct fat_name name;
	const struct fat_node *node;
};

static int compare_folded(const void *a, const void *b)
{
	const struct fat_name *x = &((const struct folded *)a)->name;
	const struct fat_name *y = &((const struct folded *)b)->name;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return memcmp(x->units, y->units, x->count * sizeof(x->units[0]));
}

static int check_case(const struct fat_node *folder, struct ingot_error *err)
{
	INGOT_FREE struct folded *list = ingot_alloc(folder->child_count + 1, sizeof(*list), err);
	char one[128], other[128];
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (const struct fat_node *node = folder->children; node; node = node->next, n++) {
		int rc = ingot_fat_name(node->name, node->name_size, &list[n].name, err);

		if (rc < 0)
			return rc;
		ingot_fat_name_fold(&list[n].name);
		list[n].node = node;
	}
	qsort(list, n, sizeof(*list), compare_folded);
	for (size_t i = 1; i < n; i++) {
		if (compare_folded(&list[i - 1], &list[i]) != 0)
			continue;
		return ingot_raise(err, -EINVAL, "FAT names '%s' and '%s' differ only in case",
				   ingot_printable(list[i - 1].node->name,
						   list[i - 1].node->name_size, one, sizeof(one)),
				   ingot_printable(list[i].node->name, list[i].node->name_size,
						   other, sizeof(other)));
	}
	return 0;
}

/* --- a set of short names ---------------------------------------------- */

struct set {
	uint8_t (*slots)[FAT_SHORT_NAME]; /* first byte 0: empty */
	size_t mask;			  /* size - 1; the size is a power of two */
};

static int set_init(struct set *set, size_t count, struct ingot_error *err)
{
	size_t size = 16;

	while (size < 2 * count)
		size *= 2;
	set->slots = ingot_alloc(size, sizeof(set->slots[0]), err);
	set->mask = size - 1;
	return set->slots ? 0 : -ENOMEM;
}

/* False if it was there. */
static bool set_add(struct set *set, const uint8_t name[FAT_SHORT_NAME])
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	size_t at;

	for (size_t i = 0; i < FAT_SHORT_NAME; i++)
		hash = (hash ^ name[i]) * 16777619U;
	for (at = hash & set->mask; set->slots[at][0]; at = (at + 1) & set->mask)
		if (memcmp(set->slots[at], name, FAT_SHORT_NAME) == 0)
			return false;
	memcpy(set->slots[at], name, FAT_SHORT_NAME);
	return true;
}

/* --- giving names ------------------------------------------------------ */

/* Where the last search ended: neighbours often have the same basis. */
struct tail {
	uint8_t basis[FAT_SHORT_NAME];
	unsigned number;
};

static void give_tail(struct set *set, struct tail *tail, const struct fat_name *name,
		      struct fat_node *node)
{
	if (memcmp(tail->basis, name->basis, FAT_SHORT_NAME) != 0) {
		memcpy(tail->basis, name->basis, FAT_SHORT_NAME);
		tail->number = 0;
	}
	do
		ingot_fat_tail(name->basis, ++tail->number, node->short_name);
	while (!set_add(set, node->short_name));
}

static int give_names(struct fat_node *folder, struct set *set, bool exact, struct ingot_error *err)
{
	struct tail tail = {0};

	for (struct fat_node *node = folder->children; node; node = node->next) {
		struct fat_name name;
		int rc = ingot_fat_name(node->name, node->name_size, &name, err);

		if (rc < 0)
			return rc;
		if (name.exact != exact)
			continue;
		if (!exact) {
			give_tail(set, &tail, &name, node);
			continue;
		}
		memcpy(node->short_name, name.basis, FAT_SHORT_NAME);
		(void)set_add(set, name.basis);
	}
	return 0;
}

int ingot_fat_short_names(struct fat_node *folder, struct ingot_error *err)
{
	struct set set;
	int rc;

	if (folder->child_count > FAT_FOLDER_MAX)
		return ingot_raise(err, -EINVAL, "a FAT folder of %zu names, more than %d",
				   folder->child_count, FAT_FOLDER_MAX);
	rc = check_case(folder, err);
	if (rc < 0)
		return rc;
	rc = set_init(&set, folder->child_count, err);
	if (rc < 0)
		return rc;
	rc = give_names(folder, &set, /* exact = */ true, err);
	if (rc == 0)
		rc = give_names(folder, &set, /* exact = */ false, err);
	free(set.slots);
	return rc;
}

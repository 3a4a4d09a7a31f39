#include "fs/ext2_internal.h"

#include <errno.h>

/* Attribute blocks: one for up to XATTR_SHARE_MAX files with equal attributes. */

/* From a set of attributes to its newest block. Equal sets are one object, so the key is
 * its address; no order comes from it. */
struct xattr_table {
	uint32_t *slots; /* block number + 1; 0: free */
	size_t size;	 /* a power of two, more than twice the number of sets */
};

static uint32_t *find_slot(const struct ext2 *fs, const struct xattr_table *table,
			   const struct ingot_xattrs *set)
{
	size_t i = (size_t)(((uintptr_t)set >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	for (;; i++) {
		uint32_t *slot = &table->slots[i & (table->size - 1)];

		if (*slot == 0 || fs->xattrs[*slot - 1].set == set)
			return slot;
	}
}

static int grow_table(const struct ext2 *fs, struct xattr_table *table, struct ingot_error *err)
{
	struct xattr_table old = *table;

	if (fs->xattr_count * 2 < old.size)
		return 0;
	table->size = old.size ? old.size * 2 : 64;
	table->slots = ingot_alloc(table->size, sizeof(*table->slots), err);
	if (!table->slots) {
		*table = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i])
			*find_slot(fs, table, fs->xattrs[old.slots[i] - 1].set) = old.slots[i];
	free(old.slots);
	return 0;
}

static int new_xattr_block(struct ext2 *fs, const struct ingot_xattrs *set, struct ingot_error *err)
{
	int rc = ingot_grow((void **)&fs->xattrs, &fs->xattr_room, fs->xattr_count + 1,
			    sizeof(*fs->xattrs), err);

	if (rc < 0)
		return rc;
	fs->xattrs[fs->xattr_count++] = (struct xattr_block){.set = set};
	return ext2_add_run(
		fs,
		(struct run){.owner = (uint32_t)fs->xattr_count - 1, .count = 1, .kind = RUN_XATTR},
		err);
}

static int share_xattrs(struct ext2 *fs, struct entry *e, struct xattr_table *table,
			struct ingot_error *err)
{
	int rc = grow_table(fs, table, err);
	uint32_t *slot;

	if (rc < 0)
		return rc;
	slot = find_slot(fs, table, e->node->xattrs);
	if (*slot == 0 || fs->xattrs[*slot - 1].shared == XATTR_SHARE_MAX) {
		rc = new_xattr_block(fs, e->node->xattrs, err);
		if (rc < 0)
			return rc;
		*slot = (uint32_t)fs->xattr_count;
	}
	e->xattr = *slot - 1;
	fs->xattrs[e->xattr].shared++;
	return 0;
}

/* Gives every entry with attributes its block, and every block its run. */
int ext2_share_xattrs(struct ext2 *fs, struct ingot_error *err)
{
	struct xattr_table table = {0};
	int rc = 0;

	for (size_t i = 0; i < fs->entry_count && rc == 0; i++)
		if (fs->entries[i].node && fs->entries[i].node->xattrs)
			rc = share_xattrs(fs, &fs->entries[i], &table, err);
	free(table.slots);
	return rc;
}

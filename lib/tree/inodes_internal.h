/* Which file of a directory was met before under another name: (device, inode) -> entry. */
#ifndef INGOT_TREE_INODES_INTERNAL_H
#define INGOT_TREE_INODES_INTERNAL_H

#include "tree/tree_internal.h"

struct inode_slot {
	uint64_t dev, ino;
	struct entry *entry; /* NULL: new, the caller fills it in */
	bool used;
};

/* Open addressing, at most half full. Zero-initialised is empty. */
struct inode_table {
	struct inode_slot *slots;
	size_t size, count;
};

/* The slot, made if need be; good until the next call. */
INGOT_MUST_USE int ingot_inodes_find(struct inode_table *table, uint64_t dev, uint64_t ino,
				     struct inode_slot **ret, struct ingot_error *err);
void ingot_inodes_done(struct inode_table *table);

#endif

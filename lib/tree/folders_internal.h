/*
 * The folders of a tree that was read from a directory, opened one component at a time: no link
 * is followed, and a path may be of any length. The last ones used stay open.
 */
#ifndef INGOT_TREE_FOLDERS_INTERNAL_H
#define INGOT_TREE_FOLDERS_INTERNAL_H

#include "base/alloc.h"
#include "tree/tree.h"

enum { FOLDERS_KEPT = 32 };

struct open_folders {
	int root; /* borrowed */
	struct kept_folder {
		const struct ingot_node *node; /* NULL: nothing here */
		int fd;
	} kept[FOLDERS_KEPT];	       /* a folder's place is its depth modulo FOLDERS_KEPT */
	const struct ingot_node **way; /* from the folder wanted up to one that is open */
	size_t way_room;
};

static inline void ingot_folders_init(struct open_folders *folders, int root)
{
	*folders = (struct open_folders){.root = root};
}

void ingot_folders_done(struct open_folders *folders);

/* The descriptor stays the cache's, and good until the next call. */
INGOT_MUST_USE int ingot_folders_open(struct open_folders *folders, const struct ingot_node *folder,
				      int *ret, struct ingot_error *err);

/* openat(2) for reading, without following a link and, where it is allowed, without a trace. */
int ingot_open_quietly(int folder, const char *name, int flags);

#endif

/* Extended attributes on their way into a tree: collected for one file, then kept once per set. */
#ifndef INGOT_TREE_XATTR_INTERNAL_H
#define INGOT_TREE_XATTR_INTERNAL_H

#include "base/alloc.h"
#include "tree/tree.h"

/* The attributes of one file while they are collected; zero-initialised is empty. Reused. */
struct xattr_list {
	struct xattr_item {
		char *name, *value; /* in one allocation that starts at name */
		size_t size;
	} * items;
	size_t count, room;
	size_t bytes; /* names with their NUL, and values */
};

/* Every set that the tree has, once. Open addressing, at most half full. */
struct xattr_pool {
	const struct ingot_xattrs **slots;
	size_t size, count;
};

/*
 * Whether an attribute belongs into an image: user.*, trusted.*, security.* and POSIX ACLs. The
 * rest describes the filesystem that it was on (btrfs.*, system.nfs4_acl, ...).
 */
bool ingot_xattr_is_wanted(const char *name);

/*
 * One more. A copy of the value is kept. -EINVAL: the same name twice with different values, or
 * more than INGOT_XATTRS_MAX.
 */
INGOT_MUST_USE int ingot_xattr_list_add(struct xattr_list *list, const char *name,
					const void *value, size_t size, struct ingot_error *err);
bool ingot_xattr_list_has(const struct xattr_list *list, const char *name);
void ingot_xattr_list_clear(struct xattr_list *list);
void ingot_xattr_list_done(struct xattr_list *list);

/* The one object for this set, NULL for the empty one; the list is left sorted. */
INGOT_MUST_USE int ingot_xattr_intern(struct ingot_tree *tree, struct xattr_list *list,
				      const struct ingot_xattrs **ret, struct ingot_error *err);
void ingot_xattr_pool_done(struct xattr_pool *pool);

/*
 * Read what a name in a folder has, without following a link. proc: /proc/self/fd is there;
 * without it only files and folders are looked at. Nothing for a filesystem without attributes.
 */
INGOT_MUST_USE int ingot_xattr_list_read(struct xattr_list *list, int folder, const char *name,
					 uint32_t mode, bool proc, struct ingot_error *err);

#endif

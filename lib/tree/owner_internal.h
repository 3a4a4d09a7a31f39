/* The owner map, as the tree uses it. */
#ifndef INGOT_TREE_OWNER_INTERNAL_H
#define INGOT_TREE_OWNER_INTERNAL_H

#include "tree/owner.h"
#include "tree/xattr_internal.h"

/* [host, host + count) on the disk is [image, image + count) in the image. */
struct owner_range {
	uint32_t host, image, count;
};

struct owner_ranges {
	struct owner_range *list;
	size_t count, room;
};

struct owner_rule {
	char *pattern;
	uint32_t uid, gid;
	uint32_t mode; /* OWNER_MODE_KEPT: as it is */
};
#define OWNER_MODE_KEPT UINT32_MAX

struct ingot_owner_map {
	struct owner_ranges uids, gids;
	struct owner_rule *rules;
	size_t rule_count, rule_room;
};

/* false: the id is in no range. No range at all: every id stays. */
INGOT_MUST_USE bool ingot_owner_range_map(const struct owner_ranges *ranges, uint32_t *id);

/* Owners of everything in a finished tree, by its options. */
INGOT_MUST_USE int ingot_owner_apply(struct ingot_tree *tree, struct ingot_error *err);

/*
 * Ids inside attributes: of POSIX ACLs, and the root of a namespaced security.capability, which
 * becomes an ordinary one where that root is the image's root. A NULL map changes nothing.
 */
INGOT_MUST_USE int ingot_owner_map_xattrs(const struct ingot_owner_map *map,
					  struct xattr_list *list, struct ingot_error *err);

#endif

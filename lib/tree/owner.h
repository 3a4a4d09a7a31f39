/*
 * Who owns what in the image, when the files on the disk cannot say it: a tree that an ordinary
 * user unpacked, or one from a user namespace whose ids are shifted.
 *
 * A text file; '#' starts a comment, words are separated by blanks or tabs:
 *
 *	# ids of a user namespace (user_namespaces(7)): COUNT ids from HOST are IMAGE and up
 *	uid 1000   0 1
 *	uid 100000 1 65536
 *	gid 1000   0 1
 *	gid 100000 1 65536
 *	# one path or many: owner, group, and permissions in octal where they cannot be kept
 *	path usr/bin/sudo        0 0  4755
 *	path var/cache/man          6 12
 *
 * With at least one uid (gid) line, a file whose user (group) is in no range is an error. The
 * ids inside POSIX ACLs and of namespaced capabilities are mapped too. Where everything is forced
 * to one owner (ingot_tree_options.owner), ranges apply to ids inside attributes only.
 *
 * A path is a pattern as for ingot_path_match; of several that match a file the last one counts,
 * after owner and ranges. Of a file with several names any may match; where they disagree the
 * later line counts. A rule that matches nothing is not an error.
 */
#ifndef INGOT_TREE_OWNER_H
#define INGOT_TREE_OWNER_H

#include "base/alloc.h"
#include "tree/tree.h"

#define INGOT_OWNER_MAP_MAX (4 * 1024 * 1024) /* bytes in the file */

/* -EINVAL: "FILE:LINE: what is wrong". */
INGOT_API INGOT_MUST_USE int ingot_owner_map_load(const char *path, struct ingot_owner_map **ret,
						  struct ingot_error *err);
/* The same from a text; `file` is the name used in errors. */
INGOT_API INGOT_MUST_USE int ingot_owner_map_parse(const char *file, const char *text, size_t size,
						   struct ingot_owner_map **ret,
						   struct ingot_error *err);
INGOT_API void ingot_owner_map_free(struct ingot_owner_map *map); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_owner_map, ingot_owner_map, ingot_owner_map_free)
#define INGOT_OWNER_MAP INGOT_CLEANUP(ingot_owner_map_cleanup)

/* "UID:GID", both numbers below 4294967295. */
INGOT_API INGOT_MUST_USE int ingot_owner_parse(const char *text, uint32_t *ret_uid,
					       uint32_t *ret_gid, struct ingot_error *err);

#endif

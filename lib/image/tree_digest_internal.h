/*
 * A digest of a tree that is the same for a directory and any archive of it: SHA-256 over
 * a listing, one record an entry in the tree's order, fields ended by NUL bytes:
 *
 *	path, type and permissions (octal), uid, gid, mtime, size,
 *	then a link's target, a device's "MAJOR:MINOR", another name's first name, or nothing,
 *	then each extended attribute: name, size, value
 *	and an empty field
 *
 * Contents are not in it: those of /usr are what the root hash stands for, the others are
 * in the image's digest.
 */
#ifndef INGOT_IMAGE_TREE_DIGEST_INTERNAL_H
#define INGOT_IMAGE_TREE_DIGEST_INTERNAL_H

#include "base/digest.h"
#include "tree/tree.h"

struct tree_digest {
	uint64_t entries;
	uint8_t listing[INGOT_SHA256_SIZE];
};

INGOT_MUST_USE int tree_digest(struct ingot_tree *tree, struct tree_digest *ret,
			       struct ingot_error *err);

#endif

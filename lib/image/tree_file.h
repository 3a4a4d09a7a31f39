/* A file in a tree as a source: the kernel that goes into the UKI, for instance. */
#ifndef INGOT_IMAGE_TREE_FILE_H
#define INGOT_IMAGE_TREE_FILE_H

#include "io/source.h"
#include "tree/tree.h"

/* The node is borrowed and so is the tree. -EINVAL: not a regular file. */
INGOT_API INGOT_MUST_USE int ingot_tree_file(struct ingot_tree *tree, const struct ingot_node *node,
					     struct ingot_source **ret, struct ingot_error *err);

/*
 * The one regular file whose path matches the pattern (ingot_path_match); links are
 * followed inside the tree. -ENOENT: none; -EINVAL: several, and the sentence names two.
 */
INGOT_API INGOT_MUST_USE int ingot_tree_match(struct ingot_tree *tree, const char *pattern,
					      const struct ingot_node **ret,
					      struct ingot_error *err);

#endif

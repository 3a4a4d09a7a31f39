/*
 * What machines must not share, found in a tree: keys and identifiers that the installation made
 * up, seeds, leases, and traces of the person who made the tree. An image that carries one gives
 * the same one to every machine.
 *
 * Found are regular files that are not empty. Everything under etc/ is searched for private keys
 * in PEM form, in its first 64 KiB; usr/ is not searched. A machine id that says "uninitialized"
 * is fine, and so is a link to another place.
 */
#ifndef INGOT_TREE_PRIVATE_H
#define INGOT_TREE_PRIVATE_H

#include "tree/tree.h"

/*
 * Called for each file, in the tree's order. kind says what it is: "SSH host key". A negative
 * result ends the search and is returned by it.
 */
typedef int (*ingot_machine_state_found)(void *context, const struct ingot_node *node,
					 const char *kind, struct ingot_error *err);

/* The number of files found, or negative. */
INGOT_API INGOT_MUST_USE int ingot_tree_find_machine_state(struct ingot_tree *tree,
							   ingot_machine_state_found found,
							   void *context, struct ingot_error *err);

#endif

/*
 * The hash tree while it grows: digests come in order, hash blocks go to their places as
 * soon as they are full, and one hash block per level is kept in memory.
 */
#ifndef INGOT_VERITY_TREE_INTERNAL_H
#define INGOT_VERITY_TREE_INTERNAL_H

#include "io/sink.h"
#include "verity/geometry.h"
#include "verity/hash_internal.h"

struct ingot_verity_tree {
	const struct ingot_verity_params *params;
	const struct ingot_verity_geometry *geometry;
	struct ingot_sink *sink;
	struct ingot_verity_hasher *hasher;
	struct ingot_verity_tree_level {
		uint8_t *block;	  /* the one being filled; unused bytes are zero */
		uint32_t filled;  /* digests in it */
		uint64_t written; /* blocks before it */
	} levels[INGOT_VERITY_LEVELS_MAX];
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
};

/* Parameters, geometry and sink are borrowed. */
int ingot_verity_tree_init(struct ingot_verity_tree *tree, const struct ingot_verity_params *params,
			   const struct ingot_verity_geometry *geometry, struct ingot_sink *sink,
			   struct ingot_error *err);
void ingot_verity_tree_done(struct ingot_verity_tree *tree);

/* The next digest of a level (0: the leaves); the digest above the top level is the root hash. */
INGOT_MUST_USE int ingot_verity_tree_append(struct ingot_verity_tree *tree, unsigned level,
					    const uint8_t *digest, struct ingot_error *err);

/* Write what is not full. Then tree->root is the root hash. */
INGOT_MUST_USE int ingot_verity_tree_finish(struct ingot_verity_tree *tree,
					    struct ingot_error *err);

#endif

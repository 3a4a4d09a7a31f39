/* Comparing one level of a hash tree, or the data, with the digests that the level above has. */
#ifndef INGOT_VERITY_COMPARE_INTERNAL_H
#define INGOT_VERITY_COMPARE_INTERNAL_H

#include "verity/check.h"
#include "verity/chunk_internal.h"

struct ingot_verity_compare {
	struct ingot_verity_area area;
	struct ingot_source *want; /* digests laid out as in hash blocks */
	uint64_t want_offset;	   /* of the digest of block 0 */
	const struct ingot_progress *progress;

	/* Told of each bad block, in order; false: the rest does not matter. */
	bool (*bad)(void *context, uint64_t block);
	void *context;
	bool ended; /* by `bad` */
};

/* The area of a level, INGOT_VERITY_LEVEL_DATA included, and where its digests are. */
struct ingot_verity_compare ingot_verity_compare_level(const struct ingot_verity_params *params,
						       const struct ingot_verity_geometry *geometry,
						       int level, struct ingot_source *data,
						       struct ingot_source *hash,
						       struct ingot_source *root);

/* Negative, too, where `bad` ended it; `ended` tells. */
INGOT_MUST_USE int ingot_verity_compare(struct ingot_verity_compare *compare, unsigned jobs,
					struct ingot_error *err);

#endif

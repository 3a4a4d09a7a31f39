/*
 * SHA-256 of a disk and of each of its blocks of 1 MiB, in one pass on several cores: the one is
 * what sha256sum prints, the others tell where two disks differ. Holes are zeros, and never read.
 */
#ifndef INGOT_IMAGE_DIGEST_INTERNAL_H
#define INGOT_IMAGE_DIGEST_INTERNAL_H

#include "base/digest.h"
#include "io/copy.h"
#include "io/output.h"

#define IMAGE_DIGEST_BLOCK (1024 * 1024)

struct image_block_digest {
	bool zero; /* all of it; there is no digest then */
	uint8_t sha256[INGOT_SHA256_SIZE];
};

struct image_digests {
	uint8_t whole[INGOT_SHA256_SIZE];
	uint64_t count; /* the last block may be shorter */
	struct image_block_digest *blocks;
};

/* Free it with image_digests_done, whatever is returned. */
INGOT_MUST_USE int image_digests(struct ingot_source *source, unsigned jobs,
				 const struct ingot_progress *progress, struct image_digests *ret,
				 struct ingot_error *err);
/* An output that is complete but not committed, to be read. */
INGOT_MUST_USE int image_output_source(const struct ingot_output *output, struct ingot_source **ret,
				       struct ingot_error *err);

/*
 * The blocks of a disk and not the whole (which stays zero). Those that it shares with `base` are
 * taken from there: all within the base but those that `own`, by rising offset, touches. base NULL:
 * none.
 */
struct image_digests_shared {
	const struct image_digests *base;
	uint64_t base_size;
	const struct ingot_range *own;
	size_t own_count;
};
INGOT_MUST_USE int image_digests_blocks(struct ingot_source *source,
					const struct image_digests_shared *shared, unsigned jobs,
					struct image_digests *ret, struct ingot_error *err);

void image_digests_done(struct image_digests *digests);

#endif

/*
 * Make a hash tree in one pass over the data, on several cores, and on the way a copy of
 * the data: a filesystem that is computed while it is read goes to the disk and into the
 * tree at once.
 *
 * Holes are not read, blocks of zero bytes are hashed once, and memory depends on the
 * number of jobs only. The bytes are the same for any number of jobs.
 */
#ifndef INGOT_VERITY_BUILD_H
#define INGOT_VERITY_BUILD_H

#include "io/copy.h"
#include "verity/geometry.h"

struct ingot_verity_job {
	struct ingot_source *data; /* whole data blocks */
	struct ingot_sink *copy;   /* NULL, or where the data is written as well; still empty */
	struct ingot_sink *hash;   /* the hash device; may be the same as copy */
	uint64_t hash_offset;	   /* of the hash area on it, in bytes */
	unsigned jobs;		   /* at least 1 */
	const struct ingot_progress *progress; /* NULL, or told in bytes of data */
};

/*
 * The superblock is written last: an unfinished tree has none. A sink too small and wrong
 * parameters are found before anything is read or written.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_build(const struct ingot_verity_params *params,
						const struct ingot_verity_job *job,
						uint8_t root[INGOT_VERITY_DIGEST_MAX],
						size_t *ret_root_size, struct ingot_error *err);

#endif

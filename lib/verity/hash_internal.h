/*
 * The digests of many blocks of one size, salted as dm-verity wants it:
 * H(salt || block), or H(block || salt) for hash type 0.
 *
 * One hasher belongs to one thread at a time.
 */
#ifndef INGOT_VERITY_HASH_INTERNAL_H
#define INGOT_VERITY_HASH_INTERNAL_H

#include "base/alloc.h"
#include "verity/params.h"

struct ingot_verity_hasher;

struct ingot_verity_block {
	const uint8_t *data;
	uint8_t *digest; /* receives the digest */
};

int ingot_verity_hasher_new(const struct ingot_verity_params *params,
			    struct ingot_verity_hasher **ret, struct ingot_error *err);
void ingot_verity_hasher_free(struct ingot_verity_hasher *hasher); /* NULL is allowed */

/* Every block is block_size bytes long, a multiple of 64. */
INGOT_MUST_USE int ingot_verity_hash(struct ingot_verity_hasher *hasher,
				     const struct ingot_verity_block *blocks, size_t count,
				     size_t block_size, struct ingot_error *err);

#endif

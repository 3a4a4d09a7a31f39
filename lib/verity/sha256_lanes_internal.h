/*
 * SHA-256 of several independent messages at a time (FIPS 180-4).
 *
 * One message is one long chain of dependent instructions, so that a core which hashes
 * block after block waits most of the time. Hash tree blocks do not depend on each other:
 * several go through the processor side by side, each in a lane of its own. The digests
 * are those of libcrypto; only the time differs.
 */
#ifndef INGOT_VERITY_SHA256_LANES_INTERNAL_H
#define INGOT_VERITY_SHA256_LANES_INTERNAL_H

#include "base/sha256_state.h"
#include "verity/hash_internal.h"

#define INGOT_SHA256_LANES_MAX 16

/* Word i of lane l's state is words[i][l]. */
struct ingot_sha256_states {
	_Alignas(64) uint32_t words[8][INGOT_SHA256_LANES_MAX];
};

struct ingot_sha256_kernel {
	unsigned lanes;
	/* Every lane takes `blocks` blocks of 64 bytes from its data. */
	void (*compress)(struct ingot_sha256_states *states, const uint8_t *const *data,
			 size_t blocks);
};

/* NULL: this processor has not got the instructions. */
const struct ingot_sha256_kernel *ingot_sha256_avx512(void); /* 16 lanes */
const struct ingot_sha256_kernel *ingot_sha256_shani(void);  /* 4 lanes */

/* Messages that all start with the same salt, which is hashed as far as whole blocks go. */
struct ingot_sha256_salted {
	uint32_t state[8];
	size_t salt_size;
	size_t rest_size; /* salt behind the last whole block */
	uint8_t rest[INGOT_SHA256_BLOCK];
};

void ingot_sha256_salt(const struct ingot_sha256_kernel *kernel, const uint8_t *salt, size_t size,
		       struct ingot_sha256_salted *ret);

/* The digests of salt || block for 1 to kernel->lanes blocks; block_size is a multiple of 64. */
void ingot_sha256_lanes(const struct ingot_sha256_kernel *kernel,
			const struct ingot_sha256_salted *salted,
			const struct ingot_verity_block *blocks, size_t count, size_t block_size);

#endif

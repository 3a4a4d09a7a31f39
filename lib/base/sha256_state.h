/*
 * SHA-256 (FIPS 180-4) that can be interrupted, written down and continued on another machine:
 * what is left of the bytes so far is a chaining value of 32 bytes and how many they were.
 * libcrypto keeps these to itself. For everything else there is base/digest.h, which is faster.
 */
#ifndef INGOT_BASE_SHA256_STATE_H
#define INGOT_BASE_SHA256_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/api.h"

enum { INGOT_SHA256_BLOCK = 64 };

extern const uint32_t ingot_sha256_k[64];      /* the constants of 4.2.2 */
extern const uint32_t ingot_sha256_initial[8]; /* H(0) of 5.3.3 */

struct ingot_sha256_state {
	uint8_t chain[32]; /* the eight words H0 to H7, big-endian */
	uint64_t bytes;	   /* so far; a multiple of INGOT_SHA256_BLOCK */
};

INGOT_API void ingot_sha256_state_init(struct ingot_sha256_state *state);
/* n is a multiple of INGOT_SHA256_BLOCK. */
INGOT_API void ingot_sha256_state_add(struct ingot_sha256_state *state, const void *data, size_t n);
/* The digest of all bytes and these n, of any number. The state is used up. */
INGOT_API void ingot_sha256_state_end(struct ingot_sha256_state *state, const void *data, size_t n,
				      uint8_t digest[32]);

#endif

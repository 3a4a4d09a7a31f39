#include "base/sha256_state.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/* Aligned for those who load vectors of them. */
const uint32_t ingot_sha256_k[64] __attribute__((aligned(64))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

const uint32_t ingot_sha256_initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* 6.2.2, step 1 */
static void schedule(const uint8_t block[INGOT_SHA256_BLOCK], uint32_t w[64])
{
	for (size_t t = 0; t < 16; t++)
		w[t] = ingot_get_be32(block + 4 * t);
	for (size_t t = 16; t < 64; t++) {
		uint32_t a = w[t - 2], b = w[t - 15];
		uint32_t s1 = rotate(a, 17) ^ rotate(a, 19) ^ a >> 10;
		uint32_t s0 = rotate(b, 7) ^ rotate(b, 18) ^ b >> 3;

		w[t] = s1 + w[t - 7] + s0 + w[t - 16];
	}
}

/* 6.2.2, steps 2 to 4; v is a to h */
static void compress(uint32_t h[8], const uint8_t block[INGOT_SHA256_BLOCK])
{
	uint32_t w[64], v[8];

	schedule(block, w);
	memcpy(v, h, sizeof(v));
	for (size_t t = 0; t < 64; t++) {
		uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		uint32_t t1 = v[7] + s1 + choice + ingot_sha256_k[t] + w[t];

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (size_t i = 0; i < 8; i++)
		h[i] += v[i];
}

void ingot_sha256_state_init(struct ingot_sha256_state *state)
{
	for (size_t i = 0; i < 8; i++)
		ingot_put_be32(state->chain + 4 * i, ingot_sha256_initial[i]);
	state->bytes = 0;
}

void ingot_sha256_state_add(struct ingot_sha256_state *state, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t h[8];

	assert(n % INGOT_SHA256_BLOCK == 0 && state->bytes % INGOT_SHA256_BLOCK == 0);
	for (size_t i = 0; i < 8; i++)
		h[i] = ingot_get_be32(state->chain + 4 * i);
	for (size_t at = 0; at < n; at += INGOT_SHA256_BLOCK)
		compress(h, p + at);
	for (size_t i = 0; i < 8; i++)
		ingot_put_be32(state->chain + 4 * i, h[i]);
	state->bytes += n;
}

void ingot_sha256_state_end(struct ingot_sha256_state *state, const void *data, size_t n,
			    uint8_t digest[32])
{
	size_t rest = n % INGOT_SHA256_BLOCK, whole = n - rest;
	uint8_t last[2 * INGOT_SHA256_BLOCK] = {0};
	size_t size = rest < INGOT_SHA256_BLOCK - 8 ? INGOT_SHA256_BLOCK : 2 * INGOT_SHA256_BLOCK;
	uint64_t bits = (state->bytes + n) * 8;

	ingot_sha256_state_add(state, data, whole);
	if (rest)
		memcpy(last, (const uint8_t *)data + whole, rest);
	last[rest] = 0x80; /* 5.1.1 */
	ingot_put_be64(last + size - 8, bits);
	ingot_sha256_state_add(state, last, size);
	memcpy(digest, state->chain, 32);
}

#include "verity/sha256_lanes_internal.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum { BLOCK = INGOT_SHA256_BLOCK, LANES = INGOT_SHA256_LANES_MAX };

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

/* Section 5.3.3 */
static const uint32_t INITIAL[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static void set_states(struct ingot_sha256_states *states, const uint32_t state[8])
{
	for (unsigned i = 0; i < 8; i++)
		for (unsigned lane = 0; lane < LANES; lane++)
			states->words[i][lane] = state[i];
}

void ingot_sha256_salt(const struct ingot_sha256_kernel *kernel, const uint8_t *salt, size_t size,
		       struct ingot_sha256_salted *ret)
{
	struct ingot_sha256_states states;
	const uint8_t *data[LANES];

	for (unsigned lane = 0; lane < LANES; lane++)
		data[lane] = salt;
	set_states(&states, INITIAL);
	kernel->compress(&states, data, size / BLOCK);
	for (unsigned i = 0; i < 8; i++)
		ret->state[i] = states.words[i][0];
	ret->salt_size = size;
	ret->rest_size = size % BLOCK;
	memcpy(ret->rest, salt + size - ret->rest_size, ret->rest_size);
}

/* Section 5.1.1: a one bit, zeros, the length in bits. Returns the number of blocks. */
static size_t pad(uint8_t *tail, size_t used, uint64_t message_size)
{
	size_t size = used + 9 <= BLOCK ? BLOCK : 2 * BLOCK;

	memset(tail + used, 0, size - used);
	tail[used] = 0x80;
	ingot_put_be64(tail + size - 8, message_size * 8);
	return size / BLOCK;
}

static void put_digest(const struct ingot_sha256_states *states, unsigned lane, uint8_t *digest)
{
	for (unsigned i = 0; i < 8; i++)
		ingot_put_be32(digest + 4 * i, states->words[i][lane]);
}

/*
 * Three parts: the rest of the salt with the start of the block, the middle straight from
 * the block, its last bytes with the padding. With a salt of whole 64-byte blocks there is
 * no first part, and the last is padding only.
 */
void ingot_sha256_lanes(const struct ingot_sha256_kernel *kernel,
			const struct ingot_sha256_salted *salted,
			const struct ingot_verity_block *blocks, size_t count, size_t block_size)
{
	const size_t rest = salted->rest_size, start = rest ? BLOCK - rest : 0;
	uint8_t scratch[LANES][2 * BLOCK];
	const uint8_t *part[LANES], *data[LANES];
	struct ingot_sha256_states states;
	size_t tail_blocks = 0;

	assert(count > 0 && count <= kernel->lanes && block_size % BLOCK == 0);
	set_states(&states, salted->state);
	for (unsigned lane = 0; lane < kernel->lanes; lane++) {
		/* A lane without a block repeats the last one. */
		data[lane] = blocks[lane < count ? lane : count - 1].data;
		part[lane] = scratch[lane];
		memcpy(scratch[lane], salted->rest, rest);
		memcpy(scratch[lane] + rest, data[lane], start);
	}
	if (rest > 0)
		kernel->compress(&states, part, 1);
	for (unsigned lane = 0; lane < kernel->lanes; lane++)
		part[lane] = data[lane] + start;
	kernel->compress(&states, part, (block_size - start) / BLOCK);
	for (unsigned lane = 0; lane < kernel->lanes; lane++) {
		part[lane] = scratch[lane];
		memcpy(scratch[lane], data[lane] + block_size - rest, rest);
		tail_blocks = pad(scratch[lane], rest, salted->salt_size + block_size);
	}
	kernel->compress(&states, part, tail_blocks);
	for (unsigned lane = 0; lane < count; lane++)
		put_digest(&states, lane, blocks[lane].digest);
}

#include "verity/sha256_lanes_internal.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum { BLOCK = INGOT_SHA256_BLOCK, LANES = INGOT_SHA256_LANES_MAX };

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
	set_states(&states, ingot_sha256_initial);
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

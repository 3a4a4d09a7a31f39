/*
 * A chunk: the blocks that a worker reads and hashes at one go, and their digests laid out
 * as in hash blocks. Building writes that layout, checking compares with it.
 *
 * A chunk either fills whole hash blocks with its digests (all but the last chunk), or,
 * where a hash block holds very many digests, its digests are a part of one hash block.
 */
#ifndef INGOT_VERITY_CHUNK_INTERNAL_H
#define INGOT_VERITY_CHUNK_INTERNAL_H

#include "io/sink.h"
#include "io/source.h"
#include "verity/geometry.h"
#include "verity/hash_internal.h"

/* What is hashed: the data, or one level of the tree. Shared by all workers. */
struct ingot_verity_area {
	const struct ingot_verity_params *params;
	const struct ingot_verity_geometry *geometry;
	struct ingot_source *source;
	struct ingot_sink *copy; /* NULL, or where the bytes go as well, at the same offsets */
	uint64_t offset;	 /* of block 0 in the source */
	uint64_t blocks;
	uint32_t block_size;
};

/* Blocks in a chunk (a power of two), and chunks in the area. */
uint64_t ingot_verity_chunk_blocks(const struct ingot_verity_area *area);
uint64_t ingot_verity_chunk_count(const struct ingot_verity_area *area);

/* Whether chunks fill whole hash blocks. */
bool ingot_verity_chunk_is_whole(const struct ingot_verity_area *area);

/* One worker's buffers. */
struct ingot_verity_chunk {
	struct ingot_verity_hasher *hasher;
	uint8_t *piece; /* some of the blocks */
	struct ingot_verity_block *list;
	uint8_t zero_digest[INGOT_VERITY_DIGEST_MAX]; /* of a block of zero bytes */

	uint64_t first;	    /* block of the area */
	uint64_t count;	    /* blocks */
	uint8_t *hashes;    /* their digests, laid out; unused bytes are zero */
	size_t hashes_size; /* whole hash blocks, or the part of one */
};

int ingot_verity_chunk_init(const struct ingot_verity_area *area, struct ingot_verity_chunk *chunk,
			    struct ingot_error *err);
void ingot_verity_chunk_done(struct ingot_verity_chunk *chunk);

/* Read and hash the chunk of that number. */
INGOT_MUST_USE int ingot_verity_chunk_run(const struct ingot_verity_area *area, uint64_t index,
					  struct ingot_verity_chunk *chunk,
					  struct ingot_error *err);

/* The digest of the i-th block of the chunk, in a layout of hash blocks. */
static inline size_t ingot_verity_slot(const struct ingot_verity_area *area, uint64_t i)
{
	uint64_t per = area->geometry->digests_per_block;

	return (size_t)(i / per * area->params->hash_block_size +
			i % per * area->geometry->slot_size);
}

#endif

#include "verity/chunk_internal.h"

#include <errno.h>
#include <string.h>

/*
 * A chunk is CHUNK bytes, or the few MiB more whose digests fill one hash block: large, so
 * that a worker is not kept waiting for another that lost its core for a moment, and that
 * its leaves can be hashed side by side. It is read in pieces that stay in a core's own
 * cache until they are hashed; memory holds one piece.
 */
enum { CHUNK = 4 * 1024 * 1024, CHUNK_MAX = 8 * 1024 * 1024, PIECE = 128 * 1024 };

uint64_t ingot_verity_chunk_blocks(const struct ingot_verity_area *area)
{
	uint64_t blocks = CHUNK / area->block_size;
	uint64_t per = area->geometry->digests_per_block;

	if (blocks < per && per * area->block_size <= CHUNK_MAX)
		return per;
	return blocks;
}

uint64_t ingot_verity_chunk_count(const struct ingot_verity_area *area)
{
	return ingot_div_up(area->blocks, ingot_verity_chunk_blocks(area));
}

bool ingot_verity_chunk_is_whole(const struct ingot_verity_area *area)
{
	return ingot_verity_chunk_blocks(area) >= area->geometry->digests_per_block;
}

static size_t piece_size(const struct ingot_verity_area *area)
{
	return area->block_size > PIECE ? area->block_size : PIECE;
}

static size_t hashes_size(const struct ingot_verity_area *area, uint64_t count)
{
	if (ingot_verity_chunk_is_whole(area))
		count = ingot_round_up(count, area->geometry->digests_per_block);
	return ingot_verity_slot(area, count);
}

static int hash_zero_block(const struct ingot_verity_area *area, struct ingot_verity_chunk *chunk,
			   struct ingot_error *err)
{
	struct ingot_verity_block zero = {chunk->piece, chunk->zero_digest};

	memset(chunk->piece, 0, area->block_size);
	return ingot_verity_hash(chunk->hasher, &zero, 1, area->block_size, err);
}

int ingot_verity_chunk_init(const struct ingot_verity_area *area, struct ingot_verity_chunk *chunk,
			    struct ingot_error *err)
{
	size_t piece = piece_size(area);
	int rc = ingot_verity_hasher_new(area->params, &chunk->hasher, err);

	if (rc < 0)
		return rc;
	chunk->piece = ingot_alloc_buffer(piece, err);
	chunk->list = ingot_alloc(piece / area->block_size, sizeof(*chunk->list), err);
	chunk->hashes = ingot_alloc(1, hashes_size(area, ingot_verity_chunk_blocks(area)), err);
	if (!chunk->piece || !chunk->list || !chunk->hashes)
		return -ENOMEM;
	return hash_zero_block(area, chunk, err);
}

void ingot_verity_chunk_done(struct ingot_verity_chunk *chunk)
{
	ingot_verity_hasher_free(chunk->hasher);
	free(chunk->piece);
	free(chunk->list);
	free(chunk->hashes);
}

/* Fill the piece from the source and copy its data runs. *ret_hole: it is one hole, not filled. */
static int load_piece(const struct ingot_verity_area *area, uint64_t offset, size_t size,
		      uint8_t *piece, bool *ret_hole, struct ingot_error *err)
{
	struct ingot_extent run;

	*ret_hole = false;
	for (size_t at = 0; at < size; at += (size_t)run.length) {
		int rc = ingot_source_extent(area->source, offset + at, &run, err);

		if (rc < 0)
			return rc;
		run.length = ingot_min(run.length, size - at);
		if (run.hole && run.length == size) {
			*ret_hole = true;
			return 0;
		}
		if (run.hole) {
			memset(piece + at, 0, (size_t)run.length);
			continue;
		}
		rc = ingot_source_read(area->source, offset + at, piece + at, (size_t)run.length,
				       err);
		if (rc == 0 && area->copy)
			rc = ingot_sink_write(area->copy, offset + at, piece + at,
					      (size_t)run.length, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Data differs from zero early; only zero blocks are looked at to their end. */
static bool is_zero(const uint8_t *p, size_t n)
{
	uint64_t head;

	memcpy(&head, p, sizeof(head));
	return head == 0 && memcmp(p, p + sizeof(head), n - sizeof(head)) == 0;
}

static int hash_piece(const struct ingot_verity_area *area, struct ingot_verity_chunk *chunk,
		      uint64_t first, uint64_t count, bool hole, struct ingot_error *err)
{
	size_t todo = 0;

	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *data = chunk->piece + i * area->block_size;
		uint8_t *digest = chunk->hashes + ingot_verity_slot(area, first + i);

		if (hole || is_zero(data, area->block_size))
			memcpy(digest, chunk->zero_digest, area->geometry->digest_size);
		else
			chunk->list[todo++] = (struct ingot_verity_block){data, digest};
	}
	return ingot_verity_hash(chunk->hasher, chunk->list, todo, area->block_size, err);
}

int ingot_verity_chunk_run(const struct ingot_verity_area *area, uint64_t index,
			   struct ingot_verity_chunk *chunk, struct ingot_error *err)
{
	uint64_t per_piece = piece_size(area) / area->block_size;
	uint64_t n;

	chunk->first = index * ingot_verity_chunk_blocks(area);
	chunk->count = ingot_min(ingot_verity_chunk_blocks(area), area->blocks - chunk->first);
	chunk->hashes_size = hashes_size(area, chunk->count);
	memset(chunk->hashes, 0, chunk->hashes_size);
	for (uint64_t i = 0; i < chunk->count; i += n) {
		uint64_t offset = area->offset + (chunk->first + i) * area->block_size;
		bool hole;
		int rc;

		n = ingot_min(per_piece, chunk->count - i);
		rc = load_piece(area, offset, (size_t)n * area->block_size, chunk->piece, &hole,
				err);
		if (rc == 0)
			rc = hash_piece(area, chunk, i, n, hole, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

#include "formats/chunk_internal.h"

#include <errno.h>
#include <libdeflate.h>
#include <string.h>
#include <zstd.h>

#include "base/xxh64.h"
#include "formats/convert.h"
#include "formats/fast_deflate.h"
#include "formats/store_internal.h"
#include "formats/xz_internal.h"
#include "formats/zstd_level_internal.h"

/* libdeflate's levels, by ours; 0 is an encoder of our own. Level 2 would take as long as 3. */
static const int DEFLATE_LEVELS[INGOT_LEVEL_MAX + 1] = {0, 0, 1, 3, 4, 5, 6, 7, 8, 9};

static int start_deflate(struct ingot_packer *packer, unsigned level, struct ingot_error *err)
{
	if (DEFLATE_LEVELS[level] == 0) {
		packer->fast = ingot_fast_deflate_new(err);
		if (!packer->fast)
			return -ENOMEM;
		packer->deflate_room = INGOT_FAST_DEFLATE_ROOM;
	} else {
		packer->deflate = libdeflate_alloc_compressor(DEFLATE_LEVELS[level]);
		if (!packer->deflate)
			return ingot_raise_oom(err, 0);
		packer->deflate_room =
			libdeflate_deflate_compress_bound(packer->deflate, INGOT_PIECE);
	}
	packer->deflate_room = ingot_max(packer->deflate_room, INGOT_STORED_MAX);
	packer->deflated = ingot_alloc(INGOT_CHUNK_PIECES, packer->deflate_room, err);
	return packer->deflated ? 0 : -ENOMEM;
}

static int start_zstd(struct ingot_packer *packer, unsigned level, struct ingot_error *err)
{
	packer->zstd = ZSTD_createCCtx();
	if (!packer->zstd)
		return ingot_raise_oom(err, 0);
	packer->zstd_room = ingot_max(ZSTD_compressBound(INGOT_PIECE), INGOT_STORED_MAX);
	packer->zstandard = ingot_alloc(INGOT_CHUNK_PIECES, packer->zstd_room, err);
	return packer->zstandard ? ingot_zstd_set_level(packer->zstd, level, err) : -ENOMEM;
}

int ingot_packer_init(struct ingot_packer *packer, unsigned needs, unsigned level,
		      struct ingot_error *err)
{
	int rc = 0;

	packer->needs = needs;
	packer->level = level;
	packer->data = ingot_alloc_buffer(INGOT_CHUNK, err);
	if (!packer->data)
		return -ENOMEM;
	if (needs & INGOT_NEED_DEFLATE)
		rc = start_deflate(packer, level, err);
	if (rc == 0 && needs & INGOT_NEED_ZSTD)
		rc = start_zstd(packer, level, err);
	if (rc == 0 && needs & INGOT_NEED_XZ)
		rc = ingot_xz_pack_init(packer, err);
	return rc;
}

void ingot_packer_done(struct ingot_packer *packer)
{
	ingot_fast_deflate_free(packer->fast);
	libdeflate_free_compressor(packer->deflate);
	(void)ZSTD_freeCCtx(packer->zstd);
	free(packer->data);
	free(packer->deflated);
	free(packer->zstandard);
	free(packer->xz);
}

static bool is_zero(const unsigned char *data, size_t n)
{
	return data[0] == 0 && memcmp(data, data + 1, n - 1) == 0;
}

static int pack_zstd(struct ingot_packer *packer, struct ingot_piece *piece,
		     struct ingot_error *err)
{
	size_t n;

	if (piece->plain) {
		piece->zstd.size = ingot_store_zstd(piece->data, INGOT_PIECE, piece->zstd.data);
		return 0;
	}
	n = ZSTD_compress2(packer->zstd, piece->zstd.data, packer->zstd_room, piece->data,
			   INGOT_PIECE);
	if (ZSTD_isError(n))
		return ingot_raise(err, -EIO, "compress 64 KiB: %s", ZSTD_getErrorName(n));
	piece->zstd.size = n;
	return 0;
}

static int pack_deflate(struct ingot_packer *packer, struct ingot_piece *piece,
			struct ingot_error *err)
{
	if (piece->plain) {
		piece->deflate.size =
			ingot_store_deflate(piece->data, INGOT_PIECE, piece->deflate.data);
		return 0;
	}
	if (packer->fast) {
		piece->deflate.size = ingot_fast_deflate(packer->fast, piece->data, INGOT_PIECE,
							 piece->deflate.data);
		return 0;
	}
	piece->deflate.size =
		libdeflate_deflate_compress(packer->deflate, piece->data, INGOT_PIECE,
					    piece->deflate.data, packer->deflate_room);
	if (piece->deflate.size == 0)
		return ingot_raise(err, -EIO, "compress 64 KiB: the result is too large");
	return 0;
}

static int pack_piece(struct ingot_packer *packer, size_t i, struct ingot_error *err)
{
	struct ingot_piece *piece = &packer->chunk.pieces[i];
	int rc = 0;

	if (packer->needs & (INGOT_NEED_ADLER | INGOT_NEED_IDENTITY))
		piece->adler32 = libdeflate_adler32(1, piece->data, INGOT_PIECE);
	if (packer->needs & (INGOT_NEED_CRC32 | INGOT_NEED_IDENTITY))
		piece->crc32 = libdeflate_crc32(0, piece->data, INGOT_PIECE);
	if (packer->needs & INGOT_NEED_XXH64)
		piece->xxh64 = ingot_xxh64(piece->data, INGOT_PIECE);
	if (packer->needs & INGOT_NEED_DEFLATE) {
		piece->deflate.data = packer->deflated + i * packer->deflate_room;
		rc = pack_deflate(packer, piece, err);
	}
	if (rc == 0 && packer->needs & INGOT_NEED_ZSTD) {
		piece->zstd.data = packer->zstandard + i * packer->zstd_room;
		rc = pack_zstd(packer, piece, err);
	}
	return rc;
}

/* The chunk's bytes, holes as zeros. *any: something was read; if not, no byte is set. */
static int read_chunk(struct ingot_packer *packer, struct ingot_source *source, bool *any,
		      struct ingot_error *err)
{
	const struct ingot_chunk *chunk = &packer->chunk;
	struct ingot_extent run;

	*any = false;
	for (size_t at = 0; at < chunk->length; at += (size_t)run.length) {
		int rc = ingot_source_extent(source, chunk->offset + at, &run, err);

		if (rc < 0)
			return rc;
		run.length = ingot_min(run.length, chunk->length - at);
		if (run.hole && run.length == chunk->length)
			return 0;
		if (run.hole) {
			memset(packer->data + at, 0, (size_t)run.length);
			continue;
		}
		*any = true;
		rc = ingot_source_read(source, chunk->offset + at, packer->data + at,
				       (size_t)run.length, err);
		if (rc < 0)
			return rc;
	}
	memset(packer->data + chunk->length, 0, INGOT_CHUNK - chunk->length);
	return 0;
}

int ingot_packer_fill(struct ingot_packer *packer, struct ingot_source *source, uint64_t index,
		      unsigned plain, struct ingot_error *err)
{
	struct ingot_chunk *chunk = &packer->chunk;
	bool any;
	int rc;

	memset(chunk, 0, sizeof(*chunk));
	chunk->offset = index * INGOT_CHUNK;
	chunk->length = (size_t)ingot_min(INGOT_CHUNK, source->size - chunk->offset);
	chunk->piece_count = (size_t)ingot_div_up(chunk->length, INGOT_PIECE);
	rc = read_chunk(packer, source, &any, err);
	if (rc < 0)
		return rc;
	if (!any && plain)
		memset(packer->data, 0, INGOT_CHUNK);
	for (size_t i = 0; i < chunk->piece_count; i++) {
		struct ingot_piece *piece = &chunk->pieces[i];

		piece->data = packer->data + i * INGOT_PIECE;
		piece->plain = plain >> i & 1;
		piece->zero = !piece->plain && (!any || is_zero(piece->data, INGOT_PIECE));
		if (piece->zero)
			continue;
		rc = pack_piece(packer, i, err);
		if (rc < 0)
			return rc;
	}
	return packer->needs & INGOT_NEED_XZ ? ingot_xz_pack(packer, err) : 0;
}

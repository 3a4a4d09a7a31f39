/*
 * raw.zst: the disk as Zstandard frames (RFC 8878), one for each piece of 64 KiB that is not zero
 * and one for up to 4 MiB of zeros, each with its size and checksum; then the seek table of zstd's
 * contrib/seekable_format, by which a reader finds any of them.
 *
 * The first frame is followed by a skippable one that says how long the disk is: without it, a file
 * that was cut off between two frames would be a shorter disk.
 */
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/xxh64.h"
#include "formats/append_internal.h"
#include "formats/format_internal.h"
#include "formats/store_internal.h"
#include "formats/zeros_internal.h"
#include "formats/zst_internal.h"

enum { LEVEL = 3 }; /* of what is not shared: zeros, and less than 64 KiB at the end */

struct zst_writer {
	struct ingot_writer writer;
	struct ingot_append append;
	struct ZSTD_CCtx_s *zstd;
	uint64_t zeros;				    /* at the end, not yet written */
	struct ingot_packed zero[INGOT_ZERO_STEPS]; /* made when needed */
	unsigned char *table;			    /* entries of the seek table */
	size_t frames, table_room;		    /* room in bytes */
};

static void zst_free(struct ingot_writer *writer)
{
	struct zst_writer *zst = (struct zst_writer *)writer;

	ingot_append_done(&zst->append);
	(void)ZSTD_freeCCtx(zst->zstd);
	for (size_t i = 0; i < INGOT_ZERO_STEPS; i++)
		free(zst->zero[i].data);
	free(zst->table);
	free(zst);
}

static int begin(struct zst_writer *zst, struct ingot_output *output, struct ingot_error *err)
{
	zst->zstd = ZSTD_createCCtx();
	if (!zst->zstd)
		return ingot_raise_oom(err, 0);
	(void)ZSTD_CCtx_setParameter(zst->zstd, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(zst->zstd, ZSTD_c_checksumFlag, 1);
	return ingot_append_init(&zst->append, output, err);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct zst_writer *zst = ingot_alloc(1, sizeof(*zst), err);
	int rc;

	(void)options;
	if (!zst)
		return -ENOMEM;
	zst->writer = (struct ingot_writer){ops, size};
	rc = begin(zst, output, err);
	if (rc < 0) {
		zst_free(&zst->writer);
		return rc;
	}
	*ret = &zst->writer;
	return 0;
}

/* --- frames ------------------------------------------------------------ */

/* A frame more in the table, which more than its limit of frames do without. */
static int note(struct zst_writer *zst, size_t packed, size_t n, struct ingot_error *err)
{
	int rc;

	if (zst->frames++ >= INGOT_ZST_TABLE_MAX)
		return 0;
	rc = ingot_grow((void **)&zst->table, &zst->table_room, zst->frames * INGOT_ZST_ENTRY, 1,
			err);
	if (rc < 0)
		return rc;
	ingot_put_le32(zst->table + (zst->frames - 1) * INGOT_ZST_ENTRY, (uint32_t)packed);
	ingot_put_le32(zst->table + (zst->frames - 1) * INGOT_ZST_ENTRY + 4, (uint32_t)n);
	return 0;
}

static int put_disk_size(struct zst_writer *zst, struct ingot_error *err)
{
	unsigned char frame[INGOT_ZST_SIZE_FRAME];
	int rc;

	ingot_put_le32(frame, INGOT_ZST_SIZE_MAGIC);
	ingot_put_le32(frame + 4, sizeof(frame) - 8);
	memcpy(frame + 8, INGOT_ZST_SIZE_NAME, 8);
	ingot_put_le64(frame + 16, zst->writer.size);
	rc = note(zst, sizeof(frame), 0, err);
	return rc < 0 ? rc : ingot_append_bytes(&zst->append, frame, sizeof(frame), err);
}

/* Up to three parts of one frame; n: its bytes unpacked. */
static int put_frame(struct zst_writer *zst, const struct ingot_packed parts[3], size_t n,
		     struct ingot_error *err)
{
	bool first = zst->append.end == 0;
	size_t size = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 3; i++) {
		rc = ingot_append_bytes(&zst->append, parts[i].data, parts[i].size, err);
		size += parts[i].size;
	}
	if (rc == 0)
		rc = note(zst, size, n, err);
	return rc == 0 && first ? put_disk_size(zst, err) : rc;
}

/* A frame without a checksum of n bytes: a bit in its fifth byte, and it has one at its end. */
static int put_checked(struct zst_writer *zst, const struct ingot_packed *packed, size_t n,
		       uint64_t xxh64, struct ingot_error *err)
{
	unsigned char head[5], sum[4];
	struct ingot_packed parts[3] = {{head, sizeof(head)},
					{packed->data + sizeof(head), packed->size - sizeof(head)},
					{sum, sizeof(sum)}};

	memcpy(head, packed->data, sizeof(head));
	head[4] |= INGOT_ZST_CHECKSUM;
	ingot_put_le32(sum, (uint32_t)xxh64);
	return put_frame(zst, parts, n, err);
}

/* Bytes that stay as they are. */
static int store_bytes(struct zst_writer *zst, const void *data, size_t n, struct ingot_error *err)
{
	INGOT_FREE unsigned char *stored = ingot_alloc(1, INGOT_STORED_MAX, err);
	struct ingot_packed packed = {.data = stored};

	if (!stored)
		return -ENOMEM;
	packed.size = ingot_store_zstd(data, n, stored);
	return put_checked(zst, &packed, n, ingot_xxh64(data, n), err);
}

static int compress(struct zst_writer *zst, const void *data, size_t n, struct ingot_packed *ret,
		    struct ingot_error *err)
{
	size_t room = ZSTD_compressBound(n), got;

	ret->data = ingot_alloc(1, room, err);
	if (!ret->data)
		return -ENOMEM;
	got = ZSTD_compress2(zst->zstd, ret->data, room, data, n);
	if (ZSTD_isError(got))
		return ingot_raise(err, -EIO, "compress %zu bytes: %s", n, ZSTD_getErrorName(got));
	ret->size = got;
	return 0;
}

static int put_bytes(struct zst_writer *zst, const void *data, size_t n, struct ingot_error *err)
{
	struct ingot_packed parts[3] = {0};
	int rc = compress(zst, data, n, &parts[0], err);

	if (rc == 0)
		rc = put_frame(zst, parts, n, err);
	free(parts[0].data);
	return rc;
}

static int put_zero_frame(struct zst_writer *zst, size_t step, struct ingot_error *err)
{
	struct ingot_packed *packed = &zst->zero[step], parts[3] = {0};
	size_t n = INGOT_ZERO_SIZES[step];

	if (!packed->data) {
		INGOT_FREE unsigned char *zeros = ingot_alloc(1, n, err);
		int rc = zeros ? compress(zst, zeros, n, packed, err) : -ENOMEM;

		if (rc < 0)
			return rc;
	}
	parts[0] = *packed;
	return put_frame(zst, parts, n, err);
}

static int flush_zeros(struct zst_writer *zst, struct ingot_error *err)
{
	static const unsigned char zeros[INGOT_PIECE];
	size_t step, rest;

	while ((step = ingot_zero_step(zst->zeros)) < INGOT_ZERO_STEPS) {
		int rc = put_zero_frame(zst, step, err);

		if (rc < 0)
			return rc;
		zst->zeros -= INGOT_ZERO_SIZES[step];
	}
	rest = (size_t)zst->zeros;
	zst->zeros = 0;
	return rest ? put_bytes(zst, zeros, rest, err) : 0;
}

/* --- the pass ---------------------------------------------------------- */

static int append_piece(struct zst_writer *zst, const struct ingot_piece *piece, size_t n,
			struct ingot_error *err)
{
	int rc;

	if (piece->zero) {
		zst->zeros += n;
		return 0;
	}
	rc = flush_zeros(zst, err);
	if (rc < 0)
		return rc;
	if (n == INGOT_PIECE)
		return put_checked(zst, &piece->zstd, n, piece->xxh64, err);
	return piece->plain ? store_bytes(zst, piece->data, n, err)
			    : put_bytes(zst, piece->data, n, err);
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	for (size_t i = 0; i < chunk->piece_count; i++) {
		size_t n = (size_t)ingot_min(INGOT_PIECE, chunk->length - i * INGOT_PIECE);
		int rc = append_piece((struct zst_writer *)writer, &chunk->pieces[i], n, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int put_table(struct zst_writer *zst, struct ingot_error *err)
{
	size_t entries = zst->frames * INGOT_ZST_ENTRY;
	unsigned char head[8], foot[INGOT_ZST_TABLE_FOOT];
	int rc;

	if (zst->frames > INGOT_ZST_TABLE_MAX)
		return 0;
	ingot_put_le32(head, INGOT_ZST_TABLE_MAGIC);
	ingot_put_le32(head + 4, (uint32_t)(entries + sizeof(foot)));
	ingot_put_le32(foot, (uint32_t)zst->frames);
	foot[4] = 0; /* no checksums here: the frames have them */
	ingot_put_le32(foot + 5, INGOT_ZST_FOOT_MAGIC);
	rc = ingot_append_bytes(&zst->append, head, sizeof(head), err);
	if (rc == 0)
		rc = ingot_append_bytes(&zst->append, zst->table, entries, err);
	return rc < 0 ? rc : ingot_append_bytes(&zst->append, foot, sizeof(foot), err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct zst_writer *zst = (struct zst_writer *)writer;
	int rc = flush_zeros(zst, err);

	(void)seed;
	if (rc == 0 && zst->append.end == 0) /* nothing at all is no zstd file */
		rc = put_bytes(zst, "", 0, err);
	if (rc == 0)
		rc = put_table(zst, err);
	return rc < 0 ? rc : ingot_append_flush(&zst->append, err);
}

const struct ingot_writer_ops ingot_raw_zst_writer = {
	.format = {"raw.zst", "the disk, compressed with Zstandard, with a seek table"},
	.needs = INGOT_NEED_ZSTD | INGOT_NEED_XXH64 | INGOT_NEED_HOLES,
	.start = start,
	.append = append,
	.finish = finish,
	.free = zst_free,
};

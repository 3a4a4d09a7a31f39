#include "formats/gzip_internal.h"

#include <errno.h>
#include <libdeflate.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/store_internal.h"

enum { LEVEL = 9 }; /* of what is not shared: zeros, and less than 64 KiB at an end */

int ingot_gzip_init(struct ingot_gzip *gzip, const struct ingot_output *output, uint64_t total,
		    struct ingot_error *err)
{
	*gzip = (struct ingot_gzip){.total = total};
	gzip->deflate = libdeflate_alloc_compressor(LEVEL);
	if (!gzip->deflate)
		return ingot_raise_oom(err, 0);
	return ingot_append_init(&gzip->append, output, err);
}

void ingot_gzip_done(struct ingot_gzip *gzip)
{
	libdeflate_free_compressor(gzip->deflate);
	ingot_append_done(&gzip->append);
	for (size_t i = 0; i < INGOT_ZERO_STEPS; i++)
		free(gzip->zero[i].deflate.data);
}

/* n: bytes of the member, unpacked. */
static int put_member(struct ingot_gzip *gzip, const struct ingot_packed *deflate, uint32_t crc32,
		      size_t n, struct ingot_error *err)
{
	bool first = gzip->append.end == 0;
	size_t head = first ? INGOT_GZIP_FIRST_HEAD : INGOT_GZIP_HEAD;
	unsigned char h[INGOT_GZIP_FIRST_HEAD] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff};
	unsigned char tail[INGOT_GZIP_TAIL];
	int rc;

	ingot_put_le16(h + 10, (uint16_t)(head - 12));
	memcpy(h + 12, "IG", 2);
	ingot_put_le16(h + 14, (uint16_t)(head - 16));
	ingot_put_le32(h + 16, (uint32_t)(head + deflate->size + INGOT_GZIP_TAIL));
	if (first)
		ingot_put_le64(h + 20, gzip->total);
	ingot_put_le32(tail, crc32);
	ingot_put_le32(tail + 4, (uint32_t)n);
	rc = ingot_append_bytes(&gzip->append, h, head, err);
	if (rc == 0)
		rc = ingot_append_bytes(&gzip->append, deflate->data, deflate->size, err);
	return rc < 0 ? rc : ingot_append_bytes(&gzip->append, tail, sizeof(tail), err);
}

static int compress(struct ingot_gzip *gzip, const void *data, size_t n,
		    struct ingot_gzip_member *ret, struct ingot_error *err)
{
	size_t room = libdeflate_deflate_compress_bound(gzip->deflate, n);
	unsigned char *packed = ingot_alloc(1, room, err);

	if (!packed)
		return -ENOMEM;
	ret->crc32 = libdeflate_crc32(0, data, n);
	ret->deflate.data = packed;
	ret->deflate.size = libdeflate_deflate_compress(gzip->deflate, data, n, packed, room);
	if (ret->deflate.size == 0)
		return ingot_raise(err, -EIO, "compress %zu bytes: the result is too large", n);
	return 0;
}

/* --- zeros ------------------------------------------------------------- */

static int put_zero_member(struct ingot_gzip *gzip, size_t step, struct ingot_error *err)
{
	struct ingot_gzip_member *member = &gzip->zero[step];
	size_t n = INGOT_ZERO_SIZES[step];

	if (!member->deflate.data) {
		INGOT_FREE unsigned char *zeros = ingot_alloc(1, n, err);
		int rc = zeros ? compress(gzip, zeros, n, member, err) : -ENOMEM;

		if (rc < 0)
			return rc;
	}
	return put_member(gzip, &member->deflate, member->crc32, n, err);
}

static int put_bytes(struct ingot_gzip *gzip, const void *data, size_t n, struct ingot_error *err)
{
	struct ingot_gzip_member member = {0};
	int rc = compress(gzip, data, n, &member, err);

	if (rc == 0)
		rc = put_member(gzip, &member.deflate, member.crc32, n, err);
	free(member.deflate.data);
	return rc;
}

static int flush_zeros(struct ingot_gzip *gzip, struct ingot_error *err)
{
	static const unsigned char zeros[INGOT_PIECE];
	size_t step, rest;

	while ((step = ingot_zero_step(gzip->zeros)) < INGOT_ZERO_STEPS) {
		int rc = put_zero_member(gzip, step, err);

		if (rc < 0)
			return rc;
		gzip->zeros -= INGOT_ZERO_SIZES[step];
	}
	rest = (size_t)gzip->zeros;
	gzip->zeros = 0;
	return rest ? put_bytes(gzip, zeros, rest, err) : 0;
}

void ingot_gzip_zeros(struct ingot_gzip *gzip, uint64_t n)
{
	gzip->zeros += n;
}

/* --- data -------------------------------------------------------------- */

int ingot_gzip_bytes(struct ingot_gzip *gzip, const void *data, size_t n, struct ingot_error *err)
{
	int rc = flush_zeros(gzip, err);

	return rc < 0 ? rc : put_bytes(gzip, data, n, err);
}

static int put_piece(struct ingot_gzip *gzip, const struct ingot_piece *piece,
		     struct ingot_error *err)
{
	int rc = flush_zeros(gzip, err);

	return rc < 0 ? rc : put_member(gzip, &piece->deflate, piece->crc32, INGOT_PIECE, err);
}

/* Bytes that stay as they are. */
static int store_bytes(struct ingot_gzip *gzip, const void *data, size_t n, struct ingot_error *err)
{
	INGOT_FREE unsigned char *stored = ingot_alloc(1, INGOT_STORED_MAX, err);
	struct ingot_packed packed = {.data = stored};
	int rc = stored ? flush_zeros(gzip, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	packed.size = ingot_store_deflate(data, n, stored);
	return put_member(gzip, &packed, libdeflate_crc32(0, data, n), n, err);
}

/* The last piece of a disk ends with it; its shared stream goes on with zeros. */
int ingot_gzip_chunk(struct ingot_gzip *gzip, const struct ingot_chunk *chunk,
		     struct ingot_error *err)
{
	for (size_t i = 0; i < chunk->piece_count; i++) {
		const struct ingot_piece *piece = &chunk->pieces[i];
		size_t n = (size_t)ingot_min(INGOT_PIECE, chunk->length - i * INGOT_PIECE);
		int rc = 0;

		if (piece->zero)
			ingot_gzip_zeros(gzip, n);
		else if (n == INGOT_PIECE)
			rc = put_piece(gzip, piece, err);
		else if (piece->plain)
			rc = store_bytes(gzip, piece->data, n, err);
		else
			rc = ingot_gzip_bytes(gzip, piece->data, n, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_gzip_finish(struct ingot_gzip *gzip, struct ingot_error *err)
{
	int rc = flush_zeros(gzip, err);

	if (rc == 0 && gzip->append.end == 0) /* nothing at all is no gzip file */
		rc = put_bytes(gzip, "", 0, err);
	return rc < 0 ? rc : ingot_append_flush(&gzip->append, err);
}

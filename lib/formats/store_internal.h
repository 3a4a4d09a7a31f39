/*
 * Pieces that are stored as they are in streams that compress all others: each byte has its place
 * in the file, and can be changed there together with the stream's checksum.
 *
 *	deflate (RFC 1951, 3.2.4)	blocks of 32 KiB at most, 5 bytes in front of each
 *	Zstandard (RFC 8878, 3.1.1)	a frame of one raw block, 10 bytes in front (9: under 256
 *bytes)
 */
#ifndef INGOT_FORMATS_STORE_INTERNAL_H
#define INGOT_FORMATS_STORE_INTERNAL_H

#include "formats/chunk_internal.h"

enum {
	INGOT_STORED_BLOCK = 32768, /* of deflate */
	INGOT_STORED_BLOCK_HEAD = 5,
	INGOT_STORED_ZSTD_HEAD = 10,
	INGOT_STORED_MAX = INGOT_PIECE + 10,
};

/* 0 < n <= INGOT_PIECE bytes into INGOT_STORED_MAX; the size. */
size_t ingot_store_deflate(const void *data, size_t n, unsigned char *out);
/* A frame without a checksum. */
size_t ingot_store_zstd(const void *data, size_t n, unsigned char *out);

/* Bytes of n that are stored. */
static inline size_t ingot_stored_deflate_size(size_t n)
{
	return n + INGOT_STORED_BLOCK_HEAD * (size_t)ingot_div_up(n, INGOT_STORED_BLOCK);
}

/* Where the byte `inside` is, from the start of the stream. */
static inline uint64_t ingot_stored_deflate_place(uint64_t inside)
{
	return inside + INGOT_STORED_BLOCK_HEAD * (inside / INGOT_STORED_BLOCK + 1);
}

/* The header in front of block i of n stored bytes. */
void ingot_stored_deflate_head(size_t i, size_t n, unsigned char head[INGOT_STORED_BLOCK_HEAD]);
/* Whether the n bytes at that place of the file are stored so; the file has room for them. */
INGOT_MUST_USE int ingot_stored_deflate_is(struct ingot_source *file, uint64_t at, size_t n,
					   bool *ret, struct ingot_error *err);
/* The header of a frame of n stored bytes, its magic included; the size. */
size_t ingot_stored_zstd_head(size_t n, unsigned char head[INGOT_STORED_ZSTD_HEAD]);

#endif

/*
 * What the one pass over a disk is made of: chunks of 1 MiB, each 16 pieces of 64 KiB, which is a
 * cluster of qcow2 and a grain of VMDK.
 */
#ifndef INGOT_FORMATS_CHUNK_INTERNAL_H
#define INGOT_FORMATS_CHUNK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/source.h"

enum { INGOT_PIECE = 65536, INGOT_CHUNK_PIECES = 16, INGOT_CHUNK = 1 << 20 };

/* What may be left out if all of it is a hole: the disk behind one of qcow2's tables. */
enum { INGOT_SPAN = 512 << 20 };

/* What the writers want done with a piece, or-ed together. */
enum ingot_need {
	INGOT_NEED_DEFLATE = 1 << 0,
	INGOT_NEED_ADLER = 1 << 1, /* of the piece, for the zlib wrapper */
	INGOT_NEED_ZSTD = 1 << 2,
	INGOT_NEED_IDENTITY = 1 << 3, /* a fingerprint of the whole */
	INGOT_NEED_CRC32 = 1 << 4,    /* of the piece, for the gzip wrapper */
	INGOT_NEED_XXH64 = 1 << 5,    /* of the piece, for a Zstandard frame's end */
	INGOT_NEED_XZ = 1 << 6,	      /* of the chunk */
	INGOT_NEED_HOLES = 1 << 7,    /* every chunk, also where the source has none */
};

struct ingot_packed {
	unsigned char *data;
	size_t size;
};

/* A whole block of an xz file, header, padding and check included. */
struct ingot_xz_block {
	struct ingot_packed packed;
	uint64_t unpadded; /* bytes, for the index */
};

/* A piece that is not all zero or is plain; past the end of the disk its bytes are zero. */
struct ingot_piece {
	bool zero;  /* nothing below is set */
	bool plain; /* it may be changed later: what is packed below is stored, not compressed */
	const unsigned char *data;
	uint32_t adler32, crc32; /* both for the identity */
	uint64_t xxh64;
	struct ingot_packed deflate; /* RFC 1951, one stream a piece */
	struct ingot_packed zstd;    /* one frame a piece */
};

struct ingot_chunk {
	uint64_t offset;
	size_t length; /* INGOT_CHUNK, or less at the end of the disk */
	size_t piece_count;
	struct ingot_piece pieces[INGOT_CHUNK_PIECES];
	struct ingot_xz_block xz; /* not set: every piece is zero */
};

/* A worker's buffers and compressors, behind the chunk that it fills. */
struct ingot_packer {
	struct ingot_chunk chunk;
	unsigned char *data; /* INGOT_CHUNK bytes */
	unsigned char *deflated, *zstandard, *xz;
	size_t deflate_room, zstd_room, xz_room; /* of one piece */
	struct ingot_fast_deflate *fast;	 /* the fast level's, instead of the next */
	struct libdeflate_compressor *deflate;
	struct ZSTD_CCtx_s *zstd;
	unsigned needs, level;
};

/* level is 1 .. 9. A packer that is zeroed or failed to start can be done. */
INGOT_MUST_USE int ingot_packer_init(struct ingot_packer *packer, unsigned needs, unsigned level,
				     struct ingot_error *err);
void ingot_packer_done(struct ingot_packer *packer);

/* Read the chunk with that index and compress its pieces; bit i of `plain`: piece i is plain. */
INGOT_MUST_USE int ingot_packer_fill(struct ingot_packer *packer, struct ingot_source *source,
				     uint64_t index, unsigned plain, struct ingot_error *err);

#endif

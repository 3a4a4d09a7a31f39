/* Unpacking one compressed piece of a container, for its reader. */
#ifndef INGOT_FORMATS_UNPACK_INTERNAL_H
#define INGOT_FORMATS_UNPACK_INTERNAL_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/error.h"

enum ingot_packing {
	INGOT_PACKED_DEFLATE, /* RFC 1951 */
	INGOT_PACKED_ZLIB,    /* RFC 1950: the same in a wrapper with a checksum */
	INGOT_PACKED_ZSTD,
};

/* For one thread; zeroed is ready. What is not used costs nothing. */
struct ingot_unpacker {
	struct libdeflate_decompressor *deflate;
	struct ZSTD_DCtx_s *zstd;
};

void ingot_unpacker_done(struct ingot_unpacker *unpacker);

/*
 * At most n_out bytes, *ret_n of them, from the start of the input; what would give more is an
 * error. What follows the compressed data is ignored.
 */
INGOT_MUST_USE int ingot_unpack(struct ingot_unpacker *unpacker, enum ingot_packing packing,
				const void *in, size_t n_in, void *out, size_t n_out, size_t *ret_n,
				struct ingot_error *err);

/* The same where it gives exactly n_out bytes; *ret_used bytes of the input it took for that. */
INGOT_MUST_USE int ingot_unpack_length(struct ingot_unpacker *unpacker, enum ingot_packing packing,
				       const void *in, size_t n_in, void *out, size_t n_out,
				       size_t *ret_used, struct ingot_error *err);

#endif

/*
 * A gzip file (RFC 1952) of many members, one for each piece of 64 KiB that is not zero and one for
 * up to 4 MiB of zeros.
 *
 * Each member says in its header how long it is, so that a reader finds every member without
 * unpacking any, and the first one how long the whole is when it is unpacked, so that a file that
 * was cut off between two members is known for what it is.
 */
#ifndef INGOT_FORMATS_GZIP_INTERNAL_H
#define INGOT_FORMATS_GZIP_INTERNAL_H

#include "formats/append_internal.h"
#include "formats/chunk_internal.h"
#include "formats/zeros_internal.h"

/*
 * A member's header, and behind it the deflate stream, CRC-32 and length:
 *
 *	 0  1f 8b 08 04   magic, deflate, there is an extra field
 *	 4  0             time
 *	 8  00 ff         no hint, no system
 *	10  08 00         bytes of the extra field, 16 in the first member
 *	12  "IG" 04 00    ours; the first member 0c 00
 *	16  u32           bytes of the member, header included
 *	20  u64           first member only: bytes of the whole, unpacked
 */
enum { INGOT_GZIP_HEAD = 20, INGOT_GZIP_FIRST_HEAD = 28, INGOT_GZIP_TAIL = 8 };

struct ingot_gzip_member {
	struct ingot_packed deflate;
	uint32_t crc32;
};

struct ingot_gzip {
	struct ingot_append append;
	uint64_t total;
	uint64_t zeros; /* at the end, not yet written */
	struct libdeflate_compressor *deflate;
	struct ingot_gzip_member zero[INGOT_ZERO_STEPS]; /* made when needed */
};

/* total: bytes of the whole, unpacked. One that failed to start can be done. */
INGOT_MUST_USE int ingot_gzip_init(struct ingot_gzip *gzip, const struct ingot_output *output,
				   uint64_t total, struct ingot_error *err);
void ingot_gzip_done(struct ingot_gzip *gzip);

/* Bytes that nobody has compressed yet, at most INGOT_PIECE. */
INGOT_MUST_USE int ingot_gzip_bytes(struct ingot_gzip *gzip, const void *data, size_t n,
				    struct ingot_error *err);
void ingot_gzip_zeros(struct ingot_gzip *gzip, uint64_t n);
INGOT_MUST_USE int ingot_gzip_chunk(struct ingot_gzip *gzip, const struct ingot_chunk *chunk,
				    struct ingot_error *err);
INGOT_MUST_USE int ingot_gzip_finish(struct ingot_gzip *gzip, struct ingot_error *err);

#endif

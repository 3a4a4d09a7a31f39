/*
 * Deflate (RFC 1951), faster than the fastest level of libdeflate and somewhat larger. One stream
 * of at most 64 KiB at a time, in one block. The bytes depend on the data alone, never on the
 * processor: that is what ISA-L, which is as fast, does not give.
 */
#ifndef INGOT_FORMATS_FAST_DEFLATE_H
#define INGOT_FORMATS_FAST_DEFLATE_H

#include <stddef.h>

#include "base/error.h"

enum {
	INGOT_FAST_DEFLATE_DATA = 65536,
	/* What a stream takes at most, and a few bytes that are written behind its end. */
	INGOT_FAST_DEFLATE_ROOM = INGOT_FAST_DEFLATE_DATA + 32,
};

struct ingot_fast_deflate;

/* What a thread needs for any number of streams. NULL and a raised error: out of memory. */
struct ingot_fast_deflate *ingot_fast_deflate_new(struct ingot_error *err);
void ingot_fast_deflate_free(struct ingot_fast_deflate *d);

/*
 * Compress n <= INGOT_FAST_DEFLATE_DATA bytes into INGOT_FAST_DEFLATE_ROOM bytes. Returns the size
 * of the stream, at most n and 10 bytes. Cannot fail.
 */
size_t ingot_fast_deflate(struct ingot_fast_deflate *d, const unsigned char *data, size_t n,
			  unsigned char *out);

#endif

/*
 * Bits in the order of RFC 1951: the first bit is the lowest one of the first byte. Up to 56 bits
 * may be put between two flushes. A flush writes 8 bytes, of which the caller needs room.
 */
#ifndef INGOT_FORMATS_BIT_WRITER_INTERNAL_H
#define INGOT_FORMATS_BIT_WRITER_INTERNAL_H

#include "base/bytes.h"

enum { BIT_WRITER_SLACK = 8 };

struct bit_writer {
	unsigned char *next;
	uint64_t bits; /* not yet written, less than 8 of them after a flush */
	unsigned count;
};

static inline void bit_writer_put(struct bit_writer *w, uint64_t value, unsigned count)
{
	w->bits |= value << w->count;
	w->count += count;
}

static inline void bit_writer_flush(struct bit_writer *w)
{
	ingot_put_le64(w->next, w->bits);
	w->next += w->count >> 3;
	w->bits >>= w->count & ~7U;
	w->count &= 7;
}

/* Zeros up to the next byte, which is returned. */
static inline unsigned char *bit_writer_align(struct bit_writer *w)
{
	bit_writer_flush(w);
	w->next += w->count > 0;
	w->bits = 0;
	w->count = 0;
	return w->next;
}

#endif

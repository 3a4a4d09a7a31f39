/*
 * The matches of at most 64 KiB of data, found fast rather than best: what fast_deflate.c encodes.
 */
#ifndef INGOT_FORMATS_FAST_MATCH_INTERNAL_H
#define INGOT_FORMATS_FAST_MATCH_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum {
	FAST_MATCH_DATA = 65536, /* bytes at most */
	FAST_MATCH_SHORTEST = 4,
	FAST_MATCH_LONGEST = 258,
	FAST_MATCH_HASH_BITS = 13, /* a table of half the first cache */
	FAST_MATCH_SLACK = 32,	   /* literals are copied 16 at a time */
};

/* So many literals, then a match. */
struct fast_sequence {
	uint16_t literals;
	uint16_t length;   /* 3 .. 258 */
	uint16_t distance; /* less 1 */
	uint16_t slot;	   /* the distance's symbol, RFC 1951, 3.2.5 */
};

struct fast_matches {
	struct fast_sequence sequences[FAST_MATCH_DATA / FAST_MATCH_SHORTEST];
	size_t sequence_count;
	/* Those of all sequences, one after the other, then those that follow the last match. */
	unsigned char literals[FAST_MATCH_DATA + FAST_MATCH_SLACK];
	size_t literal_count;
	uint32_t length_counts[FAST_MATCH_LONGEST + 1], slot_counts[32];
	uint16_t table[1 << FAST_MATCH_HASH_BITS]; /* the newest place, by a hash of its bytes */
};

/* n <= FAST_MATCH_DATA. Nothing of an earlier call matters. */
void fast_matches_find(struct fast_matches *m, const unsigned char *data, size_t n);

#endif

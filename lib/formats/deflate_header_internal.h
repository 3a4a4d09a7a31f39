/*
 * The header of a dynamic block: its code lengths, run-length coded and Huffman coded (RFC 1951,
 * 3.2.7).
 */
#ifndef INGOT_FORMATS_DEFLATE_HEADER_INTERNAL_H
#define INGOT_FORMATS_DEFLATE_HEADER_INTERNAL_H

#include "formats/bit_writer_internal.h"

enum {
	DEFLATE_LITLENS = 288,	/* literals, the end of the block, lengths; the last two unused */
	DEFLATE_DISTANCES = 32, /* the last two unused */
	DEFLATE_PRECODES = 19,
};

struct deflate_lengths {
	uint8_t litlen[DEFLATE_LITLENS], distance[DEFLATE_DISTANCES];
};

struct deflate_header {
	size_t bits; /* what it takes */
	size_t litlens, distances, precodes;
	uint8_t lengths[DEFLATE_PRECODES];
	uint8_t symbols[DEFLATE_LITLENS + DEFLATE_DISTANCES]; /* of the code of code lengths */
	uint8_t repeats[DEFLATE_LITLENS + DEFLATE_DISTANCES]; /* the extra bits of each */
	size_t symbol_count;
};

void deflate_header_plan(struct deflate_header *h, const struct deflate_lengths *lengths);
void deflate_header_write(const struct deflate_header *h, struct bit_writer *w);

#endif

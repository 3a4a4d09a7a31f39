/*
 * Huffman codes of limited length, in the canonical order of RFC 1951, 3.2.2.
 */
#ifndef INGOT_FORMATS_HUFFMAN_INTERNAL_H
#define INGOT_FORMATS_HUFFMAN_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum { HUFFMAN_SYMBOLS = 288, HUFFMAN_LENGTH_MAX = 15, HUFFMAN_COUNT_MAX = (1 << 18) - 1 };

/*
 * lengths[s] becomes the bits of the code of symbol s, 0 where the symbol is never used. The code
 * is complete: where less than two symbols are used, the first unused ones get one as well, as old
 * decoders want it. n <= HUFFMAN_SYMBOLS, counts up to HUFFMAN_COUNT_MAX, 2^limit >= n.
 */
void huffman_lengths(const uint32_t *counts, size_t n, unsigned limit, uint8_t *lengths);

/* The code that belongs to the lengths, the first bit lowest. */
void huffman_codes(const uint8_t *lengths, size_t n, uint16_t *codes);

#endif

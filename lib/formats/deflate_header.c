#include "formats/deflate_header_internal.h"

#include <string.h>

#include "base/alloc.h"
#include "formats/huffman_internal.h"

enum { LENGTH_LIMIT = 7, LITLENS_MIN = 257, DISTANCES_MIN = 1, PRECODES_MIN = 4 };

/* Symbols of the code of code lengths beside the lengths 0 .. 15. */
enum { REPEAT = 16, ZEROS = 17, MANY_ZEROS = 18 };
enum {
	RUN_MIN = 3,
	REPEAT_MAX = 6,
	MANY_ZEROS_MIN = 11,
	MANY_ZEROS_MAX = 138,
};

static const uint8_t EXTRA_BITS[DEFLATE_PRECODES] = {
	[REPEAT] = 2,
	[ZEROS] = 3,
	[MANY_ZEROS] = 7,
};
static const uint8_t ORDER[DEFLATE_PRECODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
						11, 4,	12, 3, 13, 2, 14, 1, 15};

static void add(struct deflate_header *h, unsigned symbol, size_t repeat)
{
	h->symbols[h->symbol_count] = (uint8_t)symbol;
	h->repeats[h->symbol_count++] = (uint8_t)repeat;
}

/* One length, so many times. */
static void add_run(struct deflate_header *h, unsigned length, size_t n)
{
	if (length > 0) {
		add(h, length, 0);
		n--;
	}
	while (n >= RUN_MIN) {
		size_t part = ingot_min(n, length > 0 ? REPEAT_MAX : MANY_ZEROS_MAX);

		if (length > 0)
			add(h, REPEAT, part - RUN_MIN);
		else if (part < MANY_ZEROS_MIN)
			add(h, ZEROS, part - RUN_MIN);
		else
			add(h, MANY_ZEROS, part - MANY_ZEROS_MIN);
		n -= part;
	}
	for (; n > 0; n--)
		add(h, length, 0);
}

static void add_lengths(struct deflate_header *h, const uint8_t *lengths, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t run = 1;

		while (i + run < n && lengths[i + run] == lengths[i])
			run++;
		add_run(h, lengths[i], run);
		i += run;
	}
}

/* How many of them there are up to the last that is not 0. */
static size_t trim(const uint8_t *lengths, size_t n, size_t least)
{
	while (n > least && lengths[n - 1] == 0)
		n--;
	return n;
}

void deflate_header_plan(struct deflate_header *h, const struct deflate_lengths *lengths)
{
	uint8_t all[DEFLATE_LITLENS + DEFLATE_DISTANCES];
	uint32_t counts[DEFLATE_PRECODES] = {0};

	h->litlens = trim(lengths->litlen, DEFLATE_LITLENS, LITLENS_MIN);
	h->distances = trim(lengths->distance, DEFLATE_DISTANCES, DISTANCES_MIN);
	memcpy(all, lengths->litlen, h->litlens);
	memcpy(all + h->litlens, lengths->distance, h->distances);
	h->symbol_count = 0;
	add_lengths(h, all, h->litlens + h->distances);
	for (size_t i = 0; i < h->symbol_count; i++)
		counts[h->symbols[i]]++;
	huffman_lengths(counts, DEFLATE_PRECODES, LENGTH_LIMIT, h->lengths);
	h->precodes = DEFLATE_PRECODES;
	while (h->precodes > PRECODES_MIN && h->lengths[ORDER[h->precodes - 1]] == 0)
		h->precodes--;
	h->bits = 5 + 5 + 4 + 3 * h->precodes;
	for (size_t s = 0; s < DEFLATE_PRECODES; s++)
		h->bits += counts[s] * (size_t)(h->lengths[s] + EXTRA_BITS[s]);
}

void deflate_header_write(const struct deflate_header *h, struct bit_writer *w)
{
	uint16_t codes[DEFLATE_PRECODES];

	bit_writer_put(w, h->litlens - LITLENS_MIN, 5);
	bit_writer_put(w, h->distances - DISTANCES_MIN, 5);
	bit_writer_put(w, h->precodes - PRECODES_MIN, 4);
	for (size_t i = 0; i < h->precodes; i++) {
		bit_writer_flush(w);
		bit_writer_put(w, h->lengths[ORDER[i]], 3);
	}
	huffman_codes(h->lengths, DEFLATE_PRECODES, codes);
	for (size_t i = 0; i < h->symbol_count; i++) {
		unsigned s = h->symbols[i];

		bit_writer_flush(w);
		bit_writer_put(w, codes[s], h->lengths[s]);
		bit_writer_put(w, h->repeats[i], EXTRA_BITS[s]);
	}
	bit_writer_flush(w);
}

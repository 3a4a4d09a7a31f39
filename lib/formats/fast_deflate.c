#include "formats/fast_deflate.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/bmi_internal.h"
#include "formats/deflate_header_internal.h"
#include "formats/fast_match_internal.h"
#include "formats/huffman_internal.h"

/*
 * Limits below the 15 that deflate allows, so that the bits of four literals, or of three and a
 * length with its extra bits, fit between two flushes of the bit writer.
 */
enum { LITLEN_LIMIT = 12, DISTANCE_LIMIT = 12, GROUP = 4 };

enum { LITERALS = 256, END_OF_BLOCK = 256, FIRST_LENGTH = 257, LENGTHS = 29 };
enum { STORED = 0, FIXED = 1, DYNAMIC = 2, STORED_MAX = 65535, STORED_HEADER = 5 };

/* RFC 1951, 3.2.5: the shortest length of each length symbol, and its extra bits. */
static const uint16_t LENGTH_BASE[LENGTHS + 1] = {
	3,  4,	5,  6,	7,  8,	9,  10, 11,  13,  15,  17,  19,	 23,  27,
	31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258, 259,
};
static const uint8_t LENGTH_EXTRA[LENGTHS] = {
	0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
};

/* Bits in the upper part, and how many they are in the lowest byte. */
typedef uint32_t packed_bits;
enum { PACKED_COUNT = 8, PACKED_MASK = 255 };

struct ingot_fast_deflate {
	struct fast_matches matches;
	uint32_t litlen_counts[DEFLATE_LITLENS];
	packed_bits literals[LITERALS], lengths[FAST_MATCH_LONGEST + 1];
	packed_bits distances[DEFLATE_DISTANCES], end_of_block;
};

HOT unsigned distance_extra(unsigned slot)
{
	return slot < 4 ? 0 : slot / 2 - 1;
}

/* --- what a block would take ------------------------------------------- */

/* In four tables: the same counter twice in a row would wait for itself. */
static void count_literals(const struct fast_matches *m, uint32_t *counts)
{
	uint32_t others[GROUP - 1][LITERALS] = {{0}};
	const unsigned char *p = m->literals, *end = p + m->literal_count;

	for (; end - p >= GROUP; p += GROUP) {
		counts[p[0]]++;
		others[0][p[1]]++;
		others[1][p[2]]++;
		others[2][p[3]]++;
	}
	while (p < end)
		counts[*p++]++;
	for (size_t s = 0; s < LITERALS; s++)
		counts[s] += others[0][s] + others[1][s] + others[2][s];
}

static void count_litlens(struct ingot_fast_deflate *d)
{
	memset(d->litlen_counts, 0, sizeof(d->litlen_counts));
	count_literals(&d->matches, d->litlen_counts);
	d->litlen_counts[END_OF_BLOCK] = 1;
	for (size_t s = 0; s < LENGTHS; s++)
		for (size_t length = LENGTH_BASE[s]; length < LENGTH_BASE[s + 1]; length++)
			d->litlen_counts[FIRST_LENGTH + s] += d->matches.length_counts[length];
}

static void fixed_lengths(struct deflate_lengths *lengths)
{
	memset(lengths->litlen, 8, sizeof(lengths->litlen));
	memset(lengths->litlen + 144, 9, 256 - 144);
	memset(lengths->litlen + 256, 7, 280 - 256);
	memset(lengths->distance, 5, sizeof(lengths->distance));
}

static size_t data_bits(const struct ingot_fast_deflate *d, const struct deflate_lengths *lengths)
{
	size_t bits = 0;

	for (size_t s = 0; s < DEFLATE_LITLENS; s++)
		bits += (size_t)d->litlen_counts[s] * lengths->litlen[s];
	for (size_t s = 0; s < LENGTHS; s++)
		bits += (size_t)d->litlen_counts[FIRST_LENGTH + s] * LENGTH_EXTRA[s];
	for (unsigned s = 0; s < DEFLATE_DISTANCES; s++)
		bits += (size_t)d->matches.slot_counts[s] *
			(lengths->distance[s] + distance_extra(s));
	return bits;
}

/* --- the symbols of a block -------------------------------------------- */

static packed_bits pack(unsigned bits, unsigned count)
{
	return bits << PACKED_COUNT | count;
}

HOT void put(struct bit_writer *w, packed_bits packed)
{
	bit_writer_put(w, packed >> PACKED_COUNT, packed & PACKED_MASK);
}

static void make_codes(struct ingot_fast_deflate *d, const struct deflate_lengths *lengths)
{
	uint16_t codes[DEFLATE_LITLENS], distances[DEFLATE_DISTANCES];

	huffman_codes(lengths->litlen, DEFLATE_LITLENS, codes);
	huffman_codes(lengths->distance, DEFLATE_DISTANCES, distances);
	for (size_t s = 0; s < LITERALS; s++)
		d->literals[s] = pack(codes[s], lengths->litlen[s]);
	d->end_of_block = pack(codes[END_OF_BLOCK], lengths->litlen[END_OF_BLOCK]);
	for (size_t s = 0; s < LENGTHS; s++) {
		unsigned code = codes[FIRST_LENGTH + s], count = lengths->litlen[FIRST_LENGTH + s];

		for (unsigned length = LENGTH_BASE[s]; length < LENGTH_BASE[s + 1]; length++)
			d->lengths[length] = pack(code | (length - LENGTH_BASE[s]) << count,
						  count + LENGTH_EXTRA[s]);
	}
	for (size_t s = 0; s < DEFLATE_DISTANCES; s++)
		d->distances[s] = pack(distances[s], lengths->distance[s]);
}

/* Fewer than a group, without a flush. How many is a toss-up: nothing is asked, but masked. */
HOT void put_rest(const struct ingot_fast_deflate *d, struct bit_writer *w, const unsigned char *p,
		  size_t n)
{
	for (size_t i = 0; i < GROUP - 1; i++)
		put(w, d->literals[p[i]] & -(packed_bits)(i < n));
}

/* All but the rest, which may be read: there are always GROUP bytes. */
HOT const unsigned char *put_literals(const struct ingot_fast_deflate *d, struct bit_writer *w,
				      const unsigned char *p, size_t n)
{
	for (; n >= GROUP; n -= GROUP, p += GROUP) {
		put(w, d->literals[p[0]]);
		put(w, d->literals[p[1]]);
		put(w, d->literals[p[2]]);
		put(w, d->literals[p[3]]);
		bit_writer_flush(w);
	}
	put_rest(d, w, p, n);
	return p + n;
}

HOT void put_match(const struct ingot_fast_deflate *d, struct bit_writer *w,
		   const struct fast_sequence *sequence)
{
	unsigned extra = distance_extra(sequence->slot);

	put(w, d->lengths[sequence->length]);
	bit_writer_flush(w);
	put(w, d->distances[sequence->slot]);
	bit_writer_put(w, sequence->distance & ((1U << extra) - 1), extra);
	bit_writer_flush(w);
}

HOT void put_all(const struct ingot_fast_deflate *d, struct bit_writer *to)
{
	const struct fast_matches *m = &d->matches;
	const unsigned char *p = m->literals;
	struct bit_writer w = *to; /* in registers */

	for (size_t i = 0; i < m->sequence_count; i++) {
		p = put_literals(d, &w, p, m->sequences[i].literals);
		put_match(d, &w, &m->sequences[i]);
	}
	(void)put_literals(d, &w, p, (size_t)(m->literals + m->literal_count - p));
	put(&w, d->end_of_block);
	bit_writer_flush(&w);
	*to = w;
}

BMI static void put_all_bmi(const struct ingot_fast_deflate *d, struct bit_writer *to)
{
	put_all(d, to);
}

static void put_symbols(const struct ingot_fast_deflate *d, struct bit_writer *to)
{
	if (has_bmi())
		put_all_bmi(d, to);
	else
		put_all(d, to);
}

/* --- streams ----------------------------------------------------------- */

static size_t stored_size(size_t n)
{
	return n + STORED_HEADER * (size_t)ingot_max(ingot_div_up(n, STORED_MAX), 1);
}

static size_t store(const unsigned char *data, size_t n, unsigned char *out)
{
	unsigned char *p = out;

	do {
		size_t part = (size_t)ingot_min(n, STORED_MAX);

		p[0] = STORED << 1 | (part == n); /* 1: the last block */
		ingot_put_le16(p + 1, (uint16_t)part);
		ingot_put_le16(p + 3, (uint16_t)~part);
		memcpy(p + STORED_HEADER, data, part);
		p += STORED_HEADER + part;
		data += part;
		n -= part;
	} while (n > 0);
	return (size_t)(p - out);
}

size_t ingot_fast_deflate(struct ingot_fast_deflate *d, const unsigned char *data, size_t n,
			  unsigned char *out)
{
	struct deflate_lengths fixed, lengths;
	struct deflate_header header;
	struct bit_writer w = {.next = out};
	size_t fixed_bits, bits;

	fast_matches_find(&d->matches, data, n);
	count_litlens(d);
	huffman_lengths(d->litlen_counts, DEFLATE_LITLENS, LITLEN_LIMIT, lengths.litlen);
	huffman_lengths(d->matches.slot_counts, DEFLATE_DISTANCES, DISTANCE_LIMIT,
			lengths.distance);
	deflate_header_plan(&header, &lengths);
	fixed_lengths(&fixed);
	fixed_bits = 3 + data_bits(d, &fixed);
	bits = 3 + header.bits + data_bits(d, &lengths);
	if (ingot_div_up(ingot_min(bits, fixed_bits), 8) >= stored_size(n))
		return store(data, n, out);
	make_codes(d, bits < fixed_bits ? &lengths : &fixed);
	bit_writer_put(&w, 1, 1); /* the last block */
	bit_writer_put(&w, bits < fixed_bits ? DYNAMIC : FIXED, 2);
	if (bits < fixed_bits)
		deflate_header_write(&header, &w);
	put_symbols(d, &w);
	return (size_t)(bit_writer_align(&w) - out);
}

struct ingot_fast_deflate *ingot_fast_deflate_new(struct ingot_error *err)
{
	return ingot_alloc(1, sizeof(struct ingot_fast_deflate), err);
}

void ingot_fast_deflate_free(struct ingot_fast_deflate *d)
{
	free(d);
}

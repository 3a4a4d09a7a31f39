#include "formats/huffman_internal.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

/* A symbol below its count, in one integer. */
enum { SYMBOL_BITS = 9, SYMBOL_MASK = (1 << SYMBOL_BITS) - 1, LARGE = 511 };

/* Ascending. */
static void insertion_sort(uint32_t *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t item = items[i];
		size_t to = i;

		for (; to > 0 && items[to - 1] > item; to--)
			items[to] = items[to - 1];
		items[to] = item;
	}
}

/* Places by counting, for counts below LARGE. The others come last: a block has few such symbols.
 */
static void sort_items(const uint32_t *items, size_t n, uint32_t *sorted)
{
	uint16_t place[LARGE + 1] = {0};
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		place[ingot_min(items[i] >> SYMBOL_BITS, LARGE)]++;
	for (size_t i = 0; i <= LARGE; i++) {
		unsigned here = place[i];

		place[i] = (uint16_t)sum;
		sum += here;
	}
	sum = place[LARGE];
	for (size_t i = 0; i < n; i++)
		sorted[place[ingot_min(items[i] >> SYMBOL_BITS, LARGE)]++] = items[i];
	insertion_sort(sorted + sum, n - sum);
}

/* The symbols that are used, or the first two, by count and then by symbol. Returns how many. */
static size_t sort_symbols(const uint32_t *counts, size_t n, uint32_t *sorted)
{
	uint32_t items[HUFFMAN_SYMBOLS];
	size_t used = 0;

	for (size_t s = 0; s < n; s++) {
		assert(counts[s] <= HUFFMAN_COUNT_MAX);
		items[used] = counts[s] << SYMBOL_BITS | (uint32_t)s;
		used += counts[s] > 0;
	}
	for (size_t s = 0; used < 2; s++)
		if (counts[s] == 0)
			items[used++] = 1 << SYMBOL_BITS | (uint32_t)s;
	sort_items(items, used, sorted);
	return used;
}

/*
 * Moffat and Katajainen, In-Place Calculation of Minimum-Redundancy Codes (1995): w holds ascending
 * counts, then the parents of inner nodes, then the depths of the leaves, descending.
 */
static void depths(uint32_t *w, size_t n)
{
	size_t leaf = 2, root = 0, next;
	size_t available = 1, used = 0;
	uint32_t depth = 0;

	w[0] += w[1];
	for (next = 1; next < n - 1; next++) {
		if (leaf >= n || w[root] < w[leaf]) {
			w[next] = w[root];
			w[root++] = (uint32_t)next;
		} else {
			w[next] = w[leaf++];
		}
		if (leaf >= n || (root < next && w[root] < w[leaf])) {
			w[next] += w[root];
			w[root++] = (uint32_t)next;
		} else {
			w[next] += w[leaf++];
		}
	}
	w[n - 2] = 0;
	for (next = n - 2; next-- > 0;)
		w[next] = w[w[next]] + 1;

	root = n - 1; /* one past the inner node that is next */
	next = n;
	while (available > 0) {
		while (root > 0 && w[root - 1] == depth) {
			used++;
			root--;
		}
		for (; available > used; available--)
			w[--next] = depth;
		available = 2 * used;
		depth++;
		used = 0;
	}
}

/*
 * How many codes there are of each length. Those that are too long are cut to the limit; what that
 * takes too much of the code space is given back by making the longest ones below the limit longer.
 */
static void count_lengths(const uint32_t *depth, size_t n, unsigned limit, unsigned *ret)
{
	uint64_t space = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned length = depth[i] < limit ? depth[i] : limit;

		ret[length]++;
		space += UINT64_C(1) << (limit - length);
	}
	while (space > UINT64_C(1) << limit) {
		unsigned length = limit - 1;

		while (ret[length] == 0)
			length--;
		/* Longer by one each: the one moved, and one of the limit beside it. */
		ret[length]--;
		ret[length + 1] += 2;
		ret[limit]--;
		space--;
	}
}

void huffman_lengths(const uint32_t *counts, size_t n, unsigned limit, uint8_t *lengths)
{
	uint32_t sorted[HUFFMAN_SYMBOLS], weights[HUFFMAN_SYMBOLS];
	unsigned of_length[HUFFMAN_LENGTH_MAX + 1] = {0};
	size_t used = sort_symbols(counts, n, sorted), at = 0;

	for (size_t i = 0; i < used; i++)
		weights[i] = sorted[i] >> SYMBOL_BITS;
	depths(weights, used);
	count_lengths(weights, used, limit, of_length);
	memset(lengths, 0, n);
	for (unsigned length = limit; length > 0; length--)
		for (unsigned i = 0; i < of_length[length]; i++)
			lengths[sorted[at++] & SYMBOL_MASK] = (uint8_t)length;
	assert(at == used);
}

static uint16_t reverse(unsigned code, unsigned length)
{
	unsigned v = code;

	v = (v & 0x5555) << 1 | (v >> 1 & 0x5555);
	v = (v & 0x3333) << 2 | (v >> 2 & 0x3333);
	v = (v & 0x0f0f) << 4 | (v >> 4 & 0x0f0f);
	v = (v & 0x00ff) << 8 | (v >> 8 & 0x00ff);
	return (uint16_t)(v >> (16 - length));
}

void huffman_codes(const uint8_t *lengths, size_t n, uint16_t *codes)
{
	unsigned of_length[HUFFMAN_LENGTH_MAX + 1] = {0}, next[HUFFMAN_LENGTH_MAX + 1] = {0};

	for (size_t s = 0; s < n; s++)
		of_length[lengths[s]]++;
	of_length[0] = 0;
	for (unsigned length = 1; length <= HUFFMAN_LENGTH_MAX; length++)
		next[length] = (next[length - 1] + of_length[length - 1]) << 1;
	for (size_t s = 0; s < n; s++)
		codes[s] = lengths[s] ? reverse(next[lengths[s]]++, lengths[s]) : 0;
}

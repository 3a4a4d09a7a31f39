/*
 * Greedy, with one look ahead: a match is taken unless one that starts a byte later is longer. Each
 * place is compared with one earlier place only, the newest whose next five bytes have the same
 * hash. Where nothing matches the steps become longer, so that noise costs little.
 */
#include "formats/fast_match_internal.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "formats/bmi_internal.h"

enum {
	WINDOW = 32768,
	SHORTEST_CODE = 3, /* a rest of a longer match can be that short */
	COPY = 16,
	MARGIN = COPY,	  /* behind the last place that is looked at: what is read there */
	PATIENCE = 5,	  /* without a match, steps grow by one every 2^5 bytes */
	STRIDE = 15,	  /* ... and at most by that */
	GOOD_ENOUGH = 64, /* a match that long is not held against the next */
};

struct match {
	size_t at, from, length;
};

/* --- looking up -------------------------------------------------------- */

/* Of the lowest five bytes, which come first. */
HOT size_t hash(uint64_t v)
{
	return (size_t)((v << 24) * UINT64_C(0x9e3779b185ebca87) >> (64 - FAST_MATCH_HASH_BITS));
}

/*
 * The newest place that may have the bytes v, which are those at `at`; that becomes the newest. An
 * empty entry is place 0, which is as good as any: all are compared.
 */
HOT size_t exchange(struct fast_matches *m, uint64_t v, size_t at)
{
	size_t h = hash(v), from = m->table[h];

	m->table[h] = (uint16_t)at;
	return from;
}

HOT bool matches(const unsigned char *data, uint64_t v, size_t at, size_t from)
{
	return ingot_get_le32(data + from) == (uint32_t)v && at - from <= WINDOW;
}

/* How many of the first bytes of two words are equal, by their difference. */
HOT size_t equal_first(uint64_t differ)
{
	return differ ? (unsigned)__builtin_ctzll(differ) >> 3 : sizeof(differ);
}

/* How many of the last bytes are. */
HOT size_t equal_last(uint64_t differ)
{
	return differ ? (unsigned)__builtin_clzll(differ) >> 3 : sizeof(differ);
}

/* How many bytes are equal from both places on, up to the end; the first `known` are. */
HOT size_t common(const unsigned char *data, size_t n, size_t at, size_t from, size_t known)
{
	const unsigned char *a = data + at + known, *b = data + from + known, *end = data + n;

	for (; end - a >= 8; a += 8, b += 8) {
		uint64_t differ = ingot_get_le64(a) ^ ingot_get_le64(b);

		if (differ)
			return (size_t)(a - data) - at + equal_first(differ);
	}
	while (a < end && *a == *b) {
		a++;
		b++;
	}
	return (size_t)(a - data) - at;
}

/*
 * The match itself, or the next place's if that is longer. Whether the next place matches at all is
 * a toss-up, which processors guess badly: its length is found without asking.
 */
HOT struct match choose(struct fast_matches *m, const unsigned char *data, size_t n, size_t at,
			size_t from)
{
	struct match match = {at, from, common(data, n, at, from, 4)};
	uint64_t v = ingot_get_le64(data + at + 1);
	size_t length, next;
	bool better;

	if (match.length >= GOOD_ENOUGH)
		return match;
	next = exchange(m, v, at + 1);
	length = equal_first(ingot_get_le64(data + next) ^ v);
	if (length == sizeof(v))
		length = common(data, n, at + 1, next, length);
	better = length > match.length && at + 1 - next <= WINDOW;
	return better ? (struct match){at + 1, next, length} : match;
}

/* Bytes before it that match as well are those of a place that was skipped or overwritten. */
HOT void extend_back(struct match *match, const unsigned char *data, size_t anchor)
{
	size_t room = ingot_min(match->at - anchor, match->from), n;

	while (room >= sizeof(uint64_t)) {
		n = equal_last(ingot_get_le64(data + match->at - 8) ^
			       ingot_get_le64(data + match->from - 8));
		match->at -= n;
		match->from -= n;
		match->length += n;
		room -= n;
		if (n < sizeof(uint64_t))
			return;
	}
	for (; room > 0 && data[match->at - 1] == data[match->from - 1]; room--) {
		match->at--;
		match->from--;
		match->length++;
	}
}

/* --- what is found ----------------------------------------------------- */

/* COPY bytes can be read, and more if there are more. */
HOT void add_literals(struct fast_matches *m, const unsigned char *from, size_t n)
{
	unsigned char *to = m->literals + m->literal_count;

	memcpy(to, from, COPY);
	if (n > COPY)
		memcpy(to + COPY, from + COPY, n - COPY);
	m->literal_count += n;
}

HOT unsigned distance_slot(unsigned distance)
{
	unsigned log;

	if (distance < 2)
		return distance;
	log = 31 - (unsigned)__builtin_clz(distance);
	return 2 * log + (distance >> (log - 1) & 1);
}

HOT void add_sequence(struct fast_matches *m, size_t literals, size_t length, size_t distance)
{
	unsigned slot = distance_slot((unsigned)distance - 1);

	assert(m->sequence_count < FAST_MATCH_DATA / FAST_MATCH_SHORTEST);
	m->sequences[m->sequence_count++] = (struct fast_sequence){
		(uint16_t)literals, (uint16_t)length, (uint16_t)(distance - 1), (uint16_t)slot};
	m->length_counts[length]++;
	m->slot_counts[slot]++;
}

HOT void add_match(struct fast_matches *m, const struct match *match, size_t literals)
{
	size_t length = match->length, distance = match->at - match->from;

	while (length > FAST_MATCH_LONGEST) {
		size_t part = FAST_MATCH_LONGEST;

		if (length - part < SHORTEST_CODE)
			part -= SHORTEST_CODE;
		add_sequence(m, literals, part, distance);
		length -= part;
		literals = 0;
	}
	add_sequence(m, literals, length, distance);
}

HOT void find(struct fast_matches *m, const unsigned char *data, size_t n)
{
	size_t limit = n > MARGIN ? n - MARGIN : 0, anchor = 0, at = 1;

	assert(n <= FAST_MATCH_DATA);
	m->sequence_count = 0;
	m->literal_count = 0;
	memset(m->length_counts, 0, sizeof(m->length_counts));
	memset(m->slot_counts, 0, sizeof(m->slot_counts));
	memset(m->table, 0, sizeof(m->table));
	while (at < limit) {
		uint64_t v = ingot_get_le64(data + at);
		size_t from = exchange(m, v, at);
		struct match match;

		if (!matches(data, v, at, from)) {
			at += 1 + ingot_min((at - anchor) >> PATIENCE, STRIDE);
			continue;
		}
		match = choose(m, data, n, at, from);
		extend_back(&match, data, anchor);
		add_literals(m, data + anchor, match.at - anchor);
		add_match(m, &match, match.at - anchor);
		at = anchor = match.at + match.length;
		if (at < limit)
			(void)exchange(m, ingot_get_le64(data + at - 2), at - 2);
	}
	memcpy(m->literals + m->literal_count, data + anchor, n - anchor);
	m->literal_count += n - anchor;
}

BMI static void find_bmi(struct fast_matches *m, const unsigned char *data, size_t n)
{
	find(m, data, n);
}

void fast_matches_find(struct fast_matches *m, const unsigned char *data, size_t n)
{
	if (has_bmi())
		find_bmi(m, data, n);
	else
		find(m, data, n);
}

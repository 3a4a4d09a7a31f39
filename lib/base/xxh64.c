#include "base/xxh64.h"

#include "base/bytes.h"

static const uint64_t P1 = 0x9e3779b185ebca87, P2 = 0xc2b2ae3d27d4eb4f, P3 = 0x165667b19e3779f9,
		      P4 = 0x85ebca77c2b2ae63, P5 = 0x27d4eb2f165667c5;

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static uint64_t mix(uint64_t lane, uint64_t word)
{
	return rotate(lane + word * P2, 31) * P1;
}

static uint64_t merge(uint64_t sum, uint64_t lane)
{
	return (sum ^ mix(0, lane)) * P1 + P4;
}

/* Stripes of 32 bytes, a word to each of four lanes. */
static uint64_t take_stripes(const unsigned char **p, size_t *n)
{
	uint64_t a = P1 + P2, b = P2, c = 0, d = 0 - P1;
	uint64_t sum;

	for (; *n >= 32; *p += 32, *n -= 32) {
		a = mix(a, ingot_get_le64(*p));
		b = mix(b, ingot_get_le64(*p + 8));
		c = mix(c, ingot_get_le64(*p + 16));
		d = mix(d, ingot_get_le64(*p + 24));
	}
	sum = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
	return merge(merge(merge(merge(sum, a), b), c), d);
}

static uint64_t take_rest(uint64_t sum, const unsigned char *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8)
		sum = rotate(sum ^ mix(0, ingot_get_le64(p)), 27) * P1 + P4;
	for (; n >= 4; p += 4, n -= 4)
		sum = rotate(sum ^ ingot_get_le32(p) * P1, 23) * P2 + P3;
	for (; n > 0; p++, n--)
		sum = rotate(sum ^ *p * P5, 11) * P1;
	return sum;
}

uint64_t ingot_xxh64(const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t length = n;
	uint64_t sum = n >= 32 ? take_stripes(&p, &n) : P5;

	sum = take_rest(sum + length, p, n);
	sum = (sum ^ sum >> 33) * P2;
	sum = (sum ^ sum >> 29) * P3;
	return sum ^ sum >> 32;
}

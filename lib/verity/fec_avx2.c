/*
 * 32 columns at a time with the byte shuffle of x86-64. A product with a constant is the
 * sum of the products with the two halves of the other byte, and each half has 16 values:
 * two tables of 16 bytes, which VPSHUFB looks up in every byte of a vector.
 */
#include "verity/fec_internal.h"

#ifdef __x86_64__

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

/* Roots whose sums stay in registers, two vectors of each; 16 registers is all there are. */
enum { GROUP = 4 };

struct tables {
	uint8_t low[16], high[16];
};

static void prepare(uint8_t factor, void *ret)
{
	struct tables *tables = ret;

	for (unsigned half = 0; half < 16; half++) {
		tables->low[half] = ingot_gf_multiply(factor, (uint8_t)half);
		tables->high[half] = ingot_gf_multiply(factor, (uint8_t)(half << 4));
	}
}

TARGET static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

TARGET static inline void store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

TARGET static inline __m256i load_table(const uint8_t *p)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p));
}

/* Two vectors of columns of `count` roots, a constant where this is inlined. */
TARGET static inline __attribute__((always_inline)) void add_group(
	const struct ingot_fec_sums *sums, unsigned first, unsigned count,
	const struct ingot_fec_row *rows, size_t row_count, size_t column)
{
	const __m256i half = _mm256_set1_epi8(0x0f);
	uint8_t *at = sums->bytes + first * sums->stride + column;
	__m256i sum[GROUP][2];

#pragma GCC unroll 8
	for (unsigned r = 0; r < count; r++) {
		sum[r][0] = load(at + r * sums->stride);
		sum[r][1] = load(at + r * sums->stride + 32);
	}
	for (size_t j = 0; j < row_count; j++) {
		const struct tables *factors = (const struct tables *)rows[j].factors + first;
		__m256i x = load(rows[j].bytes + column), y = load(rows[j].bytes + column + 32);
		__m256i x_low = _mm256_and_si256(x, half), y_low = _mm256_and_si256(y, half);
		__m256i x_high = _mm256_and_si256(_mm256_srli_epi16(x, 4), half);
		__m256i y_high = _mm256_and_si256(_mm256_srli_epi16(y, 4), half);

#pragma GCC unroll 8
		for (unsigned r = 0; r < count; r++) {
			__m256i low = load_table(factors[r].low);
			__m256i high = load_table(factors[r].high);

			x = _mm256_xor_si256(_mm256_shuffle_epi8(low, x_low),
					     _mm256_shuffle_epi8(high, x_high));
			y = _mm256_xor_si256(_mm256_shuffle_epi8(low, y_low),
					     _mm256_shuffle_epi8(high, y_high));
			sum[r][0] = _mm256_xor_si256(sum[r][0], x);
			sum[r][1] = _mm256_xor_si256(sum[r][1], y);
		}
	}
#pragma GCC unroll 8
	for (unsigned r = 0; r < count; r++) {
		store(at + r * sums->stride, sum[r][0]);
		store(at + r * sums->stride + 32, sum[r][1]);
	}
}

TARGET static void add(const struct ingot_fec_sums *sums, const struct ingot_fec_row *rows,
		       size_t row_count, size_t columns)
{
	const unsigned rest = sums->roots / GROUP * GROUP;

	for (size_t i = 0; i < columns; i += 64) {
		for (unsigned r = 0; r < rest; r += GROUP)
			add_group(sums, r, GROUP, rows, row_count, i);
		switch (sums->roots - rest) {
		case 1:
			add_group(sums, rest, 1, rows, row_count, i);
			break;
		case 2:
			add_group(sums, rest, 2, rows, row_count, i);
			break;
		case 3:
			add_group(sums, rest, 3, rows, row_count, i);
			break;
		default:
			break;
		}
	}
}

const struct ingot_fec_kernel *ingot_fec_avx2(void)
{
	static const struct ingot_fec_kernel kernel = {"avx2", sizeof(struct tables), prepare, add};

	return __builtin_cpu_supports("avx2") ? &kernel : NULL;
}

#else

const struct ingot_fec_kernel *ingot_fec_avx2(void)
{
	return NULL;
}

#endif

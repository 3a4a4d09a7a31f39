/*
 * 64 columns at a time with the Galois field instructions of x86-64 (Intel SDM, volume 2,
 * GF2P8AFFINEQB). GF2P8MULB is of no use: its polynomial is that of AES. But to multiply
 * by a constant is linear in the bits of the other byte, in any field, and GF2P8AFFINEQB
 * applies any 8 by 8 matrix of bits.
 */
#include "verity/fec_internal.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,gfni")))

/* Roots whose sums stay in registers: with two vectors of each that is half of them. */
enum { GROUP = 8 };

/* Byte 7 - i of a matrix gives bit i of the product: which bits of the other byte are in it. */
static void prepare(uint8_t factor, void *ret)
{
	uint64_t matrix = 0;

	for (unsigned in = 0; in < 8; in++) {
		uint8_t product = ingot_gf_multiply(factor, (uint8_t)(1u << in));

		for (unsigned out = 0; out < 8; out++)
			if (product & (1u << out))
				matrix |= (uint64_t)1 << (8 * (7 - out) + in);
	}
	*(uint64_t *)ret = matrix;
}

/* Two vectors of columns of `count` roots, a constant where this is inlined. */
TARGET static inline __attribute__((always_inline)) void add_group(
	const struct ingot_fec_sums *sums, unsigned first, unsigned count,
	const struct ingot_fec_row *rows, size_t row_count, size_t column)
{
	__m512i low[GROUP], high[GROUP];
	uint8_t *at = sums->bytes + first * sums->stride + column;

#pragma GCC unroll 8
	for (unsigned r = 0; r < count; r++) {
		low[r] = _mm512_loadu_si512(at + r * sums->stride);
		high[r] = _mm512_loadu_si512(at + r * sums->stride + 64);
	}
	for (size_t j = 0; j < row_count; j++) {
		const uint64_t *factors = (const uint64_t *)rows[j].factors + first;
		__m512i x = _mm512_loadu_si512(rows[j].bytes + column);
		__m512i y = _mm512_loadu_si512(rows[j].bytes + column + 64);

#pragma GCC unroll 8
		for (unsigned r = 0; r < count; r++) {
			__m512i matrix = _mm512_set1_epi64((long long)factors[r]);

			low[r] = _mm512_xor_si512(low[r],
						  _mm512_gf2p8affine_epi64_epi8(x, matrix, 0));
			high[r] = _mm512_xor_si512(high[r],
						   _mm512_gf2p8affine_epi64_epi8(y, matrix, 0));
		}
	}
#pragma GCC unroll 8
	for (unsigned r = 0; r < count; r++) {
		_mm512_storeu_si512(at + r * sums->stride, low[r]);
		_mm512_storeu_si512(at + r * sums->stride + 64, high[r]);
	}
}

TARGET static void add(const struct ingot_fec_sums *sums, const struct ingot_fec_row *rows,
		       size_t row_count, size_t columns)
{
	const unsigned rest = sums->roots / GROUP * GROUP;

	for (size_t i = 0; i < columns; i += INGOT_FEC_COLUMNS) {
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
		case 4:
			add_group(sums, rest, 4, rows, row_count, i);
			break;
		case 5:
			add_group(sums, rest, 5, rows, row_count, i);
			break;
		case 6:
			add_group(sums, rest, 6, rows, row_count, i);
			break;
		case 7:
			add_group(sums, rest, 7, rows, row_count, i);
			break;
		default:
			break;
		}
	}
}

/* Not every compiler knows "gfni" in __builtin_cpu_supports: CPUID leaf 7, ECX bit 8. */
static bool has_gfni(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & (1u << 8)) != 0;
}

const struct ingot_fec_kernel *ingot_fec_gfni(void)
{
	static const struct ingot_fec_kernel kernel = {"gfni", sizeof(uint64_t), prepare, add};

	return has_gfni() ? &kernel : NULL;
}

#else

const struct ingot_fec_kernel *ingot_fec_gfni(void)
{
	return NULL;
}

#endif

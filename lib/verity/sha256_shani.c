/*
 * Four lanes with the SHA extensions of x86-64 (Intel SDM, volume 2, SHA256RNDS2). The
 * processor starts one SHA256RNDS2 every other cycle but takes four to finish it: two lanes
 * keep it busy in theory, four do in practice.
 */
#include "verity/sha256_lanes_internal.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

enum { LANES = 4 };

#define TARGET __attribute__((target("sha,sse4.1")))

/* The instructions want the state as two halves, highest word first: ABEF and CDGH. */
TARGET static inline __m128i half(const struct ingot_sha256_states *s, int lane, int first)
{
	return _mm_set_epi32((int)s->words[first][lane], (int)s->words[first + 1][lane],
			     (int)s->words[first + 4][lane], (int)s->words[first + 5][lane]);
}

TARGET static inline void put_half(struct ingot_sha256_states *s, int lane, int first, __m128i v)
{
	s->words[first][lane] = (uint32_t)_mm_extract_epi32(v, 3);
	s->words[first + 1][lane] = (uint32_t)_mm_extract_epi32(v, 2);
	s->words[first + 4][lane] = (uint32_t)_mm_extract_epi32(v, 1);
	s->words[first + 5][lane] = (uint32_t)_mm_extract_epi32(v, 0);
}

TARGET static inline __m128i load_be(const uint8_t *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), swap);
}

/* The next four words of the message schedule from the last sixteen, w[0] the oldest. */
TARGET static inline __m128i schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));

	return _mm_sha256msg2_epu32(sum, w3);
}

TARGET static void compress(struct ingot_sha256_states *states, const uint8_t *const *data,
			    size_t blocks)
{
	const __m128i *k = (const __m128i *)(const void *)ingot_sha256_k;
	__m128i abef[LANES], cdgh[LANES], abef0[LANES], cdgh0[LANES], w[4][LANES], wk[LANES];

#pragma GCC unroll 16
	for (int l = 0; l < LANES; l++) {
		abef[l] = half(states, l, 0);
		cdgh[l] = half(states, l, 2);
	}
	for (size_t b = 0; b < blocks; b++) {
#pragma GCC unroll 16
		for (int l = 0; l < LANES; l++) {
			abef0[l] = abef[l];
			cdgh0[l] = cdgh[l];
		}
#pragma GCC unroll 16
		for (int g = 0; g < 16; g++) { /* four rounds each */
#pragma GCC unroll 16
			for (int l = 0; l < LANES; l++) {
				__m128i *new = &w[g % 4][l];

				*new = g < 4 ? load_be(data[l] + b * INGOT_SHA256_BLOCK + g * 16)
					     : schedule(*new, w[(g + 1) % 4][l], w[(g + 2) % 4][l],
							w[(g + 3) % 4][l]);
				wk[l] = _mm_add_epi32(*new, k[g]);
			}
#pragma GCC unroll 16
			for (int l = 0; l < LANES; l++)
				cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], wk[l]);
#pragma GCC unroll 16
			for (int l = 0; l < LANES; l++)
				abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l],
								_mm_shuffle_epi32(wk[l], 0x0e));
		}
#pragma GCC unroll 16
		for (int l = 0; l < LANES; l++) {
			abef[l] = _mm_add_epi32(abef[l], abef0[l]);
			cdgh[l] = _mm_add_epi32(cdgh[l], cdgh0[l]);
		}
	}
#pragma GCC unroll 16
	for (int l = 0; l < LANES; l++) {
		put_half(states, l, 0, abef[l]);
		put_half(states, l, 2, cdgh[l]);
	}
}

/* gcc 12 does not know "sha" in __builtin_cpu_supports: CPUID leaf 7, EBX bit 29. */
static bool has_sha(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
	       (b & (1u << 29)) != 0;
}

const struct ingot_sha256_kernel *ingot_sha256_shani(void)
{
	static const struct ingot_sha256_kernel kernel = {LANES, compress};

	return has_sha() ? &kernel : NULL;
}

#else

const struct ingot_sha256_kernel *ingot_sha256_shani(void)
{
	return NULL;
}

#endif

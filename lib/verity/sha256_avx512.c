/*
 * Sixteen lanes with AVX-512, one 32-bit word of each lane in a register. The formulas are
 * those of FIPS 180-4, sections 4.1.2 and 6.2.2.
 */
#include "verity/sha256_lanes_internal.h"

#ifdef __x86_64__

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))

#define ADD(a, b)  _mm512_add_epi32(a, b)
#define ROTR(a, n) _mm512_ror_epi32(a, n)
#define SHR(a, n)  _mm512_srli_epi32(a, n)

/* Any function of three bits in one instruction: its truth table, read as a number. */
#define XOR3(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0x96)
#define CH(e, f, g)   _mm512_ternarylogic_epi32(e, f, g, 0xca)
#define MAJ(a, b, c)  _mm512_ternarylogic_epi32(a, b, c, 0xe8)

#define SUM0(a)	  XOR3(ROTR(a, 2), ROTR(a, 13), ROTR(a, 22))
#define SUM1(e)	  XOR3(ROTR(e, 6), ROTR(e, 11), ROTR(e, 25))
#define SIGMA0(w) XOR3(ROTR(w, 7), ROTR(w, 18), SHR(w, 3))
#define SIGMA1(w) XOR3(ROTR(w, 17), ROTR(w, 19), SHR(w, 10))

/* Row l, word i to row i, word l: from a lane's bytes to a word of every lane. */
TARGET static inline void transpose(__m512i r[16])
{
	__m512i t[16];

#pragma GCC unroll 64
	for (int i = 0; i < 16; i += 2) { /* pairs of words */
		t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
	}
#pragma GCC unroll 64
	for (int i = 0; i < 16; i += 4) { /* four words of four lanes */
		r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
		r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
		r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
		r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
#pragma GCC unroll 64
	for (int i = 0; i < 4; i++) { /* the same of all sixteen */
		__m512i low0 = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x44);
		__m512i high0 = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xee);
		__m512i low1 = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x44);
		__m512i high1 = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xee);

		t[i] = _mm512_shuffle_i32x4(low0, low1, 0x88);
		t[4 + i] = _mm512_shuffle_i32x4(low0, low1, 0xdd);
		t[8 + i] = _mm512_shuffle_i32x4(high0, high1, 0x88);
		t[12 + i] = _mm512_shuffle_i32x4(high0, high1, 0xdd);
	}
#pragma GCC unroll 64
	for (int i = 0; i < 16; i++)
		r[i] = t[i];
}

TARGET static inline void load(__m512i w[16], const uint8_t *const *data, size_t offset)
{
	const __m512i swap =
		_mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));

#pragma GCC unroll 64
	for (int l = 0; l < 16; l++)
		w[l] = _mm512_shuffle_epi8(_mm512_loadu_si512(data[l] + offset), swap);
	transpose(w);
}

TARGET static void compress(struct ingot_sha256_states *states, const uint8_t *const *data,
			    size_t blocks)
{
	__m512i state[8], s[8], w[16];

#pragma GCC unroll 64
	for (int i = 0; i < 8; i++)
		state[i] = _mm512_load_si512(states->words[i]);
	for (size_t b = 0; b < blocks; b++) {
		load(w, data, b * INGOT_SHA256_BLOCK);
#pragma GCC unroll 64
		for (int i = 0; i < 8; i++)
			s[i] = state[i];
#pragma GCC unroll 64
		for (int t = 0; t < 64; t++) {
			/* a..h move by one name a round instead of by one register. */
			__m512i *r[8];

#pragma GCC unroll 64
			for (int i = 0; i < 8; i++)
				r[i] = &s[(i - t) & 7];
			if (t >= 16)
				w[t & 15] = ADD(ADD(w[t & 15], SIGMA0(w[(t + 1) & 15])),
						ADD(w[(t + 9) & 15], SIGMA1(w[(t + 14) & 15])));
			/*
			 * e and a of the next round are what everything waits for: SUM1 of e,
			 * the last to be known, is added last.
			 */
			__m512i k = _mm512_set1_epi32((int)ingot_sha256_k[t]);
			__m512i hk = ADD(*r[7], ADD(w[t & 15], k));
			__m512i ch = CH(*r[4], *r[5], *r[6]), sum1 = SUM1(*r[4]);
			__m512i t2 = ADD(SUM0(*r[0]), MAJ(*r[0], *r[1], *r[2]));

			*r[3] = ADD(ADD(ADD(*r[3], hk), ch), sum1);
			*r[7] = ADD(ADD(ADD(hk, ch), t2), sum1);
		}
#pragma GCC unroll 64
		for (int i = 0; i < 8; i++)
			state[i] = ADD(state[i], s[i]);
	}
#pragma GCC unroll 64
	for (int i = 0; i < 8; i++)
		_mm512_store_si512(states->words[i], state[i]);
}

const struct ingot_sha256_kernel *ingot_sha256_avx512(void)
{
	static const struct ingot_sha256_kernel kernel = {16, compress};

	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? &kernel
										       : NULL;
}

#else

const struct ingot_sha256_kernel *ingot_sha256_avx512(void)
{
	return NULL;
}

#endif

#include "verity/fec_internal.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

enum { CODEWORD = 255, POLYNOMIAL = 0x11d, ALPHA = 2 };

/* --- arithmetic in GF(2^8) --------------------------------------------- */

uint8_t ingot_gf_multiply(uint8_t a, uint8_t b)
{
	unsigned product = 0, power = a;

	for (unsigned bit = 0; bit < 8; bit++) {
		if (b & (1u << bit))
			product ^= power;
		power <<= 1;
		if (power & 0x100)
			power ^= POLYNOMIAL;
	}
	return (uint8_t)product;
}

/* --- the code ---------------------------------------------------------- */

/*
 * (x - alpha^0)(x - alpha^1)... without its leading 1: ret[0] is the coefficient of
 * x^(roots - 1), ret[roots - 1] the constant one.
 */
static void generator(uint32_t roots, uint8_t ret[INGOT_FEC_ROOTS_MAX])
{
	uint8_t g[INGOT_FEC_ROOTS_MAX + 1] = {1}; /* highest power first */
	uint8_t root = 1;

	for (uint32_t n = 1; n <= roots; n++) {
		for (uint32_t i = n; i > 0; i--)
			g[i] ^= ingot_gf_multiply(root, g[i - 1]);
		root = ingot_gf_multiply(root, ALPHA);
	}
	memcpy(ret, g + 1, roots);
}

/* What a 1 in the next earlier row adds to the parity: times x, modulo the generator. */
static void step(const uint8_t *generator, uint32_t roots, uint8_t *parity)
{
	uint8_t first = parity[0];

	for (uint32_t r = 0; r < roots; r++) {
		uint8_t next = r + 1 < roots ? parity[r + 1] : 0;

		parity[r] = next ^ ingot_gf_multiply(first, generator[r]);
	}
}

int ingot_fec_factors(const struct ingot_fec_kernel *kernel, uint32_t roots, uint8_t **ret,
		      struct ingot_error *err)
{
	const uint32_t rows = CODEWORD - roots;
	uint8_t g[INGOT_FEC_ROOTS_MAX], parity[INGOT_FEC_ROOTS_MAX];
	uint8_t *factors = ingot_alloc((size_t)rows * roots, kernel->factor_size, err);

	if (!factors)
		return -ENOMEM;
	generator(roots, g);
	memcpy(parity, g, roots); /* of a 1 in the last row: x^roots modulo the generator */
	for (uint32_t row = rows; row-- > 0; step(g, roots, parity))
		for (uint32_t r = 0; r < roots; r++)
			kernel->prepare(parity[r],
					factors + ((size_t)row * roots + r) * kernel->factor_size);
	*ret = factors;
	return 0;
}

/* --- any processor ------------------------------------------------------------------------------
 * Bit b of a factor takes part as the row times alpha^b, and those eight multiples are
 * computed once for all roots. The compiler has vectors for it everywhere.
 */

enum { WORDS = 4 }; /* of eight columns, at a time */

struct masks {
	uint64_t bits[8]; /* all ones where the factor has that bit */
};

static void prepare(uint8_t factor, void *ret)
{
	struct masks *masks = ret;

	for (unsigned bit = 0; bit < 8; bit++)
		masks->bits[bit] = factor & (1u << bit) ? UINT64_MAX : 0;
}

/* Eight bytes times alpha. */
static inline uint64_t twice(uint64_t bytes)
{
	uint64_t high = bytes >> 7 & 0x0101010101010101;

	return (bytes << 1 & 0xfefefefefefefefe) ^ high * (POLYNOMIAL & 0xff);
}

static inline void add_words(const struct ingot_fec_sums *sums, const struct ingot_fec_row *row,
			     size_t column)
{
	const struct masks *factors = row->factors;
	uint64_t multiples[8][WORDS];

	memcpy(multiples[0], row->bytes + column, sizeof(multiples[0]));
	for (unsigned bit = 1; bit < 8; bit++)
		for (unsigned w = 0; w < WORDS; w++)
			multiples[bit][w] = twice(multiples[bit - 1][w]);
	for (unsigned r = 0; r < sums->roots; r++) {
		uint8_t *at = sums->bytes + r * sums->stride + column;
		uint64_t sum[WORDS];

		memcpy(sum, at, sizeof(sum));
		for (unsigned bit = 0; bit < 8; bit++)
			for (unsigned w = 0; w < WORDS; w++)
				sum[w] ^= multiples[bit][w] & factors[r].bits[bit];
		memcpy(at, sum, sizeof(sum));
	}
}

static void add(const struct ingot_fec_sums *sums, const struct ingot_fec_row *rows,
		size_t row_count, size_t columns)
{
	for (size_t i = 0; i < columns; i += WORDS * sizeof(uint64_t))
		for (size_t j = 0; j < row_count; j++)
			add_words(sums, &rows[j], i);
}

const struct ingot_fec_kernel *ingot_fec_portable(void)
{
	static const struct ingot_fec_kernel kernel = {"portable", sizeof(struct masks), prepare,
						       add};

	return &kernel;
}

/* --- for all kernels --------------------------------------------------- */

const struct ingot_fec_kernel *ingot_fec_kernel(void)
{
	if (ingot_fec_gfni())
		return ingot_fec_gfni();
	if (ingot_fec_avx2())
		return ingot_fec_avx2();
	return ingot_fec_portable();
}

void ingot_fec_interleave(const struct ingot_fec_sums *sums, size_t columns, uint8_t *ret)
{
	for (size_t i = 0; i < columns; i++)
		for (unsigned r = 0; r < sums->roots; r++)
			ret[i * sums->roots + r] = sums->bytes[r * sums->stride + i];
}

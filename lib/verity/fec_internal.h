/*
 * Reed-Solomon parity of many codewords side by side.
 *
 * GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d), alpha = 2; the generator
 * of the code has the roots alpha^0 .. alpha^(R - 1), and the code is systematic. The
 * parity is linear in the message: what byte j adds to it depends on j and that byte only.
 * So a row of the message (byte j of many codewords) is multiplied by one constant for
 * each root and added to that root's sum, rows in any order, and rows of zeros left out.
 * A multiplication by a constant is what vector instructions do 16 to 64 bytes at a time.
 */
#ifndef INGOT_VERITY_FEC_INTERNAL_H
#define INGOT_VERITY_FEC_INTERNAL_H

#include "base/error.h"
#include "verity/fec.h"

/* Columns are added up in multiples of this many. */
#define INGOT_FEC_COLUMNS 128

struct ingot_fec_row {
	const uint8_t *bytes;
	const void *factors; /* one for each root, of the kernel's own form */
};

/* What is added up: sums[r * stride + i] is the sum of root r and column i. */
struct ingot_fec_sums {
	uint8_t *bytes;
	size_t stride;
	unsigned roots;
};

struct ingot_fec_kernel {
	const char *name;
	size_t factor_size;
	void (*prepare)(uint8_t factor, void *ret);
	/* For all columns and roots: sum += factor * byte of each row. */
	void (*add)(const struct ingot_fec_sums *sums, const struct ingot_fec_row *rows,
		    size_t row_count, size_t columns);
};

/* NULL: this processor has not got the instructions. */
const struct ingot_fec_kernel *ingot_fec_gfni(void); /* with AVX-512 */
const struct ingot_fec_kernel *ingot_fec_avx2(void);
const struct ingot_fec_kernel *ingot_fec_portable(void);

/* The fastest one here. */
const struct ingot_fec_kernel *ingot_fec_kernel(void);

uint8_t ingot_gf_multiply(uint8_t a, uint8_t b);

/* The factors of every row, prepared for the kernel. The caller frees *ret. */
INGOT_MUST_USE int ingot_fec_factors(const struct ingot_fec_kernel *kernel, uint32_t roots,
				     uint8_t **ret, struct ingot_error *err);

/* Those of one row. */
static inline const void *ingot_fec_row_factors(const struct ingot_fec_kernel *kernel,
						const uint8_t *factors, uint32_t roots,
						uint32_t row)
{
	return factors + (size_t)row * roots * kernel->factor_size;
}

/* Parity as it is stored: the roots of column 0, then those of column 1, ... */
void ingot_fec_interleave(const struct ingot_fec_sums *sums, size_t columns, uint8_t *ret);

#endif

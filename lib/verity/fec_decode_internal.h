/*
 * Reed-Solomon decoding, errors and erasures (R. E. Blahut, Theory and Practice of Error Control
 * Codes, chapter 9; G. D. Forney, On decoding BCH codes, 1965).
 *
 * A codeword of 255 bytes with R of parity is put right where 2 * errors + erasures <= R: an
 * erasure is a byte that is known to be lost, an error one that is not. The code is that of
 * fec_internal.h: byte 0 is the coefficient of the highest power, roots alpha^0 .. alpha^(R - 1).
 */
#ifndef INGOT_VERITY_FEC_DECODE_INTERNAL_H
#define INGOT_VERITY_FEC_DECODE_INTERNAL_H

#include <stdbool.h>

#include "verity/fec.h"

enum { INGOT_FEC_CODEWORD = 255 };

/* For one set of erasures; used for any number of codewords, and by any number of threads. */
struct ingot_fec_decoder {
	uint8_t exp[2 * INGOT_FEC_CODEWORD], log[256];
	unsigned roots;
	unsigned erasures;
	uint8_t places[INGOT_FEC_ROOTS_MAX];	/* bytes of the codeword that are lost */
	uint8_t gamma[INGOT_FEC_ROOTS_MAX + 1]; /* the erasure locator, lowest power first */
};

/* At most `roots` erasures, all different. */
void ingot_fec_decoder_init(struct ingot_fec_decoder *decoder, unsigned roots,
			    const uint8_t *places, unsigned erasures);

struct ingot_fec_fix {
	unsigned count;
	uint8_t place[INGOT_FEC_ROOTS_MAX], change[INGOT_FEC_ROOTS_MAX]; /* to be XORed */
};

/*
 * What puts a codeword with these syndromes (its values at the roots) right. False: it has more
 * errors than can be told. Lost bytes may have happened to be right; they are not in the fix then.
 */
bool ingot_fec_decode(const struct ingot_fec_decoder *decoder,
		      const uint8_t syndromes[INGOT_FEC_ROOTS_MAX], struct ingot_fec_fix *ret);

#endif

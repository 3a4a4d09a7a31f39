#include "verity/fec_decode_internal.h"

#include <string.h>

enum { FIELD = 0x11d, POLY_MAX = INGOT_FEC_ROOTS_MAX + 1 };

/* --- arithmetic: logarithms, because a decoder divides ------------------ */

static void make_tables(struct ingot_fec_decoder *d)
{
	unsigned power = 1;

	for (unsigned i = 0; i < INGOT_FEC_CODEWORD; i++) {
		d->exp[i] = d->exp[i + INGOT_FEC_CODEWORD] = (uint8_t)power;
		d->log[power] = (uint8_t)i;
		power <<= 1;
		if (power & 0x100)
			power ^= FIELD;
	}
}

static uint8_t multiply(const struct ingot_fec_decoder *d, uint8_t a, uint8_t b)
{
	return a && b ? d->exp[d->log[a] + d->log[b]] : 0;
}

/* b is not 0. */
static uint8_t divide(const struct ingot_fec_decoder *d, uint8_t a, uint8_t b)
{
	return a ? d->exp[d->log[a] + INGOT_FEC_CODEWORD - d->log[b]] : 0;
}

/* alpha to the power that belongs to a byte of the codeword: its locator. */
static uint8_t locator(const struct ingot_fec_decoder *d, unsigned place)
{
	return d->exp[INGOT_FEC_CODEWORD - 1 - place];
}

/* The value of a polynomial, lowest power first. */
static uint8_t value(const struct ingot_fec_decoder *d, const uint8_t *p, unsigned n, uint8_t x)
{
	uint8_t sum = 0;

	while (n-- > 0)
		sum = multiply(d, sum, x) ^ p[n];
	return sum;
}

/* ret = a * b, cut off behind n coefficients; ret is neither. */
static void product(const struct ingot_fec_decoder *d, const uint8_t *a, unsigned na,
		    const uint8_t *b, unsigned nb, uint8_t *ret, unsigned n)
{
	memset(ret, 0, n);
	for (unsigned i = 0; i < na && i < n; i++)
		for (unsigned j = 0; j < nb && i + j < n; j++)
			ret[i + j] ^= multiply(d, a[i], b[j]);
}

/* --- erasures ---------------------------------------------------------- */

void ingot_fec_decoder_init(struct ingot_fec_decoder *d, unsigned roots, const uint8_t *places,
			    unsigned erasures)
{
	*d = (struct ingot_fec_decoder){.roots = roots, .erasures = erasures};
	make_tables(d);
	memcpy(d->places, places, erasures);
	d->gamma[0] = 1;
	for (unsigned i = 0; i < erasures; i++) /* times (1 - locator * x) */
		for (unsigned k = i + 1; k > 0; k--)
			d->gamma[k] ^= multiply(d, d->gamma[k - 1], locator(d, places[i]));
}

/* --- errors: Berlekamp and Massey --------------------------------------- */

/*
 * The shortest sigma, sigma[0] = 1, with sum of sigma[i] * s[k - i] = 0 for all k from its degree
 * on. Returns the degree.
 */
static unsigned shortest(const struct ingot_fec_decoder *d, const uint8_t *s, unsigned n,
			 uint8_t sigma[POLY_MAX])
{
	uint8_t before[POLY_MAX] = {1}, last = 1;
	unsigned length = 0, gap = 1;

	memset(sigma, 0, POLY_MAX);
	sigma[0] = 1;
	for (unsigned k = 0; k < n; k++, gap++) {
		uint8_t off = s[k], kept[POLY_MAX], factor;

		for (unsigned i = 1; i <= length; i++)
			off ^= multiply(d, sigma[i], s[k - i]);
		if (off == 0)
			continue;
		memcpy(kept, sigma, sizeof(kept));
		factor = divide(d, off, last);
		for (unsigned i = 0; i + gap < POLY_MAX; i++)
			sigma[i + gap] ^= multiply(d, factor, before[i]);
		if (2 * length > k)
			continue;
		length = k + 1 - length;
		memcpy(before, kept, sizeof(before));
		last = off;
		gap = 0;
	}
	return length;
}

/* --- together ---------------------------------------------------------- */

static bool is_zero(const uint8_t *p, unsigned n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

/* The bytes where psi is zero; false: not as many as it has to have. */
static bool find_places(const struct ingot_fec_decoder *d, const uint8_t *psi, unsigned degree,
			uint8_t *places)
{
	unsigned found = 0;

	for (unsigned place = 0; place < INGOT_FEC_CODEWORD; place++) {
		uint8_t inverse = divide(d, 1, locator(d, place));

		if (value(d, psi, degree + 1, inverse) != 0)
			continue;
		if (found == degree)
			return false;
		places[found++] = (uint8_t)place;
	}
	return found == degree;
}

/* Forney: what is wrong with a byte is X * omega(1/X) / psi'(1/X). */
static bool find_changes(const struct ingot_fec_decoder *d, const uint8_t *syndromes,
			 const uint8_t *psi, unsigned degree, const uint8_t *places,
			 struct ingot_fec_fix *ret)
{
	uint8_t omega[INGOT_FEC_ROOTS_MAX], slope[POLY_MAX] = {0};

	product(d, syndromes, d->roots, psi, degree + 1, omega, d->roots);
	for (unsigned i = 1; i <= degree; i += 2) /* even powers vanish in the derivative */
		slope[i - 1] = psi[i];
	ret->count = 0;
	for (unsigned i = 0; i < degree; i++) {
		uint8_t x = locator(d, places[i]), inverse = divide(d, 1, x);
		uint8_t below = value(d, slope, degree, inverse), change;

		if (below == 0)
			return false;
		change = multiply(d, x, divide(d, value(d, omega, d->roots, inverse), below));
		if (change == 0)
			continue;
		ret->place[ret->count] = places[i];
		ret->change[ret->count++] = change;
	}
	return true;
}

bool ingot_fec_decode(const struct ingot_fec_decoder *d,
		      const uint8_t syndromes[INGOT_FEC_ROOTS_MAX], struct ingot_fec_fix *ret)
{
	uint8_t modified[INGOT_FEC_ROOTS_MAX], sigma[POLY_MAX], psi[POLY_MAX];
	uint8_t places[INGOT_FEC_ROOTS_MAX];
	unsigned errors, spare = d->roots - d->erasures;

	ret->count = 0;
	if (is_zero(syndromes, d->roots))
		return true;
	product(d, syndromes, d->roots, d->gamma, d->erasures + 1, modified, d->roots);
	if (is_zero(modified + d->erasures, spare)) /* the lost bytes are all that is wrong */
		return find_changes(d, syndromes, d->gamma, d->erasures, d->places, ret);
	errors = shortest(d, modified + d->erasures, spare, sigma);
	if (2 * errors > spare)
		return false;
	product(d, sigma, errors + 1, d->gamma, d->erasures + 1, psi, POLY_MAX);
	return find_places(d, psi, errors + d->erasures, places) &&
	       find_changes(d, syndromes, psi, errors + d->erasures, places, ret);
}

/*
 * Runs of zeros in a compressed stream: each is written as units of a few sizes, which are
 * compressed once.
 */
#ifndef INGOT_FORMATS_ZEROS_INTERNAL_H
#define INGOT_FORMATS_ZEROS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum { INGOT_ZERO_STEPS = 3 };

static const size_t INGOT_ZERO_SIZES[INGOT_ZERO_STEPS] = {4 << 20, 512 << 10, 64 << 10};

/* The largest unit that fits in; INGOT_ZERO_STEPS: none does. */
static inline size_t ingot_zero_step(uint64_t zeros)
{
	size_t i = 0;

	while (i < INGOT_ZERO_STEPS && zeros < INGOT_ZERO_SIZES[i])
		i++;
	return i;
}

#endif

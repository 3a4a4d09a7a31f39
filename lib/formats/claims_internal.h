/* Which places of a container are taken: no two entries of its tables may name the same. */
#ifndef INGOT_FORMATS_CLAIMS_INTERNAL_H
#define INGOT_FORMATS_CLAIMS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"

/* Zeroed is done and can be done again. */
struct ingot_claims {
	uint64_t unit;
	unsigned char *bits; /* one for each unit of the file, or NULL: nobody looks */
};

/*
 * unit: what a claim has at least. Of files so large that the bits would take more than 32 MiB
 * (16 TiB in units of 64 KiB) nothing is known.
 */
INGOT_MUST_USE int ingot_claims_init(struct ingot_claims *claims, uint64_t file_size, uint64_t unit,
				     struct ingot_error *err);
void ingot_claims_done(struct ingot_claims *claims);

/* False: what begins there begins on top of something else. The offset lies in the file. */
bool ingot_claim(struct ingot_claims *claims, uint64_t offset);

#endif

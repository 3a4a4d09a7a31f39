#include "formats/claims_internal.h"

#include <errno.h>

enum { BITS_MAX = 32 << 20 /* bytes */ };

int ingot_claims_init(struct ingot_claims *claims, uint64_t file_size, uint64_t unit,
		      struct ingot_error *err)
{
	uint64_t bytes = ingot_div_up(ingot_div_up(file_size, unit), 8);

	*claims = (struct ingot_claims){.unit = unit};
	if (bytes > BITS_MAX)
		return 0;
	claims->bits = ingot_alloc(1, (size_t)bytes, err);
	return claims->bits ? 0 : -ENOMEM;
}

void ingot_claims_done(struct ingot_claims *claims)
{
	free(claims->bits);
}

bool ingot_claim(struct ingot_claims *claims, uint64_t offset)
{
	uint64_t bit = offset / claims->unit;
	unsigned char mask = (unsigned char)(1 << bit % 8);

	if (!claims->bits)
		return true;
	if (claims->bits[bit / 8] & mask)
		return false;
	claims->bits[bit / 8] |= mask;
	return true;
}

/* Finding what is not zero, where everything should be. */
#ifndef INGOT_IO_NONZERO_H
#define INGOT_IO_NONZERO_H

#include "base/problems.h"
#include "io/source.h"

/* The first byte of n that is not zero, or n. */
INGOT_API size_t ingot_first_nonzero(const void *data, size_t n);

/* The same in [offset, offset + n) of a source: *ret is the byte's offset in the source, or
 * offset + n. Holes are not read. */
INGOT_API INGOT_MUST_USE int ingot_source_first_nonzero(struct ingot_source *source,
							uint64_t offset, uint64_t n, uint64_t *ret,
							struct ingot_error *err);

/* A byte of [offset, offset + n) that is not zero is a problem of `what`. */
INGOT_API INGOT_MUST_USE int ingot_source_check_zero(struct ingot_source *source, uint64_t offset,
						     uint64_t n, const char *what,
						     struct ingot_problems *problems,
						     struct ingot_error *err);

#endif

/* XXH64 (docs/xxhash_spec.md of the xxHash project), seed 0: the checksum of Zstandard frames. */
#ifndef INGOT_BASE_XXH64_H
#define INGOT_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

#include "base/api.h"

INGOT_API uint64_t ingot_xxh64(const void *data, size_t n);

#endif

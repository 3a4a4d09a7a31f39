/* SHA-256 of a stream of bytes, for manifests and identifiers (FIPS 180-4, by libcrypto). */
#ifndef INGOT_BASE_DIGEST_H
#define INGOT_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"

#define INGOT_SHA256_SIZE 32
#define INGOT_SHA256_TEXT 65

struct ingot_sha256; /* one running digest; one thread at a time */

INGOT_API struct ingot_sha256 *ingot_sha256_new(struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_sha256_update(struct ingot_sha256 *ctx, const void *data,
						 size_t n, struct ingot_error *err);
/* The digest; the context starts anew. */
INGOT_API INGOT_MUST_USE int ingot_sha256_final(struct ingot_sha256 *ctx,
						uint8_t digest[INGOT_SHA256_SIZE],
						struct ingot_error *err);
INGOT_API void ingot_sha256_free(struct ingot_sha256 *ctx); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_sha256, ingot_sha256, ingot_sha256_free)
#define INGOT_SHA256 INGOT_CLEANUP(ingot_sha256_cleanup)

/* All at once. */
INGOT_API INGOT_MUST_USE int ingot_sha256(const void *data, size_t n,
					  uint8_t digest[INGOT_SHA256_SIZE],
					  struct ingot_error *err);

#endif

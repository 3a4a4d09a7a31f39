/*
 * Derived identifiers. Every number that a format wants random comes from the recipe's
 * seed: HMAC-SHA-256(key = seed, message = label), cut to the length wanted. The label
 * says what the number is for ("gpt disk", "verity salt USR-A"), so that no two places
 * share one, and it never changes: a new label is new bytes in every image.
 */
#ifndef INGOT_BASE_DERIVE_H
#define INGOT_BASE_DERIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/guid.h"

#define INGOT_SEED_MIN 16
#define INGOT_SEED_MAX 64

struct ingot_seed {
	size_t size; /* INGOT_SEED_MIN .. INGOT_SEED_MAX */
	uint8_t bytes[INGOT_SEED_MAX];
};

INGOT_API INGOT_MUST_USE int ingot_seed_parse(const char *hex, struct ingot_seed *ret,
					      struct ingot_error *err);

/* The default seed: SHA-256 of "ingot seed\0NAME\0VERSION\0ARCHITECTURE\0". */
INGOT_API INGOT_MUST_USE int ingot_seed_from_name(const char *name, const char *version,
						  const char *architecture, struct ingot_seed *ret,
						  struct ingot_error *err);

/* n <= 32 bytes for the label. */
INGOT_API INGOT_MUST_USE int ingot_derive(const struct ingot_seed *seed, const char *label,
					  void *bytes, size_t n, struct ingot_error *err);

/* A GUID for the label, with the version 4 and variant bits of RFC 4122. */
INGOT_API INGOT_MUST_USE int ingot_derive_guid(const struct ingot_seed *seed, const char *label,
					       struct ingot_guid *ret, struct ingot_error *err);

#endif

/* The digest for Secure Boot up to somewhere in the file, as a request carries it. */
#ifndef INGOT_IMAGE_UKI_DIGEST_INTERNAL_H
#define INGOT_IMAGE_UKI_DIGEST_INTERNAL_H

#include "base/sha256_state.h"
#include "boot/pe_sign.h"

/* Bytes of the headers that no digest covers: checksum, entry of the certificate table. */
enum { UKI_NOT_DIGESTED = 12 };

/* SHA-256 of what stands before `end`, which is behind the headers and where a block ends. */
INGOT_MUST_USE int uki_digest_front(struct ingot_source *uki, const struct ingot_pe_place *place,
				    uint64_t end, struct ingot_sha256_state *state,
				    struct ingot_error *err);

#endif

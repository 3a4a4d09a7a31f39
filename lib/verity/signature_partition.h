/*
 * The content of a verity signature partition: one JSON object, padded with NUL bytes.
 *
 * UAPI.2, Discoverable Partitions Specification, "Verity":
 *
 *	rootHash                the root hash, lower-case hex
 *	signature               base64 of the DER PKCS#7 over that text
 *	certificateFingerprint  SHA-256 of the DER certificate, lower-case hex; may be missing
 */
#ifndef INGOT_VERITY_SIGNATURE_PARTITION_H
#define INGOT_VERITY_SIGNATURE_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "verity/params.h"

#define INGOT_VERITY_SIGNATURE_ALIGN 4096	       /* sizes are multiples of it */
#define INGOT_VERITY_SIGNATURE_MAX   (4 * 1024 * 1024) /* systemd's readers take no more */

struct ingot_verity_signature {
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t root_size;
	const uint8_t *pkcs7; /* DER */
	size_t pkcs7_size;
	bool has_fingerprint;
	uint8_t fingerprint[INGOT_SHA256_SIZE];
};

/* The JSON, padded to a multiple of INGOT_VERITY_SIGNATURE_ALIGN. The caller frees *ret. */
INGOT_API INGOT_MUST_USE int ingot_verity_signature_encode(
	const struct ingot_verity_signature *signature, uint8_t **ret, size_t *ret_size,
	struct ingot_error *err);

/*
 * Read foreign bytes. ret->pkcs7 is new memory, which the caller frees through *ret_pkcs7.
 * -EINVAL: bytes behind the padding's start, not JSON, a key missing or malformed; unknown
 * keys are allowed.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_signature_decode(const uint8_t *raw, size_t size,
							   struct ingot_verity_signature *ret,
							   uint8_t **ret_pkcs7,
							   struct ingot_error *err);

#endif

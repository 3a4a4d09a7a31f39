/*
 * Whether a signature is, byte for byte, what Ingot makes of its raw signature and certificate.
 *
 * A good signature proves nothing about the bytes around it: certificates that are enclosed, fields
 * that nobody looks at. So what is in it is taken out and put together again. Signatures made by
 * other programs may be good and not exact.
 */
#ifndef INGOT_SIGN_EXACT_H
#define INGOT_SIGN_EXACT_H

#include "sign/authenticode.h"
#include "sign/cms.h"
#include "sign/pkcs7.h"

/*
 * Every signer has to have one of the certificates. The signature is known to be good;
 * negative is memory only.
 */
INGOT_API INGOT_MUST_USE int ingot_root_hash_is_exact(
	const void *der, size_t n, const char *root_hash_hex,
	const struct ingot_certificate *const *certificates, size_t count, bool *ret,
	struct ingot_error *err);

/* The same for Authenticode; the signer's certificate may be the one that is enclosed. */
INGOT_API INGOT_MUST_USE int ingot_authenticode_is_exact(
	const void *der, size_t n, const uint8_t pe_digest[INGOT_SHA256_SIZE],
	const struct ingot_certificate *const *certificates, size_t count, bool *ret,
	struct ingot_error *err);

/* And for a file's. */
INGOT_API INGOT_MUST_USE int ingot_cms_is_exact(const void *der, size_t n,
						const uint8_t file_digest[INGOT_SHA256_SIZE],
						const struct ingot_certificate *const *certificates,
						size_t count, bool *ret, struct ingot_error *err);

#endif

/*
 * Authenticode: the signature in a PE file, which UEFI firmware checks against its db (Microsoft,
 * Windows Authenticode Portable Executable Signature Format; UEFI 2.10, 32.5). PKCS#7 SignedData
 * whose content, SpcIndirectDataContent, holds the digest of the file; the signature is over two
 * attributes, the content's type and digest. SHA-256 throughout. There is no time in it, so the
 * same key, certificate and file give the same bytes.
 *
 * boot/pe_sign.h says what the digest of a file is and where in the file the signature goes;
 * image/pe_signature.h does both at once.
 */
#ifndef INGOT_SIGN_AUTHENTICODE_H
#define INGOT_SIGN_AUTHENTICODE_H

#include "sign/pkcs7.h"

/* The caller frees *der. -EKEYREJECTED: the certificate is another key's. */
INGOT_API INGOT_MUST_USE int ingot_authenticode_sign(const struct ingot_key *key,
						     const struct ingot_certificate *certificate,
						     const uint8_t pe_digest[INGOT_SHA256_SIZE],
						     uint8_t **der, size_t *n,
						     struct ingot_error *err);

/* The same in two steps, the key being elsewhere: the digest that is to be signed, ... */
INGOT_API INGOT_MUST_USE int ingot_authenticode_digest(const uint8_t pe_digest[INGOT_SHA256_SIZE],
						       uint8_t digest[INGOT_SHA256_SIZE],
						       struct ingot_error *err);
/* ... and what is made of the raw signature. -EKEYREJECTED: it is not by the certificate's key. */
INGOT_API INGOT_MUST_USE int ingot_authenticode_assemble(const uint8_t pe_digest[INGOT_SHA256_SIZE],
							 const struct ingot_signer *signer,
							 uint8_t **der, size_t *n,
							 struct ingot_error *err);
/* The shape without the signature; it is exactly as long. */
INGOT_API INGOT_MUST_USE int ingot_authenticode_placeholder(
	const struct ingot_certificate *certificate, uint8_t **der, size_t *n,
	struct ingot_error *err);

/*
 * 0: the signature is one of a file with this digest, by one of the certificates or by one whose
 * chain (of certificates in the signature) ends at one of them.
 * -EBADMSG: malformed, or not SHA-256 with RSA or ECDSA; -EKEYREJECTED: it is for another file, or
 * not by the key that it names; -ENOKEY: good, but by somebody else.
 * Dates are not looked at, as firmware does not. *ret_signer, if wanted, is the signer's subject,
 * for the caller to free, or NULL if the signature does not say.
 */
INGOT_API INGOT_MUST_USE int ingot_authenticode_check(
	const void *der, size_t n, const uint8_t pe_digest[INGOT_SHA256_SIZE],
	const struct ingot_certificate *const *certificates, size_t count, char **ret_signer,
	struct ingot_error *err);

#endif

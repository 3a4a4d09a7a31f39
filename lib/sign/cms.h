/*
 * The signature of a file, detached: PKCS#7 SignedData (CMS of version 1, RFC 5652) in DER, over
 * two attributes, the type and the SHA-256 of the content; the signer's certificate is enclosed.
 * There is no time in it: the same key, certificate and file give the same bytes.
 *
 *	openssl cms -verify -binary -inform DER -in FILE.p7s -content FILE -CAfile CA -purpose any
 *
 * Unlike a root hash's signature it has attributes. Whoever may have files signed can so never get
 * a signature that is good for a root hash or, by a file that looks like attributes, for a program.
 */
#ifndef INGOT_SIGN_CMS_H
#define INGOT_SIGN_CMS_H

#include "sign/pkcs7.h"

/* Of a file with this SHA-256; the caller frees *der. -EKEYREJECTED: another key's certificate. */
INGOT_API INGOT_MUST_USE int ingot_cms_sign(const struct ingot_key *key,
					    const struct ingot_certificate *certificate,
					    const uint8_t file_digest[INGOT_SHA256_SIZE],
					    uint8_t **der, size_t *n, struct ingot_error *err);

/* The same in two steps, the key being elsewhere: the digest that is to be signed, ... */
INGOT_API INGOT_MUST_USE int ingot_cms_digest(const uint8_t file_digest[INGOT_SHA256_SIZE],
					      uint8_t digest[INGOT_SHA256_SIZE],
					      struct ingot_error *err);
/* ... and what is made of the raw signature. -EKEYREJECTED: it is not by the certificate's key. */
INGOT_API INGOT_MUST_USE int ingot_cms_assemble(const uint8_t file_digest[INGOT_SHA256_SIZE],
						const struct ingot_signer *signer, uint8_t **der,
						size_t *n, struct ingot_error *err);

/*
 * 0: the signature is one of a file with this digest, by one of the certificates or by one whose
 * chain (of certificates in the signature) ends at one of them. Errors, and *ret_signer, as
 * ingot_authenticode_check has them.
 */
INGOT_API INGOT_MUST_USE int ingot_cms_check(const void *der, size_t n,
					     const uint8_t file_digest[INGOT_SHA256_SIZE],
					     const struct ingot_certificate *const *certificates,
					     size_t count, char **ret_signer,
					     struct ingot_error *err);

#endif

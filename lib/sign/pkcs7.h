/*
 * The signature of a root hash, as the kernel's dm-verity checks it
 * (drivers/md/dm-verity-verify-sig.c) and systemd hands it over: PKCS#7 SignedData (RFC
 * 2315, section 9.1) in DER, detached, SHA-256 with RSA PKCS#1 v1.5 or ECDSA, no attributes (a
 * time would be one), the signers' certificates enclosed. What is signed is the root hash as
 * text: lower-case hex digits, no end of line.
 *
 * The same keys, certificates and root hash always give the same bytes. How long they are
 * depends on the certificates alone.
 */
#ifndef INGOT_SIGN_PKCS7_H
#define INGOT_SIGN_PKCS7_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sign/keys.h"

#define INGOT_SIGNATURE_MAX (64 * 1024) /* bytes of a signature */
#define INGOT_SIGNERS_MAX   8		/* of one root hash: while keys change hands */

/* A raw signature, as ingot_key_sign makes it, here or on another machine, and whose it is. */
struct ingot_signer {
	const struct ingot_certificate *certificate;
	const uint8_t *raw;
	size_t raw_n;
};

/* Whether the text is a root hash: 64, 96 or 128 digits of lower-case hex. -EINVAL: no. */
INGOT_API INGOT_MUST_USE int ingot_root_hash_check(const char *hex, struct ingot_error *err);

/* The caller frees *der. -EKEYREJECTED: the certificate is another key's. */
INGOT_API INGOT_MUST_USE int ingot_sign_root_hash(const struct ingot_key *key,
						  const struct ingot_certificate *certificate,
						  const char *root_hash_hex, uint8_t **der,
						  size_t *n, struct ingot_error *err);

/* The same in two steps, the key being elsewhere: the digest that is to be signed, ... */
INGOT_API INGOT_MUST_USE int ingot_root_hash_digest(const char *root_hash_hex,
						    uint8_t digest[INGOT_SHA256_SIZE],
						    struct ingot_error *err);
/* ... and the raw signatures put together. -EKEYREJECTED: one is not by its certificate's key. */
INGOT_API INGOT_MUST_USE int ingot_root_hash_assemble(const char *root_hash_hex,
						      const struct ingot_signer *signers,
						      size_t count, uint8_t **der, size_t *n,
						      struct ingot_error *err);

/* The shape without the signatures, for whoever has to know how long it will be. */
INGOT_API INGOT_MUST_USE int ingot_root_hash_placeholder(
	const struct ingot_certificate *const *certificates, size_t count, uint8_t **der, size_t *n,
	struct ingot_error *err);

/*
 * 0: the signature is of the shape above, and one of its signers is the certificate, whose
 * signature is good. -EKEYREJECTED: it is not by this key or not for this root hash; -EBADMSG:
 * it is malformed or of a shape that the kernel refuses. The certificate is trusted as it is:
 * neither its dates nor its issuer are looked at, and certificates inside the signature are not
 * used.
 */
INGOT_API INGOT_MUST_USE int ingot_verify_root_hash(const void *der, size_t n,
						    const char *root_hash_hex,
						    const struct ingot_certificate *certificate,
						    struct ingot_error *err);

#endif

/*
 * Private keys and certificates from files.
 *
 * Keys are RSA of 2048 to 4096 bits: RSA's PKCS#1 v1.5 signature of the same bytes is
 * always the same, so a signed image can be built again bit for bit. ECDSA puts a fresh
 * random number into every signature and is refused.
 *
 * A key's bytes are wiped from memory when it is freed. Nothing here ever asks a person:
 * a key behind a passphrase is an error.
 */
#ifndef INGOT_SIGN_KEYS_H
#define INGOT_SIGN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"

#define INGOT_KEY_FILE_MAX (64 * 1024) /* bytes of a key or certificate file */
#define INGOT_KEY_BITS_MIN 2048
#define INGOT_KEY_BITS_MAX 4096 /* the kernel's limit */

struct ingot_key;
struct ingot_certificate;

/* --- private keys ------------------------------------------------------ */

/*
 * A PEM file (PKCS#8 or "RSA PRIVATE KEY"). *ret_exposed, if wanted, says that users other than
 * the file's owner and group may read or replace it: worth a warning. -EINVAL: no key, or not of
 * the kind above; -ENOKEY: it wants a passphrase.
 */
INGOT_API INGOT_MUST_USE int ingot_key_load(const char *path, struct ingot_key **ret,
					    bool *ret_exposed, struct ingot_error *err);

/* The same from memory, which the caller wipes; name is for messages. */
INGOT_API INGOT_MUST_USE int ingot_key_parse(const char *name, const void *pem, size_t n,
					     struct ingot_key **ret, struct ingot_error *err);
INGOT_API void ingot_key_free(struct ingot_key *key);
INGOT_DEFINE_CLEANUP(struct ingot_key, ingot_key, ingot_key_free)
#define INGOT_KEY INGOT_CLEANUP(ingot_key_cleanup)

/* --- certificates ------------------------------------------------------ */

/* X.509, as one PEM block (what stands around it is skipped) or as DER. */
INGOT_API INGOT_MUST_USE int ingot_certificate_load(const char *path,
						    struct ingot_certificate **ret,
						    struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_certificate_parse(const char *name, const void *data, size_t n,
						     struct ingot_certificate **ret,
						     struct ingot_error *err);
INGOT_API void ingot_certificate_free(struct ingot_certificate *certificate);
INGOT_DEFINE_CLEANUP(struct ingot_certificate, ingot_certificate, ingot_certificate_free)
#define INGOT_CERTIFICATE INGOT_CLEANUP(ingot_certificate_cleanup)

/* The DER form; it belongs to the certificate. */
INGOT_API const uint8_t *ingot_certificate_der(const struct ingot_certificate *certificate,
					       size_t *ret_n);

/* The PEM form, as systemd reads it from verity.d/; the caller frees *ret. */
INGOT_API INGOT_MUST_USE int ingot_certificate_pem(const struct ingot_certificate *certificate,
						   char **ret, size_t *ret_n,
						   struct ingot_error *err);

/* SHA-256 of the DER form. */
INGOT_API INGOT_MUST_USE int ingot_certificate_fingerprint(
	const struct ingot_certificate *certificate, uint8_t digest[INGOT_SHA256_SIZE],
	struct ingot_error *err);

/* 0: the certificate is for this key's public half; -EKEYREJECTED: for another one. */
INGOT_API INGOT_MUST_USE int ingot_key_check(const struct ingot_key *key,
					     const struct ingot_certificate *certificate,
					     struct ingot_error *err);

#endif

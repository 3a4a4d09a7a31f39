/*
 * Private keys and certificates. A key is a PEM file or an object in a token (PKCS#11, RFC 7512);
 * whichever it is, it does one thing: a SHA-256 digest goes in, a raw signature comes out. PKCS#7
 * is built around that by the other files of this room, so the key may as well be far away.
 *
 *	RSA, 2048 to 4096 bits	PKCS#1 v1.5, from a file or a token
 *	ECDSA, P-256 or P-384	from a file only, by RFC 6979 and of full length
 *
 * All of these sign the same bytes the same way each time, so a signed image can be built again
 * bit for bit. A token draws a fresh random number for every ECDSA signature: refused.
 *
 * A key's bytes are wiped from memory when it is freed.
 */
#ifndef INGOT_SIGN_KEYS_H
#define INGOT_SIGN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"

#define INGOT_KEY_FILE_MAX	(64 * 1024) /* bytes of a key or certificate file */
#define INGOT_KEY_BITS_MIN	2048	    /* of RSA */
#define INGOT_KEY_BITS_MAX	4096	    /* the kernel's limit */
#define INGOT_RAW_SIGNATURE_MAX 512	    /* bytes: RSA of 4096 bits */

struct ingot_key;
struct ingot_certificate;

/* --- private keys ------------------------------------------------------ */

enum ingot_key_kind { INGOT_KEY_RSA = 1, INGOT_KEY_P256, INGOT_KEY_P384 };

/*
 * Where a key is, and where the secret that opens it comes from: the passphrase of a PEM file, the
 * PIN of a token. It is asked for only if the key wants one. A secret's file has it in its first
 * line. Nothing here is ever a secret itself: those would be seen in the list of processes.
 */
struct ingot_key_source {
	const char *location;	     /* a path, or "pkcs11:..." */
	const char *secret_file;     /* or NULL */
	const char *secret_variable; /* name of an environment variable, or NULL */
	bool may_ask;		     /* a person, at the terminal, without an echo */
};

/* Files that others than their owner can read or write: worth a warning. */
enum { INGOT_KEY_EXPOSED = 1, INGOT_SECRET_EXPOSED = 2 };

/* Whether the text is a URI of a token's object. */
INGOT_API bool ingot_key_is_uri(const char *location);

/*
 * A PEM file holds PKCS#8, "RSA PRIVATE KEY" or "EC PRIVATE KEY". A URI names one private key of
 * one token; `module-path` in it says which module to load, without one those that p11-kit knows
 * are asked. `pin-value` is refused.
 *
 * -EINVAL: no key, or not of the kinds above; -ENOKEY: it wants a secret and there is none;
 * -EKEYREJECTED: a wrong secret; -ENOENT: no such file, token or object; -EEXIST: several objects
 * match. *ret_exposed, if wanted, is 0 or a sum of the above.
 */
INGOT_API INGOT_MUST_USE int ingot_key_open(const struct ingot_key_source *source,
					    struct ingot_key **ret, unsigned *ret_exposed,
					    struct ingot_error *err);

/* A PEM file without a passphrase from memory, which the caller wipes; name is for messages. */
INGOT_API INGOT_MUST_USE int ingot_key_parse(const char *name, const void *pem, size_t n,
					     struct ingot_key **ret, struct ingot_error *err);
INGOT_API void ingot_key_free(struct ingot_key *key);
INGOT_DEFINE_CLEANUP(struct ingot_key, ingot_key, ingot_key_free)
#define INGOT_KEY INGOT_CLEANUP(ingot_key_cleanup)

INGOT_API enum ingot_key_kind ingot_key_kind(const struct ingot_key *key);

/*
 * The signature of a digest: RSA as the integer, which is as long as the key; ECDSA as
 * Ecdsa-Sig-Value (RFC 3279), by the first of RFC 6979's nonces that gives one of the greatest
 * length. So the length is known before. One thread at a time.
 */
INGOT_API INGOT_MUST_USE int ingot_key_sign(const struct ingot_key *key,
					    const uint8_t digest[INGOT_SHA256_SIZE],
					    uint8_t signature[INGOT_RAW_SIGNATURE_MAX],
					    size_t *ret_n, struct ingot_error *err);

/*
 * For a program's main, before it opens a key: no core dump and no debugger of the same user gets
 * at this process from now on, and private numbers go to memory that is not swapped.
 */
INGOT_API void ingot_key_protect_process(void);

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

/* What it was loaded as, for messages. */
INGOT_API const char *ingot_certificate_name(const struct ingot_certificate *certificate);

/* The DER form; it belongs to the certificate. */
INGOT_API const uint8_t *ingot_certificate_der(const struct ingot_certificate *certificate,
					       size_t *ret_n);

/* The PEM form, as systemd reads it from verity.d/; the caller frees *ret. */
INGOT_API INGOT_MUST_USE int ingot_certificate_pem(const struct ingot_certificate *certificate,
						   char **ret, size_t *ret_n,
						   struct ingot_error *err);

/* The subject in one line, "CN=Example,O=Example Inc" (RFC 2253); the caller frees it. */
INGOT_API INGOT_MUST_USE int ingot_certificate_subject(const struct ingot_certificate *certificate,
						       char **ret, struct ingot_error *err);

/* Whether the word TEST is in its subject: as the test keys of signing/ have it. */
INGOT_API bool ingot_certificate_is_test(const struct ingot_certificate *certificate);

/* SHA-256 of the DER form. */
INGOT_API INGOT_MUST_USE int ingot_certificate_fingerprint(
	const struct ingot_certificate *certificate, uint8_t digest[INGOT_SHA256_SIZE],
	struct ingot_error *err);

/*
 * How long a raw signature by the certificate's key is if ingot_key_sign makes it; of ECDSA, other
 * programs make shorter ones as well. -EINVAL: not a key of the kinds above.
 */
INGOT_API INGOT_MUST_USE int ingot_certificate_signature_size(
	const struct ingot_certificate *certificate, size_t *ret, struct ingot_error *err);

/* The kind of its key. -EINVAL: none of those above. */
INGOT_API INGOT_MUST_USE int ingot_certificate_key_kind(const struct ingot_certificate *certificate,
							enum ingot_key_kind *ret,
							struct ingot_error *err);

/* 0: the certificate is for this key's public half; -EKEYREJECTED: for another one. */
INGOT_API INGOT_MUST_USE int ingot_key_check(const struct ingot_key *key,
					     const struct ingot_certificate *certificate,
					     struct ingot_error *err);

#endif

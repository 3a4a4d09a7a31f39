/* What the files of lib/sign share: the libcrypto objects behind the opaque ones. */
#ifndef INGOT_SIGN_KEYS_INTERNAL_H
#define INGOT_SIGN_KEYS_INTERNAL_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "sign/keys.h"

/* A kind of key puts this first in a struct of its own. */
struct ingot_key {
	const struct key_ops *ops;
	enum ingot_key_kind kind;
	char *name;
};

struct key_ops {
	int (*sign)(const struct ingot_key *key, const uint8_t digest[INGOT_SHA256_SIZE],
		    uint8_t signature[INGOT_RAW_SIGNATURE_MAX], size_t *ret_n,
		    struct ingot_error *err);
	/* Whether this is the public half. */
	bool (*is_pair)(const struct ingot_key *key, const EVP_PKEY *public_half);
	void (*free)(struct ingot_key *key); /* all but the name */
};

struct ingot_certificate {
	X509 *x509;
	uint8_t *der;
	size_t der_n;
	char *name;
};

static inline void crypto_bio_cleanup(BIO **bio)
{
	BIO_free(*bio); /* NULL is allowed */
}
#define CRYPTO_BIO INGOT_CLEANUP(crypto_bio_cleanup)

/* The sentence ends in libcrypto's reason; its queue is empty afterwards. Returns rc. */
int crypto_raise(struct ingot_error *err, int rc, const char *format, ...)
	INGOT_PRINTF(3, 4) INGOT_MUST_USE;

/* Whether libcrypto failed for want of memory, as far as it says so. Its queue is empty then. */
bool crypto_lacks_memory(void);

/* key_file.c */
INGOT_MUST_USE int key_file_open(const struct ingot_key_source *source, struct ingot_key **ret,
				 unsigned *exposed, struct ingot_error *err);

/* key_token.c */
INGOT_MUST_USE int key_token_open(const struct ingot_key_source *source, struct ingot_key **ret,
				  unsigned *exposed, struct ingot_error *err);

/* public_key.c: which of the kinds it is, or -EINVAL with a sentence that begins with `what`. */
INGOT_MUST_USE int public_key_kind(const EVP_PKEY *pkey, enum ingot_key_kind *ret,
				   struct ingot_error *err);
/* 0: the raw signature of the digest is by this key; -EKEYREJECTED, without words: it is not. */
INGOT_MUST_USE int public_key_verify(EVP_PKEY *pkey, const uint8_t digest[INGOT_SHA256_SIZE],
				     const uint8_t *signature, size_t n, struct ingot_error *err);

/*
 * ecdsa.c: RFC 6979. The signature is Ecdsa-Sig-Value in DER; full: by the first nonce that makes
 * it as long as any of this key's can be.
 */
INGOT_MUST_USE int ecdsa_sign(const EVP_PKEY *pkey, const uint8_t digest[INGOT_SHA256_SIZE],
			      bool full, uint8_t signature[INGOT_RAW_SIGNATURE_MAX], size_t *ret_n,
			      struct ingot_error *err);

#endif

/* What the files of lib/sign share: the libcrypto objects behind the opaque ones. */
#ifndef INGOT_SIGN_KEYS_INTERNAL_H
#define INGOT_SIGN_KEYS_INTERNAL_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "sign/keys.h"

struct ingot_key {
	EVP_PKEY *pkey;
	char *name;
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

#endif

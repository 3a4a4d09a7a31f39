#include "base/digest.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/crypto.h"

struct ingot_sha256 {
	EVP_MD_CTX *ctx;
};

static int crypto_failed(struct ingot_error *err)
{
	return ingot_raise(err, -EIO, "SHA-256 failed in libcrypto");
}

struct ingot_sha256 *ingot_sha256_new(struct ingot_error *err)
{
	struct ingot_sha256 *s;

	if (ingot_crypto_start(err) < 0)
		return NULL;
	s = ingot_alloc(1, sizeof(*s), err);
	if (!s)
		return NULL;
	s->ctx = EVP_MD_CTX_new();
	if (!s->ctx || EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) != 1) {
		ingot_sha256_free(s);
		(void)!crypto_failed(err);
		return NULL;
	}
	return s;
}

int ingot_sha256_update(struct ingot_sha256 *s, const void *data, size_t n, struct ingot_error *err)
{
	if (EVP_DigestUpdate(s->ctx, data, n) != 1)
		return crypto_failed(err);
	return 0;
}

int ingot_sha256_final(struct ingot_sha256 *s, uint8_t digest[INGOT_SHA256_SIZE],
		       struct ingot_error *err)
{
	if (EVP_DigestFinal_ex(s->ctx, digest, NULL) != 1 ||
	    EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) != 1)
		return crypto_failed(err);
	return 0;
}

void ingot_sha256_free(struct ingot_sha256 *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->ctx);
	free(s);
}

int ingot_sha256(const void *data, size_t n, uint8_t digest[INGOT_SHA256_SIZE],
		 struct ingot_error *err)
{
	int rc = ingot_crypto_start(err);

	if (rc < 0)
		return rc;
	if (EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL) != 1)
		return crypto_failed(err);
	return 0;
}

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "sign/keys_internal.h"

static int curve_kind(const EVP_PKEY *pkey, enum ingot_key_kind *ret, struct ingot_error *err)
{
	char name[64] = "";
	size_t n;

	(void)EVP_PKEY_get_group_name(pkey, name, sizeof(name), &n);
	ERR_clear_error();
	if (strcmp(name, "prime256v1") == 0)
		*ret = INGOT_KEY_P256;
	else if (strcmp(name, "secp384r1") == 0)
		*ret = INGOT_KEY_P384;
	else
		return ingot_raise(err, -EINVAL,
				   "it is on the elliptic curve '%s', P-256 and P-384 are accepted",
				   *name ? name : "without a name");
	return 0;
}

int public_key_kind(const EVP_PKEY *pkey, enum ingot_key_kind *ret, struct ingot_error *err)
{
	int bits = EVP_PKEY_get_bits(pkey);

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_EC:
		return curve_kind(pkey, ret, err);
	case EVP_PKEY_RSA:
		break;
	default:
		return ingot_raise(err, -EINVAL, "it is neither an RSA nor an ECDSA key");
	}
	if (bits < INGOT_KEY_BITS_MIN || bits > INGOT_KEY_BITS_MAX)
		return ingot_raise(err, -EINVAL, "it has %d bits, RSA of %d to %d is accepted",
				   bits, INGOT_KEY_BITS_MIN, INGOT_KEY_BITS_MAX);
	*ret = INGOT_KEY_RSA;
	return 0;
}

int public_key_verify(EVP_PKEY *pkey, const uint8_t digest[INGOT_SHA256_SIZE],
		      const uint8_t *signature, size_t n, struct ingot_error *err)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool good = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
		    (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA ||
		     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1) &&
		    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_verify(ctx, signature, n, digest, INGOT_SHA256_SIZE) == 1;

	EVP_PKEY_CTX_free(ctx);
	if (!good && (!ctx || crypto_lacks_memory()))
		return ingot_raise_oom(err, 0);
	ERR_clear_error();
	return good ? 0 : -EKEYREJECTED;
}

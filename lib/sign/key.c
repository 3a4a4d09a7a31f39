#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "sign/keys_internal.h"

bool ingot_key_is_uri(const char *location)
{
	return strncasecmp(location, "pkcs11:", 7) == 0;
}

int ingot_key_open(const struct ingot_key_source *source, struct ingot_key **ret,
		   unsigned *ret_exposed, struct ingot_error *err)
{
	unsigned exposed = 0;
	int rc = ingot_crypto_start(err);

	if (rc < 0)
		return ingot_wrap(err, rc, "key '%s'", source->location);
	if (ingot_key_is_uri(source->location))
		rc = key_token_open(source, ret, &exposed, err);
	else
		rc = key_file_open(source, ret, &exposed, err);
	if (rc == 0 && ret_exposed)
		*ret_exposed = exposed;
	return rc;
}

void ingot_key_free(struct ingot_key *key)
{
	if (!key)
		return;
	key->ops->free(key);
	free(key->name);
	free(key);
}

enum ingot_key_kind ingot_key_kind(const struct ingot_key *key)
{
	return key->kind;
}

int ingot_key_sign(const struct ingot_key *key, const uint8_t digest[INGOT_SHA256_SIZE],
		   uint8_t signature[INGOT_RAW_SIGNATURE_MAX], size_t *ret_n,
		   struct ingot_error *err)
{
	int rc = key->ops->sign(key, digest, signature, ret_n, err);

	return rc < 0 ? ingot_wrap(err, rc, "sign with key '%s'", key->name) : 0;
}

int ingot_key_check(const struct ingot_key *key, const struct ingot_certificate *certificate,
		    struct ingot_error *err)
{
	const EVP_PKEY *public_half = X509_get0_pubkey(certificate->x509);
	bool same = public_half && key->ops->is_pair(key, public_half);

	ERR_clear_error();
	if (!same)
		return ingot_raise(err, -EKEYREJECTED,
				   "key '%s' does not belong to certificate '%s'", key->name,
				   certificate->name);
	return 0;
}

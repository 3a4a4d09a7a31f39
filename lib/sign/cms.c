#include "sign/cms.h"

#include <errno.h>

#include "sign/keys_internal.h"
#include "sign/oid_internal.h"
#include "sign/signed_data_internal.h"
#include "sign/signed_data_read_internal.h"

static const struct der_view TYPE = {(const uint8_t *)OID_DATA, OID_SIZE(OID_DATA)};

int ingot_cms_digest(const uint8_t file_digest[INGOT_SHA256_SIZE],
		     uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err)
{
	INGOT_FREE uint8_t *attributes = NULL;
	size_t n;

	return signed_attributes(TYPE, file_digest, &attributes, &n, digest, err);
}

int ingot_cms_assemble(const uint8_t file_digest[INGOT_SHA256_SIZE],
		       const struct ingot_signer *signer, uint8_t **der, size_t *n,
		       struct ingot_error *err)
{
	INGOT_FREE uint8_t *attributes = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	struct signed_data data = {.type = TYPE, .digest = digest, .signers = signer, .count = 1};
	int rc = signed_attributes(TYPE, file_digest, &attributes, &data.attributes.n, digest, err);

	data.attributes.p = attributes;
	return rc < 0 ? rc : signed_data_encode(&data, der, n, err);
}

int ingot_cms_sign(const struct ingot_key *key, const struct ingot_certificate *certificate,
		   const uint8_t file_digest[INGOT_SHA256_SIZE], uint8_t **der, size_t *n,
		   struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE], raw[INGOT_RAW_SIGNATURE_MAX];
	struct ingot_signer signer = {.certificate = certificate, .raw = raw};
	int rc = ingot_key_check(key, certificate, err);

	if (rc == 0)
		rc = ingot_cms_digest(file_digest, digest, err);
	if (rc == 0)
		rc = ingot_key_sign(key, digest, raw, &signer.raw_n, err);
	if (rc == 0)
		rc = ingot_cms_assemble(file_digest, &signer, der, n, err);
	return rc;
}

int ingot_cms_check(const void *der, size_t n, const uint8_t file_digest[INGOT_SHA256_SIZE],
		    const struct ingot_certificate *const *certificates, size_t count,
		    char **ret_signer, struct ingot_error *err)
{
	struct signed_message message;
	int rc = signed_message_read(der, n, DER_OCTET_STRING, &message, err);

	if (ret_signer)
		*ret_signer = NULL;
	if (rc < 0)
		return rc;
	if (!DER_IS_OID(&message.type, OID_DATA) || message.content.p)
		return ingot_raise(err, -EBADMSG, "the signature is not a detached one of a file");
	rc = signed_message_check(&message, certificates, count, ret_signer, err);
	if (rc < 0 && rc != -ENOKEY)
		return rc;
	if (!der_equal(&message.message_digest, file_digest, INGOT_SHA256_SIZE))
		return ingot_raise(err, -EKEYREJECTED, "the signature is for another file");
	return rc;
}

#include "sign/authenticode.h"

#include <errno.h>

#include "sign/keys_internal.h"
#include "sign/oid_internal.h"
#include "sign/signed_data_internal.h"

static const struct der_view TYPE = {(const uint8_t *)OID_SPC_INDIRECT_DATA,
				     OID_SIZE(OID_SPC_INDIRECT_DATA)};

/*
 * SpcPeImageData: no flags, and where a file's name or page hashes could stand the words that
 * signers put there since the field fell out of use.
 */
static void put_image_data(struct der *der)
{
	static const uint8_t obsolete[] = {
		0, '<', 0, '<', 0, '<', 0, 'O', 0, 'b', 0, 's', 0, 'o',
		0, 'l', 0, 'e', 0, 't', 0, 'e', 0, '>', 0, '>', 0, '>',
	};
	static const uint8_t no_bits[] = {0};
	size_t at = der_open(der, DER_SEQUENCE), data, file, text;

	DER_PUT_OID(der, OID_SPC_PE_IMAGE_DATA);
	data = der_open(der, DER_SEQUENCE);
	der_put(der, DER_BIT_STRING, no_bits, sizeof(no_bits));
	file = der_open(der, DER_CONTEXT_CONSTRUCTED);
	text = der_open(der, DER_CONTEXT_CONSTRUCTED | 2);
	der_put(der, DER_CONTEXT, obsolete, sizeof(obsolete));
	der_close(der, text);
	der_close(der, file);
	der_close(der, data);
	der_close(der, at);
}

/* DigestInfo */
static void put_digest(struct der *der, const uint8_t pe_digest[INGOT_SHA256_SIZE])
{
	size_t at = der_open(der, DER_SEQUENCE), algorithm = der_open(der, DER_SEQUENCE);

	DER_PUT_OID(der, OID_SHA256);
	der_put(der, DER_NULL, NULL, 0);
	der_close(der, algorithm);
	der_put(der, DER_OCTET_STRING, pe_digest, INGOT_SHA256_SIZE);
	der_close(der, at);
}

/* What is inside the SEQUENCE of SpcIndirectDataContent: exactly this is digested. */
static int make_content(struct der *der, const uint8_t pe_digest[INGOT_SHA256_SIZE],
			uint8_t digest[INGOT_SHA256_SIZE])
{
	put_image_data(der);
	put_digest(der, pe_digest);
	return der->rc < 0 ? der->rc : ingot_sha256(der->data, der->n, digest, der->err);
}

static int assemble(const uint8_t pe_digest[INGOT_SHA256_SIZE], const struct ingot_signer *signer,
		    bool placeholder, uint8_t **ret, size_t *n, struct ingot_error *err)
{
	DER_WRITER struct der inside = {.err = err};
	DER_WRITER struct der content = {.err = err};
	INGOT_FREE uint8_t *attributes = NULL;
	uint8_t content_digest[INGOT_SHA256_SIZE], digest[INGOT_SHA256_SIZE];
	struct signed_data data = {.type = TYPE,
				   .digest = digest,
				   .signers = signer,
				   .count = 1,
				   .placeholder = placeholder};
	int rc = make_content(&inside, pe_digest, content_digest);

	if (rc == 0)
		rc = signed_attributes(TYPE, content_digest, &attributes, &data.attributes.n,
				       digest, err);
	if (rc < 0)
		return rc;
	der_put(&content, DER_SEQUENCE, inside.data, inside.n);
	if (content.rc < 0)
		return content.rc;
	data.attributes.p = attributes;
	data.content = (struct der_view){content.data, content.n};
	return signed_data_encode(&data, ret, n, err);
}

int ingot_authenticode_digest(const uint8_t pe_digest[INGOT_SHA256_SIZE],
			      uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err)
{
	DER_WRITER struct der inside = {.err = err};
	INGOT_FREE uint8_t *attributes = NULL;
	uint8_t content_digest[INGOT_SHA256_SIZE];
	size_t n;
	int rc = make_content(&inside, pe_digest, content_digest);

	if (rc == 0)
		rc = signed_attributes(TYPE, content_digest, &attributes, &n, digest, err);
	return rc;
}

int ingot_authenticode_assemble(const uint8_t pe_digest[INGOT_SHA256_SIZE],
				const struct ingot_signer *signer, uint8_t **der, size_t *n,
				struct ingot_error *err)
{
	return assemble(pe_digest, signer, false /* placeholder */, der, n, err);
}

int ingot_authenticode_placeholder(const struct ingot_certificate *certificate, uint8_t **der,
				   size_t *n, struct ingot_error *err)
{
	static const uint8_t no_digest[INGOT_SHA256_SIZE];
	const struct ingot_signer signer = {.certificate = certificate};

	return assemble(no_digest, &signer, true /* placeholder */, der, n, err);
}

int ingot_authenticode_sign(const struct ingot_key *key,
			    const struct ingot_certificate *certificate,
			    const uint8_t pe_digest[INGOT_SHA256_SIZE], uint8_t **der, size_t *n,
			    struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE], raw[INGOT_RAW_SIGNATURE_MAX];
	struct ingot_signer signer = {.certificate = certificate, .raw = raw};
	int rc = ingot_key_check(key, certificate, err);

	if (rc == 0)
		rc = ingot_authenticode_digest(pe_digest, digest, err);
	if (rc == 0)
		rc = ingot_key_sign(key, digest, raw, &signer.raw_n, err);
	if (rc == 0)
		rc = ingot_authenticode_assemble(pe_digest, &signer, der, n, err);
	return rc;
}

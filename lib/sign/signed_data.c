#include "sign/signed_data_internal.h"

#include <errno.h>
#include <openssl/err.h>

#include "sign/keys_internal.h"
#include "sign/oid_internal.h"

static const uint8_t VERSION_1[] = {1};

/* --- algorithms -------------------------------------------------------- */

/* AlgorithmIdentifier; RSA and SHA-256 with the NULL that PKCS#7 wants. */
static void put_algorithm(struct der *der, const char *oid, size_t n, bool with_null)
{
	size_t at = der_open(der, DER_SEQUENCE);

	der_put(der, DER_OID, oid, n);
	if (with_null)
		der_put(der, DER_NULL, NULL, 0);
	der_close(der, at);
}

static void put_sha256(struct der *der)
{
	put_algorithm(der, OID_SHA256, OID_SIZE(OID_SHA256), true);
}

static void put_signature_algorithm(struct der *der, enum ingot_key_kind kind)
{
	if (kind == INGOT_KEY_RSA)
		put_algorithm(der, OID_RSA, OID_SIZE(OID_RSA), true);
	else
		put_algorithm(der, OID_ECDSA_SHA256, OID_SIZE(OID_ECDSA_SHA256), false);
}

/* --- signers ----------------------------------------------------------- */

static int put_issuer_and_serial(struct der *der, const X509 *x509)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
	const X509_NAME *issuer = X509_get_issuer_name(x509);
	unsigned char *name = NULL, *number = NULL;
	int name_n = i2d_X509_NAME(issuer, &name);
	int number_n = i2d_ASN1_INTEGER(serial, &number);
	size_t at = der_open(der, DER_SEQUENCE);

	if (name_n > 0 && number_n > 0) {
		der_raw(der, name, (size_t)name_n);
		der_raw(der, number, (size_t)number_n);
	}
	der_close(der, at);
	OPENSSL_free(name);
	OPENSSL_free(number);
	ERR_clear_error();
	return name_n > 0 && number_n > 0 ? der->rc : ingot_raise_oom(der->err, 0);
}

/* SignerInfo (RFC 2315, 9.2) */
static int put_signer(struct der *der, const struct signed_data *data,
		      const struct ingot_signer *signer)
{
	EVP_PKEY *public_half = X509_get0_pubkey(signer->certificate->x509);
	static const uint8_t zeros[INGOT_RAW_SIGNATURE_MAX];
	size_t at = der_open(der, DER_SEQUENCE);
	enum ingot_key_kind kind;
	int rc = public_half ? public_key_kind(public_half, &kind, der->err)
			     : ingot_raise(der->err, -EINVAL, "it has no usable key");

	if (rc < 0)
		return rc;
	if (!data->placeholder)
		rc = public_key_verify(public_half, data->digest, signer->raw, signer->raw_n,
				       der->err);
	if (rc == -EKEYREJECTED)
		return ingot_raise(der->err, rc, "the signature was not made with its key");
	if (rc < 0)
		return rc;
	der_put(der, DER_INTEGER, VERSION_1, sizeof(VERSION_1));
	rc = put_issuer_and_serial(der, signer->certificate->x509);
	if (rc < 0)
		return rc;
	put_sha256(der);
	if (data->attributes.n)
		der_put(der, DER_CONTEXT_CONSTRUCTED, data->attributes.p, data->attributes.n);
	put_signature_algorithm(der, kind);
	if (data->placeholder)
		der_put(der, DER_OCTET_STRING, zeros, (size_t)EVP_PKEY_get_size(public_half));
	else
		der_put(der, DER_OCTET_STRING, signer->raw, signer->raw_n);
	der_close(der, at);
	return der->rc;
}

/* One after the other into *der, then sorted into the SET OF of `out`. */
static int put_signers(struct der *out, const struct signed_data *data)
{
	DER_WRITER struct der der = {.err = out->err};
	struct der_element elements[INGOT_SIGNERS_MAX];
	size_t ends[INGOT_SIGNERS_MAX], at;

	for (size_t i = 0; i < data->count; i++) {
		int rc = put_signer(&der, data, &data->signers[i]);

		if (rc < 0)
			return ingot_wrap(out->err, rc, "certificate '%s'",
					  data->signers[i].certificate->name);
		ends[i] = der.n;
	}
	for (size_t i = 0; i < data->count; i++) {
		size_t start = i ? ends[i - 1] : 0;

		elements[i] = (struct der_element){der.data + start, ends[i] - start};
	}
	der_sort(elements, data->count);
	at = der_open(out, DER_SET);
	for (size_t i = 0; i < data->count; i++)
		der_raw(out, elements[i].data, elements[i].n);
	der_close(out, at);
	return out->rc;
}

/* --- the whole --------------------------------------------------------- */

static void put_content(struct der *der, const struct signed_data *data)
{
	size_t at = der_open(der, DER_SEQUENCE);

	der_put(der, DER_OID, data->type.p, data->type.n);
	if (data->content.n)
		der_put(der, DER_CONTEXT_CONSTRUCTED, data->content.p, data->content.n);
	der_close(der, at);
}

static void put_certificates(struct der *der, const struct signed_data *data)
{
	size_t at = der_open(der, DER_CONTEXT_CONSTRUCTED);

	for (size_t i = 0; i < data->count; i++) {
		const struct ingot_certificate *certificate = data->signers[i].certificate;

		der_raw(der, certificate->der, certificate->der_n);
	}
	der_close(der, at);
}

static int put_signed_data(struct der *der, const struct signed_data *data)
{
	size_t at = der_open(der, DER_SEQUENCE), algorithms;
	int rc;

	der_put(der, DER_INTEGER, VERSION_1, sizeof(VERSION_1));
	algorithms = der_open(der, DER_SET);
	put_sha256(der);
	der_close(der, algorithms);
	put_content(der, data);
	put_certificates(der, data);
	rc = put_signers(der, data);
	der_close(der, at);
	return rc;
}

int signed_data_encode(const struct signed_data *data, uint8_t **ret, size_t *ret_n,
		       struct ingot_error *err)
{
	DER_WRITER struct der der = {.err = err};
	size_t info, content;
	int rc;

	if (data->count == 0 || data->count > INGOT_SIGNERS_MAX)
		return ingot_raise(err, -EINVAL, "%zu signers, 1 to %d are possible", data->count,
				   INGOT_SIGNERS_MAX);
	if (data->bare) {
		rc = put_signed_data(&der, data);
		return rc < 0 ? rc : der_finish(&der, ret, ret_n);
	}
	info = der_open(&der, DER_SEQUENCE);
	DER_PUT_OID(&der, OID_SIGNED_DATA);
	content = der_open(&der, DER_CONTEXT_CONSTRUCTED);
	rc = put_signed_data(&der, data);
	if (rc < 0)
		return rc;
	der_close(&der, content);
	der_close(&der, info);
	return der_finish(&der, ret, ret_n);
}

/* --- attributes -------------------------------------------------------- */

static void put_attribute(struct der *der, const char *oid, size_t oid_n, uint8_t tag,
			  const uint8_t *value, size_t n)
{
	size_t at = der_open(der, DER_SEQUENCE), set;

	der_put(der, DER_OID, oid, oid_n);
	set = der_open(der, DER_SET);
	der_put(der, tag, value, n);
	der_close(der, set);
	der_close(der, at);
}

int signed_attributes(struct der_view type, const uint8_t content_digest[INGOT_SHA256_SIZE],
		      uint8_t **ret, size_t *ret_n, uint8_t digest[INGOT_SHA256_SIZE],
		      struct ingot_error *err)
{
	DER_WRITER struct der list = {.err = err};
	DER_WRITER struct der set = {.err = err};
	int rc;

	/* In the order of a SET OF: an OID of any length here is shorter than a digest. */
	put_attribute(&list, OID_CONTENT_TYPE, OID_SIZE(OID_CONTENT_TYPE), DER_OID, type.p, type.n);
	put_attribute(&list, OID_MESSAGE_DIGEST, OID_SIZE(OID_MESSAGE_DIGEST), DER_OCTET_STRING,
		      content_digest, INGOT_SHA256_SIZE);
	/* RFC 2315, 9.3: what is signed has the tag of a SET, not the [0] of the encoding. */
	der_put(&set, DER_SET, list.data, list.n);
	rc = list.rc < 0 ? list.rc : set.rc;
	if (rc == 0)
		rc = ingot_sha256(set.data, set.n, digest, err);
	return rc < 0 ? rc : der_finish(&list, ret, ret_n);
}

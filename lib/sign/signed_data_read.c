#include "sign/signed_data_read_internal.h"

#include <errno.h>
#include <string.h>

#include "sign/oid_internal.h"

static int malformed(struct ingot_error *err, const char *why)
{
	return ingot_raise(err, -EBADMSG, "the signature %s", why);
}

/* AlgorithmIdentifier with an OID of those given and no parameters but NULL. */
static bool take_algorithm(struct der_view *in, const char *const *oids, size_t count)
{
	struct der_view algorithm, oid, null;

	if (!der_take(in, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid))
		return false;
	if (algorithm.n && (!der_take(&algorithm, DER_NULL, &null) || null.n || algorithm.n))
		return false;
	for (size_t i = 0; i < count; i++)
		if (der_equal(&oid, oids[i], strlen(oids[i]))) /* none contains a NUL byte */
			return true;
	return false;
}

static bool take_sha256(struct der_view *in)
{
	static const char *const oids[] = {OID_SHA256};

	return take_algorithm(in, oids, 1);
}

static bool take_version_1(struct der_view *in)
{
	struct der_view version;

	return der_take(in, DER_INTEGER, &version) && der_equal(&version, "\x01", 1);
}

/* --- attributes -------------------------------------------------------- */

/* Attribute: an OID and a set of one value. */
static bool take_attribute(struct der_view *in, struct der_view *oid, struct der_view *value_set)
{
	struct der_view attribute;

	return der_take(in, DER_SEQUENCE, &attribute) && der_take(&attribute, DER_OID, oid) &&
	       der_take(&attribute, DER_SET, value_set) && attribute.n == 0;
}

static int read_attributes(struct signed_message *m, struct ingot_error *err)
{
	struct der_view rest = m->attributes, oid, set, value;
	bool has_type = false, has_digest = false;

	while (rest.n) {
		if (!take_attribute(&rest, &oid, &set))
			return malformed(err, "has attributes that are not DER");
		if (DER_IS_OID(&oid, OID_CONTENT_TYPE)) {
			if (has_type || !der_take(&set, DER_OID, &value) || set.n ||
			    !der_equal(&value, m->type.p, m->type.n))
				return malformed(err, "is for another type of content");
			has_type = true;
		} else if (DER_IS_OID(&oid, OID_MESSAGE_DIGEST)) {
			if (has_digest || !der_take(&set, DER_OCTET_STRING, &m->message_digest) ||
			    set.n || m->message_digest.n != INGOT_SHA256_SIZE)
				return malformed(err, "has no SHA-256 of its content");
			has_digest = true;
		}
	}
	if (!has_type || !has_digest)
		return malformed(err, "does not say what it is about");
	return 0;
}

/* --- signer ------------------------------------------------------------ */

static int read_signer(struct der_view signers, struct signed_message *m, struct ingot_error *err)
{
	static const char *const algorithms[] = {OID_RSA, OID_RSA_SHA256, OID_ECDSA_SHA256};
	struct der_view signer, who, inside;

	if (!der_take(&signers, DER_SEQUENCE, &signer) || signers.n)
		return malformed(err, "does not have exactly one signer");
	if (!take_version_1(&signer) || !der_take(&signer, DER_SEQUENCE, &who) ||
	    !der_take_whole(&who, DER_SEQUENCE, &inside, &m->issuer) ||
	    !der_take_whole(&who, DER_INTEGER, &inside, &m->serial) || who.n)
		return malformed(err, "does not name its signer");
	if (!take_sha256(&signer))
		return malformed(err, "does not use SHA-256");
	if (!der_take(&signer, DER_CONTEXT_CONSTRUCTED, &m->attributes))
		return malformed(err, "has no signed attributes");
	if (!take_algorithm(&signer, algorithms, 3))
		return malformed(err, "is neither RSA PKCS#1 v1.5 nor ECDSA");
	if (!der_take(&signer, DER_OCTET_STRING, &m->signature))
		return malformed(err, "has no signature in it");
	/* Attributes that are not signed, a time stamp for one, prove nothing. */
	if (signer.n && (!der_take(&signer, DER_CONTEXT_CONSTRUCTED | 1, &inside) || signer.n))
		return malformed(err, "has something behind its signer");
	return read_attributes(m, err);
}

/* --- the whole --------------------------------------------------------- */

static int read_content(struct der_view *data, uint8_t tag, struct signed_message *m,
			struct ingot_error *err)
{
	struct der_view info, content;

	if (!der_take(data, DER_SEQUENCE, &info) || !der_take(&info, DER_OID, &m->type))
		return malformed(err, "has no content's type");
	if (info.n == 0)
		return 0;
	if (!der_take(&info, DER_CONTEXT_CONSTRUCTED, &content) || info.n ||
	    !der_take(&content, tag, &m->content) || content.n)
		return malformed(err, "has a content that is not DER");
	return 0;
}

static int read_signed_data(struct der_view data, uint8_t content_tag, struct signed_message *m,
			    struct ingot_error *err)
{
	struct der_view algorithms, signers, revoked;
	int rc;

	if (!take_version_1(&data))
		return malformed(err, "is not PKCS#7 signed data of version 1");
	if (!der_take(&data, DER_SET, &algorithms) || !take_sha256(&algorithms) || algorithms.n)
		return malformed(err, "does not use SHA-256 alone");
	rc = read_content(&data, content_tag, m, err);
	if (rc < 0)
		return rc;
	(void)der_take(&data, DER_CONTEXT_CONSTRUCTED, &m->certificates);
	(void)der_take(&data, DER_CONTEXT_CONSTRUCTED | 1, &revoked);
	if (!der_take(&data, DER_SET, &signers) || data.n)
		return malformed(err, "has no list of signers at its end");
	return read_signer(signers, m, err);
}

int signed_message_read(const void *der, size_t n, uint8_t content_tag, struct signed_message *ret,
			struct ingot_error *err)
{
	struct der_view in = {der, n}, info, oid, content, data;

	*ret = (struct signed_message){0};
	if (!der_take(&in, DER_SEQUENCE, &info) || !der_take(&info, DER_OID, &oid) ||
	    !DER_IS_OID(&oid, OID_SIGNED_DATA) ||
	    !der_take(&info, DER_CONTEXT_CONSTRUCTED, &content) || info.n ||
	    !der_take(&content, DER_SEQUENCE, &data) || content.n)
		return malformed(err, "is not PKCS#7 signed data in DER form");
	/* Certificate tables are padded, and some signers count the zeros in. */
	for (size_t i = 0; i < in.n; i++)
		if (in.n > 7 || in.p[i])
			return malformed(err, "has bytes behind its end");
	return read_signed_data(data, content_tag, ret, err);
}

#include <errno.h>

#include "sign/authenticode.h"
#include "sign/keys_internal.h"
#include "sign/oid_internal.h"
#include "sign/signed_data_read_internal.h"

static int malformed(struct ingot_error *err, const char *why)
{
	return ingot_raise(err, -EBADMSG, "the signature %s", why);
}

/* SpcIndirectDataContent: of what kind, then DigestInfo. */
static int read_digest(struct der_view content, struct der_view *ret, struct ingot_error *err)
{
	struct der_view kind, oid, info, algorithm, null;

	if (!der_take(&content, DER_SEQUENCE, &kind) || !der_take(&kind, DER_OID, &oid) ||
	    !DER_IS_OID(&oid, OID_SPC_PE_IMAGE_DATA))
		return malformed(err, "is not about a PE file");
	if (!der_take(&content, DER_SEQUENCE, &info) || content.n ||
	    !der_take(&info, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid) ||
	    (algorithm.n && !der_take(&algorithm, DER_NULL, &null)) || algorithm.n ||
	    !DER_IS_OID(&oid, OID_SHA256) || !der_take(&info, DER_OCTET_STRING, ret) || info.n ||
	    ret->n != INGOT_SHA256_SIZE)
		return malformed(err, "has no SHA-256 of a file in it");
	return 0;
}

int ingot_authenticode_check(const void *der, size_t n, const uint8_t pe_digest[INGOT_SHA256_SIZE],
			     const struct ingot_certificate *const *certificates, size_t count,
			     char **ret_signer, struct ingot_error *err)
{
	INGOT_FREE char *signer = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	struct signed_message message;
	struct der_view file_digest;
	int rc = signed_message_read(der, n, DER_SEQUENCE, &message, err);

	if (ret_signer)
		*ret_signer = NULL;
	if (rc < 0)
		return rc;
	if (!DER_IS_OID(&message.type, OID_SPC_INDIRECT_DATA) || !message.content.p)
		return malformed(err, "is not Authenticode");
	rc = read_digest(message.content, &file_digest, err);
	if (rc == 0)
		rc = ingot_sha256(message.content.p, message.content.n, digest, err);
	if (rc < 0)
		return rc;
	rc = signed_message_check(&message, certificates, count, &signer, err);
	if (ret_signer)
		*ret_signer = INGOT_TAKE(signer);
	if (rc < 0 && rc != -ENOKEY)
		return rc;
	/* That it is for another file is worse than that its signer is unknown. */
	if (!der_equal(&message.message_digest, digest, sizeof(digest)))
		return ingot_raise(err, -EKEYREJECTED,
				   "the signature is not about the content that comes with it");
	if (!der_equal(&file_digest, pe_digest, INGOT_SHA256_SIZE))
		return ingot_raise(err, -EKEYREJECTED, "the signature is for another file");
	return rc;
}

#include <errno.h>
#include <string.h>

#include "sign/authenticode.h"
#include "sign/request.h"

/* --- the root hash's PKCS#7 -------------------------------------------- */

int ingot_sign_request_placeholder(const struct ingot_sign_request *request, uint8_t **der,
				   size_t *n, struct ingot_error *err)
{
	const struct ingot_certificate *certificates[INGOT_SIGNERS_MAX];

	for (size_t i = 0; i < request->signer_count; i++)
		certificates[i] = request->signers[i].certificate;
	return ingot_root_hash_placeholder(certificates, request->signer_count, der, n, err);
}

int ingot_sign_request_assemble(const struct ingot_sign_request *request, uint8_t **der, size_t *n,
				struct ingot_error *err)
{
	struct ingot_signer signers[INGOT_SIGNERS_MAX];

	for (size_t i = 0; i < request->signer_count; i++)
		signers[i] =
			(struct ingot_signer){request->signers[i].certificate,
					      request->signers[i].raw, request->signers[i].raw_n};
	return ingot_root_hash_assemble(request->root_hash, signers, request->signer_count, der, n,
					err);
}

/* --- the UKI's digest -------------------------------------------------- */

int ingot_sign_request_uki_digest(const struct ingot_request_uki *uki, const uint8_t *der, size_t n,
				  uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err)
{
	struct ingot_sha256_state state = uki->state;
	INGOT_FREE uint8_t *tail = NULL;

	if (!uki->tail || !ingot_in_range(uki->tail_hole, n, uki->tail_n))
		return ingot_raise(err, -EINVAL, "the signature does not fit into its place");
	tail = ingot_memdup(uki->tail, uki->tail_n, err);
	if (!tail)
		return -ENOMEM;
	memcpy(tail + uki->tail_hole, der, n);
	ingot_sha256_state_end(&state, tail, uki->tail_n, digest);
	return 0;
}

/* --- signing ----------------------------------------------------------- */

static const struct ingot_key *find_key(struct ingot_key *const *keys, size_t count,
					const struct ingot_certificate *certificate)
{
	for (size_t i = 0; i < count; i++)
		if (ingot_key_check(keys[i], certificate, NULL) == 0)
			return keys[i];
	return NULL;
}

static int sign_one(struct ingot_request_signer *signer, struct ingot_key *const *keys,
		    size_t count, const uint8_t digest[INGOT_SHA256_SIZE], const char *what,
		    struct ingot_error *err)
{
	const struct ingot_key *key = find_key(keys, count, signer->certificate);
	INGOT_FREE char *subject = NULL;
	int rc;

	if (key)
		return ingot_key_sign(key, digest, signer->raw, &signer->raw_n, err);
	rc = ingot_certificate_subject(signer->certificate, &subject, err);
	if (rc < 0)
		return rc;
	return ingot_raise(err, -EKEYREJECTED,
			   "no key was given for the certificate '%s', which has to sign the %s",
			   subject, what);
}

static int sign_root(struct ingot_sign_request *request, struct ingot_key *const *keys,
		     size_t count, struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = ingot_root_hash_digest(request->root_hash, digest, err);

	for (size_t i = 0; rc == 0 && i < request->signer_count; i++)
		rc = sign_one(&request->signers[i], keys, count, digest, "root hash", err);
	return rc;
}

static int sign_uki(struct ingot_request_uki *uki, const uint8_t *der, size_t n,
		    struct ingot_key *const *keys, size_t count, struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = ingot_sign_request_uki_digest(uki, der, n, uki->digest, err);

	if (rc == 0)
		rc = ingot_authenticode_digest(uki->digest, digest, err);
	if (rc == 0)
		rc = sign_one(&uki->signer, keys, count, digest, "UKI", err);
	return rc;
}

static int sign_ukis(struct ingot_sign_request *request, struct ingot_key *const *keys,
		     size_t count, struct ingot_error *err)
{
	INGOT_FREE uint8_t *der = NULL;
	size_t n;
	int rc = ingot_sign_request_assemble(request, &der, &n, err);

	if (rc == 0)
		rc = sign_uki(&request->uki, der, n, keys, count, err);
	for (size_t i = 0; rc == 0 && i < request->vendor_count; i++)
		rc = sign_uki(&request->vendors[i], der, n, keys, count, err);
	return rc;
}

/* A key too many is a mistake that should not pass: another one may be missing elsewhere. */
static int check_keys(const struct ingot_sign_request *request, struct ingot_key *const *keys,
		      size_t count, struct ingot_error *err)
{
	for (size_t i = 0; i < count; i++) {
		bool used = request->uki.signer.certificate &&
			    ingot_key_check(keys[i], request->uki.signer.certificate, NULL) == 0;

		for (size_t j = 0; j < request->signer_count; j++)
			used |= ingot_key_check(keys[i], request->signers[j].certificate, NULL) ==
				0;
		if (!used)
			return ingot_raise(err, -EKEYREJECTED,
					   "key %zu is for none of the request's certificates",
					   i + 1);
	}
	return 0;
}

int ingot_sign_request_sign(struct ingot_sign_request *request, struct ingot_key *const *keys,
			    size_t count, struct ingot_error *err)
{
	int rc = check_keys(request, keys, count, err);

	if (rc == 0)
		rc = sign_root(request, keys, count, err);
	if (rc == 0 && request->uki.signer.certificate)
		rc = sign_ukis(request, keys, count, err);
	return rc;
}

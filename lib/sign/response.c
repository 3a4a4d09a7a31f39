#include <errno.h>
#include <string.h>

#include "sign/authenticode.h"
#include "sign/request_internal.h"

int ingot_sign_response_write(const struct ingot_sign_request *response, char **ret,
			      struct ingot_error *err)
{
	const struct ingot_request_uki *u = &response->uki;
	REQUEST_JSON json_t *object = json_object();
	json_t *uki;
	int rc;

	request_set(object, "ingot_signing_response", json_integer(1));
	rc = request_put_head(response, object, true /* with_raw */, err);
	if (rc == 0 && response->has_uki) {
		uki = json_object();
		rc = request_put_uki(u, uki, true, err);
		if (u->signer.certificate)
			request_set(json_object_get(uki, "secure_boot"), "digest",
				    request_hex(u->digest, sizeof(u->digest)));
		request_set(object, "uki", uki);
	}
	if (rc == 0)
		rc = request_put_vendors(response, object, true, err);
	return rc < 0 ? rc : request_dump(object, ret, err);
}

static int check_uki(const struct ingot_request_uki *uki, struct ingot_error *err)
{
	const struct ingot_request_signer *boot = &uki->signer;
	const struct ingot_signer signer = {boot->certificate, boot->raw, boot->raw_n};
	INGOT_FREE uint8_t *der = NULL;
	size_t n;

	if (!boot->certificate)
		return 0;
	return ingot_authenticode_assemble(uki->digest, &signer, &der, &n, err);
}

/* Whatever is attached has been checked: all are made of what the response says, as a whole. */
static int check(const struct ingot_sign_request *response, struct ingot_error *err)
{
	INGOT_FREE uint8_t *root = NULL;
	size_t n;
	int rc = ingot_sign_request_assemble(response, &root, &n, err);

	if (rc == 0)
		rc = check_uki(&response->uki, err);
	for (size_t i = 0; rc == 0 && i < response->vendor_count; i++)
		rc = check_uki(&response->vendors[i], err);
	return rc;
}

static int read_uki(const json_t *object, struct ingot_request_uki *uki, struct ingot_error *err)
{
	int rc = request_get_uki(object, true /* with_raw */, uki, err);

	if (rc == 0 && uki->signer.certificate)
		rc = request_digest(json_object_get(object, "secure_boot"), "digest", uki->digest,
				    err);
	return rc < 0 ? ingot_wrap(err, rc, "'uki'") : 0;
}

int ingot_sign_response_read(const char *text, size_t n, struct ingot_sign_request **ret,
			     struct ingot_error *err)
{
	INGOT_SIGN_REQUEST struct ingot_sign_request *response = NULL;
	REQUEST_JSON json_t *object = NULL;
	const json_t *uki;
	int rc = request_parse("ingot_signing_response", text, n, &object, err);

	if (rc < 0)
		return rc;
	response = ingot_alloc(1, sizeof(*response), err);
	if (!response)
		return -ENOMEM;
	rc = request_get_head(object, true /* with_raw */, response, err);
	uki = json_object_get(object, "uki");
	response->has_uki = uki != NULL;
	if (rc == 0 && uki)
		rc = read_uki(uki, &response->uki, err);
	if (rc == 0)
		rc = request_get_vendors(object, true /* with_raw */, response, err);
	if (rc == 0)
		rc = check(response, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(response);
	return 0;
}

/* --- whether it is the answer ------------------------------------------ */

static bool is_same_certificate(const struct ingot_certificate *a,
				const struct ingot_certificate *b)
{
	size_t n, m;
	const uint8_t *x, *y;

	if (!a || !b)
		return a == b;
	x = ingot_certificate_der(a, &n);
	y = ingot_certificate_der(b, &m);
	return n == m && memcmp(x, y, n) == 0;
}

static bool is_same_uki(const struct ingot_request_uki *a, const struct ingot_request_uki *b)
{
	return strcmp(a->path, b->path) == 0 && strcmp(a->command_line, b->command_line) == 0 &&
	       a->size == b->size && a->signature_offset == b->signature_offset &&
	       a->checksum == b->checksum &&
	       is_same_certificate(a->signer.certificate, b->signer.certificate);
}

static bool are_same_ukis(const struct ingot_sign_request *a, const struct ingot_sign_request *b)
{
	bool same = a->has_uki == b->has_uki && a->vendor_count == b->vendor_count;

	if (same && a->has_uki)
		same = is_same_uki(&a->uki, &b->uki);
	for (size_t i = 0; same && i < a->vendor_count; i++)
		same = is_same_uki(&a->vendors[i], &b->vendors[i]);
	return same;
}

static int check_digest(const struct ingot_request_uki *answer, const struct ingot_request_uki *uki,
			const uint8_t *der, size_t n, struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = ingot_sign_request_uki_digest(uki, der, n, digest, err);

	if (rc == 0 && memcmp(digest, answer->digest, sizeof(digest)) != 0)
		return ingot_raise(err, -EINVAL, "the response has signed another UKI");
	return rc;
}

static int check_digests(const struct ingot_sign_request *response,
			 const struct ingot_sign_request *request, struct ingot_error *err)
{
	INGOT_FREE uint8_t *der = NULL;
	size_t n;
	int rc = ingot_sign_request_assemble(response, &der, &n, err);

	if (rc == 0)
		rc = check_digest(&response->uki, &request->uki, der, n, err);
	for (size_t i = 0; rc == 0 && i < request->vendor_count; i++)
		rc = check_digest(&response->vendors[i], &request->vendors[i], der, n, err);
	return rc;
}

int ingot_sign_response_check(const struct ingot_sign_request *response,
			      const struct ingot_sign_request *request, struct ingot_error *err)
{
	bool same = strcmp(response->name, request->name) == 0 &&
		    strcmp(response->version, request->version) == 0 &&
		    strcmp(response->root_hash, request->root_hash) == 0 &&
		    response->signer_count == request->signer_count &&
		    are_same_ukis(response, request);

	for (size_t i = 0; same && i < request->signer_count; i++)
		same = is_same_certificate(response->signers[i].certificate,
					   request->signers[i].certificate);
	if (!same)
		return ingot_raise(err, -EINVAL, "the response answers another request");
	return request->uki.signer.certificate ? check_digests(response, request, err) : 0;
}

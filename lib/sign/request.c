#include "sign/request.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "sign/request_internal.h"

void ingot_sign_request_free(struct ingot_sign_request *request)
{
	if (!request)
		return;
	for (size_t i = 0; i < request->signer_count; i++)
		ingot_certificate_free(request->signers[i].certificate);
	for (size_t i = 0; i < request->vendor_count; i++) {
		ingot_certificate_free(request->vendors[i].signer.certificate);
		free(request->vendors[i].vendor);
		free(request->vendors[i].path);
		free(request->vendors[i].command_line);
	}
	free(request->vendors);
	ingot_certificate_free(request->uki.signer.certificate);
	free(request->name);
	free(request->version);
	free(request->architecture);
	free(request->uki.path);
	free(request->uki.command_line);
	free(request->uki.tail);
	json_decref(request->files);
	free(request);
}

/* --- writing ----------------------------------------------------------- */

static int put_tail(const struct ingot_request_uki *uki, json_t *object, struct ingot_error *err)
{
	INGOT_FREE char *tail = ingot_base64(uki->tail, uki->tail_n, err);
	json_t *digest;

	if (!tail)
		return -ENOMEM;
	digest = json_object();
	request_set(digest, "algorithm", json_string("sha256"));
	request_put_state(uki, digest);
	request_set(digest, "hole", json_integer((json_int_t)uki->tail_hole));
	request_set(digest, "tail", json_string(tail));
	request_set(json_object_get(object, "secure_boot"), "digest", digest);
	return 0;
}

int ingot_sign_request_write(const struct ingot_sign_request *request, char **ret,
			     struct ingot_error *err)
{
	REQUEST_JSON json_t *object = json_object();
	json_t *uki;
	int rc;

	request_set(object, "ingot_signing_request", json_integer(1));
	rc = request_put_head(request, object, false /* with_raw */, err);
	if (rc < 0)
		return rc;
	request_set(object, "files", json_deep_copy(request->files));
	if (request->has_uki) {
		uki = json_object();
		rc = request_put_uki(&request->uki, uki, false, err);
		if (rc == 0 && request->uki.signer.certificate)
			rc = put_tail(&request->uki, uki, err);
		request_set(object, "uki", uki);
	}
	if (rc == 0)
		rc = request_put_vendors(request, object, false, err);
	return rc < 0 ? rc : request_dump(object, ret, err);
}

/* --- reading ----------------------------------------------------------- */

static int get_tail(const json_t *digest, struct ingot_request_uki *uki, struct ingot_error *err)
{
	const char *text;
	uint64_t hole;
	int rc = request_get_state(digest, uki, err);

	if (rc == 0)
		rc = request_text(digest, "tail", &text, err);
	if (rc == 0)
		rc = ingot_unbase64(text, &uki->tail, &uki->tail_n, err);
	if (rc == 0)
		rc = request_number(digest, "hole", uki->tail_n, &hole, err);
	if (rc == 0)
		uki->tail_hole = (size_t)hole;
	return rc;
}

/*
 * 12 bytes of the file are in no digest, the checksum and where the signatures are; at its end
 * zeros up to a multiple of 8 are.
 */
enum { NOT_DIGESTED = 12 };

/* What follows from the sizes; and the place of the signature is that of the shown signers. */
static int check_tail(const struct ingot_sign_request *request, const struct ingot_request_uki *uki,
		      struct ingot_error *err)
{
	INGOT_FREE uint8_t *der = NULL;
	size_t n;
	int rc = ingot_sign_request_placeholder(request, &der, &n, err);

	if (rc < 0)
		return rc;
	if (uki->state.bytes + uki->tail_n != ingot_round_up(uki->size, 8) - NOT_DIGESTED ||
	    uki->state.bytes + uki->tail_hole != uki->signature_offset - NOT_DIGESTED)
		return ingot_raise(err, -EINVAL, "sizes and offsets do not add up");
	if (!ingot_in_range(uki->tail_hole, n, uki->tail_n) ||
	    memcmp(uki->tail + uki->tail_hole, der, n) != 0)
		return ingot_raise(err, -EINVAL,
				   "the place for the root hash's signature is not where it is "
				   "said to be");
	return 0;
}

static int read_uki(const json_t *object, struct ingot_sign_request *request,
		    struct ingot_error *err)
{
	const json_t *digest;
	int rc = request_get_uki(object, false /* with_raw */, &request->uki, err);

	if (rc < 0 || !request->uki.signer.certificate)
		return rc;
	rc = request_object(json_object_get(object, "secure_boot"), "digest", &digest, err);
	if (rc == 0)
		rc = get_tail(digest, &request->uki, err);
	return rc < 0 ? rc : check_tail(request, &request->uki, err);
}

static int check_vendors(const struct ingot_sign_request *request, struct ingot_error *err)
{
	for (size_t i = 0; request->uki.signer.certificate && i < request->vendor_count; i++) {
		int rc = check_tail(request, &request->vendors[i], err);

		if (rc < 0)
			return ingot_wrap(err, rc, "vendor %zu", i + 1);
	}
	return 0;
}

int ingot_sign_request_read(const char *text, size_t n, struct ingot_sign_request **ret,
			    struct ingot_error *err)
{
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = NULL;
	REQUEST_JSON json_t *object = NULL;
	const json_t *uki;
	int rc = request_parse("ingot_signing_request", text, n, &object, err);

	if (rc < 0)
		return rc;
	request = ingot_alloc(1, sizeof(*request), err);
	if (!request)
		return -ENOMEM;
	rc = request_get_head(object, false /* with_raw */, request, err);
	if (rc < 0)
		return rc;
	request->files = json_incref(json_object_get(object, "files"));
	uki = json_object_get(object, "uki");
	request->has_uki = uki != NULL;
	rc = uki ? read_uki(uki, request, err) : 0;
	if (rc < 0)
		return ingot_wrap(err, rc, "'uki'");
	rc = request_get_vendors(object, false /* with_raw */, request, err);
	if (rc == 0)
		rc = check_vendors(request, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'vendors'");
	*ret = INGOT_TAKE(request);
	return 0;
}

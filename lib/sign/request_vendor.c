/* The UKIs of vendors in requests and responses: what is theirs, and the rest as the base's. */
#include <errno.h>
#include <string.h>

#include "sign/request_internal.h"

static int copy_base(const struct ingot_request_uki *base, struct ingot_request_uki *uki,
		     struct ingot_error *err)
{
	const struct ingot_certificate *from = base->signer.certificate;
	const uint8_t *der;
	size_t n;

	uki->path = ingot_strdup(base->path, err);
	uki->tail = base->tail;
	uki->tail_n = base->tail_n;
	uki->tail_hole = base->tail_hole;
	if (!uki->path || !from)
		return uki->path ? 0 : -ENOMEM;
	der = ingot_certificate_der(from, &n);
	return ingot_certificate_parse(ingot_certificate_name(from), der, n,
				       &uki->signer.certificate, err);
}

int ingot_sign_request_add_vendor(struct ingot_sign_request *request, const char *vendor,
				  struct ingot_request_uki **ret, struct ingot_error *err)
{
	void *items = request->vendors;
	int rc;

	if (request->vendor_count == INGOT_REQUEST_VENDORS_MAX)
		return ingot_raise(err, -EINVAL, "there are more than %d vendors",
				   INGOT_REQUEST_VENDORS_MAX);
	rc = ingot_grow(&items, &request->vendor_room, request->vendor_count + 1,
			sizeof(*request->vendors), err);
	request->vendors = items;
	if (rc < 0)
		return rc;
	*ret = &request->vendors[request->vendor_count++];
	**ret = (struct ingot_request_uki){.vendor = ingot_strdup(vendor, err)};
	return (*ret)->vendor ? copy_base(&request->uki, *ret, err) : -ENOMEM;
}

const struct ingot_request_uki *ingot_sign_request_find_uki(
	const struct ingot_sign_request *request, const char *command_line)
{
	if (request->has_uki && strcmp(request->uki.command_line, command_line) == 0)
		return &request->uki;
	for (size_t i = 0; i < request->vendor_count; i++)
		if (strcmp(request->vendors[i].command_line, command_line) == 0)
			return &request->vendors[i];
	return NULL;
}

/* --- writing ----------------------------------------------------------- */

static int put_secure_boot(const struct ingot_request_uki *uki, json_t *object, bool with_raw,
			   struct ingot_error *err)
{
	json_t *digest;

	request_set(object, "checksum", json_integer((json_int_t)uki->checksum));
	if (with_raw) {
		request_set(object, "digest", request_hex(uki->digest, sizeof(uki->digest)));
		return request_put_raw(&uki->signer, object, err);
	}
	digest = json_object();
	request_put_state(uki, digest);
	request_set(object, "digest", digest);
	return 0;
}

static int put_vendor(const struct ingot_request_uki *uki, json_t *object, bool with_raw,
		      struct ingot_error *err)
{
	json_t *secure_boot;

	request_set(object, "vendor", json_string(uki->vendor));
	request_put_room(uki, object);
	if (!uki->signer.certificate)
		return 0;
	secure_boot = json_object();
	request_set(object, "secure_boot", secure_boot);
	return put_secure_boot(uki, secure_boot, with_raw, err);
}

int request_put_vendors(const struct ingot_sign_request *request, json_t *object, bool with_raw,
			struct ingot_error *err)
{
	json_t *list;
	int rc = 0;

	if (request->vendor_count == 0)
		return 0;
	list = json_array();
	request_set(object, "vendors", list);
	for (size_t i = 0; rc == 0 && i < request->vendor_count; i++) {
		json_t *vendor = json_object();

		rc = put_vendor(&request->vendors[i], vendor, with_raw, err);
		(void)json_array_append_new(list, vendor);
	}
	return rc;
}

/* --- reading ----------------------------------------------------------- */

static int get_secure_boot(const json_t *object, bool with_raw, struct ingot_request_uki *uki,
			   struct ingot_error *err)
{
	const json_t *digest;
	int rc = request_get_checksum(object, uki, err);

	if (rc < 0)
		return rc;
	if (!with_raw) {
		rc = request_object(object, "digest", &digest, err);
		return rc < 0 ? rc : request_get_state(digest, uki, err);
	}
	rc = request_digest(object, "digest", uki->digest, err);
	return rc < 0 ? rc : request_get_raw(object, &uki->signer, err);
}

static int get_vendor(const json_t *object, bool with_raw, struct ingot_sign_request *request,
		      struct ingot_error *err)
{
	struct ingot_request_uki *uki;
	INGOT_FREE char *vendor = NULL;
	const json_t *secure_boot;
	int rc = request_copy(object, "vendor", &vendor, err);

	if (rc == 0)
		rc = ingot_sign_request_add_vendor(request, vendor, &uki, err);
	if (rc == 0)
		rc = request_get_room(object, uki, err);
	if (rc < 0 || !uki->signer.certificate)
		return rc;
	rc = request_object(object, "secure_boot", &secure_boot, err);
	return rc < 0 ? rc : get_secure_boot(secure_boot, with_raw, uki, err);
}

int request_get_vendors(const json_t *object, bool with_raw, struct ingot_sign_request *request,
			struct ingot_error *err)
{
	const json_t *list = json_object_get(object, "vendors");

	if (!list)
		return 0;
	if (!request->has_uki || !json_is_array(list))
		return ingot_raise(err, -EINVAL, "they are no list, or there is no 'uki'");
	for (size_t i = 0; i < json_array_size(list); i++) {
		int rc = get_vendor(json_array_get(list, i), with_raw, request, err);

		if (rc < 0)
			return ingot_wrap(err, rc, "vendor %zu", i + 1);
	}
	return 0;
}

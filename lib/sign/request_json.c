#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "sign/request_internal.h"

enum { TEXT_MAX = 64 * 1024 };

/* --- single values ----------------------------------------------------- */

/* Shown to whoever signs: no byte of it may drive a terminal. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

int request_text(const json_t *object, const char *key, const char **ret, struct ingot_error *err)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		return ingot_raise(err, -EINVAL, value ? "'%s' is not a text" : "there is no '%s'",
				   key);
	*ret = json_string_value(value);
	return 0;
}

int request_copy(const json_t *object, const char *key, char **ret, struct ingot_error *err)
{
	const char *text;
	int rc = request_text(object, key, &text, err);

	if (rc < 0)
		return rc;
	if (strlen(text) > TEXT_MAX || !is_plain(text))
		return ingot_raise(err, -EINVAL, "'%s' is too long or has control characters", key);
	*ret = ingot_strdup(text, err);
	return *ret ? 0 : -ENOMEM;
}

int request_number(const json_t *object, const char *key, uint64_t max, uint64_t *ret,
		   struct ingot_error *err)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number > max)
		return ingot_raise(err, -EINVAL, "'%s' is missing or not a number up to %llu", key,
				   (unsigned long long)max);
	*ret = (uint64_t)number;
	return 0;
}

int request_digest(const json_t *object, const char *key, uint8_t digest[INGOT_SHA256_SIZE],
		   struct ingot_error *err)
{
	const char *text;
	size_t n;
	int rc = request_text(object, key, &text, err);

	if (rc < 0)
		return rc;
	if (ingot_unhex(text, digest, INGOT_SHA256_SIZE, &n, NULL) < 0 || n != INGOT_SHA256_SIZE)
		return ingot_raise(err, -EINVAL, "'%s' is not 64 hex digits", key);
	return 0;
}

int request_object(const json_t *object, const char *key, const json_t **ret,
		   struct ingot_error *err)
{
	*ret = json_object_get(object, key);
	return json_is_object(*ret) ? 0 : ingot_raise(err, -EINVAL, "there is no '%s'", key);
}

json_t *request_hex(const void *data, size_t n)
{
	char text[2 * 64 + 1];

	ingot_hex(data, n, text);
	return json_string(text);
}

/* --- the whole text ---------------------------------------------------- */

int request_parse(const char *what, const char *text, size_t n, json_t **ret,
		  struct ingot_error *err)
{
	uint64_t version;
	json_error_t why;
	int rc;

	rc = ingot_json_parse(text, n, ret, &why, err);
	if (rc == -EINVAL)
		return ingot_raise(err, -EINVAL, "it is not JSON: line %d: %s", why.line, why.text);
	if (rc < 0)
		return rc;
	rc = request_number(*ret, what, 1, &version, err);
	if (rc < 0 || version != 1)
		return ingot_raise(err, -EINVAL, "it is no %s of version 1", what);
	return 0;
}

int request_dump(const json_t *object, char **ret, struct ingot_error *err)
{
	char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;

	if (!text)
		return ingot_raise_oom(err, 0);
	*ret = ingot_format(err, "%s\n", text);
	free(text);
	return *ret ? 0 : -ENOMEM;
}

/* --- signers ----------------------------------------------------------- */

int request_put_raw(const struct ingot_request_signer *signer, json_t *object,
		    struct ingot_error *err)
{
	INGOT_FREE char *raw = ingot_base64(signer->raw, signer->raw_n, err);

	if (!raw)
		return -ENOMEM;
	request_set(object, "signature", json_string(raw));
	return 0;
}

static int put_signer(const struct ingot_request_signer *signer, bool with_raw, json_t *object,
		      struct ingot_error *err)
{
	INGOT_FREE char *pem = NULL, *subject = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	size_t n;
	int rc = ingot_certificate_pem(signer->certificate, &pem, &n, err);

	if (rc == 0)
		rc = ingot_certificate_subject(signer->certificate, &subject, err);
	if (rc == 0)
		rc = ingot_certificate_fingerprint(signer->certificate, digest, err);
	if (rc < 0)
		return rc;
	request_set(object, "subject", json_string(subject));
	request_set(object, "certificate_sha256", request_hex(digest, sizeof(digest)));
	request_set(object, "certificate", json_string(pem));
	return with_raw ? request_put_raw(signer, object, err) : 0;
}

int request_get_raw(const json_t *object, struct ingot_request_signer *ret, struct ingot_error *err)
{
	INGOT_FREE uint8_t *raw = NULL;
	const char *text;
	size_t n;
	int rc = request_text(object, "signature", &text, err);

	if (rc == 0)
		rc = ingot_unbase64(text, &raw, &n, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'signature'");
	if (n > sizeof(ret->raw))
		return ingot_raise(err, -EINVAL, "'signature' has %zu bytes", n);
	memcpy(ret->raw, raw, n);
	ret->raw_n = n;
	return 0;
}

static int get_signer(const json_t *object, bool with_raw, struct ingot_request_signer *ret,
		      struct ingot_error *err)
{
	const char *pem;
	int rc = request_text(object, "certificate", &pem, err);

	if (rc == 0)
		rc = ingot_certificate_parse("certificate", pem, strlen(pem), &ret->certificate,
					     err);
	return rc == 0 && with_raw ? request_get_raw(object, ret, err) : rc;
}

/* --- the head ---------------------------------------------------------- */

int request_put_head(const struct ingot_sign_request *request, json_t *object, bool with_raw,
		     struct ingot_error *err)
{
	json_t *root = json_object(), *signers = json_array();
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = ingot_root_hash_digest(request->root_hash, digest, err);

	request_set(object, "name", json_string(request->name));
	request_set(object, "version", json_string(request->version));
	request_set(object, "architecture", json_string(request->architecture));
	request_set(root, "hash", json_string(request->root_hash));
	request_set(root, "algorithm", json_string("sha256"));
	request_set(root, "digest", request_hex(digest, sizeof(digest)));
	request_set(root, "signers", signers);
	request_set(object, "root_hash", root);
	for (size_t i = 0; rc == 0 && i < request->signer_count; i++) {
		json_t *signer = json_object();

		rc = put_signer(&request->signers[i], with_raw, signer, err);
		(void)json_array_append_new(signers, signer);
	}
	return rc;
}

static int get_root(const json_t *root, struct ingot_sign_request *request, struct ingot_error *err)
{
	uint8_t given[INGOT_SHA256_SIZE], digest[INGOT_SHA256_SIZE];
	const char *text;
	int rc = request_text(root, "hash", &text, err);

	if (rc == 0)
		rc = ingot_root_hash_digest(text, digest, err);
	if (rc == 0)
		rc = request_digest(root, "digest", given, err);
	if (rc < 0)
		return rc;
	if (memcmp(given, digest, sizeof(digest)) != 0)
		return ingot_raise(err, -EINVAL, "'digest' is not that of the hash");
	strcpy(request->root_hash, text); /* of 64, 96 or 128 digits, as was checked */
	return 0;
}

static int get_signers(const json_t *root, bool with_raw, struct ingot_sign_request *request,
		       struct ingot_error *err)
{
	const json_t *list = json_object_get(root, "signers");
	size_t count = json_array_size(list);

	if (count == 0 || count > INGOT_SIGNERS_MAX)
		return ingot_raise(err, -EINVAL, "'signers' are not one to %d", INGOT_SIGNERS_MAX);
	for (size_t i = 0; i < count; i++) {
		int rc = get_signer(json_array_get(list, i), with_raw, &request->signers[i], err);

		request->signer_count += request->signers[i].certificate != NULL;
		if (rc < 0)
			return ingot_wrap(err, rc, "signer %zu", i + 1);
	}
	return 0;
}

int request_get_head(const json_t *object, bool with_raw, struct ingot_sign_request *request,
		     struct ingot_error *err)
{
	const json_t *root;
	int rc = request_copy(object, "name", &request->name, err);

	if (rc == 0)
		rc = request_copy(object, "version", &request->version, err);
	if (rc == 0)
		rc = request_copy(object, "architecture", &request->architecture, err);
	if (rc == 0)
		rc = request_object(object, "root_hash", &root, err);
	if (rc < 0)
		return rc;
	rc = get_root(root, request, err);
	if (rc == 0)
		rc = get_signers(root, with_raw, request, err);
	return rc < 0 ? ingot_wrap(err, rc, "'root_hash'") : 0;
}

/* --- the UKI ----------------------------------------------------------- */

void request_put_room(const struct ingot_request_uki *uki, json_t *object)
{
	request_set(object, "command_line", json_string(uki->command_line));
	request_set(object, "size", json_integer((json_int_t)uki->size));
	request_set(object, "signature_offset", json_integer((json_int_t)uki->signature_offset));
}

int request_get_room(const json_t *object, struct ingot_request_uki *uki, struct ingot_error *err)
{
	int rc = request_copy(object, "command_line", &uki->command_line, err);

	if (rc == 0)
		rc = request_number(object, "size", UINT32_MAX, &uki->size, err);
	return rc < 0 ? rc
		      : request_number(object, "signature_offset", uki->size,
				       &uki->signature_offset, err);
}

void request_put_state(const struct ingot_request_uki *uki, json_t *digest)
{
	request_set(digest, "bytes", json_integer((json_int_t)uki->state.bytes));
	request_set(digest, "state", request_hex(uki->state.chain, sizeof(uki->state.chain)));
}

int request_get_state(const json_t *digest, struct ingot_request_uki *uki, struct ingot_error *err)
{
	int rc = request_digest(digest, "state", uki->state.chain, err);

	if (rc == 0)
		rc = request_number(digest, "bytes", uki->size, &uki->state.bytes, err);
	if (rc == 0 && uki->state.bytes % INGOT_SHA256_BLOCK)
		return ingot_raise(err, -EINVAL, "'bytes' is not a multiple of 64");
	return rc;
}

int request_get_checksum(const json_t *object, struct ingot_request_uki *uki,
			 struct ingot_error *err)
{
	uint64_t checksum;
	int rc = request_number(object, "checksum", UINT32_MAX, &checksum, err);

	if (rc == 0)
		uki->checksum = (uint32_t)checksum;
	return rc;
}

int request_put_uki(const struct ingot_request_uki *uki, json_t *object, bool with_raw,
		    struct ingot_error *err)
{
	json_t *secure_boot;
	int rc;

	request_set(object, "path", json_string(uki->path));
	request_put_room(uki, object);
	if (!uki->signer.certificate)
		return 0;
	secure_boot = json_object();
	rc = put_signer(&uki->signer, with_raw, secure_boot, err);
	request_set(secure_boot, "checksum", json_integer((json_int_t)uki->checksum));
	request_set(object, "secure_boot", secure_boot);
	return rc;
}

int request_get_uki(const json_t *object, bool with_raw, struct ingot_request_uki *uki,
		    struct ingot_error *err)
{
	const json_t *secure_boot = json_object_get(object, "secure_boot");
	int rc = request_copy(object, "path", &uki->path, err);

	if (rc == 0)
		rc = request_get_room(object, uki, err);
	if (rc < 0 || !secure_boot)
		return rc;
	rc = get_signer(secure_boot, with_raw, &uki->signer, err);
	if (rc == 0)
		rc = request_get_checksum(secure_boot, uki, err);
	return rc < 0 ? ingot_wrap(err, rc, "'secure_boot'") : 0;
}

#include "verity/signature_partition.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

INGOT_DEFINE_CLEANUP(json_t, json, json_decref)
#define JSON INGOT_CLEANUP(json_cleanup)

/* --- encode ------------------------------------------------------------ */

/* Keys in the specification's order; nothing in them needs an escape. */
static char *encode_text(const struct ingot_verity_signature *signature, struct ingot_error *err)
{
	INGOT_FREE char *pkcs7 = ingot_base64(signature->pkcs7, signature->pkcs7_size, err);
	char root[2 * INGOT_VERITY_DIGEST_MAX + 1], fingerprint[INGOT_SHA256_TEXT];

	if (!pkcs7)
		return NULL;
	ingot_hex(signature->root, signature->root_size, root);
	if (!signature->has_fingerprint)
		return ingot_format(err, "{\"rootHash\":\"%s\",\"signature\":\"%s\"}", root, pkcs7);
	ingot_hex(signature->fingerprint, sizeof(signature->fingerprint), fingerprint);
	return ingot_format(err,
			    "{\"rootHash\":\"%s\",\"certificateFingerprint\":\"%s\","
			    "\"signature\":\"%s\"}",
			    root, fingerprint, pkcs7);
}

int ingot_verity_signature_encode(const struct ingot_verity_signature *signature, uint8_t **ret,
				  size_t *ret_size, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t length, size;
	uint8_t *raw;

	/* Base64 adds a third, the other keys are short. */
	if (signature->pkcs7_size > INGOT_VERITY_SIGNATURE_MAX / 2)
		return ingot_raise(err, -EFBIG, "a signature of %zu bytes is too large",
				   signature->pkcs7_size);
	text = encode_text(signature, err);
	if (!text)
		return -ENOMEM;
	length = strlen(text);
	size = (size_t)ingot_round_up(length, INGOT_VERITY_SIGNATURE_ALIGN);
	raw = ingot_alloc(1, size, err);
	if (!raw)
		return -ENOMEM;
	memcpy(raw, text, length);
	*ret = raw;
	*ret_size = size;
	return 0;
}

/* --- decode ------------------------------------------------------------ */

/* The bytes before the padding. */
static int text_size(const uint8_t *raw, size_t size, size_t *ret, struct ingot_error *err)
{
	const uint8_t *end = memchr(raw, 0, size);
	size_t length = end ? (size_t)(end - raw) : size;

	for (size_t i = length; i < size; i++)
		if (raw[i] != 0)
			return ingot_raise(err, -EINVAL, "byte %zu of the padding is not zero",
					   i - length);
	*ret = length;
	return 0;
}

/* The text of a key; quiet about a missing one that may be missing: *ret is NULL then. */
static int get_text(const json_t *object, const char *key, bool required, const char **ret,
		    struct ingot_error *err)
{
	const json_t *value = json_object_get(object, key);

	*ret = NULL;
	if (!value && !required)
		return 0;
	if (!json_is_string(value))
		return ingot_raise(err, -EINVAL, "%s '%s'", value ? "no text in" : "no key", key);
	*ret = json_string_value(value);
	return 0;
}

static int get_hex(const json_t *object, const char *key, bool required, uint8_t *bytes, size_t max,
		   size_t *ret_size, struct ingot_error *err)
{
	const char *text;
	int rc = get_text(object, key, required, &text, err);

	if (rc < 0)
		return rc;
	*ret_size = 0;
	if (!text)
		return 0;
	if (text[strspn(text, "0123456789abcdef")] != '\0')
		return ingot_raise(err, -EINVAL, "'%s' is not lower-case hex", key);
	rc = ingot_unhex(text, bytes, max, ret_size, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'%s'", key);
	if (*ret_size == 0)
		return ingot_raise(err, -EINVAL, "'%s' is empty", key);
	return 0;
}

static int get_base64(const json_t *object, const char *key, uint8_t **ret, size_t *ret_size,
		      struct ingot_error *err)
{
	const char *text;
	int rc = get_text(object, key, /* required */ true, &text, err);

	if (rc < 0)
		return rc;
	rc = ingot_unbase64(text, ret, ret_size, err);
	if (rc == -EINVAL)
		return ingot_raise(err, rc, "'%s' is not base64", key);
	return rc;
}

static int decode_object(const json_t *object, struct ingot_verity_signature *ret,
			 uint8_t **ret_pkcs7, struct ingot_error *err)
{
	size_t size;
	int rc = get_hex(object, "rootHash", /* required */ true, ret->root, sizeof(ret->root),
			 &ret->root_size, err);

	if (rc < 0)
		return rc;
	rc = get_hex(object, "certificateFingerprint", /* required */ false, ret->fingerprint,
		     sizeof(ret->fingerprint), &size, err);
	if (rc < 0)
		return rc;
	if (size != 0 && size != sizeof(ret->fingerprint))
		return ingot_raise(err, -EINVAL, "'certificateFingerprint' has %zu bytes", size);
	ret->has_fingerprint = size != 0;
	rc = get_base64(object, "signature", ret_pkcs7, &ret->pkcs7_size, err);
	if (rc < 0)
		return rc;
	ret->pkcs7 = *ret_pkcs7;
	return 0;
}

static int decode(const uint8_t *raw, size_t size, struct ingot_verity_signature *ret,
		  uint8_t **ret_pkcs7, struct ingot_error *err)
{
	JSON json_t *object = NULL;
	json_error_t where;
	size_t length;
	int rc;

	if (size > INGOT_VERITY_SIGNATURE_MAX)
		return ingot_raise(err, -EINVAL, "%zu bytes are too many", size);
	rc = text_size(raw, size, &length, err);
	if (rc < 0)
		return rc;
	rc = ingot_json_parse((const char *)raw, length, &object, &where, err);
	if (rc == -EINVAL)
		return ingot_raise(err, -EINVAL, "line %d, column %d: %s", where.line, where.column,
				   where.text);
	if (rc < 0)
		return rc;
	if (!json_is_object(object))
		return ingot_raise(err, -EINVAL, "not a JSON object");
	return decode_object(object, ret, ret_pkcs7, err);
}

int ingot_verity_signature_decode(const uint8_t *raw, size_t size,
				  struct ingot_verity_signature *ret, uint8_t **ret_pkcs7,
				  struct ingot_error *err)
{
	struct ingot_verity_signature signature = {0};
	int rc = decode(raw, size, &signature, ret_pkcs7, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "verity signature");
	*ret = signature;
	return 0;
}

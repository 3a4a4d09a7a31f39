/* JSON as requests and responses have it. */
#ifndef INGOT_SIGN_REQUEST_INTERNAL_H
#define INGOT_SIGN_REQUEST_INTERNAL_H

#include "sign/request.h"

INGOT_DEFINE_CLEANUP(json_t, request_json, json_decref)
#define REQUEST_JSON INGOT_CLEANUP(request_json_cleanup)

/* A failed value leaves its key out, which request_text finds. */
static inline void request_set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

/* request_json.c: each value of an object, or -EINVAL with the key. Texts belong to the object. */
INGOT_MUST_USE int request_text(const json_t *object, const char *key, const char **ret,
				struct ingot_error *err);
INGOT_MUST_USE int request_copy(const json_t *object, const char *key, char **ret,
				struct ingot_error *err);
INGOT_MUST_USE int request_number(const json_t *object, const char *key, uint64_t max,
				  uint64_t *ret, struct ingot_error *err);
INGOT_MUST_USE int request_digest(const json_t *object, const char *key,
				  uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err);
INGOT_MUST_USE int request_object(const json_t *object, const char *key, const json_t **ret,
				  struct ingot_error *err);
INGOT_MUST_USE int request_parse(const char *what, const char *text, size_t n, json_t **ret,
				 struct ingot_error *err);
INGOT_MUST_USE int request_dump(const json_t *object, char **ret, struct ingot_error *err);
json_t *request_hex(const void *data, size_t n);

/* What requests and responses have in common. */
INGOT_MUST_USE int request_put_head(const struct ingot_sign_request *request, json_t *object,
				    bool with_raw, struct ingot_error *err);
INGOT_MUST_USE int request_put_uki(const struct ingot_request_uki *uki, json_t *object,
				   bool with_raw, struct ingot_error *err);
INGOT_MUST_USE int request_put_raw(const struct ingot_request_signer *signer, json_t *object,
				   struct ingot_error *err);
INGOT_MUST_USE int request_get_raw(const json_t *object, struct ingot_request_signer *ret,
				   struct ingot_error *err);
/* What the base image's UKI and a vendor's have alike: command line, size, room for the signature;
 */
void request_put_room(const struct ingot_request_uki *uki, json_t *object);
INGOT_MUST_USE int request_get_room(const json_t *object, struct ingot_request_uki *uki,
				    struct ingot_error *err);
/* how far the digest is, behind the size; */
void request_put_state(const struct ingot_request_uki *uki, json_t *digest);
INGOT_MUST_USE int request_get_state(const json_t *digest, struct ingot_request_uki *uki,
				     struct ingot_error *err);
/* and the checksum. */
INGOT_MUST_USE int request_get_checksum(const json_t *object, struct ingot_request_uki *uki,
					struct ingot_error *err);
/* request_vendor.c: the list of the vendors' UKIs, if there are any. */
INGOT_MUST_USE int request_put_vendors(const struct ingot_sign_request *request, json_t *object,
				       bool with_raw, struct ingot_error *err);
INGOT_MUST_USE int request_get_vendors(const json_t *object, bool with_raw,
				       struct ingot_sign_request *request, struct ingot_error *err);
INGOT_MUST_USE int request_get_head(const json_t *object, bool with_raw,
				    struct ingot_sign_request *request, struct ingot_error *err);
INGOT_MUST_USE int request_get_uki(const json_t *object, bool with_raw,
				   struct ingot_request_uki *uki, struct ingot_error *err);

#endif

/*
 * GUIDs. In memory always in RFC 4122 byte order, the order of the text. GPT stores
 * the first three fields little-endian (UEFI 2.10, appendix A); ext2 and dm-verity
 * store the RFC's order.
 */
#ifndef INGOT_BASE_GUID_H
#define INGOT_BASE_GUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ingot_guid {
	uint8_t bytes[16];
};

#define INGOT_GUID_TEXT 37

/* "7130c94a-213a-4e5a-8e26-6cce9662f132", lower case. Returns text. */
INGOT_API const char *ingot_guid_text(const struct ingot_guid *guid, char text[INGOT_GUID_TEXT]);
INGOT_API INGOT_MUST_USE int ingot_guid_parse(const char *text, struct ingot_guid *ret,
					      struct ingot_error *err);

/* The mixed-endian form of GPT. */
INGOT_API void ingot_guid_to_gpt(const struct ingot_guid *guid, uint8_t raw[16]);
INGOT_API void ingot_guid_from_gpt(const uint8_t raw[16], struct ingot_guid *ret);

INGOT_API bool ingot_guid_is_zero(const struct ingot_guid *guid);
INGOT_API bool ingot_guid_equal(const struct ingot_guid *a, const struct ingot_guid *b);

#endif

#include "base/guid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *ingot_guid_text(const struct ingot_guid *guid, char text[INGOT_GUID_TEXT])
{
	static const unsigned char groups[] = {4, 2, 2, 2, 6};
	const uint8_t *from = guid->bytes;
	char *to = text;

	for (unsigned g = 0; g < sizeof(groups); g++) {
		ingot_hex(from, groups[g], to);
		from += groups[g];
		to += 2 * groups[g];
		*to++ = '-';
	}
	to[-1] = '\0';
	return text;
}

int ingot_guid_parse(const char *text, struct ingot_guid *ret, struct ingot_error *err)
{
	char hex[33];
	struct ingot_guid guid;
	size_t n = 0, bytes;

	if (strlen(text) != INGOT_GUID_TEXT - 1)
		return ingot_raise(err, -EINVAL, "'%.80s' is not a UUID", text);
	for (unsigned i = 0; i < INGOT_GUID_TEXT - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (text[i] == '-'))
			return ingot_raise(err, -EINVAL, "'%.80s' is not a UUID", text);
		if (!dash)
			hex[n++] = text[i];
	}
	hex[n] = '\0';
	if (ingot_unhex(hex, guid.bytes, sizeof(guid.bytes), &bytes, NULL) < 0)
		return ingot_raise(err, -EINVAL, "'%.80s' is not a UUID", text);
	*ret = guid;
	return 0;
}

/* Swapping the first three fields is its own inverse. */
static void swap_fields(const uint8_t from[16], uint8_t to[16])
{
	static const unsigned char order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (unsigned i = 0; i < sizeof(order); i++)
		to[i] = from[order[i]];
}

void ingot_guid_to_gpt(const struct ingot_guid *guid, uint8_t raw[16])
{
	swap_fields(guid->bytes, raw);
}

void ingot_guid_from_gpt(const uint8_t raw[16], struct ingot_guid *ret)
{
	swap_fields(raw, ret->bytes);
}

bool ingot_guid_is_zero(const struct ingot_guid *guid)
{
	static const struct ingot_guid zero;

	return ingot_guid_equal(guid, &zero);
}

bool ingot_guid_equal(const struct ingot_guid *a, const struct ingot_guid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

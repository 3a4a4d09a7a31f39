#include "fs/acl.h"

#include <errno.h>
#include <stdbool.h>

#include "base/bytes.h"

enum {
	KERNEL_VERSION = 2,
	EXT_VERSION = 1,
	KERNEL_ENTRY = 8,
	TAG_USER = 0x02,
	TAG_GROUP = 0x08,
};

static bool has_id(uint16_t tag)
{
	return tag == TAG_USER || tag == TAG_GROUP;
}

int ingot_acl_to_ext(const void *value, size_t size, uint8_t *out, size_t *ret_size,
		     struct ingot_error *err)
{
	const uint8_t *p = value;
	size_t at = 4;

	if (size < 4 || (size - 4) % KERNEL_ENTRY || ingot_get_le32(p) != KERNEL_VERSION)
		return ingot_raise(err, -EINVAL, "the POSIX ACL is malformed");
	ingot_put_le32(out, EXT_VERSION);
	for (size_t i = 4; i < size; i += KERNEL_ENTRY) {
		uint16_t tag = ingot_get_le16(p + i);

		ingot_put_le16(out + at, tag);
		ingot_put_le16(out + at + 2, ingot_get_le16(p + i + 2));
		at += 4;
		if (has_id(tag)) {
			ingot_put_le32(out + at, ingot_get_le32(p + i + 4));
			at += 4;
		}
	}
	*ret_size = at;
	return 0;
}

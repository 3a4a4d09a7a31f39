#include "fs/fat_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

static INGOT_MUST_USE int bad_name(struct ingot_error *err, const char *text, size_t n,
				   const char *why)
{
	char shown[128];

	return ingot_raise(err, -EINVAL, "FAT name '%s': %s",
			   ingot_printable(text, n, shown, sizeof(shown)), why);
}

/* --- UTF-8 to UTF-16 (RFC 3629, RFC 2781) ------------------------------ */

/* One character at p, n > 0 bytes left. Returns its length, 0: not UTF-8. */
static size_t decode(const unsigned char *p, size_t n, uint32_t *ret)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : 4;
	uint32_t c = p[0];

	if (length == 4 && p[0] >> 3 != 30)
		return 0;
	if (length > n)
		return 0;
	if (length > 1)
		c &= 0xffU >> (length + 1);
	for (size_t i = 1; i < length; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return length;
}

static bool is_forbidden(uint32_t c)
{
	return c < 0x20 || c == 0x7f || (c < 0x80 && strchr("\"*/:<>?\\|", (int)c));
}

static int to_units(const char *text, size_t n, struct fat_name *name, struct ingot_error *err)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + n;

	while (p < end) {
		uint32_t c;
		size_t length = decode(p, (size_t)(end - p), &c);
		size_t need = length == 4 ? 2 : 1;

		if (length == 0)
			return bad_name(err, text, n, "not UTF-8");
		if (is_forbidden(c))
			return bad_name(err, text, n, "a character that FAT does not allow");
		if (name->count + need > FAT_NAME_UNITS)
			return bad_name(err, text, n, "longer than 255 UTF-16 units");
		if (need == 2) {
			c -= 0x10000;
			name->units[name->count++] = (uint16_t)(0xd800 + (c >> 10));
			c = 0xdc00 + (c & 0x3ff);
		}
		name->units[name->count++] = (uint16_t)c;
		p += length;
	}
	return 0;
}

static uint16_t upper(uint16_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7) ||
	    (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) || (c >= 0x430 && c <= 0x44f))
		return (uint16_t)(c - 0x20);
	if (c >= 0x450 && c <= 0x45f)
		return (uint16_t)(c - 0x50);
	return c;
}

void ingot_fat_name_fold(struct fat_name *name)
{
	for (size_t i = 0; i < name->count; i++)
		name->units[i] = upper(name->units[i]);
}

/* --- short names ------------------------------------------------------- */

/* Besides A-Z and 0-9 (fatgen103, "FAT Directory Structure"). */
static bool is_short_char(uint16_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c > 0x20 && c < 0x7f && strchr("$%'-_@~`!(){}^#&", c));
}

/*
 * units[0 .. n) into `room` bytes: upper case, blanks and dots left out, a foreign character
 * becomes '_'. Returns whether all of it is there unchanged but for its case.
 */
static bool squeeze(const uint16_t *units, size_t n, uint8_t *bytes, size_t room)
{
	bool exact = true;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		uint16_t c = units[i] < 0x80 ? upper(units[i]) : units[i];

		if (c == ' ' || c == '.' || used == room) {
			exact = false;
			continue;
		}
		exact = exact && is_short_char(c);
		bytes[used++] = is_short_char(c) ? (uint8_t)c : '_';
	}
	return exact;
}

/* The place of the last dot, or count; leading dots do not start an extension. */
static size_t last_dot(const struct fat_name *name)
{
	size_t start = 0, dot = name->count;

	while (start < name->count && name->units[start] == '.')
		start++;
	for (size_t i = start; i < name->count; i++)
		if (name->units[i] == '.')
			dot = i;
	return dot;
}

static void make_basis(struct fat_name *name)
{
	size_t dot = last_dot(name);

	memset(name->basis, ' ', sizeof(name->basis));
	name->exact = squeeze(name->units, dot, name->basis, 8);
	if (dot < name->count &&
	    !squeeze(name->units + dot + 1, name->count - dot - 1, name->basis + 8, 3))
		name->exact = false;
	name->is_short = name->exact;
	for (size_t i = 0; i < name->count; i++)
		if (name->units[i] >= 'a' && name->units[i] <= 'z')
			name->is_short = false;
}

int ingot_fat_name(const char *text, size_t n, struct fat_name *ret, struct ingot_error *err)
{
	struct fat_name name = {0};
	int rc;

	if (n == 0)
		return ingot_raise(err, -EINVAL, "FAT name '': empty");
	if (text[n - 1] == '.' || text[n - 1] == ' ' || text[0] == ' ')
		return bad_name(err, text, n, "begins or ends in a blank, or ends in a dot");
	rc = to_units(text, n, &name, err);
	if (rc < 0)
		return rc;
	make_basis(&name);
	*ret = name;
	return 0;
}

void ingot_fat_tail(const uint8_t basis[FAT_SHORT_NAME], unsigned number,
		    uint8_t ret[FAT_SHORT_NAME])
{
	char tail[12];
	size_t n = (size_t)snprintf(tail, sizeof(tail), "~%u", number), used = 0;

	while (used < 8 && basis[used] != ' ')
		used++;
	if (used > 8 - n)
		used = 8 - n;
	memcpy(ret, basis, FAT_SHORT_NAME);
	memcpy(ret + used, tail, n);
}

/* --- long names (fatgen103, "FAT Long Directory Entries") -------------- */

unsigned ingot_fat_name_entries(const struct fat_name *name)
{
	return 1 + (name->is_short ? 0 : (unsigned)ingot_div_up(name->count, FAT_LONG_PIECE));
}

static uint8_t checksum(const uint8_t short_name[FAT_SHORT_NAME])
{
	uint8_t sum = 0;

	for (size_t i = 0; i < FAT_SHORT_NAME; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
	return sum;
}

/* Unit i of the name, then one zero, then ones. */
static uint16_t padded_unit(const struct fat_name *name, size_t i)
{
	if (i < name->count)
		return name->units[i];
	return i == name->count ? 0 : 0xffff;
}

void ingot_fat_put_long(const struct fat_name *name, const uint8_t short_name[FAT_SHORT_NAME],
			uint8_t *entries)
{
	static const uint8_t places[FAT_LONG_PIECE] = {1,  3,  5,  7,  9,  14, 16,
						       18, 20, 22, 24, 28, 30};
	unsigned count = ingot_fat_name_entries(name) - 1;

	for (unsigned order = count; order > 0; order--, entries += FAT_ENTRY_SIZE) {
		memset(entries, 0, FAT_ENTRY_SIZE);
		entries[0] = (uint8_t)(order | (order == count ? 0x40 : 0));
		entries[11] = FAT_ATTR_LONG;
		entries[13] = checksum(short_name);
		for (size_t i = 0; i < FAT_LONG_PIECE; i++)
			ingot_put_le16(entries + places[i],
				       padded_unit(name, (order - 1) * FAT_LONG_PIECE + i));
	}
}

/* --- label ------------------------------------------------------------- */

int ingot_fat_label(const char *label, uint8_t ret[FAT_SHORT_NAME], struct ingot_error *err)
{
	size_t n = label ? strlen(label) : 0;

	memcpy(ret, "NO NAME    ", FAT_SHORT_NAME);
	if (n == 0)
		return 0;
	if (n > FAT_SHORT_NAME)
		return ingot_raise(err, -EINVAL, "FAT label '%.80s': longer than %d bytes", label,
				   FAT_SHORT_NAME);
	if (label[0] == ' ' || label[n - 1] == ' ')
		return ingot_raise(err, -EINVAL, "FAT label '%s': begins or ends in a blank",
				   label);
	memset(ret, ' ', FAT_SHORT_NAME);
	for (size_t i = 0; i < n; i++) {
		uint16_t c = upper((unsigned char)label[i]);

		if (c != ' ' && !is_short_char(c))
			return bad_name(err, label, n, "a character that a label may not have");
		ret[i] = (uint8_t)c;
	}
	return 0;
}

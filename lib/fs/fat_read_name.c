#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "fs/fat_read_internal.h"

/* fatgen103, "FAT Long Directory Entries". */

enum {
	PIECE_LAST = 0x40, /* the name's end; stands first on the disk */
	PIECE_NUMBER = 0x3f,
	PIECES_MAX = 20,
	PIECE_UNITS = 13,
	NAME_UNITS = 255,
	LOWER_BASE = 0x08, /* byte 12, as Windows NT and Linux write it */
	LOWER_EXTENSION = 0x10,
};

static uint8_t short_checksum(const unsigned char *e)
{
	uint8_t sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (uint8_t)(((sum & 1) << 7) + (sum >> 1) + e[i]);
	return sum;
}

void ingot_fat_take_piece(struct fat_long *name, const unsigned char e[32])
{
	static const unsigned char at[] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	unsigned number = e[0] & PIECE_NUMBER;

	if (e[0] & PIECE_LAST) {
		memset(name, 0, sizeof(*name));
		name->expected = number;
		name->checksum = e[13];
	}
	if (number == 0 || number > PIECES_MAX || number != name->expected ||
	    e[13] != name->checksum) {
		memset(name, 0, sizeof(*name));
		return;
	}
	for (size_t i = 0; i < PIECE_UNITS; i++)
		name->units[(number - 1) * PIECE_UNITS + i] = ingot_get_le16(e + at[i]);
	name->expected--;
	name->whole = name->expected == 0;
}

static bool is_high(uint32_t unit)
{
	return unit >> 10 == 0xd800 >> 10;
}

static bool is_low(uint32_t unit)
{
	return unit >> 10 == 0xdc00 >> 10;
}

static size_t to_utf8(const uint16_t *units, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < NAME_UNITS && units[i]; i++) {
		uint32_t c = units[i];

		if (is_high(c) && i + 1 < NAME_UNITS && is_low(units[i + 1]))
			c = 0x10000 + ((c & 0x3ff) << 10) + (units[++i] & 0x3ffU);
		else if (ingot_is_control(c) || c == '/')
			c = '?';
		at += ingot_utf8_encode(c, out + at);
	}
	return at;
}

/* One of the two parts of a short name, without the blanks at its end. */
static size_t short_part(const unsigned char *from, size_t n, bool lower, char *out)
{
	while (n > 0 && from[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = from[i];

		if (c < 0x20 || c >= 0x7f || c == '/')
			c = '?'; /* some code page, nobody knows which */
		else if (lower && c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 'a' - 'A');
		out[i] = (char)c;
	}
	return n;
}

static size_t short_name(const unsigned char *e, char *out)
{
	size_t n = short_part(e, 8, e[12] & LOWER_BASE, out);
	size_t extension = short_part(e + 8, 3, e[12] & LOWER_EXTENSION, out + n + 1);

	if (extension == 0)
		return n;
	out[n] = '.';
	return n + 1 + extension;
}

static bool is_usable(const char *text, size_t n)
{
	return n > 0 && !(n == 1 && text[0] == '.') && !(n == 2 && memcmp(text, "..", 2) == 0);
}

size_t ingot_fat_entry_name(const struct fat_long *name, const unsigned char e[32],
			    char text[FAT_TEXT_MAX])
{
	size_t n = 0;

	if (name->whole && name->checksum == short_checksum(e))
		n = to_utf8(name->units, text);
	if (!is_usable(text, n))
		n = short_name(e, text);
	if (!is_usable(text, n)) {
		text[0] = '?';
		n = 1;
	}
	text[n] = '\0';
	return n;
}

#include "fs/fat_check_internal.h"

#include <string.h>

/* Names of entries (fatgen103, "FAT Directory Structure", "FAT Long Directory Entries"). */

enum { PIECE_LAST = 0x40, PIECES_MAX = 20, PIECE_UNITS = 13, UNITS_MAX = 255 };

static const uint8_t PLACES[PIECE_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

static uint8_t checksum(const unsigned char *e)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < FATC_SHORT; i++)
		sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + e[i]);
	return sum;
}

const char *fatc_long_piece(struct fat_checker *c, struct fatc_long *name, const unsigned char *e)
{
	unsigned number = e[0] & ~(unsigned)PIECE_LAST;
	const char *bad = NULL;

	if (e[0] & PIECE_LAST) {
		if (name->pending)
			bad = "a long name that belongs to nothing";
		*name = (struct fatc_long){.next = number, .checksum = e[13], .count = number};
	}
	if (number == 0 || number > PIECES_MAX || number != name->next) {
		*name = (struct fatc_long){0};
		return "a long name whose pieces are out of order";
	}
	if (e[13] != name->checksum)
		bad = "a long name of two checksums";
	if (e[12] != 0 || ingot_get_le16(e + 26) != 0 || (c->ours && e[11] != 0x0f))
		bad = "a long name with fields that must be zero";
	for (size_t i = 0; i < PIECE_UNITS; i++)
		name->units[(number - 1) * PIECE_UNITS + i] = ingot_get_le16(e + PLACES[i]);
	name->next = number - 1;
	name->pending = true;
	return bad;
}

static bool is_forbidden(uint16_t unit)
{
	return unit < 0x20 || (unit < 0x80 && strchr("\"*/:<>?\\|", unit));
}

/* The units end in one zero, if there is room, and then in ones. */
static const char *check_units(const struct fatc_long *name, uint64_t *ret_hash)
{
	size_t room = (size_t)name->count * PIECE_UNITS, n = 0;
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	while (n < room && name->units[n] != 0)
		n++;
	if (n == 0 || n > UNITS_MAX)
		return "a long name of a length that none has";
	if (n + PIECE_UNITS <= room)
		return "a long name with an empty piece";
	for (size_t i = n + 1; i < room; i++)
		if (name->units[i] != 0xffff)
			return "a long name with something behind its end";
	for (size_t i = 0; i < n; i++) {
		uint16_t unit = name->units[i];

		if (is_forbidden(unit))
			return "a long name with a character that none has";
		if (unit >= 'a' && unit <= 'z')
			unit = (uint16_t)(unit - 'a' + 'A');
		hash = (hash ^ unit) * UINT64_C(1099511628211);
	}
	*ret_hash = hash;
	return NULL;
}

const char *fatc_long_end(struct fatc_long *name, const unsigned char *e, uint64_t *ret_hash)
{
	const char *bad;

	*ret_hash = 0;
	if (!name->pending)
		return NULL;
	if (name->next != 0)
		bad = "a long name that lacks pieces";
	else if (name->checksum != checksum(e))
		bad = "a long name whose checksum is not that of the short one";
	else
		bad = check_units(name, ret_hash);
	*name = (struct fatc_long){0};
	return bad;
}

static bool is_short(unsigned char byte)
{
	return byte > 0x20 && byte != 0x7f && !(byte >= 'a' && byte <= 'z') &&
	       !strchr("\"*+,./:;<=>?[\\]|", byte);
}

/* Bytes, then blanks. */
static bool is_part(const unsigned char *p, size_t n)
{
	size_t end = n;

	while (end > 0 && p[end - 1] == ' ')
		end--;
	for (size_t i = 0; i < end; i++)
		if (!is_short(p[i]) && p[i] != ' ')
			return false;
	return true;
}

const char *fatc_short_name(const unsigned char *e)
{
	unsigned char first = e[0] == 0x05 ? 0xe5 : e[0];

	if (!is_short(first) || !is_part(e + 1, 7) || !is_part(e + 8, 3))
		return "a short name with a character that none has";
	return NULL;
}

static size_t copy_part(const unsigned char *p, size_t n, char *text)
{
	while (n > 0 && p[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < n; i++)
		text[i] = p[i] < 0x20 || p[i] >= 0x7f ? '?' : (char)p[i];
	return n;
}

size_t fatc_name_text(const unsigned char *e, char text[16])
{
	size_t n = copy_part(e, 8, text), extension = copy_part(e + 8, 3, text + n + 1);

	if (extension) {
		text[n] = '.';
		n += 1 + extension;
	}
	text[n] = '\0';
	return n;
}

#include "formats/ustar_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/*
 *	  0 100  name			136  12  time			257   6  "ustar\0"
 *	100   8  mode			148   8  sum of all bytes,	263   2  "00"
 *	108   8  user			         these as blanks	265  32  user's name
 *	116   8  group			156   1  kind, '0': a file	297  32  group's name
 *	124  12  size			157 100  link			345 155  prefix
 */
enum { NAME = 0, MODE = 100, UID = 108, GID = 116, SIZE = 124, TIME = 136, SUM = 148, KIND = 156 };
enum { MAGIC = 257, VERSION = 263, MAJOR = 329, MINOR = 337 };

static unsigned sum_of(const unsigned char header[USTAR_BLOCK])
{
	unsigned sum = 0;

	for (size_t i = 0; i < USTAR_BLOCK; i++)
		sum += i >= SUM && i < SUM + 8 ? ' ' : header[i];
	return sum;
}

/* Octal with leading zeros and a NUL behind. */
static void put_octal(unsigned char *field, size_t width, uint64_t value)
{
	field[width - 1] = '\0';
	for (size_t i = width - 1; i-- > 0; value >>= 3)
		field[i] = (unsigned char)('0' + (value & 7));
}

int ingot_ustar_header(const char *name, uint64_t size, unsigned char h[USTAR_BLOCK],
		       struct ingot_error *err)
{
	size_t n = strlen(name);

	if (n > USTAR_NAME_MAX)
		return ingot_raise(err, -ENAMETOOLONG, "'%s': a name in a tar has at most %d bytes",
				   name, USTAR_NAME_MAX);
	if (size > USTAR_SIZE_MAX)
		return ingot_raise(err, -EFBIG, "'%s' would have %llu bytes, a USTAR holds 8 GiB",
				   name, (unsigned long long)size);
	memset(h, 0, USTAR_BLOCK);
	memcpy(h + NAME, name, n);
	put_octal(h + MODE, 8, 0644);
	put_octal(h + UID, 8, 0);
	put_octal(h + GID, 8, 0);
	put_octal(h + SIZE, 12, size);
	put_octal(h + TIME, 12, 0);
	h[KIND] = '0';
	memcpy(h + MAGIC, "ustar", 6);
	memcpy(h + VERSION, "00", 2);
	put_octal(h + MAJOR, 8, 0);
	put_octal(h + MINOR, 8, 0);
	put_octal(h + SUM, 7, sum_of(h));
	h[SUM + 7] = ' ';
	return 0;
}

/* --- reading ----------------------------------------------------------- */

/* Blanks, octal digits, and a blank or NUL behind them unless the field is full. */
static bool get_octal(const unsigned char *field, size_t width, uint64_t *ret)
{
	size_t i = 0;

	*ret = 0;
	while (i < width && field[i] == ' ')
		i++;
	if (i == width || field[i] < '0' || field[i] > '7')
		return false;
	for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
		*ret = *ret << 3 | (uint64_t)(field[i] - '0');
	return i == width || field[i] == '\0' || field[i] == ' ';
}

/* GNU's numbers past eleven digits: a bit, then 95 bits big-endian. */
bool ingot_ustar_number(const unsigned char field[12], uint64_t *ret)
{
	if (field[0] != 0x80)
		return get_octal(field, 12, ret);
	*ret = 0;
	for (size_t i = 1; i < 12; i++) {
		if (*ret >> 55)
			return false;
		*ret = *ret << 8 | field[i];
	}
	return true;
}

static bool is_zero(const unsigned char h[USTAR_BLOCK])
{
	return h[0] == 0 && memcmp(h, h + 1, USTAR_BLOCK - 1) == 0;
}

int ingot_ustar_parse(const unsigned char h[USTAR_BLOCK], struct ingot_ustar_member *ret,
		      struct ingot_error *err)
{
	uint64_t sum;

	if (is_zero(h))
		return 0;
	if (!get_octal(h + SUM, 8, &sum) || sum != sum_of(h))
		return ingot_raise(err, -EBADMSG, "a tar header's checksum is wrong");
	if (!ingot_ustar_number(h + SIZE, &ret->size))
		return ingot_raise(err, -EBADMSG, "a tar header's size is no number");
	memcpy(ret->name, h + NAME, USTAR_NAME_MAX);
	ret->name[USTAR_NAME_MAX] = '\0';
	ret->is_file = h[KIND] == '0' || h[KIND] == '\0';
	return 1;
}

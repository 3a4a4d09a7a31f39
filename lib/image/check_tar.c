/* Headers of tar archives: 0 name, 124 size, 148 checksum, 156 type, 257 magic and version. */
#include <string.h>

#include "base/bytes.h"
#include "image/check_internal.h"

enum { BLOCK = 512 };

/* Octal digits between blanks, or GNU's numbers with the top bit set; false: neither. */
static bool number(const unsigned char *field, size_t n, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	if (field[0] & 0x80) {
		for (size_t k = 1; k < n; k++) {
			if (value >> 55)
				return false;
			value = value << 8 | field[k];
		}
		*ret = value;
		return field[0] == 0x80;
	}
	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	*ret = value;
	return i == n || field[i] == '\0' || field[i] == ' ';
}

/* Of all bytes, those of the checksum taken as blanks. */
static uint64_t sum(const unsigned char header[BLOCK])
{
	uint64_t total = 0;

	for (size_t i = 0; i < BLOCK; i++)
		total += i >= 148 && i < 156 ? ' ' : header[i];
	return total;
}

int check_tar_header(const unsigned char header[BLOCK], struct check_member *ret)
{
	static const unsigned char zero[BLOCK];
	uint64_t checksum = 0;

	if (memcmp(header, zero, BLOCK) == 0)
		return 0;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name, header, 100);
	ret->type = (char)header[156];
	ret->ustar = memcmp(header + 257,
			    "ustar\0"
			    "00",
			    8) == 0;
	ret->oldgnu = memcmp(header + 257, "ustar  \0", 8) == 0;
	ret->checksum_ok = number(header + 148, 8, &checksum) && checksum == sum(header);
	return number(header + 124, 12, &ret->size) ? 1 : -1;
}

size_t check_tar_list(struct ingot_source *file, struct check_member *members, size_t max,
		      uint64_t *ret_end)
{
	unsigned char header[BLOCK];
	uint64_t at = 0;
	size_t count = 0;

	while (count < max && ingot_in_range(at, BLOCK, file->size)) {
		struct check_member *m = &members[count];

		if (ingot_source_read(file, at, header, BLOCK, NULL) < 0 ||
		    check_tar_header(header, m) != 1 || !m->checksum_ok)
			break;
		m->offset = at + BLOCK;
		if (!ingot_in_range(m->offset, m->size, file->size))
			break;
		count++;
		at = m->offset + m->size;
		if (at > UINT64_MAX - BLOCK)
			break;
		at = ingot_round_up(at, BLOCK);
	}
	*ret_end = at;
	return count;
}

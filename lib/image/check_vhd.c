/*
 * VHD (Microsoft, Virtual Hard Disk Image Format Specification 1.0). Big-endian. The footer's
 * fields: 0 cookie, 8 features, 12 version, 16 data offset, 28 creator, 40 and 48 sizes, 56
 * geometry, 60 type, 64 checksum, 68 unique id. A VHD that grows begins with a copy of it, and its
 * header has: 0 cookie, 16 table, 24 version, 28 entries, 32 block size, 36 checksum.
 */
#include <string.h>

#include "base/bytes.h"
#include "image/check_internal.h"

enum { FOOTER = 512, HEADER = 1024, FIXED = 2, DYNAMIC = 3 };

/* The complement of the sum of all bytes but those of the checksum itself. */
static uint32_t checksum(const unsigned char *bytes, size_t n, size_t at)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (i < at || i >= at + 4)
			sum += bytes[i];
	return ~sum;
}

/* The geometry that a disk of so many sectors gets (appendix, "CHS calculation"). */
static uint32_t geometry(uint64_t sectors)
{
	uint32_t heads, per_track, tracks; /* tracks: cylinders times heads */

	if (sectors > 65535u * 16 * 255)
		sectors = 65535u * 16 * 255;
	per_track = 255;
	heads = 16;
	tracks = (uint32_t)(sectors / per_track);
	if (sectors < 65535u * 16 * 63) {
		per_track = 17;
		tracks = (uint32_t)(sectors / per_track);
		heads = (tracks + 1023) / 1024;
		heads = heads < 4 ? 4 : heads;
		if (tracks >= heads * 1024 || heads > 16) {
			per_track = 31;
			heads = 16;
			tracks = (uint32_t)(sectors / per_track);
		}
		if (tracks >= heads * 1024) {
			per_track = 63;
			heads = 16;
			tracks = (uint32_t)(sectors / per_track);
		}
	}
	return tracks / heads << 16 | heads << 8 | per_track;
}

/* What both kinds have. */
static void check_footer(struct checker *c, const unsigned char *footer, uint32_t type)
{
	uint32_t chs = ingot_get_be32(footer + 56);
	uint64_t size = ingot_get_be64(footer + 48);
	uint32_t formula = geometry(size / 512);

	check_number(c, "disk type", type, ingot_get_be32(footer + 60));
	check_hex(c, "checksum", checksum(footer, FOOTER, 64), ingot_get_be32(footer + 64));
	check_hex(c, "version", 0x00010000, ingot_get_be32(footer + 12));
	check_number(c, "features", 2, ingot_get_be32(footer + 8));
	check_add(c, "creator", memcmp(footer + 28, "\0\0\0\0", 4) != 0, "not empty",
		  SAY("'%.4s'", footer + 28));
	check_number(c, "original size", size, ingot_get_be64(footer + 40));
	/* One that hides the exact size says the largest there is, as QEMU's force_size does. */
	check_add(
		c, "geometry", chs == formula || chs == 0xffff10ff,
		SAY("%u/%u/%u, or 65535/16/255", formula >> 16, formula >> 8 & 255, formula & 255),
		SAY("%u/%u/%u", chs >> 16, chs >> 8 & 255, chs & 255));
	check_add(c, "unique id", memcmp(footer + 68, (unsigned char[16]){0}, 16) != 0, "not zero",
		  SAY("%08x...", ingot_get_be32(footer + 68)));
}

/* The last 512 bytes; false after a line. */
static bool read_footer(struct checker *c, unsigned char *footer)
{
	if (c->file->size < FOOTER) {
		check_add(c, "cookie", false, "conectix", "a file shorter than a footer");
		return false;
	}
	if (!check_read(c, c->file, c->file->size - FOOTER, footer, FOOTER, "footer"))
		return false;
	check_add(c, "cookie", memcmp(footer, "conectix", 8) == 0, "conectix",
		  memcmp(footer, "conectix", 8) == 0 ? "conectix" : "something else");
	return memcmp(footer, "conectix", 8) == 0;
}

void check_vhd_fixed(struct checker *c, const struct ingot_check_rule *rule)
{
	unsigned char footer[FOOTER];

	(void)rule;
	if (!read_footer(c, footer))
		return;
	check_footer(c, footer, FIXED);
	check_add(c, "file size", ingot_get_be64(footer + 48) == c->file->size - FOOTER,
		  SAY("%llu and 512 bytes", (unsigned long long)ingot_get_be64(footer + 48)),
		  SAY("%llu bytes", (unsigned long long)c->file->size));
	check_add(c, "data offset", ingot_get_be64(footer + 16) == UINT64_MAX, "all ones",
		  SAY("0x%llx", (unsigned long long)ingot_get_be64(footer + 16)));
}

static void check_header(struct checker *c, const unsigned char *header, uint64_t disk_size)
{
	uint32_t entries = ingot_get_be32(header + 28), block = ingot_get_be32(header + 32);
	uint64_t table = ingot_get_be64(header + 16);

	check_add(c, "header cookie", memcmp(header, "cxsparse", 8) == 0, "cxsparse",
		  memcmp(header, "cxsparse", 8) == 0 ? "cxsparse" : "something else");
	check_hex(c, "header checksum", checksum(header, HEADER, 36), ingot_get_be32(header + 36));
	check_hex(c, "header version", 0x00010000, ingot_get_be32(header + 24));
	check_add(c, "block size", block >= 512 && ingot_is_power_of_two(block),
		  "a power of two, 512 or more", SAY("%u", block));
	check_add(c, "blocks", block && entries >= ingot_div_up(disk_size, block),
		  SAY("enough for %llu bytes", (unsigned long long)disk_size), SAY("%u", entries));
	check_add(c, "block table",
		  table % 512 == 0 && table >= FOOTER + HEADER &&
			  ingot_in_range(table, (uint64_t)entries * 4, c->file->size - FOOTER),
		  "in the file, at a whole sector",
		  SAY("%u entries at %llu", entries, (unsigned long long)table));
}

void check_vhd_dynamic(struct checker *c, const struct ingot_check_rule *rule)
{
	unsigned char footer[FOOTER], copy[FOOTER], header[HEADER];
	uint64_t at;

	(void)rule;
	if (!read_footer(c, footer))
		return;
	check_footer(c, footer, DYNAMIC);
	if (check_read(c, c->file, 0, copy, FOOTER, "copy of the footer"))
		check_add(c, "copy of the footer", memcmp(copy, footer, FOOTER) == 0, "the same",
			  memcmp(copy, footer, FOOTER) == 0 ? "the same" : "different");
	at = ingot_get_be64(footer + 16);
	check_number(c, "data offset", FOOTER, at);
	if (check_read(c, c->file, at, header, HEADER, "header"))
		check_header(c, header, ingot_get_be64(footer + 48));
}

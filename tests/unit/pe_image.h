/* A small but whole EFI program, for tests to break. */
#ifndef INGOT_TESTS_PE_IMAGE_H
#define INGOT_TESTS_PE_IMAGE_H

#include <string.h>

#include "base/bytes.h"

enum {
	PE_AT = 0x80,		       /* "PE\0\0" */
	COFF_AT = PE_AT + 4,	       /* machine, sections, ... */
	OPT_AT = COFF_AT + 20,	       /* optional header */
	DIRECTORIES_AT = OPT_AT + 112, /* 16 of them */
	TABLE_AT = DIRECTORIES_AT + 128,
	PE_IMAGE_MAX = 4096,
};

static inline void pe_put_section(uint8_t *p, const char *name, uint32_t address, uint32_t raw)
{
	strncpy((char *)p, name, 8);
	ingot_put_le32(p + 8, 0x123); /* in memory */
	ingot_put_le32(p + 12, address);
	ingot_put_le32(p + 16, 0x200); /* in the file */
	ingot_put_le32(p + 20, raw);
	ingot_put_le32(p + 36, 0x60000020);
}

/*
 * .text at 0x1000 and .sbat at 0x2000, 512 bytes each, behind `headers` bytes of headers.
 * Returns the size of the file.
 */
static inline size_t pe_image(uint8_t p[PE_IMAGE_MAX], uint16_t machine, uint32_t headers)
{
	memset(p, 0, PE_IMAGE_MAX);
	memcpy(p, "MZ", 2);
	ingot_put_le32(p + 60, PE_AT);
	memcpy(p + PE_AT, "PE\0\0", 4);
	ingot_put_le16(p + COFF_AT, machine);
	ingot_put_le16(p + COFF_AT + 2, 2);
	ingot_put_le16(p + COFF_AT + 16, 240);
	ingot_put_le16(p + OPT_AT, 0x20b);
	ingot_put_le32(p + OPT_AT + 4, 0x200);
	ingot_put_le32(p + OPT_AT + 8, 0x200);
	ingot_put_le32(p + OPT_AT + 32, 0x1000);
	ingot_put_le32(p + OPT_AT + 36, 0x200);
	ingot_put_le32(p + OPT_AT + 56, 0x3000);
	ingot_put_le32(p + OPT_AT + 60, headers);
	ingot_put_le32(p + OPT_AT + 64, 0xc0ffee); /* checksum */
	ingot_put_le16(p + OPT_AT + 68, 10);
	ingot_put_le32(p + OPT_AT + 108, 16);
	pe_put_section(p + TABLE_AT, ".text", 0x1000, headers);
	pe_put_section(p + TABLE_AT + 40, ".sbat", 0x2000, headers + 0x200);
	memset(p + headers, 'T', 0x123);
	memset(p + headers + 0x200, 'S', 0x123);
	return headers + 0x400;
}

#endif

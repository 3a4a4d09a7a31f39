/* Headers of USTAR archives (POSIX.1-1988): files of root's, mode 0644, of no time. */
#ifndef INGOT_FORMATS_USTAR_INTERNAL_H
#define INGOT_FORMATS_USTAR_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum {
	USTAR_BLOCK = 512,
	USTAR_NAME_MAX = 100,
	USTAR_END = 2 * USTAR_BLOCK, /* zeros behind the last member */
};

/* Bytes of the largest member: eleven octal digits. */
#define USTAR_SIZE_MAX ((UINT64_C(1) << 33) - 1)

/* -EFBIG, -ENAMETOOLONG. */
INGOT_MUST_USE int ingot_ustar_header(const char *name, uint64_t size,
				      unsigned char header[USTAR_BLOCK], struct ingot_error *err);

/* A member's header as it stands in an archive of any dialect. */
struct ingot_ustar_member {
	char name[USTAR_NAME_MAX + 1];
	uint64_t size;
	bool is_file; /* a plain file, and not a link, a folder or an extension */
};

/* A number field of 12 bytes: octal, or GNU's base 256. False: it is none. */
bool ingot_ustar_number(const unsigned char field[12], uint64_t *ret);

/* 1: a member; 0: a block of zeros, the end. -EBADMSG: neither. */
INGOT_MUST_USE int ingot_ustar_parse(const unsigned char header[USTAR_BLOCK],
				     struct ingot_ustar_member *ret, struct ingot_error *err);

#endif

/*
 * VHD, Microsoft's Virtual Hard Disk Image Format Specification 1.0. Everything is big-endian.
 *
 * A footer of 512 bytes ends every file; one that grows begins with a copy of it.
 *
 *	 0  8  "conectix"
 *	 8  4  features, 2
 *	12  4  version, 0x00010000
 *	16  8  header of one that grows, or all ones
 *	24  4  seconds since 2000
 *	28  4  creator
 *	32  4  its version
 *	36  4  its system, "Wi2k"
 *	40  8  size
 *	48  8  current size
 *	56  2  cylinders
 *	58  1  heads
 *	59  1  sectors of a track
 *	60  4  kind: 2 fixed, 3 grows, 4 differencing
 *	64  4  checksum
 *	68 16  identifier
 *	84  1  saved state
 *	85     zero
 *
 * The header of one that grows has 1024 bytes:
 *
 *	  0  8  "cxsparse"				 28  4  entries of the table
 *	  8  8  all ones				 32  4  size of a block
 *	 16  8  block allocation table			 36  4  checksum
 *	 24  4  version, 0x00010000			 40     about a parent, zero
 *
 * The table has the sector (32 bits) of each block or all ones. A block starts with a bit for each
 * of its sectors, in whole sectors: what is 0 was never written.
 */
#ifndef INGOT_FORMATS_VHD_INTERNAL_H
#define INGOT_FORMATS_VHD_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/derive.h"

enum {
	VHD_FOOTER = 512,
	VHD_HEADER = 1024,
	VHD_SECTOR = 512,
	VHD_FIXED = 2,
	VHD_GROWS = 3,
	VHD_DIFFERENCING = 4,
	VHD_FOOTER_SUM = 64, /* where the checksum is */
	VHD_HEADER_SUM = 36,
};

#define VHD_ABSENT UINT32_MAX

/* The ones' complement of the sum of all bytes, the four at `at` taken as zero. */
uint32_t ingot_vhd_checksum(const unsigned char *data, size_t n, size_t at);

/* The footer of a disk of that many bytes; header: where it is, UINT64_MAX for a fixed size. */
void ingot_vhd_make_footer(uint64_t size, uint64_t header, const struct ingot_guid *guid,
			   unsigned char footer[VHD_FOOTER]);

#endif

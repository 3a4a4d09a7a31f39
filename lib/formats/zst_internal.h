/* What our Zstandard files have beside RFC 8878's frames; little-endian. */
#ifndef INGOT_FORMATS_ZST_INTERNAL_H
#define INGOT_FORMATS_ZST_INTERNAL_H

#include <stdint.h>

/* In a frame's fifth byte: a checksum of 4 bytes, the low half of XXH64, ends it. */
enum { INGOT_ZST_CHECKSUM = 1 << 2 };

#define INGOT_ZST_MAGIC	    UINT32_C(0xfd2fb528)
#define INGOT_ZST_SKIPPABLE UINT32_C(0x184d2a50) /* and 15 more */

/*
 * A skippable frame behind the first one:
 *
 *	0  5a 2a 4d 18     magic		 8  "ingot" 00 00 00
 *	4  10 00 00 00     bytes that follow	16  size of the disk, u64
 */
enum { INGOT_ZST_SIZE_MAGIC = 0x184d2a5a, INGOT_ZST_SIZE_FRAME = 24 };
#define INGOT_ZST_SIZE_NAME "ingot\0\0"

/*
 * The seek table (zstd's contrib/seekable_format), a skippable frame at the end:
 *
 *	0  5e 2a 4d 18     magic		 8  an entry for each frame: its bytes, packed and
 *	4  u32             bytes that follow	    unpacked, u32 each
 *						    frames, u32; 00; b1 ea 92 8f
 */
enum {
	INGOT_ZST_TABLE_MAGIC = 0x184d2a5e,
	INGOT_ZST_ENTRY = 8,
	INGOT_ZST_TABLE_FOOT = 9,
	INGOT_ZST_TABLE_MAX = 1 << 20, /* more frames have no table */
};
#define INGOT_ZST_FOOT_MAGIC UINT32_C(0x8f92eab1)

#endif

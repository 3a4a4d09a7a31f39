/*
 * VHDX ([MS-VHDX]). Everything is little-endian; checksums are CRC-32C of the whole structure, with
 * zero in their own place.
 *
 *	     0        "vhdxfile", 512 bytes of creator in UTF-16
 *	 64 KiB 4 KiB header, and 128 KiB a second one: that with the higher sequence number counts
 *	192 KiB 64 KiB region table, and 256 KiB its copy
 *	  1 MiB       regions and blocks, all in whole MiB
 *
 *	header				region table			metadata table
 *	 0  4  "head"			 0  4  "regi"			 0  8  "metadata"
 *	 4  4  checksum			 4  4  checksum			10  2  number of entries
 *	 8  8  sequence number		 8  4  number of entries	32     entries of 32 bytes
 *	16 16  of this writing		16     entries of 32 bytes	    0 16  which item
 *	32 16  of this content		    0 16  which region		   16  4  its place
 *	48 16  of the log, or zero	   16  8  its place		   20  4  its length
 *	64  2  log version, 0		   24  4  its length		   24  4  flags
 *	66  2  version, 1		   28  4  1: required
 *	68  4  length of the log
 *	72  8  its place
 *
 * An entry of the block allocation table has 8 bytes: bits 0-2 the state, bits 20-63 the place in
 * MiB. After the entries of every 2^23 sectors there is one for a bitmap, which only differencing
 * files use.
 */
#ifndef INGOT_FORMATS_VHDX_INTERNAL_H
#define INGOT_FORMATS_VHDX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"

enum {
	VHDX_HEADER_SIZE = 4096,
	VHDX_HEADERS = 65536, /* the place of the first; the second follows 64 KiB later */
	VHDX_TABLE_SIZE = 65536,
	VHDX_REGIONS = 3 * 65536, /* the first region table; its copy follows */
	VHDX_ENTRY = 32,	  /* bytes, in regions and metadata */
	VHDX_ENTRIES_MAX = 2047,
	VHDX_MIB = 1 << 20,
	VHDX_BLOCK_MAX = 256 << 20,
	VHDX_BITMAP_SECTORS = 1 << 23,
	VHDX_REGION_REQUIRED = 1,
	VHDX_ITEM_USER = 1,
	VHDX_ITEM_DISK = 2, /* about the disk, not the file */
	VHDX_ITEM_REQUIRED = 4,
	VHDX_BLOCKS_STAY = 1, /* of a fixed size */
	VHDX_HAS_PARENT = 2,
};

#define VHDX_SIZE_MAX (UINT64_C(64) << 40)
#define VHDX_FILE_MAX (UINT64_C(128) << 40) /* what a log may make of one */
#define VHDX_PLACE    (~(uint64_t)(VHDX_MIB - 1))

enum vhdx_state {
	VHDX_NOT_PRESENT = 0,
	VHDX_UNDEFINED = 1,
	VHDX_ZERO = 2,
	VHDX_UNMAPPED = 3,
	VHDX_PRESENT = 6,
	VHDX_PARTLY_PRESENT = 7,
};

/* Regions and items, as the text of their GUIDs. */
#define VHDX_BAT      "2dc27766-f623-4200-9d64-115e9bfd4a08"
#define VHDX_METADATA "8b7ca206-4790-4b9a-b8fe-575f050f886e"
#define VHDX_FILE     "caa16737-fa36-4d43-b3b6-33f0aa44e76b" /* block size, flags */
#define VHDX_SIZE     "2fa54224-cd1b-4876-b211-5dbed83bf4b8"
#define VHDX_DISK_ID  "beca12ab-b2e6-4523-93ef-c309e000c746"
#define VHDX_LOGICAL  "8141bf1d-a96f-4709-ba47-f233a8faab5f"
#define VHDX_PHYSICAL "cda348c7-445d-4471-9cc9-e9885251c556"
#define VHDX_PARENT   "a8d35f2d-b30b-454d-abf7-d3d84834ab0c"

/* The checksum of a structure that has it in its second four bytes. */
uint32_t ingot_vhdx_checksum(const unsigned char *data, size_t n);

/* Entries of the table in front of that of a block: one more for each bitmap before it. */
static inline uint64_t vhdx_entry_index(uint64_t block, uint64_t ratio)
{
	return block + block / ratio;
}

#endif

/*
 * VDI, VirtualBox's disk image, version 1.1. Everything is little-endian.
 *
 *	  0 64  text for people				360  4  sector, 512
 *	 64  4  magic 0xbeda107f			368  8  size of the disk
 *	 68  4  version, 0x00010001			376  4  size of a block
 *	 72  4  bytes of the header from here on	380  4  bytes in front of each block
 *	 76  4  kind: 1 grows, 2 fixed, 4 differencing	384  4  blocks of the disk
 *	 80  4  flags					388  4  blocks in the file
 *	 84 256 comment					392 16  identifier
 *	340  4  map					408 16  identifier of the last change
 *	344  4  blocks					424 16  identifier of the parent
 *	348 12  cylinders, heads, sectors		440 16  of the parent's last change
 *
 * The map has a number of 32 bits for each block of the disk: which block of the file it is.
 */
#ifndef INGOT_FORMATS_VDI_INTERNAL_H
#define INGOT_FORMATS_VDI_INTERNAL_H

#include <stdint.h>

#define VDI_MAGIC   0xbeda107fU
#define VDI_VERSION 0x00010001U
#define VDI_ABSENT  UINT32_MAX	     /* never written */
#define VDI_ZERO    (UINT32_MAX - 1) /* discarded */

enum {
	VDI_HEADER = 512, /* bytes */
	VDI_HEADER_FIELDS = 0x180,
	VDI_SECTOR = 512,
	VDI_GROWS = 1,
	VDI_FIXED = 2,
	VDI_UNDO = 3,
	VDI_DIFFERENCING = 4,
	VDI_BLOCK = 1 << 20, /* the only size that QEMU takes */
	VDI_BLOCKS_MAX = 0x3fffffff,
};

#endif

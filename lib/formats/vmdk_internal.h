/*
 * Sparse extents of VMware, Virtual Disk Format 5.0. Everything is little-endian and counted in
 * sectors of 512 bytes.
 *
 *	 0  4  magic "KDMV"
 *	 4  4  version, 1 to 3
 *	 8  4  flags
 *	12  8  capacity
 *	20  8  sectors of a grain
 *	28  8  descriptor
 *	36  8  its sectors
 *	44  4  entries of a grain table
 *	48  8  redundant grain directory
 *	56  8  grain directory, or all ones: it is at the end
 *	64  8  sectors before the first grain
 *	72  1  unclean shutdown
 *	73  4  "\n \r\n", which a text transfer breaks
 *	77  2  compression, 1: deflate
 *	79     zero
 *
 * A grain of a compressed extent is a marker (8 bytes sector on the disk, 4 bytes size) and a zlib
 * stream. Other markers are a sector: 8 bytes number of sectors that follow, 4 bytes of zero, 4
 * bytes kind.
 */
#ifndef INGOT_FORMATS_VMDK_INTERNAL_H
#define INGOT_FORMATS_VMDK_INTERNAL_H

#include "formats/format_internal.h"

#define VMDK_MAGIC     0x564d444bU
#define VMDK_GD_AT_END UINT64_MAX

enum {
	VMDK_SECTOR = 512,
	VMDK_FLAG_NEWLINES = 1 << 0,
	VMDK_FLAG_REDUNDANT = 1 << 1, /* there is a second grain directory */
	VMDK_FLAG_ZEROED = 1 << 2,    /* entry 1: a grain of zeros */
	VMDK_FLAG_COMPRESSED = 1 << 16,
	VMDK_FLAG_MARKERS = 1 << 17,
	VMDK_GTES = 512,
	VMDK_DESCRIPTOR = 1,	      /* its sector, in what we write */
	VMDK_DESCRIPTOR_SECTORS = 20, /* and how many it has */
	VMDK_GRAIN_MARKER = 12,
	VMDK_MARKER_END = 0,
	VMDK_MARKER_GT = 1,
	VMDK_MARKER_GD = 2,
	VMDK_MARKER_FOOTER = 3,
};

/* streamOptimized that begins at a place in a larger file; the writer is driven by its ops. */
INGOT_MUST_USE int ingot_vmdk_start_at(struct ingot_output *output, uint64_t base, uint64_t size,
				       const struct ingot_format_options *options,
				       struct ingot_writer **ret, struct ingot_error *err);
/* Its bytes so far; after finish, all of them. */
uint64_t ingot_vmdk_bytes(const struct ingot_writer *writer);

/* What the tables of an open one say about a place on the disk. */
struct vmdk_grain {
	struct ingot_source *file;
	uint64_t size, inside; /* bytes of a grain, and before the place in it */
	uint64_t span;	       /* from the place to the grain's end; or a hole's that is longer */
	bool hole, compressed;
	uint64_t at; /* of the grain in the file */
};
INGOT_MUST_USE int ingot_vmdk_grain(struct ingot_source *disk, uint64_t offset,
				    struct vmdk_grain *ret, struct ingot_error *err);

struct vmdk_description {
	const char *type, *adapter;
	uint64_t sectors; /* of the disk */
	uint32_t cid;
};
/* The text of a descriptor; the caller frees it. NULL and a raised error on failure. */
char *ingot_vmdk_descriptor(const struct vmdk_description *description, struct ingot_error *err);
/* The descriptor has words for three controllers; what it does not know, it calls lsilogic. */
const char *ingot_vmdk_adapter(const struct ingot_format_options *options);
/* The content's identifier, neither of the two values that mean something else. */
INGOT_MUST_USE int ingot_vmdk_derive_cid(const struct ingot_seed *seed, uint32_t *ret,
					 struct ingot_error *err);

#endif

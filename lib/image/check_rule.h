/*
 * Rules that a file has to keep, as data: a vendor's YAML names them, image/check.h applies them.
 *
 *	- gpt                                          a check without parameters
 *	- {check: virtual-size-multiple, of: 1G}       one with
 *	- {check: vhd-fixed-footer, format: vhd}       for one of several formats
 */
#ifndef INGOT_IMAGE_CHECK_RULE_H
#define INGOT_IMAGE_CHECK_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/api.h"

enum ingot_check {
	INGOT_CHECK_FORMAT_IS,		   /* the file has one of the vendor's formats; always on */
	INGOT_CHECK_VIRTUAL_SIZE_MULTIPLE, /* of: the disk's size is a multiple of it */
	INGOT_CHECK_MAX_VIRTUAL_SIZE,	   /* size: the disk is not larger */
	INGOT_CHECK_MIN_VIRTUAL_SIZE,	   /* size: the disk is not smaller */
	INGOT_CHECK_QCOW2_HEADER,	   /* a header that QEMU takes, no other file, not dirty */
	INGOT_CHECK_VHD_FIXED_FOOTER,	   /* fixed, the footer's fields as Azure takes them */
	INGOT_CHECK_VHD_DYNAMIC,	   /* both footers and the header */
	INGOT_CHECK_VHDX_CHECKSUMS,	   /* headers, region tables, alignment */
	INGOT_CHECK_VDI_HEADER,
	INGOT_CHECK_VMDK_SPARSE,	   /* monolithicSparse as Workstation takes it */
	INGOT_CHECK_ESXI_STREAM_OPTIMIZED, /* streamOptimized as ESXi takes it */
	INGOT_CHECK_GCE_TAR,		   /* gzip, oldgnu tar, only member disk.raw */
	INGOT_CHECK_OVF,		   /* the OVA's order, manifest, sizes and references */
	INGOT_CHECK_GPT,		   /* both tables and their checksums */
	INGOT_CHECK_BOOT_PATH,		   /* firmware: what it starts is there */
	INGOT_CHECK_CONSOLES,		   /* console= on the UKI's command line, in order */
	INGOT_CHECK_READABLE,		   /* all of the disk can be read; always on */
	INGOT_CHECK_COUNT,
};

enum ingot_check_parameter {
	INGOT_CHECK_PLAIN,
	INGOT_CHECK_WANTS_SIZE,	    /* a size, under the key that parameter_key tells */
	INGOT_CHECK_WANTS_FIRMWARE, /* firmware: efi or bios */
};

struct ingot_check_kind {
	const char *name;
	enum ingot_check_parameter parameter;
	const char *parameter_key; /* "of", "size", "firmware"; NULL for PLAIN */
	bool in_data;		   /* a vendor's file may name it */
};

struct ingot_check_rule {
	enum ingot_check check;
	const char *format; /* for files of this format only; NULL: for all */
	uint64_t size;	    /* INGOT_CHECK_WANTS_SIZE, bytes, not 0 */
	bool bios;	    /* INGOT_CHECK_WANTS_FIRMWARE */
};

INGOT_API const struct ingot_check_kind *ingot_check_kind(enum ingot_check check);
/* The check of that name, or INGOT_CHECK_COUNT. */
INGOT_API enum ingot_check ingot_check_find(const char *name);

#endif

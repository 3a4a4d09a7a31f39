/* The header of a sparse VMDK extent (VMware, Virtual Disk Format 5.0), for the two checks of it.
 */
#ifndef INGOT_IMAGE_CHECK_VMDK_INTERNAL_H
#define INGOT_IMAGE_CHECK_VMDK_INTERNAL_H

#include "image/check_internal.h"

#define CHECK_VMDK_CAPACITY_MAX (UINT64_C(8) << 40) /* bytes of a disk that is looked at */

enum { CHECK_VMDK_SECTOR = 512, CHECK_VMDK_GTES = 512 };

/* Counted in sectors. */
struct check_vmdk {
	uint32_t version, flags;
	uint64_t capacity, grain;
	uint64_t descriptor, descriptor_size;
	uint64_t rgd, gd, overhead;
	uint16_t compression;
};

/* The header, and lines about what both kinds have; false: it cannot be used. */
INGOT_MUST_USE bool check_vmdk_header(struct checker *c, struct ingot_source *vmdk,
				      struct check_vmdk *ret);
/* Lines about the descriptor: its type, and one extent of the disk's size. */
void check_vmdk_descriptor(struct checker *c, struct ingot_source *vmdk,
			   const struct check_vmdk *header, const char *type);

#endif

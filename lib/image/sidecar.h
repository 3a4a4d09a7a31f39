/*
 * The texts of the files that stand beside an image: a machine to start it in, or what an uploader
 * has to know. Pure functions: the same arguments give the same bytes, and no clock, random number
 * or path of this machine gets in. Every name is escaped as the format wants it.
 */
#ifndef INGOT_IMAGE_SIDECAR_H
#define INGOT_IMAGE_SIDECAR_H

#include "base/guid.h"
#include "formats/convert.h"
#include "image/vendor.h"

struct ingot_sidecar_machine {
	const char *name;	 /* of the machine; no control characters */
	const char *disk;	 /* name of the image beside it, without a folder */
	const char *disk_format; /* a name of formats/format.h */
	enum ingot_vendor_architecture architecture;
	struct ingot_guid uuid; /* of the machine: derive it; not used by .vmx */
};

/*
 * The machine that the hardware describes, with the disk in it. The caller frees *ret. -EINVAL: the
 * format cannot say it (a .vmx with virtio, a name with a control character).
 *
 * libvirt looks for the disk in /var/lib/libvirt/images, xl in /var/lib/xen/images (both want whole
 * paths), VMware beside the .vmx.
 */
INGOT_API INGOT_MUST_USE int ingot_sidecar_libvirt(const struct ingot_vendor_hardware *hardware,
						   const struct ingot_sidecar_machine *machine,
						   char **ret, struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_sidecar_vmx(const struct ingot_vendor_hardware *hardware,
					       const struct ingot_sidecar_machine *machine,
					       char **ret, struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_sidecar_xl(const struct ingot_vendor_hardware *hardware,
					      const struct ingot_sidecar_machine *machine,
					      char **ret, struct ingot_error *err);

/* Whether a sidecar can describe the machine: -EINVAL and the words why not. */
INGOT_API INGOT_MUST_USE int ingot_sidecar_check(enum ingot_sidecar sidecar,
						 const struct ingot_vendor_hardware *hardware,
						 struct ingot_error *err);

/* How an AMI starts, from what the layout has: an ESP, a BIOS boot partition, or both. */
enum ingot_ami_boot {
	INGOT_AMI_UEFI,
	INGOT_AMI_LEGACY_BIOS,
	INGOT_AMI_UEFI_PREFERRED,
};

struct ingot_ami_import {
	const char *name, *description; /* of the AMI; description may be NULL */
	enum ingot_vendor_architecture architecture;
	enum ingot_ami_boot boot;
	uint64_t disk_size; /* bytes, whole GiB */
	const struct ingot_ebs_blocks *blocks;
};

/*
 * One JSON object: `start_snapshot`, `complete_snapshot` and `register_image` have the keys of the
 * calls of the EBS direct APIs and of EC2, without the snapshot's id, which EBS gives; `blocks` is
 * the list of the blocks to put, each [index, base64 SHA-256]. Blocks that are not listed are zero
 * and need not be put. The caller frees *ret. -EINVAL: the disk is not of whole GiB, or blocks are
 * out of order or outside of it.
 */
INGOT_API INGOT_MUST_USE int ingot_sidecar_ami(const struct ingot_ami_import *import, char **ret,
					       size_t *ret_n, struct ingot_error *err);

#endif

/*
 * The description of a virtual machine with one disk (DMTF DSP0243, OVF 1.1), in VMware's dialect
 * or in VirtualBox's.
 */
#ifndef INGOT_FORMATS_OVF_INTERNAL_H
#define INGOT_FORMATS_OVF_INTERNAL_H

#include "base/guid.h"
#include "formats/format.h"

struct ingot_ovf {
	const struct ingot_format_options *machine;
	const char *disk_file;		       /* its name in the package */
	uint64_t file_size, capacity;	       /* of the file and of the disk in it, bytes */
	struct ingot_guid machine_id, disk_id; /* VirtualBox wants them */
};

/* XML in UTF-8, which the caller frees; NULL: out of memory, raised. */
char *ingot_ovf_text(const struct ingot_ovf *ovf, struct ingot_error *err);

/* "virtualbox-2.2" and the like. */
bool ingot_ovf_is_virtualbox(const struct ingot_format_options *machine);

#endif

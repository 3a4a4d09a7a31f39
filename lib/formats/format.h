/*
 * Disk image formats: which there are, and reading a file of any of them as the disk inside.
 *
 *	raw           the disk itself, zeros as holes
 *	qcow2         QEMU's, version 3, clusters of 64 KiB compressed with deflate
 *	qcow2-zstd    the same, compressed with Zstandard (QEMU 5.1 and later)
 *	qcow2-v2      version 2 (compat=0.10), for old OpenStack
 *	vmdk          VMware's streamOptimized
 *	vmdk-sparse   VMware's monolithicSparse, for Workstation and VirtualBox
 *	ova           the same as an appliance: with a description of the machine, in a tar
 *	vagrant       ... for Vagrant and VirtualBox
 *	vhd           Microsoft's, fixed size: what Azure takes
 *	vhd-dynamic   Microsoft's, as large as its data
 *	vhdx          Hyper-V's
 *	vdi           VirtualBox's
 *	gce           Google Compute Engine's: disk.raw in a tar, compressed with gzip
 *	raw.gz        the disk itself, compressed with gzip
 *	raw.zst       ... with Zstandard
 *	raw.xz        ... with xz
 *
 * docs/formats/ has the bytes of each.
 */
#ifndef INGOT_FORMATS_FORMAT_H
#define INGOT_FORMATS_FORMAT_H

#include <stddef.h>

#include "io/source.h"

struct ingot_format {
	const char *name;
	const char *summary; /* one line */
};

/* The formats that can be written, in the order of the table above; NULL past the last. */
INGOT_API const struct ingot_format *ingot_format_at(size_t i);
/* Whether one of them is called so. */
INGOT_API bool ingot_format_is_known(const char *name);

/*
 * What a container says about the machine that the disk is for, in the words of VMware and OVF.
 * Zero and NULL are the defaults, which depend on the format; most formats say nothing.
 */
struct ingot_format_options {
	const char *name;	      /* of the machine; "disk" */
	const char *hardware_version; /* "vmx-17", "virtualbox-2.2" */
	unsigned memory;	      /* MiB; 2048 */
	unsigned cpus;		      /* 2 */
	bool bios;		      /* the firmware is not UEFI */
	bool secure_boot;
	unsigned os_id;	     /* CIM_OperatingSystem.OsType; 101, Linux of 64 bits */
	const char *os_type; /* vmw:osType, vbox:OSType */
	const char *disk; /* the disk's controller: "pvscsi", "lsilogic", "ahci", "ide", "nvme" */
	const char *network; /* "vmxnet3", "e1000" */
};

/*
 * The disk inside a file, whatever its format, which its first and last bytes tell; what has no
 * format is raw. Holes are those that the container knows. Nothing but the file itself is ever
 * read: what needs another file (a backing file, external data), a key or a snapshot is refused,
 * and so is a container that is known but cannot be read.
 *
 * ret_name, if not NULL, receives the format's name: "raw", "qcow2", "vmdk", "vhd", "vhdx",
 * "vdi", "ova", "gce", "raw.gz", "raw.zst" or "raw.xz". What is compressed is read without a copy;
 * a container in it gives its own name.
 */
INGOT_API INGOT_MUST_USE int ingot_format_open(const char *path, const char **ret_name,
					       struct ingot_source **ret, struct ingot_error *err);
/* The same over an open file. On success the new source owns it, on failure it stays yours. */
INGOT_API INGOT_MUST_USE int ingot_format_open_source(struct ingot_source *file,
						      const char **ret_name,
						      struct ingot_source **ret,
						      struct ingot_error *err);

#endif

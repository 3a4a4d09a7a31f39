/*
 * Vendors: what a cloud, a hypervisor or a bare metal host wants of a disk image. A vendor is a
 * YAML file; docs/own-vendor.md describes every key. Those in oem/ are built into the library and
 * known by their name, so nothing here knows any vendor.
 *
 * The base image is the same for all of them. A vendor adds the content of the OEM partition, may
 * want a larger ROOT or disk, and names the file formats; docs/vendors.md is the table of all.
 */
#ifndef INGOT_IMAGE_VENDOR_H
#define INGOT_IMAGE_VENDOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/problems.h"
#include "image/check_rule.h"

#define INGOT_VENDOR_OEM_MAX   (64 * 1024 * 1024) /* bytes in the files of an OEM partition */
#define INGOT_VENDOR_FILES_MAX 1024		  /* ... and their number */

/* Index of what depends on the machine; "x86-64" and "arm64" as in recipes and layouts. */
enum ingot_vendor_architecture {
	INGOT_VENDOR_X86_64,
	INGOT_VENDOR_ARM64,
	INGOT_VENDOR_ARCHITECTURES,
};

INGOT_API const char *ingot_vendor_architecture_name(enum ingot_vendor_architecture architecture);
/* false: neither of the two. */
INGOT_API INGOT_MUST_USE bool ingot_vendor_architecture_find(const char *name,
							     enum ingot_vendor_architecture *ret);

/* A file that is written beside an image; image/sidecar.h makes their texts. */
enum ingot_sidecar {
	INGOT_SIDECAR_NONE,
	INGOT_SIDECAR_AMI_IMPORT,  /* JSON for the upload of an AMI's snapshot */
	INGOT_SIDECAR_LIBVIRT_XML, /* a libvirt domain */
	INGOT_SIDECAR_VMX,	   /* a VMware machine */
	INGOT_SIDECAR_XL,	   /* a Xen domain */
};

/* "ami-import" and so on, as in the file. */
INGOT_API const char *ingot_sidecar_name(enum ingot_sidecar sidecar);
/* What its file's name ends in, where the image's does in the output's suffix: ".vmx". */
INGOT_API const char *ingot_sidecar_suffix(enum ingot_sidecar sidecar);

/* One file of the vendor's. */
struct ingot_vendor_output {
	const char *format; /* a name of formats/format.h; compression is part of it ("raw.gz") */
	const char *suffix; /* of the file's name, ".qcow2"; differs from output to output */
	enum ingot_sidecar sidecar;
};

struct ingot_vendor_words {
	const char *const *list;
	size_t count;
};

/* A file in the OEM partition. */
struct ingot_vendor_file {
	const char *path; /* "sysext/x.raw": relative, without "." and ".." */
	const void *data;
	size_t size;
	bool executable; /* mode 0755, else 0644; both of root */
};

/* Fields of /oem/oem-release (os-release(5)); NULL: left out. */
struct ingot_vendor_release {
	const char *id; /* the flatcar id, else the vendor's name, where the file gives none */
	const char *name;
	const char *version_id; /* NULL: the image's version */
	const char *home_url, *bug_report_url;
};

enum ingot_vendor_firmware {
	INGOT_FIRMWARE_EFI,
	INGOT_FIRMWARE_BIOS,
};

INGOT_API const char *ingot_vendor_firmware_name(enum ingot_vendor_firmware firmware);

/* The machine that an OVF, .vmx, libvirt or xl file describes. */
struct ingot_vendor_hardware {
	const char *version; /* of the virtual hardware, "vmx-17"; NULL: not given */
	unsigned memory;     /* MiB */
	unsigned cpus;
	enum ingot_vendor_firmware firmware;
	bool secure_boot;
	unsigned os_id;	      /* CIM_OperatingSystem.OsType, for OVF: 101 is Linux 64-bit */
	const char *os_type;  /* vmw:osType, "other5xLinux64Guest"; NULL: not given */
	const char *guest_os; /* guestOS of a .vmx; NULL: not given */
	const char *disk;     /* pvscsi, lsilogic, ahci, ide, nvme, virtio, virtio-scsi, xen */
	const char *network;  /* vmxnet3, e1000, virtio, xen */
};

struct ingot_vendor {
	const char *name;    /* "ami": lower-case letters, digits and - */
	const char *summary; /* one line for people */

	const char *ignition; /* value of ignition.platform.id=; NULL: none */
	const char *flatcar;  /* ... of flatcar.oem.id=; NULL: none */

	bool architectures[INGOT_VENDOR_ARCHITECTURES]; /* those that the vendor has */

	struct ingot_vendor_output *outputs; /* at least one; formats differ */
	size_t output_count;

	uint64_t disk_size; /* the disk has at least so many bytes; 0: as the layout says */
	uint64_t root_size; /* ROOT has at least so many bytes; 0: as the layout says */
	uint64_t round;	    /* the disk's size is a multiple of it, bytes; at least 512 */

	/* Values of console=, in order: the last one becomes /dev/console. */
	struct ingot_vendor_words consoles[INGOT_VENDOR_ARCHITECTURES];
	/* Further kernel arguments. */
	struct ingot_vendor_words arguments[INGOT_VENDOR_ARCHITECTURES];

	bool has_release; /* there is an oem-release */
	struct ingot_vendor_release release;
	struct ingot_vendor_file *files; /* by path; oem-release is not among them */
	size_t file_count;

	bool has_hardware; /* the file describes a machine; without it these are the defaults */
	struct ingot_vendor_hardware hardware;

	struct ingot_check_rule *rules; /* what `ingot convert --check` looks at, in order */
	size_t rule_count;

	struct ingot_vendor_words references; /* titles of the vendor's documents */

	struct ingot_arena arena; /* owns all of the above */
};

/*
 * A built-in vendor by its name ("ami"), or a file: anything with a '/' in it or ".yaml" at its
 * end. Whatever is wrong in the file goes to the problems, all of it, and the call returns -EINVAL;
 * other failures only raise. -ENOENT: no vendor is called so.
 */
INGOT_API INGOT_MUST_USE int ingot_vendor_load(const char *name_or_path,
					       struct ingot_problems *problems,
					       struct ingot_vendor **ret, struct ingot_error *err);

/*
 * The same from memory; `file` is its name in complaints. `directory` is where a folder of files
 * for the OEM partition is looked for, with a '/' at its end or empty; NULL: a folder is refused.
 */
INGOT_API INGOT_MUST_USE int ingot_vendor_parse(const char *file, const char *directory,
						const char *text, size_t size,
						struct ingot_problems *problems,
						struct ingot_vendor **ret, struct ingot_error *err);

INGOT_API void ingot_vendor_free(struct ingot_vendor *vendor); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_vendor, ingot_vendor, ingot_vendor_free)
#define INGOT_VENDOR INGOT_CLEANUP(ingot_vendor_cleanup)

/* Names of the built-in vendors in byte order, i from 0; NULL at the end. */
INGOT_API const char *ingot_vendor_builtin_name(size_t i);

/* Whether the word is a built-in vendor's name, or by its form a file's. */
INGOT_API bool ingot_vendor_is_builtin(const char *name);
INGOT_API bool ingot_vendor_is_path(const char *name);

/* The name of a format that a vendor can have, as it is kept everywhere; NULL: none of them. */
INGOT_API const char *ingot_vendor_format_name(const char *name);

/* The output of that format, or NULL. */
INGOT_API const struct ingot_vendor_output *ingot_vendor_output_find(
	const struct ingot_vendor *vendor, const char *format);

/*
 * The kernel arguments as one string, which the caller frees: ignition.platform.id=,
 * flatcar.oem.id=, the further ones, then each console= in order. NULL: out of memory, raised.
 */
INGOT_API char *ingot_vendor_kernel_arguments(const struct ingot_vendor *vendor,
					      enum ingot_vendor_architecture architecture,
					      struct ingot_error *err);

/*
 * The files of the OEM partition in byte order of their paths, oem-release among them. `version` is
 * the image's. The caller frees *ret with free(); the files live as long as the vendor.
 */
INGOT_API INGOT_MUST_USE int ingot_vendor_oem_files(struct ingot_vendor *vendor,
						    const char *version,
						    struct ingot_vendor_file **ret,
						    size_t *ret_count, struct ingot_error *err);

/*
 * The vendor's disk from the base image's: its size, and that of its ROOT (0: the image has none,
 * and root_size says nothing). -EOVERFLOW.
 */
INGOT_API INGOT_MUST_USE int ingot_vendor_size_disk(const struct ingot_vendor *vendor,
						    uint64_t base_disk, uint64_t base_root,
						    uint64_t *ret, struct ingot_error *err);

#endif

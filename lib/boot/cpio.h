/*
 * A cpio archive in the "newc" format (kernel, Documentation/driver-api/early-userspace/
 * buffer-format.rst), the format of an initrd, made by libarchive in memory.
 *
 * The folders that a path needs come before it. Everything belongs to 0:0, has the time of
 * the epoch and an inode number that counts from 1.
 */
#ifndef INGOT_BOOT_CPIO_H
#define INGOT_BOOT_CPIO_H

#include "io/source.h"

struct ingot_cpio_entry {
	const char *path; /* "etc/veritytab": ASCII, no leading '/', no "." or ".." */
	uint32_t mode;	  /* S_IFREG | 0644, S_IFLNK | 0777; folders come by themselves (0755) */
	const void *data; /* contents, or the link's target */
	size_t size;
};

/* In the order of the list. -EINVAL: a path or a mode that is not as above, one given twice. */
INGOT_API INGOT_MUST_USE int ingot_cpio_source(const struct ingot_cpio_entry *entries, size_t count,
					       int64_t epoch, struct ingot_source **ret,
					       struct ingot_error *err);

#endif

/*
 * Reading an initrd's last archive: the segment that was appended to it. What stands before
 * it may be compressed in any way and is not looked at, so that this is for reports: who makes
 * an initrd to deceive can show another archive here than the kernel would unpack.
 */
#ifndef INGOT_BOOT_INITRD_READ_H
#define INGOT_BOOT_INITRD_READ_H

#include "io/source.h"

#define INGOT_SEGMENT_MAX (1024 * 1024) /* bytes at the end that are searched */

/*
 * The content of a file ("etc/veritytab") in the uncompressed newc archive that ends the initrd,
 * with a NUL behind it; of two with the same path the last, as the kernel does it. The caller frees
 * *ret. -ENODATA: no such archive, or no such file in it.
 */
INGOT_API INGOT_MUST_USE int ingot_initrd_find(struct ingot_source *initrd, const char *path,
					       char **ret, size_t *ret_size,
					       struct ingot_error *err);

/* --- all of the last archive ------------------------------------------- */

#define INGOT_INITRD_MEMBERS_MAX 256

struct ingot_initrd_member {
	const char *path;
	uint32_t mode, mtime;
	const char *data; /* a link's target */
	size_t size;
};

struct ingot_initrd_archive {
	char *bytes;	 /* the end of the initrd, from the archive's first byte on */
	size_t size;	 /* of bytes: the archive and what follows it */
	uint64_t offset; /* of bytes in the initrd */
	size_t count;	 /* without the trailer */
	struct ingot_initrd_member members[INGOT_INITRD_MEMBERS_MAX];
};

/*
 * -ENODATA: there is no such archive; -E2BIG: one with more members. Whatever the outcome, free it
 * with ingot_initrd_archive_done.
 */
INGOT_API INGOT_MUST_USE int ingot_initrd_last(struct ingot_source *initrd,
					       struct ingot_initrd_archive *ret,
					       struct ingot_error *err);
INGOT_API void ingot_initrd_archive_done(struct ingot_initrd_archive *archive);

#endif

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

#endif

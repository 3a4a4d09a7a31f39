/*
 * A unified kernel image: systemd-stub with sections added behind its own (UAPI Group, Unified
 * Kernel Image; systemd-stub(7)). Each section starts at the next free page in memory, its
 * bytes at the next multiple of the stub's FileAlignment.
 *
 * What happens to the rest of the stub:
 * - its own sections stay, .sbat among them; a name that it already has is refused;
 * - if the section table has no room, the sections move back in the file, never in memory;
 * - a signature is dropped, for it could not be valid any more, and so are the symbol table and
 *   whatever follows the last section;
 * - the checksum becomes 0, as ukify leaves it: firmware ignores it, and a right one would tie
 *   the header to bytes that may still change.
 */
#ifndef INGOT_BOOT_UKI_H
#define INGOT_BOOT_UKI_H

#include "boot/pe.h"

struct ingot_uki_section {
	const char *name;	      /* ".linux", at most 8 bytes */
	struct ingot_source *content; /* borrowed; not empty */
};

/*
 * The sections in the order given; systemd-stub wants .osrel, .cmdline, .uname (if at all),
 * .initrd and .linux. -EINVAL: the stub is no EFI program, or .linux is no EFI kernel for the
 * same machine. The stub is borrowed too.
 */
INGOT_API INGOT_MUST_USE int ingot_uki_source(struct ingot_source *stub,
					      const struct ingot_uki_section *sections,
					      size_t count, struct ingot_source **ret,
					      struct ingot_error *err);

/*
 * A command line as the kernel takes it: n bytes without the blanks and line breaks around
 * them. -EINVAL: empty, a line break or another control character inside, longer than the
 * 2047 bytes that every kernel takes. The caller frees *ret.
 */
INGOT_API INGOT_MUST_USE int ingot_uki_cmdline(const char *text, size_t n, char **ret,
					       struct ingot_error *err);

#endif

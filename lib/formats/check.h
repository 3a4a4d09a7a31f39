/*
 * Is every byte of a container's metadata as it has to be? Readers look at what they need to find
 * the disk; here the rest is looked at too: what is reserved, reference counts, flags, tables that
 * overlap, checksums, padding, bytes that nothing leads to.
 */
#ifndef INGOT_FORMATS_CHECK_H
#define INGOT_FORMATS_CHECK_H

#include "io/source.h"

#define INGOT_FORMAT_FINDING 256

/*
 * `format` is a name as ingot_format_open gives it. finding: a sentence about the first thing that
 * is wrong, or empty. Returns 1 for a box of Vagrant's with no finding: its texts are there, and
 * nothing in the file says what they have to be. -ENOTSUP: there is no such check for this format;
 * other failures are reads and memory.
 */
INGOT_API INGOT_MUST_USE int ingot_format_check(struct ingot_source *file, const char *format,
						char finding[INGOT_FORMAT_FINDING],
						struct ingot_error *err);

#endif

/*
 * One disk into any number of formats, in one pass. The disk is read once and its holes never;
 * each 64 KiB are compressed once for all formats that use the same compression.
 *
 * The same disk and level give the same bytes: identifiers come from the content, there is no
 * time and no file name in any output.
 */
#ifndef INGOT_FORMATS_CONVERT_H
#define INGOT_FORMATS_CONVERT_H

#include "formats/format.h"
#include "io/copy.h"
#include "io/source.h"

/* 1 is fast and 9 is small. */
enum { INGOT_LEVEL_FAST = 1, INGOT_LEVEL_DEFAULT = 5, INGOT_LEVEL_MAX = 9 };

struct ingot_convert_output {
	const char *format; /* a name of format.h */
	const char *path;   /* "-" is standard output */
	struct ingot_format_options options;
};

struct ingot_convert_options {
	const struct ingot_convert_output *outputs;
	size_t count;
	unsigned level; /* 0: INGOT_LEVEL_DEFAULT */
	unsigned jobs;	/* at least 1 */
	const struct ingot_progress *progress;
};

/*
 * All outputs or none: they get their names when all of them are complete and on the disk.
 * Memory depends on the number of jobs, and 2 bytes per 64 KiB of a qcow2 output.
 */
INGOT_API INGOT_MUST_USE int ingot_convert(struct ingot_source *source,
					   const struct ingot_convert_options *options,
					   struct ingot_error *err);

#endif

/* A conversion's parts: the disks, the outputs, and the pass that joins them. */
#ifndef INGOT_FORMATS_CONVERT_INTERNAL_H
#define INGOT_FORMATS_CONVERT_INTERNAL_H

#include "formats/convert.h"
#include "formats/format_internal.h"

struct target {
	const struct ingot_writer_ops *ops;
	struct ingot_output *output;
	struct ingot_writer *writer;
};

/* What is kept for each disk. */
struct converted {
	unsigned needs;		       /* enum ingot_need, of all its outputs */
	struct ingot_sha256 *identity; /* NULL: nobody needs it */
	struct ingot_seed seed;	       /* made from it, behind the pass */
};

struct ingot_conversion {
	const struct ingot_convert_options *options;
	const struct ingot_convert_disk *disks;
	size_t disk_count;
	struct target *targets;	     /* options->count */
	struct converted *converted; /* disk_count */
};

/* convert_pass.c: every chunk of every disk to its writers. */
INGOT_MUST_USE int conversion_pass(struct ingot_conversion *c, struct ingot_error *err);

#endif

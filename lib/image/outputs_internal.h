/*
 * From the base image to everything that `outputs` asks for. Each vendor's disk is the base with
 * a few ranges of its own: the partition table, the ESP's blocks that hold the command line, OEM,
 * and ROOT if it is larger. Those are written to an unnamed file; all else is read from the base.
 */
#ifndef INGOT_IMAGE_OUTPUTS_INTERNAL_H
#define INGOT_IMAGE_OUTPUTS_INTERNAL_H

#include "formats/convert.h"
#include "image/build_internal.h"
#include "image/digest_internal.h"

/* A vendor's disk. */
struct vendor_disk {
	const struct ingot_recipe_output *wanted;
	struct build build; /* a copy of the base's, with what is the vendor's own in it */
	struct ingot_placement *placement;
	struct ingot_gpt *gpt;
	struct ingot_tree *oem;
	char *arguments; /* of the kernel */

	struct ingot_output *file; /* of its own ranges; it never gets a name */
	struct ingot_sink *sink;
	struct ingot_source *top;
	struct ingot_range *ranges;
	size_t range_count, range_room;
	struct ingot_source *disk; /* the whole */
	struct ingot_ebs_blocks blocks;
	struct image_digests digests; /* of its blocks, if digests are wanted */
};

/* A file that is made: from which disk, and what for. */
struct output_file {
	size_t disk; /* 0: the base; d: vendors[d - 1] */
	const char *format;
	const struct ingot_vendor_output *vendor_output; /* NULL: of the base */
	char *path;
	uint8_t digest[INGOT_SHA256_SIZE]; /* if digests are wanted */
	struct ingot_output *sidecar;	   /* NULL: none */
	char *sidecar_path;
};

struct build_outputs {
	struct vendor_disk *vendors;
	size_t vendor_count;
	struct output_file *files; /* the raw image of the base is not among them */
	size_t file_count, file_room;
	bool raw; /* the base itself is wanted */
	struct ingot_source *base;
	struct ingot_convert_output *targets; /* by file */
	struct ingot_convert_disk *disks;
	struct ingot_convert_options options;
	struct ingot_conversion *conversion;
};

/* vendor_disk.c: before anything is written; mistakes are problems of the recipe. */
int vendor_disk_plan(struct build *b, const struct ingot_recipe_output *wanted,
		     struct vendor_disk *ret, struct ingot_error *err);
/* After the base is written: the vendor's ranges, and the disk over the base. */
int vendor_disk_write(struct vendor_disk *v, const struct build *b, struct ingot_source *base,
		      struct ingot_error *err);
void vendor_disk_done(struct vendor_disk *v);

/* output_sidecar.c: the file beside an image, written but not named yet. */
int output_sidecar_make(const struct vendor_disk *v, struct output_file *file,
			struct ingot_error *err);

/* output_blocks.c: the manifest's `blocks` of a file; NULL: another file has them, or none. */
json_t *outputs_blocks(const struct build *b, const struct output_file *file,
		       const struct image_digests *base);

/* output_names.c: "NAME-VERSION[-VENDOR]" and what the format's files end in. */
char *output_path(const struct build *b, const char *vendor, const char *suffix,
		  struct ingot_error *err);
const char *output_suffix(const char *format);

#endif

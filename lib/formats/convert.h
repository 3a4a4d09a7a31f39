/*
 * Disks into any number of formats, in one pass. A disk is read once and its holes never; each
 * 64 KiB are compressed once for all formats that use the same compression, and once for all
 * disks that share them.
 *
 * The same disk and level give the same bytes: identifiers come from the content, there is no
 * time and no file name in any output.
 */
#ifndef INGOT_FORMATS_CONVERT_H
#define INGOT_FORMATS_CONVERT_H

#include "base/digest.h"
#include "formats/format.h"
#include "io/copy.h"
#include "io/output.h"
#include "io/source.h"

/* 1 is fast and 9 is small. */
enum { INGOT_LEVEL_FAST = 1, INGOT_LEVEL_DEFAULT = 5, INGOT_LEVEL_MAX = 9 };

struct ingot_convert_output {
	const char *format; /* a name of format.h */
	const char *path;   /* "-" is standard output */
	struct ingot_format_options options;
	size_t disk; /* index of the disk that goes in */
};

struct ingot_convert_options {
	const struct ingot_convert_output *outputs;
	size_t count;
	unsigned level; /* 0: INGOT_LEVEL_DEFAULT */
	unsigned jobs;	/* at least 1 */
	const struct ingot_progress *progress;
};

/*
 * All outputs of one disk or none: they get their names when all of them are complete and on the
 * disk. Memory depends on the number of jobs, and 2 bytes per 64 KiB of a qcow2 output.
 */
INGOT_API INGOT_MUST_USE int ingot_convert(struct ingot_source *source,
					   const struct ingot_convert_options *options,
					   struct ingot_error *err);

/* --- several disks that are much alike --------------------------------- */

/* The SHA-256 of each 512 KiB of a disk that are not all zero, as the EBS direct APIs count. */
enum { INGOT_EBS_BLOCK = 512 * 1024 };

struct ingot_ebs_block {
	uint64_t index; /* offset / INGOT_EBS_BLOCK */
	uint8_t digest[INGOT_SHA256_SIZE];
};

/* Zeroed before; the blocks, by rising index, are the caller's to free. */
struct ingot_ebs_blocks {
	struct ingot_ebs_block *items;
	size_t count, room;
};

struct ingot_convert_disk {
	struct ingot_source *source; /* borrowed */
	/*
	 * Where its bytes may differ from those of the first disk: by rising offset, apart. Past
	 * the end of the shorter of the two they differ anyway. Nothing checks that the rest is
	 * the same. Not looked at for the first disk.
	 */
	const struct ingot_range *own;
	size_t own_count;
	struct ingot_ebs_blocks *blocks; /* NULL: not wanted */
	/*
	 * Bytes that formats/edit.h may change in the finished outputs: by rising offset, apart.
	 * Pieces of 64 KiB that have any of them are stored in every format, neither compressed
	 * nor left out when they are zero, and no identifier depends on what is in them.
	 */
	const struct ingot_range *plain;
	size_t plain_count;
};

struct ingot_conversion;

/*
 * Every output is whole and on the disk, and none has its name yet. Disks and options are
 * borrowed until the conversion is freed; freed without a commit, all is gone. Memory: 8 bytes
 * more per MiB that the disks differ in or the first one has, if there are several.
 */
INGOT_API INGOT_MUST_USE int ingot_conversion_run(const struct ingot_convert_disk *disks,
						  size_t disk_count,
						  const struct ingot_convert_options *options,
						  struct ingot_conversion **ret,
						  struct ingot_error *err);
/* By the index among the options' outputs. */
INGOT_API struct ingot_output *ingot_conversion_output(const struct ingot_conversion *conversion,
						       size_t i);
INGOT_API INGOT_MUST_USE int ingot_conversion_commit(struct ingot_conversion *conversion,
						     struct ingot_error *err);
INGOT_API void ingot_conversion_free(struct ingot_conversion *conversion); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_conversion, ingot_conversion, ingot_conversion_free)
#define INGOT_CONVERSION INGOT_CLEANUP(ingot_conversion_cleanup)

#endif

/*
 * Machine checks of image files: does a file keep the rules of its format, or of the vendor that
 * shall take it? The rules are read from the specifications and looked at in the file's own bytes,
 * not through what wrote them. Nothing in the file is believed, and what is done for it is bounded.
 */
#ifndef INGOT_IMAGE_CHECK_H
#define INGOT_IMAGE_CHECK_H

#include "base/problems.h"
#include "image/vendor.h"
#include "io/source.h"

/* Where the rules come from. */
struct ingot_check_target {
	const char *format;	     /* a format's own rules; NULL: those of */
	struct ingot_vendor *vendor; /* owned */
};

/*
 * A format's name (formats/format.h), else a vendor's name or file. "vendor:NAME" is the vendor
 * where a format has the same name. -ENOENT: neither. Mistakes in a vendor's file go to the
 * problems.
 */
INGOT_API INGOT_MUST_USE int ingot_check_target_find(const char *name,
						     struct ingot_problems *problems,
						     struct ingot_check_target *ret,
						     struct ingot_error *err);
INGOT_API void ingot_check_target_done(struct ingot_check_target *target);

/* One thing that was looked at. */
struct ingot_check_line {
	char *name; /* "vhd-fixed-footer: checksum" */
	char *expected, *found;
	bool ok;
};

/* Zeroed before. */
struct ingot_check_report {
	const char *format; /* what the file is, "vhd-dynamic" */
	struct ingot_check_line *lines;
	size_t count, room;
};

/*
 * Everything that the target wants of the file, in order, the failed ones as well. An error is only
 * what keeps the file from being read. ingot_check_passed tells the verdict.
 */
INGOT_API INGOT_MUST_USE int ingot_check_file(const char *path,
					      const struct ingot_check_target *target,
					      struct ingot_check_report *report,
					      struct ingot_error *err);
/* The same over an open file, which is borrowed. */
INGOT_API INGOT_MUST_USE int ingot_check_source(struct ingot_source *file,
						const struct ingot_check_target *target,
						struct ingot_check_report *report,
						struct ingot_error *err);

/* There is at least one line, and all are ok. */
INGOT_API bool ingot_check_passed(const struct ingot_check_report *report);
INGOT_API void ingot_check_report_done(struct ingot_check_report *report);

#endif

/* What the checks share. */
#ifndef INGOT_IMAGE_CHECK_INTERNAL_H
#define INGOT_IMAGE_CHECK_INTERNAL_H

#include <jansson.h>

#include "image/check.h"

/* One file under way. */
struct checker {
	struct ingot_source *file; /* its bytes */
	struct ingot_source *disk; /* what is inside; NULL: it could not be opened, */
	struct ingot_error why;	   /* ... because */
	const char *format;	   /* what the file is */
	const struct ingot_check_target *target;
	json_t *inspection; /* of the disk; NULL: not made yet */
	struct ingot_check_report *report;
	const char *name; /* of the check under way */
	bool oom;
	struct ingot_error failure; /* its code below 0: there is no verdict, for this reason */
};

/* Words for a line, in a buffer that lives as long as the block: SAY("%u bytes", n). */
enum { CHECK_TEXT = 256 };
const char *check_text(char text[CHECK_TEXT], const char *format, ...) INGOT_PRINTF(2, 3);
#define SAY(...) check_text((char[CHECK_TEXT]){0}, __VA_ARGS__)

/* Whether that was no finding, but want of memory, which is kept. */
bool check_is_oom(struct checker *c, const struct ingot_error *err);

/* A line of the report. `part` is what of the check; NULL: the check itself. */
void check_add(struct checker *c, const char *part, bool ok, const char *expected,
	       const char *found);
/* Two numbers that have to be equal. */
void check_number(struct checker *c, const char *part, uint64_t expected, uint64_t found);
void check_hex(struct checker *c, const char *part, uint32_t expected, uint32_t found);

/* Exactly n bytes; false after a line that says what is missing. */
INGOT_MUST_USE bool check_read(struct checker *c, struct ingot_source *source, uint64_t offset,
			       void *data, size_t n, const char *part);

/* What a file is by its own bytes: a name of formats/format.h. NULL: no memory to tell. */
const char *check_detect(struct ingot_source *file);
/* Whether a file of the format `found` serves where `wanted` is: a qcow2 may be of version 2. */
bool check_format_fits(const char *wanted, const char *found);

/* --- the checks; the rule has the parameters --------------------------- */

typedef void (*check_function)(struct checker *c, const struct ingot_check_rule *rule);

void check_format_is(struct checker *c, const struct ingot_check_rule *rule);
void check_virtual_size(struct checker *c, const struct ingot_check_rule *rule);
void check_readable(struct checker *c, const struct ingot_check_rule *rule);
void check_qcow2(struct checker *c, const struct ingot_check_rule *rule);
void check_vhd_fixed(struct checker *c, const struct ingot_check_rule *rule);
void check_vhd_dynamic(struct checker *c, const struct ingot_check_rule *rule);
void check_vhdx(struct checker *c, const struct ingot_check_rule *rule);
void check_vdi(struct checker *c, const struct ingot_check_rule *rule);
void check_vmdk_sparse(struct checker *c, const struct ingot_check_rule *rule);
void check_vmdk_stream(struct checker *c, const struct ingot_check_rule *rule);
void check_gce(struct checker *c, const struct ingot_check_rule *rule);
void check_ovf(struct checker *c, const struct ingot_check_rule *rule);
void check_gpt(struct checker *c, const struct ingot_check_rule *rule);
void check_boot_path(struct checker *c, const struct ingot_check_rule *rule);
void check_consoles(struct checker *c, const struct ingot_check_rule *rule);

/* --- tar --------------------------------------------------------------- */

struct check_member {
	char name[101];
	char type;   /* '0' and NUL: a file */
	bool ustar;  /* "ustar", NUL, "00": POSIX */
	bool oldgnu; /* "ustar", two blanks, NUL */
	bool checksum_ok;
	uint64_t size;	 /* bytes in the archive */
	uint64_t offset; /* of its content */
};

/* 1: a member; 0: 512 bytes of zeros; -1: its size is no number. */
int check_tar_header(const unsigned char header[512], struct check_member *ret);

/* The members of an archive up to its end; at most `max`. *ret_end: where the walk stopped. */
size_t check_tar_list(struct ingot_source *file, struct check_member *members, size_t max,
		      uint64_t *ret_end);

/* --- gzip, read from the front ----------------------------------------- */

struct check_gunzip;

/* NULL: no memory. The source is borrowed. */
struct check_gunzip *check_gunzip_new(struct ingot_source *source);
/*
 * Up to n bytes; fewer at the end. Negative: damaged; check_gunzip_why tells. data NULL: skip.
 */
int64_t check_gunzip_read(struct check_gunzip *g, void *data, uint64_t n);
/* Whether it failed for want of memory. */
bool check_gunzip_is_oom(const struct check_gunzip *g);
const char *check_gunzip_why(struct check_gunzip *g);
void check_gunzip_free(struct check_gunzip *g); /* NULL is allowed */

#endif

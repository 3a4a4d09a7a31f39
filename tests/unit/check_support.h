/* Files to be checked: good ones, and what a check says about one that is broken in one place. */
#ifndef INGOT_TESTS_CHECK_SUPPORT_H
#define INGOT_TESTS_CHECK_SUPPORT_H

#include "base/bytes.h"
#include "base/digest.h"
#include "base/text.h"
#include "formats_support.h"
#include "image/check.h"

/* Bytes to be put somewhere. */
struct patch {
	const char *find; /* the first place with this text; NULL: the file itself */
	long at;	  /* from there; negative without find: from the file's end */
	const char *bytes;
	size_t n;
};

enum { PATCHES = 3 };

static inline struct ingot_check_target check_target(const char *name)
{
	struct ingot_problems problems = {0};
	struct ingot_check_target target = {0};
	struct ingot_error err = {0};

	assert_ok(ingot_check_target_find(name, &problems, &target, &err));
	assert_false(ingot_problems_any(&problems));
	return target;
}

/*
 * The names of the lines that failed, with | between them; but not whether all can be read: a
 * reader may refuse more or less than what is checked.
 */
static inline void check_failures(const struct ingot_check_report *report, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < report->count && at < size; i++)
		if (!report->lines[i].ok && strcmp(report->lines[i].name, "readable") != 0)
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "|" : "",
					       report->lines[i].name);
}

/* What is wrong with these bytes is exactly that; `found`, if not NULL, is among what was found. */
static inline void check_bytes(const char *target_name, const void *data, size_t n,
			       const char *want, const char *found)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct ingot_check_target target = check_target(target_name);
	struct ingot_check_report report = {0};
	struct ingot_error err = {0};
	char text[1024];
	bool seen = !found;

	assert_ok(ingot_source_memory("file", data, n, &file, &err));
	assert_ok(ingot_check_source(file, &target, &report, &err));
	check_failures(&report, text, sizeof(text));
	for (size_t i = 0; i < report.count && !seen; i++)
		seen = !report.lines[i].ok && strstr(report.lines[i].found, found);
	if (strcmp(text, want) != 0 || !seen) {
		for (size_t i = 0; i < report.count; i++)
			print_message("%d %s: %s, %s\n", report.lines[i].ok, report.lines[i].name,
				      report.lines[i].expected, report.lines[i].found);
		fail_msg("%s: '%s' failed, not '%s' (%s)", target_name, text, want,
			 found ? found : "");
	}
	assert_true(*want == '\0' || !ingot_check_passed(&report));
	ingot_check_report_done(&report);
	ingot_check_target_done(&target);
}

static inline size_t patch_place(const struct patch *patch, const unsigned char *data, size_t n)
{
	const unsigned char *found;

	if (!patch->find)
		return patch->at < 0 ? n - (size_t)-patch->at : (size_t)patch->at;
	found = memmem(data, n, patch->find, strlen(patch->find));
	assert_non_null(found);
	return (size_t)(found - data) + (size_t)patch->at;
}

/* A copy with the patches, which the caller frees. */
static inline unsigned char *patched(const unsigned char *good, size_t n,
				     const struct patch *patches)
{
	unsigned char *bad = malloc(n);

	assert_non_null(bad);
	memcpy(bad, good, n);
	for (size_t i = 0; i < PATCHES && patches[i].n; i++) {
		size_t place = patch_place(&patches[i], good, n);

		assert_true(place + patches[i].n <= n);
		memcpy(bad + place, patches[i].bytes, patches[i].n);
	}
	return bad;
}

#endif

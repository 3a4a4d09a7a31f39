/* Checks of the file's kind, and of the disk inside whatever the file is. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/check_internal.h"

enum { STEP = 1024 * 1024 };

void check_format_is(struct checker *c, const struct ingot_check_rule *rule)
{
	const struct ingot_vendor *vendor = c->target->vendor;
	char wanted[CHECK_TEXT] = "";
	bool ok = false;
	size_t at = 0;

	(void)rule;
	if (c->target->format) {
		check_add(c, NULL, check_format_fits(c->target->format, c->format),
			  c->target->format, c->format);
		return;
	}
	for (size_t i = 0; i < vendor->output_count && at < sizeof(wanted); i++) {
		at += (size_t)snprintf(wanted + at, sizeof(wanted) - at, "%s%s", i ? " or " : "",
				       vendor->outputs[i].format);
		ok |= check_format_fits(vendor->outputs[i].format, c->format);
	}
	check_add(c, NULL, ok, wanted, c->format);
}

/* false after a line: there is no disk to look at. */
static bool need_disk(struct checker *c, const char *expected)
{
	if (!c->disk)
		check_add(c, NULL, false, expected, c->why.text);
	return c->disk;
}

void check_virtual_size(struct checker *c, const struct ingot_check_rule *rule)
{
	char text[CHECK_TEXT];
	unsigned long long limit = rule->size;
	uint64_t size;
	bool ok;

	(void)check_text(text, "%s %llu bytes",
			 rule->check == INGOT_CHECK_VIRTUAL_SIZE_MULTIPLE ? "a multiple of"
			 : rule->check == INGOT_CHECK_MAX_VIRTUAL_SIZE	  ? "at most"
									  : "at least",
			 limit);
	if (!need_disk(c, text))
		return;
	size = c->disk->size;
	if (rule->check == INGOT_CHECK_VIRTUAL_SIZE_MULTIPLE)
		ok = size > 0 && size % rule->size == 0;
	else
		ok = rule->check == INGOT_CHECK_MAX_VIRTUAL_SIZE ? size <= rule->size
								 : size >= rule->size;
	check_add(c, NULL, ok, text, SAY("%llu bytes", (unsigned long long)size));
}

/* The first failure of a read of everything that is no hole; true: there is none. */
static bool read_all(struct ingot_source *disk, struct ingot_error *err)
{
	INGOT_FREE char *buffer = ingot_alloc_buffer(STEP, err);
	struct ingot_extent run;

	if (!buffer)
		return false;
	for (uint64_t at = 0; at < disk->size; at += run.length) {
		if (ingot_source_extent(disk, at, &run, err) < 0)
			return false;
		if (run.hole)
			continue;
		run.length = ingot_min(run.length, STEP);
		if (ingot_source_read(disk, at, buffer, (size_t)run.length, err) < 0)
			return false;
	}
	return true;
}

void check_readable(struct checker *c, const struct ingot_check_rule *rule)
{
	struct ingot_error err = {0};
	bool ok;

	(void)rule;
	if (!need_disk(c, "all of the disk"))
		return;
	ok = c->disk == c->file || read_all(c->disk, &err);
	if (!check_is_oom(c, &err))
		check_add(c, NULL, ok, "all of the disk", ok ? "all of it" : err.text);
}

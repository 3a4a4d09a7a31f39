#include "image/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "formats/format.h"
#include "image/check_internal.h"
#include "io/source_watched.h"

/* --- lines ------------------------------------------------------------- */

const char *check_text(char text[CHECK_TEXT], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, CHECK_TEXT, format, args);
	va_end(args);
	return text;
}

/* Words of the file's are in it: nothing in them shall tell the terminal what to do. */
static char *tame_copy(const char *text)
{
	char *copy = ingot_strdup(text, NULL);

	if (copy)
		ingot_utf8_tame(copy);
	return copy;
}

void check_add(struct checker *c, const char *part, bool ok, const char *expected,
	       const char *found)
{
	struct ingot_check_report *report = c->report;
	struct ingot_check_line *line;

	if (ingot_grow((void **)&report->lines, &report->room, report->count + 1,
		       sizeof(*report->lines), NULL) < 0) {
		c->oom = true;
		return;
	}
	line = &report->lines[report->count++];
	line->name =
		part ? ingot_format(NULL, "%s: %s", c->name, part) : ingot_strdup(c->name, NULL);
	line->expected = tame_copy(expected);
	line->found = tame_copy(found);
	line->ok = ok;
	c->oom |= !line->name || !line->expected || !line->found;
}

void check_number(struct checker *c, const char *part, uint64_t expected, uint64_t found)
{
	check_add(c, part, expected == found, SAY("%llu", (unsigned long long)expected),
		  SAY("%llu", (unsigned long long)found));
}

void check_hex(struct checker *c, const char *part, uint32_t expected, uint32_t found)
{
	check_add(c, part, expected == found, SAY("%08x", expected), SAY("%08x", found));
}

bool check_is_oom(struct checker *c, const struct ingot_error *err)
{
	c->oom |= err->code == -ENOMEM;
	return err->code == -ENOMEM;
}

bool check_read(struct checker *c, struct ingot_source *source, uint64_t offset, void *data,
		size_t n, const char *part)
{
	struct ingot_error err = {0};

	if (!ingot_in_range(offset, n, source->size)) {
		check_add(c, part, false, SAY("%zu bytes at %llu", n, (unsigned long long)offset),
			  SAY("it ends at %llu", (unsigned long long)source->size));
		return false;
	}
	if (ingot_source_read(source, offset, data, n, &err) == 0)
		return true;
	if (!check_is_oom(c, &err))
		check_add(c, part, false, "can be read", err.text);
	return false;
}

void ingot_check_report_done(struct ingot_check_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->lines[i].name);
		free(report->lines[i].expected);
		free(report->lines[i].found);
	}
	free(report->lines);
	*report = (struct ingot_check_report){0};
}

bool ingot_check_passed(const struct ingot_check_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (!report->lines[i].ok)
			return false;
	return report->count > 0;
}

/* --- what is looked at ------------------------------------------------- */

static void run_check(struct checker *c, const struct ingot_check_rule *rule)
{
	static const check_function functions[INGOT_CHECK_COUNT] = {
		[INGOT_CHECK_FORMAT_IS] = check_format_is,
		[INGOT_CHECK_VIRTUAL_SIZE_MULTIPLE] = check_virtual_size,
		[INGOT_CHECK_MAX_VIRTUAL_SIZE] = check_virtual_size,
		[INGOT_CHECK_MIN_VIRTUAL_SIZE] = check_virtual_size,
		[INGOT_CHECK_QCOW2_HEADER] = check_qcow2,
		[INGOT_CHECK_VHD_FIXED_FOOTER] = check_vhd_fixed,
		[INGOT_CHECK_VHD_DYNAMIC] = check_vhd_dynamic,
		[INGOT_CHECK_VHDX_CHECKSUMS] = check_vhdx,
		[INGOT_CHECK_VDI_HEADER] = check_vdi,
		[INGOT_CHECK_VMDK_SPARSE] = check_vmdk_sparse,
		[INGOT_CHECK_ESXI_STREAM_OPTIMIZED] = check_vmdk_stream,
		[INGOT_CHECK_GCE_TAR] = check_gce,
		[INGOT_CHECK_OVF] = check_ovf,
		[INGOT_CHECK_GPT] = check_gpt,
		[INGOT_CHECK_BOOT_PATH] = check_boot_path,
		[INGOT_CHECK_CONSOLES] = check_consoles,
		[INGOT_CHECK_READABLE] = check_readable,
	};

	c->name = ingot_check_kind(rule->check)->name;
	functions[rule->check](c, rule);
}

/* The rules of a format of its own: the first are those of which a vendor may have more. */
static const struct {
	const char *format;
	struct ingot_check_rule rules[2];
	size_t count;
} FORMAT_RULES[] = {
	{"raw", {{.check = INGOT_CHECK_VIRTUAL_SIZE_MULTIPLE, .size = 512}}, 1},
	{"qcow2", {{.check = INGOT_CHECK_QCOW2_HEADER}}, 1},
	{"qcow2-zstd", {{.check = INGOT_CHECK_QCOW2_HEADER}}, 1},
	{"qcow2-v2", {{.check = INGOT_CHECK_QCOW2_HEADER}}, 1},
	{"vmdk", {{.check = INGOT_CHECK_ESXI_STREAM_OPTIMIZED}}, 1},
	{"vmdk-sparse", {{.check = INGOT_CHECK_VMDK_SPARSE}}, 1},
	{"vhd", {{.check = INGOT_CHECK_VHD_FIXED_FOOTER}}, 1},
	{"vhd-dynamic", {{.check = INGOT_CHECK_VHD_DYNAMIC}}, 1},
	{"vhdx", {{.check = INGOT_CHECK_VHDX_CHECKSUMS}}, 1},
	{"vdi", {{.check = INGOT_CHECK_VDI_HEADER}}, 1},
	{"gce",
	 {{.check = INGOT_CHECK_GCE_TAR},
	  {.check = INGOT_CHECK_VIRTUAL_SIZE_MULTIPLE, .size = UINT64_C(1) << 30}},
	 2},
	{"ova", {{.check = INGOT_CHECK_OVF}, {.check = INGOT_CHECK_ESXI_STREAM_OPTIMIZED}}, 2},
	{"vagrant", {{.check = INGOT_CHECK_ESXI_STREAM_OPTIMIZED}}, 1},
};

/* The output that the file has to be; NULL: one of several, but none of them. */
static const char *wanted_format(const struct checker *c)
{
	const struct ingot_vendor *vendor = c->target->vendor;

	if (c->target->format)
		return c->target->format;
	for (size_t i = 0; i < vendor->output_count; i++)
		if (check_format_fits(vendor->outputs[i].format, c->format))
			return vendor->outputs[i].format;
	return vendor->output_count == 1 ? vendor->outputs[0].format : NULL;
}

static bool vendor_has(const struct ingot_vendor *vendor, enum ingot_check check)
{
	for (size_t i = 0; vendor && i < vendor->rule_count; i++)
		if (vendor->rules[i].check == check)
			return true;
	return false;
}

static void run_vendor_rules(struct checker *c, const char *format)
{
	const struct ingot_vendor *vendor = c->target->vendor;

	for (size_t i = 0; i < vendor->rule_count; i++) {
		const char *only = vendor->rules[i].format;

		if (!only || (format && strcmp(only, format) == 0))
			run_check(c, &vendor->rules[i]);
	}
}

static void run_format_rules(struct checker *c, const char *format)
{
	for (size_t i = 0; i < sizeof(FORMAT_RULES) / sizeof(FORMAT_RULES[0]); i++) {
		if (!format || strcmp(FORMAT_RULES[i].format, format) != 0)
			continue;
		for (size_t k = 0; k < FORMAT_RULES[i].count; k++)
			if (!vendor_has(c->target->vendor, FORMAT_RULES[i].rules[k].check))
				run_check(c, &FORMAT_RULES[i].rules[k]);
	}
}

static void run_all(struct checker *c)
{
	const char *format = wanted_format(c);

	run_check(c, &(struct ingot_check_rule){.check = INGOT_CHECK_FORMAT_IS});
	if (c->target->vendor)
		run_vendor_rules(c, format);
	run_format_rules(c, format);
	run_check(c, &(struct ingot_check_rule){.check = INGOT_CHECK_READABLE});
}

int ingot_check_source(struct ingot_source *file, const struct ingot_check_target *target,
		       struct ingot_check_report *report, struct ingot_error *err)
{
	struct ingot_watched_source watched;
	struct checker c = {.file = &watched.source, .target = target, .report = report};

	ingot_watched_source(&watched, file);
	report->format = c.format = check_detect(c.file);
	if (!c.format)
		return ingot_raise_oom(err, 0);
	if (ingot_format_open_source(c.file, NULL, &c.disk, &c.why) < 0)
		c.disk = NULL;
	if (c.disk || !check_is_oom(&c, &c.why))
		run_all(&c);
	json_decref(c.inspection);
	ingot_source_free(c.disk);
	if (watched.err.code < 0)
		return ingot_raise(err, watched.err.code, "%s", watched.err.text);
	if (c.failure.code < 0)
		return ingot_raise(err, c.failure.code, "%s", c.failure.text);
	return c.oom ? ingot_raise_oom(err, 0) : 0;
}

int ingot_check_file(const char *path, const struct ingot_check_target *target,
		     struct ingot_check_report *report, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	int rc = ingot_source_open(path, &file, err);

	return rc < 0 ? rc : ingot_check_source(file, target, report, err);
}

/* --- the target -------------------------------------------------------- */

int ingot_check_target_find(const char *name, struct ingot_problems *problems,
			    struct ingot_check_target *ret, struct ingot_error *err)
{
	static const char prefix[] = "vendor:";
	bool vendor_only = strncmp(name, prefix, sizeof(prefix) - 1) == 0;
	const char *format;

	*ret = (struct ingot_check_target){0};
	if (vendor_only)
		return ingot_vendor_load(name + sizeof(prefix) - 1, problems, &ret->vendor, err);
	format = ingot_vendor_format_name(name);
	if (format) {
		ret->format = format;
		return 0;
	}
	if (ingot_vendor_is_path(name) || ingot_vendor_is_builtin(name))
		return ingot_vendor_load(name, problems, &ret->vendor, err);
	return ingot_raise(err, -ENOENT, "'%.80s' is neither a format nor a vendor", name);
}

void ingot_check_target_done(struct ingot_check_target *target)
{
	ingot_vendor_free(target->vendor);
	*target = (struct ingot_check_target){0};
}

#include "convert_check.h"

#include <errno.h>
#include <stdio.h>

#include "image/check.h"

static int find_target(const char *name, struct ingot_check_target *ret, struct ingot_error *err)
{
	struct ingot_problems problems = {0};
	int rc = ingot_check_target_find(name, &problems, ret, err);

	if (ingot_problems_any(&problems)) {
		INGOT_FREE char *text = ingot_problems_text(&problems);

		fputs(text ? text : "", stderr);
	}
	ingot_problems_done(&problems);
	return rc;
}

static void print_lines(const char *path, const struct ingot_check_report *report, bool quiet)
{
	if (!quiet)
		printf("%s: %s\n", path, report->format);
	for (size_t i = 0; i < report->count; i++) {
		const struct ingot_check_line *line = &report->lines[i];

		if (!quiet || !line->ok)
			printf("%-6s  %s: expected %s, found %s\n", line->ok ? "ok" : "FAILED",
			       line->name, line->expected, line->found);
	}
}

/* NULL: out of memory. */
static json_t *file_object(const char *path, const struct ingot_check_report *report)
{
	json_t *lines = json_array(), *o;

	for (size_t i = 0; i < report->count; i++) {
		const struct ingot_check_line *line = &report->lines[i];

		if (json_array_append_new(lines,
					  json_pack("{s:s, s:s, s:s, s:b}", "name", line->name,
						    "expected", line->expected, "found",
						    line->found, "ok", (int)line->ok)) < 0) {
			json_decref(lines);
			return NULL;
		}
	}
	o = json_pack("{s:s, s:s, s:b, s:o}", "file", path, "format", report->format, "ok",
		      (int)ingot_check_passed(report), "checks", lines);
	if (!o) /* a file's name may be any bytes */
		o = json_pack("{s:s, s:b}", "format", report->format, "ok",
			      (int)ingot_check_passed(report));
	return o;
}

static int check_one(const struct cli *cli, size_t i, const struct ingot_check_target *target,
		     json_t *files, bool *passed, struct ingot_error *err)
{
	struct ingot_check_report report = {0};
	int rc = ingot_check_file(cli->args[i], target, &report, err);

	if (rc == 0 && files &&
	    json_array_append_new(files, file_object(cli->args[i], &report)) < 0)
		rc = ingot_raise_oom(err, 0);
	if (rc == 0 && !files)
		print_lines(cli->args[i], &report, cli->quiet);
	*passed &= ingot_check_passed(&report);
	ingot_check_report_done(&report);
	return rc;
}

static int check_all(const struct cli *cli, const struct ingot_check_target *target, json_t *files,
		     bool *passed, struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < cli->arg_count; i++)
		rc = check_one(cli, i, target, files, passed, err);
	if (rc == 0 && !files && (fflush(stdout) != 0 || ferror(stdout)))
		rc = ingot_raise_errno(err, errno, "write to standard output");
	return rc;
}

int convert_check(const struct cli *cli, const char *name, bool json, struct ingot_error *err)
{
	struct ingot_check_target target;
	json_t *report = NULL, *files = NULL;
	bool passed = true;
	int rc = find_target(name, &target, err);

	if (rc < 0)
		return rc;
	if (json) {
		report = json_pack("{s:s, s:[]}", "target", name, "files");
		files = json_object_get(report, "files");
		rc = files ? 0 : ingot_raise_oom(err, 0);
	}
	if (rc == 0)
		rc = check_all(cli, &target, files, &passed, err);
	if (rc == 0 && json)
		rc = cli_report(report, true /* json */, err);
	json_decref(report);
	ingot_check_target_done(&target);
	return rc < 0 ? rc : !passed;
}

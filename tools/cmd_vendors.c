#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/vendor_report.h"
#include "vendors_text.h"

struct vendors_options {
	bool json, markdown;
};

/* A vendor's mistakes go to standard error, one line each. */
static int load(const char *name, struct ingot_vendor **ret, struct ingot_error *err)
{
	struct ingot_problems problems = {0};
	int rc = ingot_vendor_load(name, &problems, ret, err);

	if (ingot_problems_any(&problems)) {
		INGOT_FREE char *text = ingot_problems_text(&problems);

		fputs(text ? text : "", stderr);
	}
	ingot_problems_done(&problems);
	return rc;
}

/* --- all of them ------------------------------------------------------- */

/* Calls `each` for every built-in vendor. */
static int for_all(int (*each)(const struct ingot_vendor *vendor, void *context,
			       struct ingot_error *err),
		   void *context, struct ingot_error *err)
{
	int rc = 0;
	const char *name;

	for (size_t i = 0; rc == 0 && (name = ingot_vendor_builtin_name(i)); i++) {
		INGOT_VENDOR struct ingot_vendor *vendor = NULL;

		rc = load(name, &vendor, err);
		if (rc == 0)
			rc = each(vendor, context, err);
	}
	return rc;
}

static int add_report(const struct ingot_vendor *vendor, void *context, struct ingot_error *err)
{
	if (json_array_append_new(context, ingot_vendor_report(vendor)) < 0)
		return ingot_raise_oom(err, 0);
	return 0;
}

static int print_json(struct ingot_error *err)
{
	json_t *list = json_array(), *report = json_object();
	int rc = for_all(add_report, list, err);

	if (json_object_set_new(report, "vendors", list) < 0 && rc == 0)
		rc = ingot_raise_oom(err, 0);
	if (rc == 0)
		rc = cli_report(report, true /* json */, err);
	json_decref(report);
	return rc;
}

static int print_row(const struct ingot_vendor *vendor, void *context, struct ingot_error *err)
{
	(void)context, (void)err;
	vendors_print_row(vendor);
	return 0;
}

static int print_markdown_row(const struct ingot_vendor *vendor, void *context,
			      struct ingot_error *err)
{
	(void)context, (void)err;
	vendors_print_markdown_row(vendor);
	return 0;
}

static int print_table(bool markdown, struct ingot_error *err)
{
	if (markdown)
		vendors_print_markdown_head();
	else
		vendors_print_head();
	return for_all(markdown ? print_markdown_row : print_row, NULL /* context */, err);
}

/* --- one --------------------------------------------------------------- */

static int print_one(const char *name, bool json, struct ingot_error *err)
{
	INGOT_VENDOR struct ingot_vendor *vendor = NULL;
	json_t *report;
	int rc = load(name, &vendor, err);

	if (rc < 0)
		return rc;
	if (!json)
		return vendors_print_all(vendor, err);
	report = ingot_vendor_report(vendor);
	rc = report ? cli_report(report, true /* json */, err) : ingot_raise_oom(err, 0);
	json_decref(report);
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct vendors_options *o = cli->options;
	int rc;

	if (o->markdown && (o->json || cli->arg_count))
		return cli_usage(cli, err, "--markdown prints the page of all vendors");
	if (cli->arg_count)
		rc = print_one(cli->args[0], o->json, err);
	else if (o->json)
		rc = print_json(err);
	else
		rc = print_table(o->markdown, err);
	if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		rc = ingot_raise_errno(err, errno, "write to standard output");
	return rc;
}

static const struct cli_option OPTIONS[] = {
	{"json", NULL, "report as JSON", offsetof(struct vendors_options, json), CLI_FLAG, false},
	{"markdown", NULL, "print the documentation's page of all vendors",
	 offsetof(struct vendors_options, markdown), CLI_FLAG, false},
};

const struct cli_command cmd_vendors = {
	.name = "vendors",
	.arguments = "[VENDOR]",
	.summary = "Show what each cloud and hypervisor wants of an image",
	.description =
		"Without VENDOR, lists the built-in vendors: the formats of their files, the rule for the "
		"disk's size, consoles (the last one becomes /dev/console) and architectures. With VENDOR, "
		"prints everything that is known about one.\n\n"
		"VENDOR is a name of the list, or a file of your own: anything with a '/' in it or '.yaml' "
		"at its end. All mistakes in such a file are told at once, with line and column, so this is "
		"also how to check one.",
	.examples = "ingot vendors\n"
		    "# one, with its kernel arguments and checks\n"
		    "ingot vendors azure\n"
		    "# the suffixes of the files for a release\n"
		    "ingot vendors --json | jq -r '.vendors[] | .name + .outputs[].suffix'\n"
		    "# see whether your own file is right\n"
		    "ingot vendors ./mine.yaml",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct vendors_options),
	.args_max = 1,
	.run = run,
};

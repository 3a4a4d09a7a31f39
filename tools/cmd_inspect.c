#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "formats/format.h"
#include "image/inspect.h"
#include "io/source.h"

struct inspect_options {
	bool json;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static uint64_t number_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static bool is_set(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* --- one partition's content, in words --------------------------------- */

static void print_program(const json_t *program)
{
	const json_t *table = json_object_get(program, "veritytab");

	if (*text_of(program, "os"))
		printf("      %s for %s, %s\n", text_of(program, "os"), text_of(program, "machine"),
		       is_set(program, "signed") ? "signed" : "not signed");
	if (*text_of(program, "cmdline"))
		printf("      command line: %s\n", text_of(program, "cmdline"));
	if (table)
		printf("      veritytab:    %s %s %s %s %s\n", text_of(table, "volume"),
		       text_of(table, "data_device"), text_of(table, "hash_device"),
		       text_of(table, "root_hash"), text_of(table, "options"));
	else if (*text_of(program, "verity_command"))
		printf("      veritysetup:  %s\n", text_of(program, "verity_command"));
	else if (*text_of(program, "root_hash"))
		printf("      root hash:    %s\n", text_of(program, "root_hash"));
	if (strcmp(text_of(program, "kind"), "uki") == 0)
		printf("      root hash signature in the initrd: %s\n",
		       is_set(program, "root_hash_signature") ? "yes" : "no");
}

static void print_files(const json_t *files)
{
	char size[INGOT_SIZE_TEXT];
	size_t i;
	json_t *file;

	json_array_foreach(files, i, file)
	{
		printf("    %s (%s)\n", text_of(file, "path"),
		       ingot_size_text(number_of(file, "size"), size));
		if (json_object_get(file, "program"))
			print_program(json_object_get(file, "program"));
	}
}

static void print_verity(const json_t *v)
{
	printf("    hash tree: %s, salt %s, %llu data blocks of %llu, at byte %llu\n",
	       text_of(v, "hash"), text_of(v, "salt"),
	       (unsigned long long)number_of(v, "data_blocks"),
	       (unsigned long long)number_of(v, "data_block_size"),
	       (unsigned long long)number_of(v, "hash_offset"));
}

static void print_content(const json_t *content)
{
	const char *kind = text_of(content, "kind");
	char a[INGOT_SIZE_TEXT], b[INGOT_SIZE_TEXT];

	if (strncmp(kind, "ext", 3) == 0 && json_object_get(content, "size"))
		printf("    %s%s '%s' %s, %s, %s free\n", kind,
		       is_set(content, "read_only") ? " read-only" : "", text_of(content, "label"),
		       text_of(content, "uuid"), ingot_size_text(number_of(content, "size"), a),
		       ingot_size_text(number_of(content, "free"), b));
	else if (strncmp(kind, "fat", 3) == 0)
		printf("    %s '%s' %s\n", kind, text_of(content, "label"),
		       text_of(content, "volume_id"));
	else if (strcmp(kind, "verity-signature") == 0)
		printf("    signature of root hash %s\n      certificate %s\n",
		       text_of(content, "root_hash"), text_of(content, "certificate_fingerprint"));
	else if (strcmp(kind, "verity") == 0)
		print_verity(content);
	else if (strcmp(kind, "uki") == 0 || strcmp(kind, "efi") == 0)
		print_program(content);
	else
		printf("    %s\n", *kind ? kind : "not recognised");
	print_files(json_object_get(content, "files"));
	if (json_object_get(content, "verity"))
		print_verity(json_object_get(content, "verity"));
}

/* --- the table --------------------------------------------------------- */

static void print_attributes(const json_t *a)
{
	static const char *const flags[] = {"successful", "growfs", "read_only", "no_auto"};

	if (number_of(a, "priority"))
		printf(" priority=%d", (int)number_of(a, "priority"));
	if (number_of(a, "tries"))
		printf(" tries=%d", (int)number_of(a, "tries"));
	for (size_t i = 0; i < CLI_COUNT(flags); i++)
		if (is_set(a, flags[i]))
			printf(" %s", flags[i]);
}

static void print_partition(const json_t *p)
{
	const char *type = *text_of(p, "type_name") ? text_of(p, "type_name") : text_of(p, "type");
	char size[INGOT_SIZE_TEXT];

	printf("%3d %-20s %-20s %10llu %10s  %s", (int)number_of(p, "number"), text_of(p, "label"),
	       type, (unsigned long long)number_of(p, "start"),
	       ingot_size_text(number_of(p, "size"), size), text_of(p, "uuid"));
	print_attributes(json_object_get(p, "attributes"));
	putchar('\n');
	print_content(json_object_get(p, "content"));
}

static void print_report(const json_t *report, const char *name)
{
	const json_t *content = json_object_get(report, "content");
	const json_t *partitions = json_object_get(content, "partitions");
	char size[INGOT_SIZE_TEXT];
	json_t *p;
	size_t i;

	printf("%s: %s", name, ingot_size_text(number_of(report, "size"), size));
	if (!partitions) {
		putchar('\n');
		print_content(content);
		return;
	}
	printf(", GPT %s, sectors of %d\n", text_of(content, "uuid"),
	       (int)number_of(content, "sector_size"));
	json_array_foreach(partitions, i, p) print_partition(p);
}

/* --- the command ------------------------------------------------------- */

static void print_problems(const json_t *report)
{
	json_t *problem;
	size_t i;

	json_array_foreach(json_object_get(report, "problems"), i, problem)
		fprintf(stderr, "ingot inspect: %s\n", json_string_value(problem));
}

static int tame_text(json_t *value)
{
	INGOT_FREE char *text = strdup(json_string_value(value));

	if (!text)
		return -ENOMEM;
	ingot_utf8_tame(text);
	return json_string_set(value, text) < 0 ? -ENOMEM : 0;
}

/* Nothing in the image shall tell the terminal what to do. (JSON escapes what could.) */
static int tame(json_t *value)
{
	const char *key;
	json_t *child;
	size_t i;
	int rc = json_is_string(value) ? tame_text(value) : 0;

	json_object_foreach(value, key, child) rc = rc < 0 ? rc : tame(child);
	json_array_foreach(value, i, child) rc = rc < 0 ? rc : tame(child);
	return rc;
}

static int print(const struct cli *cli, json_t *report, struct ingot_error *err)
{
	const struct inspect_options *o = cli->options;
	int rc = o->json ? cli_report(report, true /* json */, err) : 0;

	if (rc < 0)
		return rc;
	if (tame(report) < 0)
		return ingot_raise_oom(err, 0);
	if (!o->json)
		print_report(report, cli->args[0]);
	print_problems(report);
	return 0;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *image = NULL;
	struct ingot_problems problems = {0};
	json_t *report = NULL;
	bool sound;
	const char *container = NULL;
	int rc = ingot_format_open(cli->args[0], &container, &image, err);

	if (rc == 0)
		rc = ingot_inspect(image, &problems, &report, err);
	if (rc == 0 && json_object_set_new(report, "container", json_string(container)) < 0)
		rc = ingot_raise_oom(err, 0);
	sound = !ingot_problems_any(&problems);
	ingot_problems_done(&problems);
	if (rc == 0)
		rc = print(cli, report, err);
	json_decref(report);
	return rc < 0 ? rc : !sound;
}

static const struct cli_option OPTIONS[] = {
	{"json", NULL, "report as JSON", offsetof(struct inspect_options, json), CLI_FLAG, false},
};

const struct cli_command cmd_inspect = {
	.name = "inspect",
	.arguments = "IMAGE",
	.summary = "Show what is in a disk image",
	.description =
		"Prints the partition table of a disk image, raw or in any container that 'ingot convert' "
		"reads, and for each partition what is found in it: filesystems with their labels and free space, the files of the ESP, the command line, "
		"operating system and root hash inside a unified kernel image, hash trees, signatures. An "
		"image of a single partition, or a UKI, is shown the same way.\n\n"
		"Nothing is changed, mounted or believed: what is damaged is told on standard error, and "
		"the exit status is 1 then. To check an image against its root hash, use "
		"'ingot verity check'.",
	.examples = "ingot inspect demo-1.raw\n"
		    "# the root hash that the image would boot with\n"
		    "ingot inspect demo-1.raw --json | jq -r '.. | .root_hash? // empty' | sort -u",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct inspect_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};

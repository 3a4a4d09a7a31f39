#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "convert_check.h"
#include "formats/convert.h"
#include "formats/format.h"
#include "image/room.h"
#include "same_file.h"

struct convert_options {
	struct cli_list to;
	struct cli_u64 level;
	const char *check;
	bool json, room;
};

/* "FORMAT=OUTPUT": the name of the format is cut out of a copy, which the caller frees. */
static int parse_output(const struct cli *cli, const char *text, struct ingot_convert_output *ret,
			char **copy, struct ingot_error *err)
{
	char *equals;

	*copy = ingot_strdup(text, err);
	if (!*copy)
		return -ENOMEM;
	equals = strchr(*copy, '=');
	if (!equals || equals == *copy || !equals[1])
		return cli_usage(cli, err, "--to takes FORMAT=OUTPUT, not '%s'", text);
	*equals = '\0';
	*ret = (struct ingot_convert_output){.format = *copy, .path = equals + 1};
	return same_file_refuse(cli->args[0], ret->path, err);
}

/* Where a pipe is kept: as large as the outputs, it belongs to the first of them. */
static char *spool_folder(const struct ingot_convert_options *options, struct ingot_error *err)
{
	const char *folder = getenv("TMPDIR"), *first = options->outputs[0].path;
	const char *slash = strrchr(first, '/');

	if (folder && *folder)
		return ingot_strdup(folder, err);
	if (strcmp(first, "-") == 0)
		return ingot_strdup("/tmp", err);
	if (!slash)
		return ingot_strdup(".", err);
	return ingot_format(err, "%.*s", (int)(slash - first) + 1, first);
}

static int open_stdin(const struct ingot_convert_options *options, struct ingot_source **ret,
		      struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	INGOT_FREE char *folder = spool_folder(options, err);
	int rc;

	if (!folder)
		return -ENOMEM;
	if (isatty(STDIN_FILENO))
		return ingot_raise(err, -EINVAL, "standard input is a terminal: no disk image");
	rc = ingot_source_spool(STDIN_FILENO, "standard input", folder, &file, err);
	if (rc == 0 && file->size == 0) /* whoever should have sent it has failed */
		rc = ingot_raise(err, -EINVAL, "standard input is empty");
	if (rc == 0)
		rc = ingot_format_open_source(file, NULL, ret, err);
	if (rc < 0)
		return rc;
	file = NULL; /* the disk owns it */
	return 0;
}

/* Places of signatures are kept as they are; everything else is as without. */
static int convert_with_room(struct ingot_source *source,
			     const struct ingot_convert_options *options, struct ingot_error *err)
{
	INGOT_CONVERSION struct ingot_conversion *conversion = NULL;
	INGOT_FREE struct ingot_range *room = NULL;
	struct ingot_convert_disk disk = {.source = source};
	int rc = ingot_image_room(source, &room, &disk.plain_count, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "'%s'", source->name);
	disk.plain = room;
	rc = ingot_conversion_run(&disk, 1, options, &conversion, err);
	return rc < 0 ? rc : ingot_conversion_commit(conversion, err);
}

static int convert(const struct cli *cli, const struct ingot_convert_options *options,
		   struct ingot_error *err)
{
	const struct convert_options *o = cli->options;
	INGOT_SOURCE struct ingot_source *disk = NULL;
	int rc;

	if (strcmp(cli->args[0], "-") == 0)
		rc = open_stdin(options, &disk, err);
	else
		rc = ingot_format_open(cli->args[0], NULL, &disk, err);
	if (rc < 0)
		return rc;
	return o->room ? convert_with_room(disk, options, err) : ingot_convert(disk, options, err);
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct convert_options *o = cli->options;
	INGOT_FREE struct ingot_convert_output *outputs =
		ingot_alloc(o->to.count, sizeof(*outputs), err);
	INGOT_FREE char **copies = outputs ? ingot_alloc(o->to.count, sizeof(*copies), err) : NULL;
	struct ingot_convert_options options = {
		.outputs = outputs, .count = o->to.count, .jobs = cli->jobs};
	int rc = 0;

	if (!copies)
		return -ENOMEM;
	if (o->check && (o->to.count || o->level.given || o->room))
		return cli_usage(cli, err, "--check looks at files and writes none");
	if (o->check)
		return convert_check(cli, o->check, o->json, err);
	if (!o->to.count)
		return cli_usage(cli, err, "one of --to and --check is needed");
	if (cli->arg_count > 1 || o->json)
		return cli_usage(cli, err, "several inputs and --json are for --check");
	if (o->level.given && (o->level.value < 1 || o->level.value > INGOT_LEVEL_MAX))
		return cli_usage(cli, err, "--level is 1 to %d", INGOT_LEVEL_MAX);
	options.level = (unsigned)o->level.value;
	for (size_t i = 0; rc == 0 && i < o->to.count; i++)
		rc = parse_output(cli, o->to.items[i], &outputs[i], &copies[i], err);
	if (rc == 0)
		rc = convert(cli, &options, err);
	for (size_t i = 0; i < o->to.count; i++)
		free(copies[i]);
	return rc;
}

#define AT(member) offsetof(struct convert_options, member)
static const struct cli_option OPTIONS[] = {
	{"to", "FORMAT=OUTPUT",
	 "a format and the file that gets it, - for standard output. May be given several times: the "
	 "input is still read once",
	 AT(to), CLI_LIST, false},
	{"level", "N", "compression from 1 (fast) to 9 (small), 5 without", AT(level), CLI_U64,
	 false},
	{"room", NULL,
	 "keep the places of the image's signatures, made or still to be made, as a build does, so that "
	 "`ingot attach` can write into the outputs",
	 AT(room), CLI_FLAG, false},
	{"check", "NAME",
	 "write nothing: see whether the files keep the rules of a format or of a vendor",
	 AT(check), CLI_TEXT, false},
	{"json", NULL, "with --check: report as JSON", AT(json), CLI_FLAG, false},
};

const struct cli_command cmd_convert = {
	.name = "convert",
	.arguments = "INPUT...",
	.summary = "Write a disk image in other formats, all in one pass",
	.description =
		"Reads a disk image once and writes it in every format asked for. INPUT is raw (a file or "
		"a block device) or one of the containers below, which is found from its first and last "
		"bytes. One that needs another file, such as a backing file, is refused. What is compressed "
		"with gzip, Zstandard or xz is read without a temporary copy.\n\n"
		"INPUT - is standard input. A file or a block device there is read as it is. A pipe is "
		"read once into a file without a name, in $TMPDIR or else in the folder of the first "
		"output, which needs room for it; its zeros take none.\n\n"
		"Formats: raw (zeros are holes); qcow2 (version 3, deflate); qcow2-zstd (QEMU 5.1 and "
		"later); qcow2-v2 (compat=0.10, for old OpenStack); vmdk (streamOptimized, what ESXi and "
		"OVA take); vmdk-sparse (monolithicSparse, for Workstation and VirtualBox); ova (an "
		"appliance: description, manifest and vmdk); vagrant (a box for VirtualBox); "
		"vhd (fixed size, what Azure takes); vhd-dynamic (as large as its data); vhdx (Hyper-V); vdi "
		"(VirtualBox); gce (disk.raw in a tar, compressed with gzip: what Google Compute Engine "
		"takes); raw.gz, raw.zst and raw.xz.\n\n"
		"The bytes depend on the disk's content and on --level alone: identifiers are derived from "
		"the content, and no time and no name is stored. On a disk with a system on it, level 5 makes "
		"files that are not larger than qemu-img's, level 1 needs about a third of the time for about "
		"9 % more bytes.\n\n"
		"--room is for images that `ingot build` signed, or that are to be signed later: the 64 KiB around "
		"each signature are stored as they are, as a build does it in its outputs. They are found in the "
		"image itself; one that has none is refused.\n\n"
		"Either all outputs appear, whole, or none. An output that is INPUT itself is refused.\n\n"
		"--check NAME looks at one or several files: NAME is a format, a vendor ('ingot vendors'), or "
		"a vendor's file. vendor:NAME is the vendor where a format has that name, too. Each line says "
		"what was wanted and what was found; the exit status is 1 if anything failed. Rules are looked "
		"at in the file's own bytes, whoever wrote it.",
	.examples =
		"# for QEMU and for OpenStack\n"
		"ingot convert disk.img --to qcow2=disk.qcow2 --to qcow2-v2=openstack.qcow2\n\n"
		"# a quick one\n"
		"ingot convert disk.img --to qcow2=disk.qcow2 --level 1\n\n"
		"# for `ingot attach`, of an image of `ingot build --sign-later`\n"
		"ingot convert out/demo-1.raw --to qcow2=demo-1.qcow2 --room\n\n"
		"# what a server sends\n"
		"curl -s https://example.com/disk.raw.xz | ingot convert - --to qcow2=disk.qcow2\n\n"
		"# back to raw\n"
		"ingot convert disk.qcow2 --to raw=disk.img\n\n"
		"# will Azure take it?\n"
		"ingot convert --check azure disk.vhd",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct convert_options),
	.args_min = 1,
	.args_max = SIZE_MAX,
	.run = run,
};

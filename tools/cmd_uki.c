/* ingot uki: kernel, initrd and command line in one EFI program. */
#include <errno.h>
#include <string.h>

#include "boot/initrd.h"
#include "boot/uki.h"
#include "cli.h"
#include "commands.h"
#include "io/copy.h"
#include "io/output.h"
#include "same_file.h"

enum { TEXT_MAX = 64 * 1024, SECTIONS_MAX = 5 };

struct uki_options {
	struct cli_list initrd;
	const char *stub, *linux_image, *cmdline, *os_release, *uname, *output;
};

/* The sections, and everything open for them: a section's content is one of `open`. */
struct uki {
	struct ingot_source *stub;
	struct ingot_source **initrds;
	size_t initrd_count;
	struct ingot_uki_section sections[SECTIONS_MAX];
	struct ingot_source *open[SECTIONS_MAX];
	size_t count;
};

static void uki_done(struct uki *uki)
{
	for (size_t i = 0; i < SECTIONS_MAX; i++)
		ingot_source_free(uki->open[i]);
	for (size_t i = 0; uki->initrds && i < uki->initrd_count; i++)
		ingot_source_free(uki->initrds[i]);
	free(uki->initrds);
	ingot_source_free(uki->stub);
}

/* The source that the caller has just put into open[count]. */
static void add_open(struct uki *uki, const char *name)
{
	uki->sections[uki->count] = (struct ingot_uki_section){name, uki->open[uki->count]};
	uki->count++;
}

static int add_file(struct uki *uki, const char *name, const char *path, struct ingot_error *err)
{
	int rc = ingot_source_open(path, &uki->open[uki->count], err);

	if (rc == 0)
		add_open(uki, name);
	return rc;
}

/* TEXT or @FILE */
static int add_cmdline(struct uki *uki, const char *argument, struct ingot_error *err)
{
	INGOT_FREE char *loaded = NULL;
	INGOT_FREE char *line = NULL;
	size_t n = strlen(argument);
	int rc = 0;

	if (argument[0] == '@')
		rc = ingot_load_file(argument + 1, TEXT_MAX, &loaded, &n, err);
	if (rc == 0)
		rc = ingot_uki_cmdline(loaded ? loaded : argument, n, &line, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "--cmdline");
	rc = ingot_source_memory("command line", line, strlen(line), &uki->open[uki->count], err);
	if (rc == 0)
		add_open(uki, ".cmdline");
	return rc;
}

static int add_uname(struct uki *uki, const char *text, struct ingot_error *err)
{
	int rc;

	if (!text)
		return 0;
	rc = ingot_source_memory("uname", text, strlen(text), &uki->open[uki->count], err);
	if (rc == 0)
		add_open(uki, ".uname");
	return rc;
}

static int add_initrds(struct uki *uki, const struct cli_list *paths, struct ingot_error *err)
{
	int rc = 0;

	uki->initrds = ingot_alloc(paths->count + 1, sizeof(*uki->initrds), err);
	if (!uki->initrds)
		return -ENOMEM;
	uki->initrd_count = paths->count;
	for (size_t i = 0; rc == 0 && i < paths->count; i++)
		rc = ingot_source_open(paths->items[i], &uki->initrds[i], err);
	if (rc == 0)
		rc = ingot_initrd_source(uki->initrds, uki->initrd_count, &uki->open[uki->count],
					 err);
	if (rc == 0)
		add_open(uki, ".initrd");
	return rc;
}

static int open_all(struct uki *uki, const struct uki_options *options, struct ingot_error *err)
{
	int rc = ingot_source_open(options->stub, &uki->stub, err);

	if (rc == 0)
		rc = add_file(uki, ".osrel", options->os_release, err);
	if (rc == 0)
		rc = add_cmdline(uki, options->cmdline, err);
	if (rc == 0)
		rc = add_uname(uki, options->uname, err);
	if (rc == 0)
		rc = add_initrds(uki, &options->initrd, err);
	if (rc == 0)
		rc = add_file(uki, ".linux", options->linux_image, err);
	return rc;
}

static int write_uki(const struct cli *cli, const struct uki *uki, struct ingot_error *err)
{
	const struct uki_options *options = cli->options;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SOURCE struct ingot_source *image = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_uki_source(uki->stub, uki->sections, uki->count, &image, err);

	if (rc < 0)
		return rc;
	rc = ingot_output_create(options->output, &output, err);
	if (rc < 0)
		return rc;
	rc = ingot_output_sink(output, image->size, &sink, err);
	if (rc < 0)
		return rc;
	rc = ingot_copy(image, sink, cli->jobs, NULL, err);
	if (rc < 0)
		return rc;
	return ingot_output_commit(output, err);
}

static int check_output(const struct uki_options *o, struct ingot_error *err)
{
	const char *cmdline = o->cmdline[0] == '@' ? o->cmdline + 1 : NULL;
	const char *inputs[] = {o->stub, o->linux_image, cmdline, o->os_release};
	int rc = same_file_refuse_all(inputs, CLI_COUNT(inputs), o->output, err);

	return rc < 0 ? rc : same_file_refuse_all(o->initrd.items, o->initrd.count, o->output, err);
}

static int run_uki(const struct cli *cli, struct ingot_error *err)
{
	struct uki uki = {0};
	int rc = check_output(cli->options, err);

	if (rc == 0)
		rc = open_all(&uki, cli->options, err);
	if (rc == 0)
		rc = write_uki(cli, &uki, err);
	uki_done(&uki);
	return rc;
}

#define AT(field) offsetof(struct uki_options, field)

static const struct cli_option OPTIONS[] = {
	{"stub", "FILE", "systemd-stub: /usr/lib/systemd/boot/efi/linuxx64.efi.stub", AT(stub),
	 CLI_TEXT, true},
	{"linux", "FILE", "kernel for the same machine", AT(linux_image), CLI_TEXT, true},
	{"initrd", "FILE", "initrd; several are joined in this order", AT(initrd), CLI_LIST, true},
	{"cmdline", "TEXT|@FILE", "kernel command line, or a file that has it", AT(cmdline),
	 CLI_TEXT, true},
	{"os-release", "FILE", "the image's os-release, for boot menus", AT(os_release), CLI_TEXT,
	 true},
	{"uname", "TEXT", "kernel version (uname -r), for boot menus", AT(uname), CLI_TEXT, false},
	{"output", "FILE", "image to write; - is standard output", AT(output), CLI_TEXT, true},
};

const struct cli_command cmd_uki = {
	.name = "uki",
	.arguments = "",
	.summary = "Make a unified kernel image",
	.description =
		"Adds kernel, initrd, command line and os-release to systemd-stub, as sections of one "
		"EFI program that the firmware starts by itself as EFI/BOOT/BOOTX64.EFI. Kernel and "
		"stub must be for the same machine. A signature that the stub had is dropped; sign "
		"the result.\n\n"
		"Initrds are padded to a multiple of 4 bytes when they are joined: the kernel "
		"silently skips an archive that starts elsewhere. The command line loses blanks and "
		"line breaks at its ends, and may have no line break inside.",
	.examples =
		"# For the firmware to find on the EFI system partition\n"
		"ingot uki --stub /usr/lib/systemd/boot/efi/linuxx64.efi.stub \\\n"
		"    --linux vmlinuz --initrd initrd.verity --os-release usr/lib/os-release \\\n"
		"    --cmdline 'mount.usr=/dev/mapper/usr console=ttyS0' --output BOOTX64.EFI\n",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct uki_options),
	.run = run_uki,
};

/*
 * ingot: signed, dm-verity protected, reproducible disk images. One program, one
 * subcommand a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "cli.h"
#include "commands.h"
#include "help.h"
#include "io/output.h"
#include "parse.h"

enum { EXIT_DONE = 0, EXIT_CANNOT = 2 };

/* clang-format off */
const struct cli_command *const cli_commands[] = {
	&cmd_build,
	&cmd_mkfs,
	&cmd_verity_format,
	&cmd_verity_check,
	&cmd_verity_repair,
	&cmd_sign_root_hash,
	&cmd_sign_pe,
	&cmd_sign_file,
	&cmd_sign_sums,
	&cmd_sign_efi_list,
	&cmd_sign_efi_variable,
	&cmd_sign, /* behind those whose names begin like it */
	&cmd_attach,
	&cmd_disk,
	&cmd_initrd,
	&cmd_uki,
	&cmd_convert,
	&cmd_vendors,
	&cmd_inspect,
	&cmd_verify,
	&cmd_man,
	&cmd_completion,
};
/* clang-format on */
const size_t cli_command_count = CLI_COUNT(cli_commands);

/* One line whatever the names in it, and a second one from cli_usage. */
static int cannot(const char *command, const struct ingot_error *err)
{
	const char *last = strrchr(err->text, '\n');
	bool hint = last && strncmp(last, CLI_USAGE_HINT, strlen(CLI_USAGE_HINT)) == 0;
	size_t n = hint ? (size_t)(last - err->text) : strlen(err->text);

	fprintf(stderr, "ingot %s: ", command);
	ingot_print_sentence(err->text, n, stderr);
	fprintf(stderr, "%s\n", err->text + n);
	return EXIT_CANNOT;
}

static int print_version(void)
{
	printf("ingot %s\n", ingot_version());
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}

static int print_help(const struct cli_command *command)
{
	if (command)
		help_command(command);
	else
		help_overview();
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct ingot_error err = {0};
	struct cli_parsed parsed;
	int rc = cli_parse(command, argc, argv, &parsed, &err);

	if (rc == 0 && parsed.common.help)
		rc = print_help(command);
	else if (rc == 0 && parsed.common.version)
		rc = print_version();
	else if (rc == 0)
		rc = command->run(&parsed.cli, &err);
	cli_parsed_done(&parsed);
	if (rc == 0 && fflush(stdout) != 0)
		rc = ingot_raise_errno(&err, errno, "write to standard output");
	return rc < 0 ? cannot(command->name, &err) : rc;
}

/*
 * Started with a closed standard descriptor, the first file to be opened would get its number, and
 * the report or the error message would end up in an image. What stands in refuses: it cannot be
 * written where one writes, nor read where one reads.
 */
static bool fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

/* The first word is no command, but perhaps the first half of some. */
static int no_command(const char *word)
{
	size_t n = word ? strlen(word) : 0, count = 0;

	if (!word)
		fprintf(stderr, "ingot: a command is missing\n");
	else if (word[0] == '-')
		fprintf(stderr, "ingot: unknown option %s\n", word);
	for (size_t i = 0; word && i < cli_command_count; i++) {
		const char *name = cli_commands[i]->name;

		if (strncmp(name, word, n) == 0 && name[n] == ' ')
			fprintf(stderr, "%s'%s'", count++ ? ", " : "ingot: there is ", name);
	}
	if (count)
		fputc('\n', stderr);
	else if (word && word[0] != '-')
		fprintf(stderr, "ingot: no command is called '%s'\n", word);
	fprintf(stderr, "Try 'ingot --help'.\n");
	return EXIT_CANNOT;
}

int main(int argc, char **argv)
{
	const struct cli_command *command;
	int used;

	if (!fill_standard_descriptors())
		return EXIT_CANNOT;
	ingot_output_handle_signals();
	if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0))
		return print_version();
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
			  strcmp(argv[1], "help") == 0)) {
		command = argc > 2 ? cli_find_command(argc - 2, argv + 2, &used) : NULL;
		return print_help(command);
	}
	command = cli_find_command(argc - 1, argv + 1, &used);
	if (!command)
		return no_command(argc > 1 ? argv[1] : NULL);
	return run(command, argc - 1 - used, argv + 1 + used);
}

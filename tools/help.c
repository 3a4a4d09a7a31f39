#include "help.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "parse.h"

enum { WIDTH = 78 };

void help_overview(void)
{
	printf("Usage: ingot COMMAND [OPTION...] [ARGUMENT...]\n\n"
	       "Signed, dm-verity protected, reproducible disk images from a file tree.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < cli_command_count; i++)
		printf("  %-16s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
	printf("\n'ingot COMMAND --help' tells more. Exit status: 0 done, 1 the answer is no,\n"
	       "2 it could not be done.\n");
}

/* A paragraph, broken at blanks, every line after `indent` columns. */
static void wrap(const char *text, int indent, int column)
{
	while (*text) {
		size_t n = strcspn(text, " \n");

		if (column > indent && column + 1 + (int)n > WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += (int)n;
		text += n;
		if (text[0] == '\n' && text[1] == '\n') {
			printf("\n\n%*s", indent, "");
			column = indent;
		}
		text += strspn(text, " \n");
	}
	putchar('\n');
}

static void print_option(const struct cli_option *option, char letter)
{
	char front[64];
	int n;

	n = snprintf(front, sizeof(front), "  %c%c%c --%s%s%s", letter ? '-' : ' ',
		     letter ? letter : ' ', letter ? ',' : ' ', option->name,
		     option->argument ? " " : "", option->argument ? option->argument : "");
	printf("%-28s", front);
	if (n >= 28)
		printf("\n%28s", "");
	wrap(option->help, 28, 28);
}

void help_command(const struct cli_command *command)
{
	printf("Usage: ingot %s [OPTION...]%s%s\n\n%s.\n\n", command->name,
	       *command->arguments ? " " : "", command->arguments, command->summary);
	if (command->description) {
		wrap(command->description, 0, 0);
		putchar('\n');
	}
	printf("Options:\n");
	for (size_t i = 0; i < command->option_count; i++)
		print_option(&command->options[i], '\0');
	for (size_t i = 0; i < cli_common_option_count; i++)
		print_option(&cli_common_options[i], "jqvhV"[i]);
	if (command->examples)
		printf("\nExamples:\n%s\n", command->examples);
}

/* --- man page ---------------------------------------------------------- */

/* Text for roff: backslashes, hyphens and leading dots would be commands. */
static void roff(const char *text)
{
	bool line_start = true;

	for (; *text; text++) {
		if (text[0] == '\n' && text[1] == '\n') {
			printf("\n.PP\n");
			text += strspn(text, "\n") - 1;
			line_start = true;
			continue;
		}
		if (line_start && (*text == '.' || *text == '\''))
			printf("\\&");
		if (*text == '\\')
			printf("\\e");
		else if (*text == '-')
			printf("\\-");
		else
			putchar(*text);
		line_start = *text == '\n';
	}
}

static void man_option(const struct cli_option *option, char letter)
{
	printf(".TP\n");
	if (letter)
		printf("\\fB\\-%c\\fR, ", letter);
	printf("\\fB\\-\\-");
	roff(option->name);
	printf("\\fR");
	if (option->argument)
		printf(" \\fI%s\\fR", option->argument);
	printf("\n");
	roff(option->help);
	printf(".%s\n", option->required ? " Required." : "");
}

static void man_page(const struct cli_command *command)
{
	char dashed[64];

	(void)snprintf(dashed, sizeof(dashed), "ingot-%s", command->name);
	for (char *p = dashed; *p; p++)
		*p = *p == ' ' ? '-' : *p;
	printf(".TH %s 1 \"\" \"Ingot\" \"Ingot manual\"\n.SH NAME\n", dashed);
	roff(dashed);
	printf(" \\- ");
	roff(command->summary);
	printf("\n.SH SYNOPSIS\n\\fBingot %s\\fR [\\fIOPTION\\fR...] ", command->name);
	roff(command->arguments);
	printf("\n.SH DESCRIPTION\n");
	roff(command->description ? command->description : command->summary);
	printf("\n.SH OPTIONS\n");
	for (size_t i = 0; i < command->option_count; i++)
		man_option(&command->options[i], '\0');
	for (size_t i = 0; i < cli_common_option_count; i++)
		man_option(&cli_common_options[i], "jqvhV"[i]);
	printf(".SH EXIT STATUS\n0: done. 1: the answer is no (not verified, different). "
	       "2: it could not be done; one sentence on standard error says why.\n");
	if (command->examples) {
		printf(".SH EXAMPLES\n.nf\n");
		roff(command->examples);
		printf("\n.fi\n");
	}
	printf(".SH SEE ALSO\n.BR ingot (1)\n");
}

static void man_overview(void)
{
	printf(".TH ingot 1 \"\" \"Ingot\" \"Ingot manual\"\n.SH NAME\ningot \\- signed, dm\\-verity "
	       "protected, reproducible disk images\n.SH SYNOPSIS\n\\fBingot\\fR \\fICOMMAND\\fR "
	       "[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.SH DESCRIPTION\n"
	       "Turns a root filesystem tree into a disk image whose /usr is protected by dm\\-verity "
	       "and whose bytes depend on nothing but the input. No command needs root, a loop "
	       "device or a mount.\n.SH COMMANDS\n");
	for (size_t i = 0; i < cli_command_count; i++) {
		printf(".TP\n\\fB");
		roff(cli_commands[i]->name);
		printf("\\fR\n");
		roff(cli_commands[i]->summary);
		printf("\n");
	}
	printf(".SH ENVIRONMENT\n.TP\n\\fBSOURCE_DATE_EPOCH\\fR\nThe epoch, where neither an option "
	       "nor the recipe gives one.\n.TP\n\\fBTMPDIR\\fR\nWhere the contents of compressed "
	       "archives are unpacked.\n.SH EXIT STATUS\n0: done. 1: the answer is no. 2: it could "
	       "not be done.\n");
}

static int run_man(const struct cli *cli, struct ingot_error *err)
{
	if (cli->arg_count == 0) {
		man_overview();
		return 0;
	}
	for (size_t i = 0; i < cli_command_count; i++)
		if (strcmp(cli_commands[i]->name, cli->args[0]) == 0) {
			man_page(cli_commands[i]);
			return 0;
		}
	return cli_usage(cli, err, "no command is called '%s'", cli->args[0]);
}

const struct cli_command cmd_man = {
	.name = "man",
	.arguments = "[COMMAND]",
	.summary = "Print the manual page of a command, in roff",
	.description =
		"The installed pages are made with it. Without COMMAND, the page of ingot itself.",
	.examples = "# read a page without installing it\ningot man 'verity format' | man -l -",
	.args_max = 1,
	.run = run_man,
};

static int run_completion(const struct cli *cli, struct ingot_error *err)
{
	(void)cli;
	(void)err;
	printf("# bash completion for ingot; source it\n_ingot()\n{\n"
	       "\tlocal words cur=${COMP_WORDS[COMP_CWORD]}\n"
	       "\tcase \"${COMP_WORDS[*]:1:COMP_CWORD}\" in\n");
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *command = cli_commands[i];

		printf("\t\"%s \"*) words='", command->name);
		for (size_t j = 0; j < command->option_count; j++)
			printf("--%s ", command->options[j].name);
		for (size_t j = 0; j < cli_common_option_count; j++)
			printf("--%s ", cli_common_options[j].name);
		printf("' ;;\n");
	}
	printf("\t*) words='");
	for (size_t i = 0; i < cli_command_count; i++)
		printf("%s ", cli_commands[i]->name);
	printf("' ;;\n\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
	       "complete -o default -F _ingot ingot\n");
	return 0;
}

const struct cli_command cmd_completion = {
	.name = "completion",
	.arguments = "",
	.summary = "Print a bash completion script",
	.examples = "source <(ingot completion)",
	.run = run_completion,
};

/* From argv to a struct cli, driven by a subcommand's option table. */
#ifndef INGOT_TOOLS_PARSE_H
#define INGOT_TOOLS_PARSE_H

#include "cli.h"

/* Options that every subcommand has. */
extern const struct cli_option cli_common_options[];
extern const size_t cli_common_option_count;

struct cli_common {
	struct cli_u64 jobs;
	bool quiet, verbose, help, version;
};

/* The arguments after the subcommand's name, taken apart. */
struct cli_parsed {
	struct cli cli;
	struct cli_common common;
	void *options;
	const char **args;
};

/* The subcommand that argv starts with; *used is how many words its name has. NULL: none. */
const struct cli_command *cli_find_command(int argc, char **argv, int *used);

INGOT_MUST_USE int cli_parse(const struct cli_command *command, int argc, char **argv,
			     struct cli_parsed *ret, struct ingot_error *err);
void cli_parsed_done(struct cli_parsed *parsed);

#endif

/*
 * The command line. A subcommand is one table: the parser, `--help`, the man page and the shell
 * completion all come from it.
 *
 * Every subcommand has -h/--help, -j/--jobs, -q/--quiet, -v/--verbose and --version besides its
 * own. Exit status: 0 done (or: verified, identical), 1 the answer is no, 2 it could not be done.
 */
#ifndef INGOT_TOOLS_CLI_H
#define INGOT_TOOLS_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum cli_kind {
	CLI_FLAG, /* bool */
	CLI_TEXT, /* const char * */
	CLI_U64,  /* struct cli_u64 */
	CLI_SIZE, /* struct cli_u64, with K, M, G, T */
	CLI_LIST, /* struct cli_list: may be given several times */
};

struct cli_u64 {
	bool given;
	uint64_t value;
};

struct cli_list {
	const char **items;
	size_t count;
};

struct cli_option {
	const char *name;     /* without the dashes */
	const char *argument; /* "HEX"; NULL for a flag */
	const char *help;     /* one line or a few, without a full stop */
	size_t offset;	      /* of the value in the subcommand's struct */
	enum cli_kind kind;
	bool required;
};

/* One call of a subcommand. */
struct cli {
	const struct cli_command *command;
	const void *options;	 /* the subcommand's struct, zeroed and filled */
	const char *const *args; /* what is not an option */
	size_t arg_count;
	unsigned jobs; /* at least 1 */
	bool quiet, verbose;
};

struct cli_command {
	const char *name;	 /* "verity format" */
	const char *arguments;	 /* "DATA", "RECIPE [FILE...]", "" */
	const char *summary;	 /* one line, for the list of subcommands */
	const char *description; /* paragraphs, for --help and the man page */
	const char *examples;	 /* shell lines, each with a comment line before it */
	const struct cli_option *options;
	size_t option_count;
	size_t options_size; /* of the subcommand's struct */
	size_t args_min, args_max;
	/*
	 * 0 or 1 is the exit status; negative: an error was raised, main prints it and exits 2.
	 */
	int (*run)(const struct cli *cli, struct ingot_error *err);
};

#define CLI_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Each tools/cmd_NAME.c defines one or more of these; main.c lists them. */

/*
 * Print a report on standard output: as one JSON object, or as "Root hash: ..." lines from the
 * same fields (root_hash). A write that fails is an error.
 */
INGOT_MUST_USE int cli_report(const json_t *object, bool json, struct ingot_error *err);

#define CLI_USAGE_HINT "\nTry 'ingot "

/* A usage error: "ingot NAME: MESSAGE", then where to read more. Returns -EINVAL. */
INGOT_MUST_USE int cli_usage(const struct cli *cli, struct ingot_error *err, const char *format,
			     ...) INGOT_PRINTF(3, 4);

/* The epoch: the option's value if given, else $SOURCE_DATE_EPOCH; one of them is required. */
INGOT_MUST_USE int cli_epoch(const struct cli_u64 *option, int64_t *ret, struct ingot_error *err);

#endif

#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "commands.h"
#include "io/pool.h"

const struct cli_option cli_common_options[] = {
	{"jobs", "N",
	 "use N threads; 0 is every core, the default. The output does not depend on it",
	 offsetof(struct cli_common, jobs), CLI_U64, false},
	{"quiet", NULL, "print nothing but errors", offsetof(struct cli_common, quiet), CLI_FLAG,
	 false},
	{"verbose", NULL, "say what is being done", offsetof(struct cli_common, verbose), CLI_FLAG,
	 false},
	{"help", NULL, "print this text", offsetof(struct cli_common, help), CLI_FLAG, false},
	{"version", NULL, "print the version", offsetof(struct cli_common, version), CLI_FLAG,
	 false},
};
const size_t cli_common_option_count = CLI_COUNT(cli_common_options);

/* Short names exist for the common options only: their first letters, and V for the version. */
static const char SHORT_NAMES[] = "jqvhV";

/* How many words of argv spell the name; 0: none. */
static int matches(const char *name, int argc, char **argv)
{
	int words = 0;

	while (*name) {
		size_t n = strcspn(name, " ");

		if (words >= argc || strlen(argv[words]) != n || memcmp(argv[words], name, n) != 0)
			return 0;
		words++;
		name += n + (name[n] == ' ');
	}
	return words;
}

const struct cli_command *cli_find_command(int argc, char **argv, int *used)
{
	for (size_t i = 0; i < cli_command_count; i++) {
		*used = matches(cli_commands[i]->name, argc, argv);
		if (*used)
			return cli_commands[i];
	}
	return NULL;
}

struct parser {
	struct cli_parsed *parsed;
	int argc, at;
	char **argv;
	uint64_t seen; /* bit i: option i of the subcommand was given */
};

static const struct cli_option *find_in(const struct cli_option *table, size_t count,
					const char *name, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0)
			return &table[i];
	return NULL;
}

static int add_to_list(struct cli_list *list, const char *value, struct ingot_error *err)
{
	const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

	if (!items)
		return ingot_raise_oom(err, (list->count + 1) * sizeof(*items));
	list->items = items;
	list->items[list->count++] = value;
	return 0;
}

/* Store a value at its place; base is the struct that option->offset counts in. */
static int store(struct parser *p, const struct cli_option *option, void *base, const char *value,
		 bool again, struct ingot_error *err)
{
	void *place = (char *)base + option->offset;
	struct cli_u64 *number = place;
	struct ingot_error inner = {0};
	int rc = 0;

	if (again && option->kind != CLI_LIST && option->kind != CLI_FLAG)
		return cli_usage(&p->parsed->cli, err, "--%s is given twice", option->name);
	switch (option->kind) {
	case CLI_FLAG:
		*(bool *)place = true;
		return 0;
	case CLI_TEXT:
		*(const char **)place = value;
		return 0;
	case CLI_LIST:
		return add_to_list(place, value, err);
	case CLI_U64:
		rc = ingot_parse_u64(value, &number->value, &inner);
		break;
	case CLI_SIZE:
		rc = ingot_parse_size(value, &number->value, &inner);
		break;
	}
	if (rc < 0)
		return cli_usage(&p->parsed->cli, err, "--%s: %s", option->name, inner.text);
	number->given = true;
	return 0;
}

/* The value behind '=' or in the next word; NULL for a flag. */
static int take_value(struct parser *p, const struct cli_option *option, const char *inline_value,
		      const char **ret, struct ingot_error *err)
{
	*ret = NULL;
	if (option->kind == CLI_FLAG) {
		if (inline_value)
			return cli_usage(&p->parsed->cli, err, "--%s takes no value", option->name);
		return 0;
	}
	if (!inline_value) {
		if (p->at + 1 >= p->argc)
			return cli_usage(&p->parsed->cli, err, "--%s needs a value: %s",
					 option->name, option->argument);
		inline_value = p->argv[++p->at];
	}
	*ret = inline_value;
	return 0;
}

static int apply(struct parser *p, const struct cli_option *option, bool common,
		 const char *inline_value, struct ingot_error *err)
{
	const struct cli_command *command = p->parsed->cli.command;
	const char *value;
	uint64_t bit;
	bool again;
	int rc = take_value(p, option, inline_value, &value, err);

	if (rc < 0)
		return rc;
	if (common)
		return store(p, option, &p->parsed->common, value, false, err);
	bit = UINT64_C(1) << (option - command->options);
	again = p->seen & bit;
	p->seen |= bit;
	return store(p, option, p->parsed->options, value, again, err);
}

static int long_option(struct parser *p, const char *word, struct ingot_error *err)
{
	const struct cli_command *command = p->parsed->cli.command;
	size_t n = strcspn(word, "=");
	const char *value = word[n] == '=' ? word + n + 1 : NULL;
	const struct cli_option *option;

	option = find_in(command->options, command->option_count, word, n);
	if (option)
		return apply(p, option, false /* common */, value, err);
	option = find_in(cli_common_options, cli_common_option_count, word, n);
	if (option)
		return apply(p, option, true /* common */, value, err);
	return cli_usage(&p->parsed->cli, err, "unknown option --%.*s", (int)n, word);
}

static int short_option(struct parser *p, const char *word, struct ingot_error *err)
{
	const char *found = strchr(SHORT_NAMES, word[0]);

	if (!found || (word[1] && word[0] != 'j'))
		return cli_usage(&p->parsed->cli, err, "unknown option -%s", word);
	return apply(p, &cli_common_options[found - SHORT_NAMES], true /* common */,
		     word[1] ? word + 1 : NULL, err);
}

static int parse_words(struct parser *p, struct ingot_error *err)
{
	struct cli *cli = &p->parsed->cli;
	bool only_args = false;
	int rc = 0;

	for (; rc == 0 && p->at < p->argc; p->at++) {
		const char *word = p->argv[p->at];

		if (!only_args && strcmp(word, "--") == 0)
			only_args = true;
		else if (!only_args && word[0] == '-' && word[1] == '-')
			rc = long_option(p, word + 2, err);
		else if (!only_args && word[0] == '-' && word[1])
			rc = short_option(p, word + 1, err);
		else
			p->parsed->args[cli->arg_count++] = word;
	}
	return rc;
}

static int check_complete(const struct parser *p, struct ingot_error *err)
{
	const struct cli *cli = &p->parsed->cli;
	const struct cli_command *command = cli->command;

	for (size_t i = 0; i < command->option_count; i++)
		if (command->options[i].required && !(p->seen >> i & 1))
			return cli_usage(cli, err, "--%s %s is missing", command->options[i].name,
					 command->options[i].argument);
	if (cli->arg_count < command->args_min)
		return cli_usage(cli, err, "an argument is missing: %s", command->arguments);
	if (cli->arg_count > command->args_max)
		return cli_usage(cli, err, "one argument too many: '%s'",
				 cli->args[command->args_max]);
	return 0;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_parsed *ret,
	      struct ingot_error *err)
{
	struct parser p = {.parsed = ret, .argc = argc, .argv = argv};
	int rc;

	*ret = (struct cli_parsed){.cli.command = command};
	ret->options = ingot_alloc(1, command->options_size, err);
	ret->args = ingot_alloc((size_t)argc + 1, sizeof(*ret->args), err);
	if (!ret->options || !ret->args)
		return -ENOMEM;
	ret->cli.options = ret->options;
	ret->cli.args = ret->args;
	rc = parse_words(&p, err);
	if (rc < 0)
		return rc;
	ret->cli.quiet = ret->common.quiet;
	ret->cli.verbose = ret->common.verbose;
	ret->cli.jobs = ingot_pool_jobs((unsigned)ingot_min(ret->common.jobs.value, 1024));
	if (ret->common.help || ret->common.version)
		return 0;
	return check_complete(&p, err);
}

void cli_parsed_done(struct cli_parsed *parsed)
{
	const struct cli_command *command = parsed->cli.command;

	for (size_t i = 0; parsed->options && i < command->option_count; i++)
		if (command->options[i].kind == CLI_LIST) {
			char *place = (char *)parsed->options + command->options[i].offset;

			free(((struct cli_list *)(void *)place)->items);
		}
	free(parsed->options);
	free(parsed->args);
}

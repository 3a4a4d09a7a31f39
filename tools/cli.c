#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

int cli_usage(const struct cli *cli, struct ingot_error *err, const char *format, ...)
{
	char text[INGOT_ERROR_MAX / 2];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return ingot_raise(err, -EINVAL, "%s" CLI_USAGE_HINT "%s --help'.", text,
			   cli->command->name);
}

int cli_epoch(const struct cli_u64 *option, int64_t *ret, struct ingot_error *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t value = option->value;
	int rc = 0;

	if (!option->given) {
		if (!text || !*text)
			return ingot_raise(
				err, -EINVAL,
				"no epoch: give --epoch SECONDS or set SOURCE_DATE_EPOCH");
		rc = ingot_parse_u64(text, &value, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "SOURCE_DATE_EPOCH");
	}
	if (value > UINT32_MAX) /* what ext4 and FAT can tell */
		return ingot_raise(err, -ERANGE, "epoch %llu lies beyond the year 2106",
				   (unsigned long long)value);
	*ret = (int64_t)value;
	return 0;
}

/* "root_hash" to "Root hash". */
static void print_label(const char *key)
{
	for (const char *p = key; *p; p++) {
		char c = *p == '_' ? ' ' : *p;

		putchar(p == key && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
}

static int print_value(const json_t *value, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;

	if (json_is_string(value)) {
		printf("%s\n", json_string_value(value));
		return 0;
	}
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	if (!text)
		return ingot_raise_oom(err, 0);
	printf("%s\n", text);
	return 0;
}

int cli_report(const json_t *object, bool json, struct ingot_error *err)
{
	const char *key;
	void *at;
	int rc;

	if (json) {
		if (json_dumpf(object, stdout, JSON_INDENT(2)) < 0)
			return ingot_raise_errno(err, errno, "write to standard output");
		putchar('\n');
	} else {
		for (at = json_object_iter((json_t *)(uintptr_t)object); at;
		     at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
			key = json_object_iter_key(at);
			print_label(key);
			printf(": ");
			rc = print_value(json_object_iter_value(at), err);
			if (rc < 0)
				return rc;
		}
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return ingot_raise_errno(err, errno ? errno : EIO, "write to standard output");
	return 0;
}

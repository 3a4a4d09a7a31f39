#include "fs/fat_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "fs/fat_check_internal.h"

void fatc_problem(struct fat_checker *c, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ingot_problem_add(c->problems, NULL, 0, 0, "%s", text);
}

int fatc_zero(struct fat_checker *c, uint64_t offset, uint64_t n, const char *what,
	      struct ingot_error *err)
{
	uint64_t at;
	int rc = ingot_source_first_nonzero(c->source, offset, n, &at, err);

	if (rc == 0 && at < offset + n)
		fatc_problem(c, "%s: the byte at %llu is not zero", what, (unsigned long long)at);
	return rc;
}

static int check_all(struct fat_checker *c, struct ingot_error *err)
{
	int rc = fatc_check_boot(c, err);

	if (rc != 0)
		return rc;
	rc = fatc_load_table(c, err);
	if (rc == 0)
		rc = fatc_check_tree(c, err);
	if (rc == 0)
		rc = fatc_check_unused(c, err);
	if (rc == 0)
		rc = fatc_check_reserved(c, err);
	return rc;
}

int ingot_fat_check(struct ingot_source *source, enum ingot_fat_kind kind,
		    struct ingot_problems *problems, struct ingot_fat_check *ret,
		    struct ingot_error *err)
{
	struct fat_checker c = {
		.source = source, .problems = problems, .ours = kind == INGOT_FAT_OURS};
	int rc = check_all(&c, err);

	free(c.table);
	free(c.used);
	if (rc < 0)
		return rc;
	if (problems->oom)
		return ingot_raise_oom(err, 0);
	if (ret)
		*ret = c.seen;
	return 0;
}

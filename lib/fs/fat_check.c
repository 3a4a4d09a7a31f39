#include "fs/fat_check.h"

#include <errno.h>

#include "fs/fat_check_internal.h"

int fatc_zero(struct fat_checker *c, uint64_t offset, uint64_t n, const char *what,
	      struct ingot_error *err)
{
	return ingot_source_check_zero(c->source, offset, n, what, c->problems, err);
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

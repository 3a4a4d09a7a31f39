/* The ext filesystems of /usr, ROOT and OEM. */
#include <errno.h>

#include "fs/ext2_check.h"
#include "image/verify_internal.h"

/* The checker's verdict: the first of what it complains about. */
static int check_ext(struct ingot_verify_row *row, struct ingot_source *part,
		     enum ingot_ext_kind kind, struct ingot_error *err)
{
	struct ingot_problems problems = {0};
	struct ingot_ext_check check;
	struct ingot_error why = {0};
	int rc = ingot_ext_check(part, kind, &problems, &check, &why);

	if (rc == -ENODATA)
		rc = row_bad(row, "%s", why.text);
	else if (rc < 0)
		rc = ingot_raise(err, rc, "%s", why.text);
	else if (problems.count > 0)
		rc = row_bad(row, "%s", problems.list[0].text);
	else if (ingot_problems_any(&problems))
		rc = ingot_raise_oom(err, 0);
	else
		rc = row_good(row, "%u files, %u folders, %llu of %llu blocks of %u free",
			      check.files, check.folders, (unsigned long long)check.free_blocks,
			      (unsigned long long)check.blocks, check.block_size);
	ingot_problems_done(&problems);
	return rc;
}

/* A partition that the filesystem does not fill is zero behind it. */
static int check_behind(struct verification *v, struct ingot_verify_row *row,
			const struct ingot_gpt_partition *p, struct ingot_source *part,
			struct ingot_error *err)
{
	struct ingot_ext_info info;
	uint64_t at;
	int rc = ingot_ext_info(part, &info, err);

	if (rc < 0)
		return rc;
	if (info.size > part->size)
		return row_bad(row, "it is larger than partition '%s'", p->name);
	rc = verify_first_nonzero(part, info.size, part->size, v->options->jobs, &at, err);
	if (rc < 0 || at >= part->size)
		return rc;
	return row_bad(row, "byte %llu of '%s', behind it, is not zero", (unsigned long long)at,
		       p->name);
}

static int check_written(struct verification *v, struct ingot_verify_row *row,
			 const struct ingot_gpt_partition *p, struct ingot_source *part,
			 struct ingot_error *err)
{
	int rc;

	if (!part)
		return row_not_applicable(row, "there is no such partition");
	rc = check_ext(row, part, INGOT_EXT_ANY, err);
	if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
		return rc;
	return check_behind(v, row, p, part, err);
}

int check_usr_filesystem(struct verification *v, struct ingot_verify_row *row,
			 struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *data = NULL;
	struct ingot_ext_info info;
	int rc;

	if (!v->usr)
		return row_bad(row, "there is no partition for /usr");
	rc = ingot_ext_info(v->usr, &info, err);
	if (rc == -ENODATA || rc == -EINVAL)
		return row_bad(row, "%s", err->text);
	if (rc < 0)
		return rc;
	if (v->has_superblock && info.size > v->geometry.data_size)
		return row_bad(row, "it is larger than the data that the tree protects");
	rc = ingot_source_part(v->usr, 0, ingot_min(info.size, v->usr->size), &data, err);
	return rc < 0 ? rc : check_ext(row, data, INGOT_EXT_OURS, err);
}

int check_usr_read_only(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err)
{
	struct ingot_ext_info info;
	int rc;

	if (!v->usr)
		return row_bad(row, "there is no partition for /usr");
	rc = ingot_ext_info(v->usr, &info, err);
	if (rc == -ENODATA || rc == -EINVAL)
		return row_bad(row, "%s", err->text);
	if (rc < 0)
		return rc;
	return info.read_only ? row_good(row, "set") : row_bad(row, "it is not set");
}

int check_root_filesystem(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err)
{
	return check_written(v, row, v->root_at, v->root, err);
}

int check_oem_filesystem(struct verification *v, struct ingot_verify_row *row,
			 struct ingot_error *err)
{
	return check_written(v, row, v->oem_at, v->oem, err);
}

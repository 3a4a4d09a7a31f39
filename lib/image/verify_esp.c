/* The ESP's filesystem, which has to be exactly what Ingot writes for the files in it. */
#include <errno.h>

#include "fs/fat_check.h"
#include "image/verify_internal.h"

static int judge(struct ingot_verify_row *row, const struct ingot_problems *problems,
		 const struct ingot_fat_check *check, struct ingot_error *err)
{
	if (problems->count > 0)
		return row_bad(row, "%s", problems->list[0].text);
	if (ingot_problems_any(problems))
		return ingot_raise_oom(err, 0);
	return row_good(row, "FAT%u, %u files, %u folders, %u of %u clusters of %u free",
			check->bits, check->files, check->folders, check->free_clusters,
			check->clusters, check->cluster_size);
}

int check_esp(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	struct ingot_problems problems = {0};
	struct ingot_fat_check check;
	int rc;

	if (!v->esp)
		return row_not_applicable(row, "there is no ESP");
	rc = ingot_fat_check(v->esp, INGOT_FAT_OURS, &problems, &check, err);
	if (rc == -ENODATA)
		rc = row_bad(row, "%s", err->text);
	else if (rc == 0)
		rc = judge(row, &problems, &check, err);
	ingot_problems_done(&problems);
	if (rc < 0 || row->verdict == INGOT_VERIFY_BAD || v->esp_read)
		return rc;
	return row_bad(row, "%s", v->esp_error.text);
}

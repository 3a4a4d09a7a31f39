/*
 * check_fs ext|ext2-ours|fat|fat-ours FILE: what the checkers of filesystems say. Prints the
 * problems; exits 0 if there are none, 1 if there are, 2 if it could not be checked.
 */
#include <stdio.h>
#include <string.h>

#include "fs/ext2_check.h"
#include "fs/fat_check.h"

static int check(const char *kind, struct ingot_source *source, struct ingot_problems *problems,
		 struct ingot_error *err)
{
	struct ingot_ext_check seen;

	if (strcmp(kind, "ext") == 0)
		return ingot_ext_check(source, INGOT_EXT_ANY, problems, &seen, err);
	if (strcmp(kind, "ext2-ours") == 0)
		return ingot_ext_check(source, INGOT_EXT_OURS, problems, &seen, err);
	if (strcmp(kind, "fat") == 0)
		return ingot_fat_check(source, INGOT_FAT_ANY, problems, NULL, err);
	if (strcmp(kind, "fat-ours") == 0)
		return ingot_fat_check(source, INGOT_FAT_OURS, problems, NULL, err);
	return ingot_raise(err, -1, "no kind '%s'", kind);
}

int main(int argc, char **argv)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_problems problems = {0};
	struct ingot_error err = {0};
	INGOT_FREE char *text = NULL;
	int status;

	if (argc != 3)
		return 2;
	if (ingot_source_open(argv[2], &source, &err) < 0 ||
	    check(argv[1], source, &problems, &err) < 0) {
		(void)fprintf(stderr, "check_fs: %s\n", err.text);
		ingot_problems_done(&problems);
		return 2;
	}
	status = ingot_problems_any(&problems);
	text = ingot_problems_text(&problems);
	if (status && text)
		(void)fputs(text, stdout);
	ingot_problems_done(&problems);
	return status;
}

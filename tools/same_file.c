#include "same_file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static bool stat_folder(const char *path, struct stat *st)
{
	char folder[PATH_MAX] = ".";
	size_t n = (size_t)(ingot_base_name(path) - path);

	if (n >= sizeof(folder))
		return false;
	if (n > 0) {
		memcpy(folder, path, n);
		folder[n] = '\0';
	}
	return stat(folder, st) == 0;
}

bool same_file(const char *a, const char *b)
{
	struct stat at, bt;
	bool has_a = stat(a, &at) == 0, has_b = stat(b, &bt) == 0;

	if (has_a != has_b)
		return false;
	if (!has_a && (strcmp(ingot_base_name(a), ingot_base_name(b)) != 0 ||
		       !stat_folder(a, &at) || !stat_folder(b, &bt)))
		return false;
	return at.st_dev == bt.st_dev && at.st_ino == bt.st_ino;
}

static bool stat_end(const char *path, int standard, struct stat *st)
{
	return (strcmp(path, "-") == 0 ? fstat(standard, st) : stat(path, st)) == 0;
}

int same_file_refuse(const char *input, const char *output, struct ingot_error *err)
{
	struct stat in, out;

	if (!input || !output || !stat_end(input, STDIN_FILENO, &in) ||
	    !stat_end(output, STDOUT_FILENO, &out))
		return 0;
	/* A terminal is read and written, and so may a pipe be. */
	if (!S_ISREG(in.st_mode) && !S_ISBLK(in.st_mode))
		return 0;
	if (in.st_dev != out.st_dev || in.st_ino != out.st_ino)
		return 0;
	return ingot_raise(err, -EINVAL,
			   "the output '%s' is the input '%s', which it would replace: "
			   "name another file",
			   output, input);
}

int same_file_refuse_all(const char *const *inputs, size_t count, const char *output,
			 struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = same_file_refuse(inputs[i], output, err);
	return rc;
}

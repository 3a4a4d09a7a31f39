#include "image/sums.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "io/source.h"

struct sum {
	const char *path, *name;
};

static int check_name(const struct sum *sum, struct ingot_error *err)
{
	char shown[256];

	for (const char *p = sum->name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '\\')
			return ingot_raise(err, -EINVAL,
					   "'%s': a backslash or control character in its name",
					   ingot_printable(sum->path, strlen(sum->path), shown,
							   sizeof(shown)));
	if (!*sum->name)
		return ingot_raise(err, -EINVAL, "'%s' is not a file's name", sum->path);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sum *)a)->name, ((const struct sum *)b)->name);
}

static int read_names(const char *const *paths, size_t count, struct sum *sums, size_t *ret_size,
		      struct ingot_error *err)
{
	*ret_size = 1;
	for (size_t i = 0; i < count; i++) {
		int rc;

		sums[i] = (struct sum){paths[i], ingot_base_name(paths[i])};
		rc = check_name(&sums[i], err);
		if (rc < 0)
			return rc;
		*ret_size += INGOT_SHA256_TEXT - 1 + 2 + strlen(sums[i].name) + 1;
	}
	qsort(sums, count, sizeof(*sums), by_name);
	for (size_t i = 1; i < count; i++)
		if (strcmp(sums[i].name, sums[i - 1].name) == 0)
			return ingot_raise(err, -EEXIST, "'%s' and '%s' have the same name",
					   sums[i - 1].path, sums[i].path);
	return 0;
}

static int add_line(const struct sum *sum, char **at, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	char hex[INGOT_SHA256_TEXT];
	int rc = ingot_source_open(sum->path, &source, err);

	if (rc == 0)
		rc = ingot_source_sha256(source, digest, err);
	if (rc < 0)
		return rc;
	ingot_hex(digest, sizeof(digest), hex);
	*at += sprintf(*at, "%s  %s\n", hex, sum->name);
	return 0;
}

int ingot_sums_text(const char *const *paths, size_t count, char **ret, size_t *ret_n,
		    struct ingot_error *err)
{
	INGOT_FREE struct sum *sums = ingot_alloc(count + 1, sizeof(*sums), err);
	INGOT_FREE char *text = NULL;
	size_t size;
	char *at;
	int rc;

	if (!sums)
		return -ENOMEM;
	rc = read_names(paths, count, sums, &size, err);
	if (rc < 0)
		return rc;
	at = text = ingot_alloc(size, 1, err);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_line(&sums[i], &at, err);
	if (rc < 0)
		return rc;
	*ret_n = (size_t)(at - text);
	*ret = INGOT_TAKE(text);
	return 0;
}

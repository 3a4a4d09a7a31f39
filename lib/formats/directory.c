#include "formats/directory_internal.h"

#include <errno.h>

#include "base/alloc.h"

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int ingot_directory_load(const struct ingot_directory *directory, uint64_t **ret, size_t *ret_n,
			 struct ingot_error *err)
{
	size_t count = directory->count, size = directory->entry_size, n = 0;
	INGOT_FREE unsigned char *raw = ingot_alloc(count, size, err);
	INGOT_FREE uint64_t *places = raw ? ingot_alloc(count, sizeof(*places), err) : NULL;
	int rc;

	if (!places)
		return -ENOMEM;
	rc = ingot_source_read(directory->file, directory->offset, raw, count * size, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = directory->place(directory->context, raw + i * size, &places[n], err);
		if (rc == 0 && places[n] != 0)
			n++;
	}
	if (rc < 0)
		return rc;
	qsort(places, n, sizeof(*places), by_value);
	*ret = INGOT_TAKE(places);
	*ret_n = n;
	return 0;
}

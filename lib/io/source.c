#include "io/source.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

int ingot_source_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		      struct ingot_error *err)
{
	if (!ingot_in_range(offset, n, source->size))
		return ingot_raise(
			err, -EIO, "read %zu bytes at 0x%llx of '%s': past its end at 0x%llx", n,
			(unsigned long long)offset, source->name, (unsigned long long)source->size);
	if (n == 0)
		return 0;
	return source->ops->read_at(source, offset, data, n, err);
}

int ingot_source_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			struct ingot_error *err)
{
	if (offset >= source->size)
		return ingot_raise(err, -EIO, "no extent at 0x%llx of '%s': past its end",
				   (unsigned long long)offset, source->name);
	if (!source->ops->extent_at) {
		*ret = (struct ingot_extent){.length = source->size - offset};
		return 0;
	}
	return source->ops->extent_at(source, offset, ret, err);
}

void ingot_source_free(struct ingot_source *source)
{
	if (source)
		source->ops->free(source);
}

/* --- ranges ------------------------------------------------------------ */

const struct ingot_range *ingot_range_behind(const struct ingot_range *ranges, size_t count,
					     uint64_t offset)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges[middle].offset + ranges[middle].length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count ? &ranges[low] : NULL;
}

/* --- the whole of a source --------------------------------------------- */

int ingot_source_load(struct ingot_source *source, size_t max, char **ret, size_t *ret_n,
		      struct ingot_error *err)
{
	INGOT_FREE char *data = NULL;
	char limit[INGOT_SIZE_TEXT];
	int rc;

	if (source->size > max || source->size == SIZE_MAX)
		return ingot_raise(err, -EFBIG, "'%s' is larger than %s", source->name,
				   ingot_size_text(max, limit));
	data = ingot_alloc(1, (size_t)source->size + 1, err);
	if (!data)
		return -ENOMEM;
	rc = ingot_source_read(source, 0, data, (size_t)source->size, err);
	if (rc < 0)
		return rc;
	*ret_n = (size_t)source->size;
	*ret = INGOT_TAKE(data);
	return 0;
}

int ingot_load_file(const char *path, size_t max, char **ret, size_t *ret_n,
		    struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	int rc = ingot_source_open(path, &source, err);

	if (rc < 0)
		return rc;
	return ingot_source_load(source, max, ret, ret_n, err);
}

enum { HASH_STEP = 256 * 1024 };

/* One run of a source into the digest; a hole is hashed from a buffer of zeros, not read. */
static int hash_run(struct ingot_source *source, uint64_t offset, const struct ingot_extent *run,
		    unsigned char *buffer, struct ingot_sha256 *sha, struct ingot_error *err)
{
	if (run->hole)
		memset(buffer, 0, HASH_STEP);
	for (uint64_t at = 0; at < run->length; at += HASH_STEP) {
		size_t n = (size_t)ingot_min(HASH_STEP, run->length - at);
		int rc = run->hole ? 0 : ingot_source_read(source, offset + at, buffer, n, err);

		if (rc < 0)
			return rc;
		rc = ingot_sha256_update(sha, buffer, n, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_source_sha256(struct ingot_source *source, uint8_t digest[32], struct ingot_error *err)
{
	INGOT_FREE unsigned char *buffer = ingot_alloc_buffer(HASH_STEP, err);
	INGOT_SHA256 struct ingot_sha256 *sha = buffer ? ingot_sha256_new(err) : NULL;
	struct ingot_extent run;

	if (!sha)
		return -ENOMEM;
	for (uint64_t offset = 0; offset < source->size; offset += run.length) {
		int rc = ingot_source_extent(source, offset, &run, err);

		if (rc < 0)
			return rc;
		rc = hash_run(source, offset, &run, buffer, sha, err);
		if (rc < 0)
			return rc;
	}
	return ingot_sha256_final(sha, digest, err);
}

#include "image/digest_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { STEP = 256 * 1024 };

/* Where the data run at or behind offset begins; the end if there is none. */
static uint64_t next_data(int fd, uint64_t offset, uint64_t size)
{
	off_t data = lseek(fd, (off_t)offset, SEEK_DATA);

	if (data < 0) /* ENXIO: a hole up to the end; else holes are not known: read all */
		return errno == ENXIO ? size : offset;
	return ingot_min((uint64_t)data, size);
}

static uint64_t next_hole(int fd, uint64_t offset, uint64_t size)
{
	off_t hole = lseek(fd, (off_t)offset, SEEK_HOLE);

	return hole < 0 ? size : ingot_min((uint64_t)hole, size);
}

static int add_zeros(struct ingot_sha256 *sha, unsigned char *buffer, uint64_t n,
		     struct ingot_error *err)
{
	int rc = 0;

	memset(buffer, 0, STEP);
	for (; n > 0 && rc == 0; n -= ingot_min(n, STEP))
		rc = ingot_sha256_update(sha, buffer, (size_t)ingot_min(n, STEP), err);
	return rc;
}

static int add_data(struct ingot_sha256 *sha, struct ingot_sink *sink, unsigned char *buffer,
		    uint64_t from, uint64_t to, struct ingot_error *err)
{
	int rc = 0;

	while (from < to && rc == 0) {
		size_t n = (size_t)ingot_min(STEP, to - from);

		rc = ingot_sink_read(sink, from, buffer, n, err);
		if (rc == 0)
			rc = ingot_sha256_update(sha, buffer, n, err);
		from += n;
	}
	return rc;
}

static int add_all(int fd, struct ingot_sink *sink, const struct ingot_progress *progress,
		   struct ingot_sha256 *sha, unsigned char *buffer, struct ingot_error *err)
{
	uint64_t at = 0, data, hole;
	int rc = 0;

	while (at < sink->size && rc == 0) {
		data = next_data(fd, at, sink->size);
		rc = add_zeros(sha, buffer, data - at, err);
		if (rc < 0)
			break;
		hole = data < sink->size ? next_hole(fd, data, sink->size) : data;
		rc = add_data(sha, sink, buffer, data, hole, err);
		at = hole;
		ingot_progress_report(progress, at, sink->size);
	}
	return rc;
}

int image_digest(int fd, struct ingot_sink *sink, const struct ingot_progress *progress,
		 uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err)
{
	INGOT_FREE unsigned char *buffer = ingot_alloc(1, STEP, err);
	struct ingot_sha256 *sha = buffer ? ingot_sha256_new(err) : NULL;
	int rc = sha ? add_all(fd, sink, progress, sha, buffer, err) : -ENOMEM;

	if (rc == 0)
		rc = ingot_sha256_final(sha, digest, err);
	ingot_sha256_free(sha);
	return rc;
}

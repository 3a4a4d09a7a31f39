#include "image/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "formats/format.h"
#include "image/attach_internal.h"
#include "io/output.h"
#include "io/sink.h"

enum { SECTOR = 512 };

/* --- writing ----------------------------------------------------------- */

/* The sectors of one patch in which a byte changes. */
static int write_patch(const struct attach_patch *p, struct ingot_source *disk,
		       struct ingot_sink *sink, uint64_t *written, struct ingot_error *err)
{
	uint64_t end = p->offset + p->n;

	for (uint64_t at = p->offset / SECTOR * SECTOR; at < end; at += SECTOR) {
		uint64_t from = ingot_max(at, p->offset);
		size_t n = (size_t)(ingot_min(at + SECTOR, end) - from);
		size_t skip = (size_t)(from - p->offset);
		uint8_t sector[SECTOR];
		int rc;

		if (memcmp(p->found + skip, p->want + skip, n) == 0)
			continue;
		rc = ingot_source_read(disk, at, sector, SECTOR, err);
		if (rc < 0)
			return rc;
		memcpy(sector + (from - at), p->want + skip, n);
		rc = ingot_sink_write(sink, at, sector, SECTOR, err);
		if (rc < 0)
			return rc;
		*written += SECTOR;
	}
	return 0;
}

static int write_all(const struct attach_plan *plan, struct ingot_source *disk,
		     struct ingot_sink *sink, int fd, struct ingot_attach_report *ret,
		     struct ingot_error *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		int rc = write_patch(&plan->patches[i], disk, sink, &ret->bytes_written, err);

		if (rc < 0)
			return rc;
	}
	if (ret->bytes_written && fsync(fd) < 0)
		return ingot_raise_errno(err, errno, "write to the disk");
	return 0;
}

/* --- the image --------------------------------------------------------- */

static int attach_fd(int fd, const char *image, const struct ingot_sign_request *response,
		     struct ingot_attach_report *ret, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *disk = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct attach_plan plan = {0};
	int rc = ingot_format_open(image, &ret->format, &disk, err);

	if (rc < 0)
		return rc;
	if (strcmp(ret->format, "raw") != 0)
		return ingot_raise(err, -EOPNOTSUPP, "%s cannot be changed in place", ret->format);
	rc = attach_plan_make(disk, response, &plan, err);
	if (rc == 0)
		rc = ingot_sink_fd(fd, image, disk->size, &sink, err);
	if (rc == 0)
		rc = write_all(&plan, disk, sink, fd, ret, err);
	ret->places = plan.places;
	attach_plan_done(&plan);
	return rc;
}

int ingot_attach(const char *image, const struct ingot_sign_request *response,
		 struct ingot_attach_report *ret, struct ingot_error *err)
{
	INGOT_CLOSE int fd = open(image, O_RDWR | O_CLOEXEC);
	int rc;

	*ret = (struct ingot_attach_report){0};
	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s'", image);
	rc = attach_fd(fd, image, response, ret, err);
	return rc < 0 ? ingot_wrap(err, rc, "'%s'", image) : 0;
}

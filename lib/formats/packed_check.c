/*
 * Compressed disks and archives: the checksums of gzip, Zstandard and xz are looked at while a
 * stream is unpacked, so all of it is.
 */
#include <errno.h>
#include <string.h>

#include "formats/check_internal.h"
#include "formats/format_internal.h"
#include "formats/gzip_read_internal.h"
#include "formats/ustar_internal.h"

enum { STEP = 1024 * 1024 };

/* --- reading all of it ------------------------------------------------- */

static int read_all(struct ingot_source *disk, struct ingot_error *err)
{
	INGOT_FREE unsigned char *buffer = ingot_alloc_buffer(STEP, err);
	struct ingot_extent run;

	if (!buffer)
		return -ENOMEM;
	for (uint64_t at = 0; at < disk->size; at += run.length) {
		int rc = ingot_source_extent(disk, at, &run, err);

		if (rc < 0)
			return rc;
		if (run.hole)
			continue;
		run.length = ingot_min(run.length, STEP);
		rc = ingot_source_read(disk, at, buffer, (size_t)run.length, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_packed_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		       struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *view = NULL, *disk = NULL;
	struct ingot_error why = {0};
	int rc = ingot_source_part(file, 0, file->size, &view, err);

	if (rc < 0)
		return rc;
	rc = ingot_format_open_source(view, NULL, &disk, &why);
	if (rc < 0)
		return ingot_raise(err, rc, "%s", why.text);
	view = NULL; /* it is the disk's now */
	rc = read_all(disk, &why);
	if (rc == -EBADMSG)
		ingot_finding(finding, "%.200s", why.text);
	else if (rc < 0)
		return ingot_raise(err, rc, "%s", why.text);
	return 0;
}

/*
 * The members of a gzip file that Ingot wrote say where they end; in front of that their headers
 * have fields that no reader looks at. Behind the disk in a tar archive is nothing.
 */
static int check_members(struct ingot_source *file, char *finding, struct ingot_error *err)
{
	static const unsigned char before[] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff};
	unsigned char head[64];
	uint64_t at = 0;

	while (at < file->size && !*finding) {
		size_t n = (size_t)ingot_min(sizeof(head), file->size - at);
		struct ingot_gzip_head parsed = {0};
		int rc = ingot_source_read(file, at, head, n, err);

		if (rc < 0)
			return rc;
		if (!ingot_gzip_parse_head(head, n, &parsed) || parsed.member == 0 ||
		    memcmp(head, before, sizeof(before)) != 0)
			ingot_finding(finding, "the header at 0x%llx is not one of Ingot's",
				      (unsigned long long)at);
		at += ingot_max(parsed.member, 1);
	}
	return 0;
}

int ingot_gzip_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err)
{
	int rc = check_members(file, finding, err);

	return rc < 0 || *finding ? rc : ingot_packed_check(file, finding, err);
}

/* All of the archive: its one member's header is the first block, and zeros end it. */
static int check_archive(struct ingot_source *archive, char *finding, struct ingot_error *err)
{
	unsigned char header[USTAR_BLOCK];
	struct ingot_ustar_member member;
	struct ingot_error why = {0};
	uint64_t end;
	int rc = ingot_source_read(archive, 0, header, sizeof(header), err);

	if (rc < 0)
		return rc;
	if (ingot_ustar_parse(header, &member, &why) != 1 || strcmp(member.name, "disk.raw") != 0 ||
	    !ingot_in_range(USTAR_BLOCK, member.size, archive->size)) {
		ingot_finding(finding, "the archive does not begin with the disk");
		return 0;
	}
	end = USTAR_BLOCK + member.size;
	if (archive->size - end < USTAR_END)
		ingot_finding(finding, "the archive has no end");
	rc = read_all(archive, err);
	return rc < 0 ? rc
		      : ingot_find_nonzero(archive, end, archive->size, "behind the disk", finding,
					   err);
}

int ingot_gce_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *view = NULL, *archive = NULL;
	struct ingot_error why = {0};
	int rc = check_members(file, finding, err);

	if (rc == 0)
		rc = ingot_source_part(file, 0, file->size, &view, err);
	if (rc < 0 || *finding)
		return rc;
	rc = ingot_gzip_open(view, &archive, &why);
	if (rc == 0) {
		ingot_packed_own(archive);
		view = NULL;
		rc = check_archive(archive, finding, &why);
	}
	if (rc == -EBADMSG)
		ingot_finding(finding, "%.200s", why.text);
	else if (rc < 0)
		return ingot_raise(err, rc, "%s", why.text);
	return 0;
}

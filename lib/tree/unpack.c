/*
 * An archive that cannot be read at any place, because it is compressed or comes through a pipe,
 * is written out whole into an unnamed file first. The contents are then read from there.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tree/archive_internal.h"
#include "tree/sparse_internal.h"

enum { STEP = 64 * 1024 };

int ingot_archive_fail(struct archive *a, struct ingot_error *err)
{
	const char *words = archive_error_string(a);
	int code = archive_errno(a);

	if (code == ENOMEM)
		return ingot_raise(err, -ENOMEM, "out of memory in libarchive");
	if (!words || !*words)
		words = "the archive is truncated or damaged";
	return ingot_raise(err, code == EIO ? -EIO : -EINVAL, "%s", words);
}

/* --- the unnamed file -------------------------------------------------- */

static int unnamed_file(const char *folder, struct ingot_error *err)
{
	INGOT_FREE char *path = NULL;
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return ingot_raise_errno(err, errno, "make a temporary file in '%s'", folder);
	path = ingot_format(err, "%s/ingot-XXXXXX", folder);
	if (!path)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return ingot_raise_errno(err, errno, "make a temporary file in '%s'", folder);
	(void)unlink(path);
	return fd;
}

static const char *temporary_folder(void)
{
	const char *folder = getenv("TMPDIR");

	return folder && *folder ? folder : "/tmp";
}

static int write_bytes(int fd, const void *data, size_t n, uint64_t offset, struct ingot_error *err)
{
	const unsigned char *p = data;

	while (n > 0) {
		ssize_t put = pwrite(fd, p, n, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return ingot_raise_errno(err, errno,
						 "unpack it: write %zu bytes to a file in '%s'", n,
						 temporary_folder());
		p += put;
		offset += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

/* --- the stream -------------------------------------------------------- */

/*
 * Every compression that libarchive does itself. Those it runs a program for (lrzip, grzip, lzop)
 * are left out, and so are uuencode and rpm.
 */
static int open_stream(struct archive *a, int fd, struct ingot_error *err)
{
	if (archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(a) != ARCHIVE_OK ||
	    archive_read_support_filter_lzma(a) != ARCHIVE_OK ||
	    archive_read_support_filter_lzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_filter_lz4(a) != ARCHIVE_OK ||
	    archive_read_support_filter_compress(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK ||
	    archive_read_open_fd(a, fd, STEP) != ARCHIVE_OK)
		return ingot_archive_fail(a, err);
	return 0;
}

static int copy_stream(struct archive *a, int fd, struct ingot_error *err)
{
	const void *data;
	uint64_t end = 0;
	int64_t offset;
	size_t n;
	int r, rc;

	while ((r = archive_read_data_block(a, &data, &n, &offset)) == ARCHIVE_OK) {
		if (!ingot_is_zero(data, n)) {
			rc = write_bytes(fd, data, n, end, err);
			if (rc < 0)
				return rc;
		}
		end += n;
	}
	if (r != ARCHIVE_EOF)
		return ingot_archive_fail(a, err);
	if (ftruncate(fd, (off_t)end) < 0)
		return ingot_raise_errno(err, errno, "unpack it: size a file in '%s'",
					 temporary_folder());
	return 0;
}

static int no_entries(struct ingot_error *err)
{
	return ingot_raise(err, -EINVAL, "no entries in archive");
}

static int unpack(struct archive *a, int fd, int *ret, struct ingot_error *err)
{
	INGOT_CLOSE int file = -1;
	struct archive_entry *entry;
	struct stat st;
	int rc, r = archive_read_next_header(a, &entry);

	if (r == ARCHIVE_EOF)
		return no_entries(err);
	if (r != ARCHIVE_OK)
		return ingot_archive_fail(a, err);
	if (fstat(fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat");
	if (S_ISREG(st.st_mode) && archive_filter_code(a, 0) == ARCHIVE_FILTER_NONE) {
		*ret = -1;
		return 0;
	}
	file = unnamed_file(temporary_folder(), err);
	if (file < 0)
		return file;
	rc = copy_stream(a, file, err);
	if (rc < 0)
		return rc;
	*ret = file;
	file = -1;
	return 0;
}

int ingot_archive_unpack(int fd, int *ret, struct ingot_error *err)
{
	struct archive *a = archive_read_new();
	int rc;

	if (!a)
		return ingot_raise_oom(err, 0);
	/* From the start, where it has one; a pipe is where it is. */
	(void)lseek(fd, 0, SEEK_SET);
	rc = open_stream(a, fd, err);
	if (rc == 0)
		rc = unpack(a, fd, ret, err);
	(void)archive_read_free(a);
	return rc;
}

/* What can be read only once, as a source. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/nonzero.h"
#include "io/source.h"
#include "io/unnamed_internal.h"

enum { STEP = 65536 };

/* At any other place than its start it is a stream that somebody has begun to read. */
static bool is_whole(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	return (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) && lseek(fd, 0, SEEK_CUR) == 0;
}

static int take(int fd, const char *name, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_CLOSE int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int rc;

	if (copy < 0)
		return ingot_raise_errno(err, errno, "open '%s'", name);
	rc = ingot_source_fd(copy, name, ret, err);
	if (rc == 0)
		copy = -1;
	return rc;
}

/* Up to STEP bytes, fewer at the end only. */
static int read_step(int fd, const char *name, unsigned char *data, size_t *ret_n,
		     struct ingot_error *err)
{
	*ret_n = 0;
	while (*ret_n < STEP) {
		ssize_t got = read(fd, data + *ret_n, STEP - *ret_n);

		if (got < 0 && errno == EAGAIN) { /* somebody made it non-blocking */
			struct pollfd poller = {.fd = fd, .events = POLLIN};

			(void)poll(&poller, 1, -1);
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ingot_raise_errno(err, errno, "read %s", name);
		if (got == 0)
			return 0;
		*ret_n += (size_t)got;
	}
	return 0;
}

static int write_step(int fd, const unsigned char *data, size_t n, off_t offset)
{
	while (n > 0) {
		ssize_t put = pwrite(fd, data, n, offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -ENOSPC;
		data += put;
		offset += put;
		n -= (size_t)put;
	}
	return 0;
}

static int copy_all(int from, const char *name, int to, const char *folder, struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = ingot_alloc(1, STEP, err);
	off_t end = 0;
	size_t n = STEP;
	int rc = data ? 0 : -ENOMEM;

	while (rc == 0 && n == STEP) {
		rc = read_step(from, name, data, &n, err);
		if (rc < 0)
			return rc;
		if (ingot_first_nonzero(data, n) < n)
			rc = write_step(to, data, n, end);
		end += (off_t)n;
		if (rc == 0 && n < STEP && ftruncate(to, end) < 0)
			rc = -errno;
		if (rc < 0)
			return ingot_raise_errno(err, -rc, "keep %s in a temporary file in '%s'",
						 name, folder);
	}
	return rc;
}

int ingot_source_spool(int fd, const char *name, const char *folder, struct ingot_source **ret,
		       struct ingot_error *err)
{
	INGOT_CLOSE int file = -1;
	int rc;

	if (is_whole(fd))
		return take(fd, name, ret, err);
	rc = ingot_unnamed_open(folder, &file, err);
	if (rc == 0)
		rc = copy_all(fd, name, file, folder, err);
	if (rc == 0)
		rc = ingot_source_fd(file, name, ret, err);
	if (rc == 0)
		file = -1;
	return rc;
}

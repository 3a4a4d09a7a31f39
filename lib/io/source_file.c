#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* A regular file or a block device. */

struct file_source {
	struct ingot_source source;
	int fd;
	pthread_mutex_t lock;
	uint64_t data_start, data_end; /* the data run seen last */
	char name[];
};

static int file_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	struct file_source *file = (struct file_source *)source;
	unsigned char *p = data;

	while (n > 0) {
		ssize_t got = pread(file->fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ingot_raise_errno(err, errno, "read %zu bytes at 0x%llx of '%s'", n,
						 (unsigned long long)offset, file->name);
		if (got == 0)
			return ingot_raise(err, -EIO,
					   "read %zu bytes at 0x%llx of '%s': "
					   "the file has become shorter",
					   n, (unsigned long long)offset, file->name);
		p += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* No data from offset on: a hole up to the end, unless the end has moved. */
static int last_hole(const struct file_source *file, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat '%s'", file->name);
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < file->source.size)
		return ingot_raise(err, -EIO, "'%s' has become shorter while it was read",
				   file->name);
	*ret = (struct ingot_extent){.length = file->source.size - offset, .hole = true};
	return 0;
}

/*
 * The end of a data run costs the kernel a walk over all its cached pages, so that asking for it
 * once a piece is quadratic. Data that has become a hole since still reads as zero; a hole is
 * never remembered.
 */
static bool in_last_run(struct file_source *file, uint64_t offset, struct ingot_extent *ret)
{
	bool inside;

	(void)pthread_mutex_lock(&file->lock);
	inside = offset >= file->data_start && offset < file->data_end;
	if (inside)
		*ret = (struct ingot_extent){.length = file->data_end - offset};
	(void)pthread_mutex_unlock(&file->lock);
	return inside;
}

static void remember_run(struct file_source *file, uint64_t start, uint64_t end)
{
	(void)pthread_mutex_lock(&file->lock);
	file->data_start = start;
	file->data_end = end;
	(void)pthread_mutex_unlock(&file->lock);
}

static int seek_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	struct file_source *file = (struct file_source *)source;
	off_t data = lseek(file->fd, (off_t)offset, SEEK_DATA);
	off_t hole;

	if (data < 0 && errno == ENXIO)
		return last_hole(file, offset, ret, err);
	if (data < 0 && errno == EINVAL) { /* no holes to be known here */
		*ret = (struct ingot_extent){.length = source->size - offset};
		return 0;
	}
	if (data < 0)
		return ingot_raise_errno(err, errno, "seek to 0x%llx of '%s'",
					 (unsigned long long)offset, file->name);
	if ((uint64_t)data > offset) {
		*ret = (struct ingot_extent){
			.length = ingot_min((uint64_t)data, source->size) - offset, .hole = true};
		return 0;
	}
	hole = lseek(file->fd, (off_t)offset, SEEK_HOLE);
	if (hole < 0)
		return ingot_raise_errno(err, errno, "seek to 0x%llx of '%s'",
					 (unsigned long long)offset, file->name);
	*ret = (struct ingot_extent){.length = ingot_min((uint64_t)hole, source->size) - offset};
	remember_run(file, offset, offset + ret->length);
	return 0;
}

static int file_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	if (in_last_run((struct file_source *)source, offset, ret))
		return 0;
	return seek_extent(source, offset, ret, err);
}

static void file_free(struct ingot_source *source)
{
	struct file_source *file = (struct file_source *)source;

	(void)close(file->fd);
	(void)pthread_mutex_destroy(&file->lock);
	free(file);
}

static const struct ingot_source_ops FILE_OPS = {file_read, file_extent, file_free};

static int check_kind(const struct stat *st, const char *path, struct ingot_error *err)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode))
		return ingot_raise(err, -EISDIR, "'%s' is a folder, not a file", path);
	if (S_ISFIFO(st->st_mode))
		return ingot_raise(err, -EINVAL,
				   "'%s' is a pipe and this is read more than once: "
				   "a file is needed",
				   path);
	return ingot_raise(err, -EINVAL, "'%s' is neither a file nor a block device", path);
}

static int size_of(int fd, const char *path, uint64_t *ret, struct ingot_error *err)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat '%s'", path);
	rc = check_kind(&st, path, err);
	if (rc < 0)
		return rc;
	*ret = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, ret) < 0)
		return ingot_raise_errno(err, errno, "size of '%s'", path);
	return 0;
}

int ingot_source_fd(int fd, const char *name, struct ingot_source **ret, struct ingot_error *err)
{
	struct file_source *file;
	uint64_t size;
	int rc = size_of(fd, name, &size, err);

	if (rc < 0)
		return rc;
	file = ingot_alloc(1, sizeof(*file) + strlen(name) + 1, err);
	if (!file)
		return -ENOMEM;
	strcpy(file->name, name);
	file->source = (struct ingot_source){&FILE_OPS, file->name, size};
	file->fd = fd;
	(void)pthread_mutex_init(&file->lock, NULL);
	*ret = &file->source;
	return 0;
}

int ingot_source_open(const char *path, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_CLOSE int fd = -1;
	struct stat st;
	int rc;

	/* To open a FIFO waits for its writer, to open a device may do something: look before. */
	if (stat(path, &st) < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	rc = check_kind(&st, path, err);
	if (rc < 0)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	rc = ingot_source_fd(fd, path, ret, err);
	if (rc == 0)
		fd = -1;
	return rc;
}

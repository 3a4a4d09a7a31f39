#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/text.h"
#include "io/tempname_internal.h"
#include "io/unnamed_internal.h"

struct ingot_output {
	int fd;
	bool to_stdout;
	char *path;			 /* the final name, links resolved */
	char *directory;		 /* the folder of both names, with a '/' at its end */
	struct ingot_tempname temporary; /* path NULL: the file has no name yet */
	bool is_new;			 /* committed, and nothing had the final name */
	bool kept;			 /* committed, and what had it has the temporary one */
};

/* --- creating ---------------------------------------------------------- */

/* A fresh temporary name beside the final one. */
static int make_name(struct ingot_output *output, struct ingot_error *err)
{
	const char *base = strrchr(output->path, '/');
	unsigned char bytes[8];
	char hex[2 * sizeof(bytes) + 1];

	if (getrandom(bytes, sizeof(bytes), 0) < 0)
		return ingot_raise_errno(err, errno, "random bytes for a temporary name");
	ingot_hex(bytes, sizeof(bytes), hex);
	base = base ? base + 1 : output->path;
	output->temporary.path =
		ingot_format(err, "%s.%.200s.%s.tmp", output->directory, base, hex);
	return output->temporary.path ? 0 : -ENOMEM;
}

static int create_failed(const struct ingot_output *output, int errnum, struct ingot_error *err)
{
	if (errnum == ENOENT)
		return ingot_raise(err, -ENOENT, "create '%s': the folder '%s' does not exist",
				   output->path, output->directory);
	return ingot_raise_errno(err, errnum, "create '%s'", output->path);
}

static int open_named(struct ingot_output *output, struct ingot_error *err)
{
	sigset_t old;
	int rc = make_name(output, err);

	if (rc < 0)
		return rc;
	ingot_tempnames_lock(&old);
	output->fd = open(output->temporary.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	rc = output->fd < 0 ? -errno : 0;
	if (rc == 0)
		ingot_tempname_add(&output->temporary);
	ingot_tempnames_unlock(&old);
	if (rc == 0)
		return 0;
	free(INGOT_TAKE(output->temporary.path));
	return create_failed(output, -rc, err);
}

/* Whether an unnamed file can get a name later: linkat needs /proc for it. */
static bool can_link(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return access(path, F_OK) == 0;
}

static int open_file(struct ingot_output *output, struct ingot_error *err)
{
	output->fd = open(output->directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
	if (output->fd >= 0 && can_link(output->fd))
		return 0;
	if (output->fd < 0 && !ingot_unnamed_unknown(errno))
		return create_failed(output, errno, err);
	if (output->fd >= 0)
		(void)close(output->fd);
	output->fd = -1;
	return open_named(output, err);
}

static int open_for_stdout(struct ingot_output *output, struct ingot_error *err)
{
	const char *folder = getenv("TMPDIR");

	output->to_stdout = true;
	output->path = ingot_strdup("standard output", err);
	output->directory = ingot_strdup(folder && *folder ? folder : "/tmp", err);
	if (!output->path || !output->directory)
		return -ENOMEM;
	return ingot_unnamed_open(output->directory, &output->fd, err);
}

/* The final name with links resolved, so that a link stays a link. */
static int resolve(const char *path, char **ret, struct ingot_error *err)
{
	struct stat st;

	if (!*path)
		return ingot_raise(err, -EINVAL, "the name of an output file is empty");
	if (lstat(path, &st) < 0 && errno != ENOENT)
		return ingot_raise_errno(err, errno, "create '%s'", path);
	/* Where ENOENT is a folder's, creating the file will say so. */
	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode)) {
		*ret = ingot_strdup(path, err);
		return *ret ? 0 : -ENOMEM;
	}
	*ret = realpath(path, NULL);
	if (*ret)
		return 0;
	return ingot_raise_errno(err, errno, "create '%s', a symbolic link", path);
}

static int open_for_path(struct ingot_output *output, const char *path, struct ingot_error *err)
{
	const char *slash;
	struct stat st;
	int rc = resolve(path, &output->path, err);

	if (rc < 0)
		return rc;
	if (stat(output->path, &st) == 0 && !S_ISREG(st.st_mode))
		return ingot_raise(err, -EEXIST, "output '%s' is there and not a regular file",
				   path);
	slash = strrchr(output->path, '/');
	if (!slash)
		output->directory = ingot_strdup("./", err);
	else
		output->directory =
			ingot_format(err, "%.*s", (int)(slash - output->path) + 1, output->path);
	if (!output->directory)
		return -ENOMEM;
	return open_file(output, err);
}

int ingot_output_create(const char *path, struct ingot_output **ret, struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = ingot_alloc(1, sizeof(*output), err);
	int rc;

	if (!output)
		return -ENOMEM;
	output->fd = -1;
	if (strcmp(path, "-") == 0)
		rc = open_for_stdout(output, err);
	else
		rc = open_for_path(output, path, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(output);
	return 0;
}

int ingot_output_fd(const struct ingot_output *output)
{
	return output->fd;
}

const char *ingot_output_name(const struct ingot_output *output)
{
	return output->path;
}

bool ingot_output_is_same(const struct ingot_output *a, const struct ingot_output *b)
{
	struct stat at, bt;

	if (a->to_stdout || b->to_stdout)
		return a->to_stdout && b->to_stdout;
	return strcmp(ingot_base_name(a->path), ingot_base_name(b->path)) == 0 &&
	       stat(a->directory, &at) == 0 && stat(b->directory, &bt) == 0 &&
	       at.st_dev == bt.st_dev && at.st_ino == bt.st_ino;
}

int ingot_output_sink(struct ingot_output *output, uint64_t size, struct ingot_sink **ret,
		      struct ingot_error *err)
{
	return ingot_sink_fd(output->fd, output->path, size, ret, err);
}

int ingot_output_write(struct ingot_output *output, const void *data, size_t n,
		       struct ingot_error *err)
{
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_output_sink(output, n, &sink, err);

	if (rc < 0)
		return rc;
	return ingot_sink_write(sink, 0, data, n, err);
}

/* --- committing -------------------------------------------------------- */

/* Another process may have made our end of a pipe non-blocking. */
static void wait_writable(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLOUT};

	(void)poll(&poller, 1, -1);
}

static int write_all(int fd, const unsigned char *data, size_t n, struct ingot_error *err)
{
	while (n > 0) {
		ssize_t put = write(fd, data, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			wait_writable(fd);
			continue;
		}
		if (put <= 0)
			return ingot_raise_errno(err, put < 0 ? errno : ENOSPC,
						 "write to standard output");
		data += put;
		n -= (size_t)put;
	}
	return 0;
}

static int pour(int fd, struct ingot_error *err)
{
	enum { STEP = 256 * 1024 };
	INGOT_FREE unsigned char *buffer = ingot_alloc_buffer(STEP, err);
	off_t offset = 0;

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		ssize_t n = pread(fd, buffer, STEP, offset);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ingot_raise_errno(err, errno,
						 "read the temporary file for standard output");
		if (n == 0)
			return 0;
		rc = write_all(STDOUT_FILENO, buffer, (size_t)n, err);
		if (rc < 0)
			return rc;
		offset += n;
	}
}

static int link_fd(int fd, const char *path)
{
	char from[64];

	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Whether what has the final name is under the temporary one now. A folder stays where it is. */
static bool exchange(const struct ingot_output *output)
{
	struct stat st;

	return lstat(output->path, &st) == 0 && S_ISREG(st.st_mode) &&
	       renameat2(AT_FDCWD, output->temporary.path, AT_FDCWD, output->path,
			 RENAME_EXCHANGE) == 0;
}

/* From a temporary name. keep: what was there gets that one, where the filesystem can. */
static int rename_to(struct ingot_output *output, bool keep, struct ingot_error *err)
{
	if (keep && exchange(output)) {
		output->kept = true;
		return 0;
	}
	if (rename(output->temporary.path, output->path) < 0)
		return ingot_raise_errno(err, errno, "rename '%s' to '%s'", output->temporary.path,
					 output->path);
	ingot_tempname_remove(&output->temporary);
	free(INGOT_TAKE(output->temporary.path));
	return 0;
}

/* An unnamed file cannot replace another: it needs a name to be renamed from, for a moment. */
static int link_temporary(struct ingot_output *output, struct ingot_error *err)
{
	int rc = make_name(output, err);

	if (rc < 0)
		return rc;
	rc = link_fd(output->fd, output->temporary.path);
	if (rc == 0) {
		ingot_tempname_add(&output->temporary);
		return 0;
	}
	free(INGOT_TAKE(output->temporary.path));
	return ingot_raise_errno(err, -rc, "replace '%s'", output->path);
}

static int take_name(struct ingot_output *output, bool keep, struct ingot_error *err)
{
	int rc;

	if (!output->temporary.path) {
		rc = link_fd(output->fd, output->path);
		output->is_new = rc == 0;
		if (rc == 0)
			return 0;
		if (rc != -EEXIST)
			return create_failed(output, -rc, err);
		rc = link_temporary(output, err);
		if (rc < 0)
			return rc;
	} else {
		output->is_new = access(output->path, F_OK) < 0;
	}
	return rename_to(output, keep, err);
}

/* As it was before, but for what a filesystem could not keep. */
static void give_back(struct ingot_output *output)
{
	if (output->kept) {
		(void)rename(output->temporary.path, output->path);
		ingot_tempname_remove(&output->temporary);
		free(INGOT_TAKE(output->temporary.path));
	} else if (output->is_new) {
		(void)unlink(output->path);
	}
}

static void drop_kept(struct ingot_output *output)
{
	if (!output->kept)
		return;
	(void)unlink(output->temporary.path);
	ingot_tempname_remove(&output->temporary);
	free(INGOT_TAKE(output->temporary.path));
}

/* No signal comes between the first name and the last. */
static int take_names(struct ingot_output *const *outputs, size_t count, struct ingot_error *err)
{
	sigset_t old;
	size_t done = 0;
	int rc = 0;

	ingot_tempnames_lock(&old);
	for (; rc == 0 && done < count; done++)
		if (!outputs[done]->to_stdout)
			rc = take_name(outputs[done], count > 1, err);
	if (rc < 0)
		for (done--; done-- > 0;)
			give_back(outputs[done]);
	else
		for (size_t i = 0; i < count; i++)
			drop_kept(outputs[i]);
	ingot_tempnames_unlock(&old);
	return rc;
}

/* The rename itself must survive a power cut. A folder that cannot be opened or synced is
 * no reason to call a whole and renamed file a failure. */
static void sync_directory(const char *path)
{
	INGOT_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

static int write_out(const struct ingot_output *output, struct ingot_error *err)
{
	if (output->to_stdout)
		return pour(output->fd, err);
	if (fsync(output->fd) < 0)
		return ingot_raise_errno(err, errno, "write '%s' to the disk", output->path);
	return 0;
}

int ingot_outputs_commit(struct ingot_output *const *outputs, size_t count, struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = write_out(outputs[i], err);
	if (rc == 0)
		rc = take_names(outputs, count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (!outputs[i]->to_stdout)
			sync_directory(outputs[i]->directory);
	return rc;
}

int ingot_output_commit(struct ingot_output *output, struct ingot_error *err)
{
	return ingot_outputs_commit(&output, 1, err);
}

static void drop_name(struct ingot_output *output)
{
	sigset_t old;

	ingot_tempnames_lock(&old);
	(void)unlink(output->temporary.path);
	ingot_tempname_remove(&output->temporary);
	ingot_tempnames_unlock(&old);
	free(INGOT_TAKE(output->temporary.path));
}

void ingot_output_free(struct ingot_output *output)
{
	if (!output)
		return;
	if (output->temporary.path)
		drop_name(output);
	if (output->fd >= 0)
		(void)close(output->fd);
	free(output->path);
	free(output->directory);
	free(output);
}

#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/text.h"

struct ingot_output {
	int fd;
	bool to_stdout;
	char *path;      /* the final name, links resolved */
	char *directory; /* the folder of both names */
	char *temporary; /* NULL: the file has no name yet */
	int slot;        /* in the registry, -1: none */
};

/* --- names that a signal has to remove -------------------------------------------------------------
 * The only state shared by all outputs. A slot is taken before its file gets a name. */

enum { SLOTS = 64 };
static char *volatile registry[SLOTS];
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;

static int registry_add(char *path, struct ingot_error *err)
{
	int slot = -1;

	pthread_mutex_lock(&registry_lock);
	for (int i = 0; i < SLOTS && slot < 0; i++)
		if (!registry[i]) {
			registry[i] = path;
			slot = i;
		}
	pthread_mutex_unlock(&registry_lock);
	if (slot < 0)
		return ingot_raise(err, -EMFILE, "more than %d output files at once", SLOTS);
	return slot;
}

static void registry_remove(int *slot)
{
	if (*slot < 0)
		return;
	pthread_mutex_lock(&registry_lock);
	registry[*slot] = NULL;
	pthread_mutex_unlock(&registry_lock);
	*slot = -1;
}

static void on_signal(int number)
{
	for (int i = 0; i < SLOTS; i++)
		if (registry[i])
			(void)unlink(registry[i]);
	/* SA_RESETHAND: the second delivery kills. */
	(void)raise(number);
}

void ingot_output_handle_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	(void)sigemptyset(&action.sa_mask);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		/* What the parent set to be ignored (nohup) stays ignored. */
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &action, NULL);
	}
}

/* --- creating --------------------------------------------------------------------------------------- */

/* A fresh temporary name beside the final one, registered. */
static int make_name(struct ingot_output *output, struct ingot_error *err)
{
	const char *base = strrchr(output->path, '/');
	unsigned char bytes[8];
	char hex[2 * sizeof(bytes) + 1];
	int slot;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return ingot_raise_errno(err, errno, "random bytes for a temporary name");
	ingot_hex(bytes, sizeof(bytes), hex);
	base = base ? base + 1 : output->path;
	output->temporary =
		ingot_format(err, "%s/.%.200s.%s.tmp", output->directory, base, hex);
	if (!output->temporary)
		return -ENOMEM;
	slot = registry_add(output->temporary, err);
	if (slot < 0) {
		free(INGOT_TAKE(output->temporary));
		return slot;
	}
	output->slot = slot;
	return 0;
}

static void drop_name(struct ingot_output *output)
{
	registry_remove(&output->slot);
	free(INGOT_TAKE(output->temporary));
}

static int open_named(struct ingot_output *output, struct ingot_error *err)
{
	int rc = make_name(output, err);

	if (rc < 0)
		return rc;
	output->fd = open(output->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (output->fd < 0) {
		rc = ingot_raise_errno(err, errno, "create '%s'", output->temporary);
		drop_name(output);
		return rc;
	}
	return 0;
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
	if (output->fd >= 0) {
		(void)close(output->fd);
		output->fd = -1;
		return open_named(output, err);
	}
	/* EISDIR: kernels before 3.11; EOPNOTSUPP: this filesystem. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return open_named(output, err);
	return ingot_raise_errno(err, errno, "create '%s'", output->path);
}

static int open_for_stdout(struct ingot_output *output, struct ingot_error *err)
{
	const char *folder = getenv("TMPDIR");

	output->to_stdout = true;
	output->path = ingot_strdup("standard output", err);
	output->directory = ingot_strdup(folder && *folder ? folder : "/tmp", err);
	if (!output->path || !output->directory)
		return -ENOMEM;
	output->fd = open(output->directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (output->fd < 0)
		return ingot_raise_errno(err, errno, "create a temporary file in '%s'",
					 output->directory);
	return 0;
}

/* The final name with links resolved, so that a link stays a link. */
static char *resolve(const char *path, struct ingot_error *err)
{
	struct stat st;
	char *real;

	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		return ingot_strdup(path, err);
	real = realpath(path, NULL);
	if (!real)
		(void)!ingot_raise_errno(err, errno, "resolve '%s'", path);
	return real;
}

static int open_for_path(struct ingot_output *output, const char *path, struct ingot_error *err)
{
	const char *slash;
	struct stat st;

	output->path = resolve(path, err);
	if (!output->path)
		return err ? err->code : -ENOMEM;
	if (stat(output->path, &st) == 0 && !S_ISREG(st.st_mode))
		return ingot_raise(err, -EEXIST, "output '%s' is there and not a regular file",
				   path);
	slash = strrchr(output->path, '/');
	if (!slash)
		output->directory = ingot_strdup(".", err);
	else
		output->directory = ingot_format(err, "%.*s", (int)(slash - output->path) + 1,
						 output->path);
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
	output->slot = -1;
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

/* --- committing -------------------------------------------------------------------------------------- */

static int write_all(int fd, const unsigned char *data, size_t n, struct ingot_error *err)
{
	while (n > 0) {
		ssize_t put = write(fd, data, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return ingot_raise_errno(err, errno, "write to standard output");
		data += put;
		n -= (size_t)put;
	}
	return 0;
}

static int pour(int fd, struct ingot_error *err)
{
	enum { STEP = 256 * 1024 };
	INGOT_FREE unsigned char *buffer = ingot_alloc(1, STEP, err);
	off_t offset = 0;
	ssize_t n;

	if (!buffer)
		return -ENOMEM;
	while ((n = pread(fd, buffer, STEP, offset)) > 0) {
		int rc = write_all(STDOUT_FILENO, buffer, (size_t)n, err);

		if (rc < 0)
			return rc;
		offset += n;
	}
	if (n < 0)
		return ingot_raise_errno(err, errno, "read a temporary file");
	return 0;
}

static int give_name(struct ingot_output *output, struct ingot_error *err)
{
	char path[64];
	int rc = make_name(output, err);

	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", output->fd);
	if (linkat(AT_FDCWD, path, AT_FDCWD, output->temporary, AT_SYMLINK_FOLLOW) < 0) {
		rc = ingot_raise_errno(err, errno, "name '%s'", output->temporary);
		drop_name(output);
		return rc;
	}
	return 0;
}

/* The rename itself must survive a power cut. A folder that cannot be opened or synced is
 * no reason to call a whole and renamed file a failure. */
static void sync_directory(const char *path)
{
	INGOT_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

int ingot_output_commit(struct ingot_output *output, struct ingot_error *err)
{
	int rc;

	if (output->to_stdout)
		return pour(output->fd, err);
	if (fsync(output->fd) < 0)
		return ingot_raise_errno(err, errno, "write '%s' to the disk", output->path);
	if (!output->temporary) {
		rc = give_name(output, err);
		if (rc < 0)
			return rc;
	}
	if (rename(output->temporary, output->path) < 0)
		return ingot_raise_errno(err, errno, "rename '%s' to '%s'", output->temporary,
					 output->path);
	drop_name(output);
	sync_directory(output->directory);
	return 0;
}

void ingot_output_free(struct ingot_output *output)
{
	if (!output)
		return;
	if (output->temporary)
		(void)unlink(output->temporary);
	drop_name(output);
	if (output->fd >= 0)
		(void)close(output->fd);
	free(output->path);
	free(output->directory);
	free(output);
}

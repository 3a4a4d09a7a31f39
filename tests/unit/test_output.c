/*
 * Outputs appear whole or not at all: on success, on failure, and whenever a signal comes. Every
 * test runs twice, with files that have no name yet and with temporary names, which is what a
 * filesystem without O_TMPFILE gets.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "folder.h"
#include "io/output.h"
#include "unit.h"

static bool named; /* no O_TMPFILE here */

/* In front of libc's; -D_FILE_OFFSET_BITS=64 makes open this. */
int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		mode = va_arg(args, mode_t);
	va_end(args);
	if (named && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

static int setup_unnamed(void **state)
{
	named = false;
	return folder_setup(state);
}

static int setup_named(void **state)
{
	named = true;
	return folder_setup(state);
}

static int put(const char *path, const char *text, struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	int rc = ingot_output_create(path, &output, err);

	if (rc < 0)
		return rc;
	rc = ingot_output_write(output, text, strlen(text), err);
	if (rc < 0)
		return rc;
	return ingot_output_commit(output, err);
}

/* --- in one process ---------------------------------------------------- */

static void test_nothing_is_seen_before_commit(void **state)
{
	struct ingot_error err = {0};
	INGOT_OUTPUT struct ingot_output *output = NULL;
	char text[64];

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_ok(ingot_output_create("f", &output, &err));
		assert_string_equal(ingot_output_name(output), "f");
		assert_ok(ingot_output_write(output, round ? "new" : "first", round ? 3 : 5, &err));
		assert_string_equal(file_get("f", text), round ? "first" : "");
		assert_ok(ingot_output_commit(output, &err));
		assert_string_equal(file_get("f", text), round ? "new" : "first");
		ingot_output_free(INGOT_TAKE(output));
		assert_int_equal(folder_count(), 1);
	}
}

static void test_without_commit_nothing_changed(void **state)
{
	struct ingot_error err = {0};
	INGOT_OUTPUT struct ingot_output *a = NULL, *b = NULL;
	char text[64];

	(void)state;
	file_put("old", "old", 3);
	assert_ok(ingot_output_create("old", &a, &err));
	assert_ok(ingot_output_create("new", &b, &err));
	assert_ok(ingot_output_write(a, "x", 1, &err));
	assert_ok(ingot_output_write(b, "x", 1, &err));
	assert_int_equal(folder_count(), named ? 3 : 1);
	ingot_output_free(INGOT_TAKE(a));
	ingot_output_free(INGOT_TAKE(b));
	assert_string_equal(file_get("old", text), "old");
	assert_int_equal(folder_count(), 1);
}

static void test_umask_decides_the_mode(void **state)
{
	struct ingot_error err = {0};
	mode_t before = umask(027);
	struct stat st;

	(void)state;
	assert_ok(put("f", "x", &err));
	assert_ok(put("f", "y", &err));
	(void)umask(before);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_long_names(void **state)
{
	struct ingot_error err = {0};
	char name[300], text[64];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_ok(put(name, "a", &err));
	assert_ok(put(name, "b", &err));
	assert_string_equal(file_get(name, text), "b");
	assert_int_equal(folder_count(), 1);
	name[255] = 'n';
	name[256] = '\0';
	assert_fails(put(name, "a", &err), -ENAMETOOLONG, "File name too long");
}

static bool same(const char *a, const char *b)
{
	struct ingot_error err = {0};
	INGOT_OUTPUT struct ingot_output *x = NULL, *y = NULL;

	assert_ok(ingot_output_create(a, &x, &err));
	assert_ok(ingot_output_create(b, &y, &err));
	return ingot_output_is_same(x, y);
}

static void test_one_name_written_twice(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(symlink("folder", "other"), 0);
	file_put("f", "old", 3);
	assert_int_equal(symlink("f", "link"), 0);
	assert_int_equal(link("f", "second"), 0);
	assert_true(same("new", "./new"));
	assert_true(same("folder/new", "other//../folder/new"));
	assert_true(same("f", "link"));
	assert_true(same("-", "-"));
	assert_false(same("-", "standard output"));
	assert_false(same("new", "folder/new"));
	assert_false(same("new", "older"));
	/* Each gets a file of its own. */
	assert_false(same("f", "second"));
}

static void test_links(void **state)
{
	struct ingot_error err = {0};
	struct stat st;
	char text[64];

	(void)state;
	file_put("target", "old", 3);
	assert_int_equal(symlink("target", "link"), 0);
	assert_ok(put("link", "new", &err));
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_string_equal(file_get("target", text), "new");
	assert_int_equal(folder_count(), 2);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_fails(put("dangling", "x", &err), -ENOENT,
		     "create 'dangling', a symbolic link: No such file");
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_fails(put("loop", "x", &err), -ELOOP, "'loop'");
}

static void test_names_that_cannot_be(void **state)
{
	struct ingot_error err = {0};

	(void)state;
	file_put("f", "x", 1);
	assert_int_equal(mkdir("d", 0777), 0);
	assert_int_equal(mkfifo("pipe", 0666), 0);
	assert_fails(put("", "x", &err), -EINVAL, "name of an output file is empty");
	assert_fails(put("no/such", "x", &err), -ENOENT,
		     "create 'no/such': the folder 'no/' does not exist");
	assert_fails(put("new/", "x", &err), -ENOENT, "the folder 'new/' does not exist");
	assert_fails(put("f/x", "x", &err), -ENOTDIR, "create 'f/x': Not a directory");
	assert_fails(put("f/", "x", &err), -ENOTDIR, "create 'f/': Not a directory");
	assert_fails(put("d", "x", &err), -EEXIST, "'d' is there and not a regular file");
	assert_fails(put("d/", "x", &err), -EEXIST, "not a regular file");
	assert_fails(put(".", "x", &err), -EEXIST, "not a regular file");
	assert_fails(put("/", "x", &err), -EEXIST, "not a regular file");
	assert_fails(put("pipe", "x", &err), -EEXIST, "not a regular file");
	assert_fails(put("/dev/null", "x", &err), -EEXIST, "not a regular file");
	assert_int_equal(folder_count(), 3);
}

static void test_folder_that_is_not_writable(void **state)
{
	struct ingot_error err = {0};
	bool root = geteuid() == 0;

	(void)state;
	assert_int_equal(mkdir("d", 0555), 0);
	assert_int_equal(chmod(".", 0755), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	assert_fails(put("d/f", "x", &err), -EACCES, "create 'd/f': Permission denied");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

/* While the image was built, someone made a folder of its name. */
static void test_failing_rename(void **state)
{
	struct ingot_error err = {0};
	INGOT_OUTPUT struct ingot_output *output = NULL;

	(void)state;
	assert_ok(ingot_output_create("f", &output, &err));
	assert_ok(ingot_output_write(output, "x", 1, &err));
	assert_int_equal(mkdir("f", 0777), 0);
	assert_fails(ingot_output_commit(output, &err), -EISDIR, "'f': Is a directory");
	ingot_output_free(INGOT_TAKE(output));
	assert_int_equal(folder_count(), 1);
}

static void test_folder_that_goes_away(void **state)
{
	struct ingot_error err = {0};
	INGOT_OUTPUT struct ingot_output *output = NULL;

	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	assert_ok(ingot_output_create("d/f", &output, &err));
	if (named)
		assert_int_equal(rename("d", "elsewhere"), 0);
	else
		assert_int_equal(rmdir("d"), 0);
	assert_fails(ingot_output_commit(output, &err), -ENOENT, "'d/f'");
	if (named) { /* so that it finds its name */
		assert_int_equal(rename("elsewhere", "d"), 0);
	}
}

static void test_many_at_once(void **state)
{
	enum { MANY = 200 };
	struct ingot_output *outputs[MANY];
	struct ingot_error err = {0};
	char name[16];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		assert_ok(ingot_output_create(name, &outputs[i], &err));
	}
	for (int i = 0; i < MANY; i++) {
		if (i % 3)
			assert_ok(ingot_output_commit(outputs[i], &err));
		ingot_output_free(outputs[i]);
	}
	assert_int_equal(folder_count(), MANY - (MANY + 2) / 3);
}

/* --- in a child -------------------------------------------------------- */

/* What a child did: its exit status and its first line on stderr. */
struct child {
	int status;
	char text[256];
};

/* The body's error goes to stderr, as main does it; stdout is out. */
static struct child run_child(int (*body)(struct ingot_error *err), int out)
{
	struct child child = {0};
	int ends[2];
	pid_t pid;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct ingot_error err = {0};

		(void)dup2(out, STDOUT_FILENO);
		if (body(&err) < 0 && write(ends[1], err.text, strlen(err.text)) > 0)
			_exit(2);
		_exit(0);
	}
	(void)close(ends[1]);
	n = read(ends[0], child.text, sizeof(child.text) - 1);
	assert_true(n >= 0);
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &child.status, 0), pid);
	return child;
}

static int put_stdout(struct ingot_error *err)
{
	return put("-", "to standard output", err);
}

static void test_standard_output(void **state)
{
	INGOT_CLOSE int out = open("out", O_RDWR | O_CREAT, 0666);
	struct child child = run_child(put_stdout, out);
	char text[64];

	(void)state;
	assert_string_equal(child.text, "");
	assert_int_equal(child.status, 0);
	assert_string_equal(file_get("out", text), "to standard output");
	assert_int_equal(folder_count(), 1);
}

static void test_standard_output_full(void **state)
{
	INGOT_CLOSE int out = open("/dev/full", O_WRONLY);
	struct child child = run_child(put_stdout, out);

	(void)state;
	assert_string_equal(child.text, "write to standard output: No space left on device");
	assert_int_equal(WEXITSTATUS(child.status), 2);
}

static int put_stdout_signals(struct ingot_error *err)
{
	ingot_output_handle_signals();
	return put("-", "to standard output", err);
}

static int put_stdout_ignoring(struct ingot_error *err)
{
	(void)signal(SIGPIPE, SIG_IGN);
	return put_stdout_signals(err);
}

static void test_standard_output_nobody_reads(void **state)
{
	struct child child;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	child = run_child(put_stdout_signals, ends[1]);
	assert_true(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGPIPE);
	child = run_child(put_stdout_ignoring, ends[1]);
	assert_string_equal(child.text, "write to standard output: Broken pipe");
	(void)close(ends[1]);
}

static int put_stdout_no_tmpdir(struct ingot_error *err)
{
	(void)setenv("TMPDIR", "missing", 1);
	return put("-", "x", err);
}

static void test_standard_output_without_tmpdir(void **state)
{
	struct child child = run_child(put_stdout_no_tmpdir, STDERR_FILENO);

	(void)state;
	assert_string_equal(child.text, "create a temporary file in 'missing': "
					"No such file or directory");
}

static int put_large(struct ingot_error *err)
{
	struct rlimit limit = {100000, 100000};
	static char data[200001];

	ingot_output_handle_signals();
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	memset(data, 'x', sizeof(data) - 1);
	return put("f", data, err);
}

static void test_file_size_limit_is_an_error(void **state)
{
	struct child child;
	char text[64];

	(void)state;
	file_put("f", "old", 3);
	child = run_child(put_large, STDERR_FILENO);
	assert_string_equal(child.text, "make 'f' 200000 bytes long: File too large");
	assert_int_equal(WEXITSTATUS(child.status), 2);
	assert_string_equal(file_get("f", text), "old");
	assert_int_equal(folder_count(), 1);
}

/* --- several at once --------------------------------------------------- */

enum { GROUP = 3 };

static void group_free(struct ingot_output *group[GROUP])
{
	for (int i = 0; i < GROUP; i++)
		ingot_output_free(INGOT_TAKE(group[i]));
}

/* g0, g1 and g2, each with the text, and not committed. */
static int group_create(const char *text, struct ingot_output *group[GROUP],
			struct ingot_error *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < GROUP; i++) {
		char name[] = "g0";

		name[1] = (char)('0' + i);
		rc = ingot_output_create(name, &group[i], err);
		if (rc == 0)
			rc = ingot_output_write(group[i], text, strlen(text), err);
	}
	return rc;
}

/* Of its names one is taken. */
static void group_over_old(struct ingot_output *group[GROUP])
{
	struct ingot_error err = {0};

	file_put("g1", "old", 3);
	assert_ok(group_create("new", group, &err));
}

static void test_several(void **state)
{
	struct ingot_output *group[GROUP] = {0};
	struct ingot_error err = {0};
	char text[64];

	(void)state;
	group_over_old(group);
	assert_ok(ingot_outputs_commit(group, GROUP, &err));
	for (int i = 0; i < GROUP; i++)
		assert_string_equal(file_get(i == 0 ? "g0" : i == 1 ? "g1" : "g2", text), "new");
	assert_int_equal(folder_count(), GROUP);
	group_free(group);
	assert_int_equal(folder_count(), GROUP);
}

/* The last name cannot be had: what the others were comes back. */
static void test_several_or_none(void **state)
{
	struct ingot_output *group[GROUP] = {0};
	struct ingot_error err = {0};
	char text[64];

	(void)state;
	group_over_old(group);
	assert_int_equal(mkdir("g2", 0777), 0);
	assert_fails(ingot_outputs_commit(group, GROUP, &err), -EISDIR, "'g2': Is a directory");
	group_free(group);
	assert_string_equal(file_get("g0", text), "");
	assert_string_equal(file_get("g1", text), "old");
	assert_int_equal(folder_count(), 2);
}

/* A group of one letter after another, for ever. */
static pid_t start_groups(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	ingot_output_handle_signals();
	for (unsigned i = 0;; i++) {
		const char text[] = {(char)('a' + i % 26), '\0'};
		struct ingot_output *group[GROUP] = {0};

		if (group_create(text, group, NULL) < 0 ||
		    ingot_outputs_commit(group, GROUP, NULL) < 0)
			_exit(3);
		group_free(group);
	}
}

static void test_several_interrupted(void **state)
{
	char first[64], other[64];

	(void)state;
	for (useconds_t round = 0; round < 60; round++) {
		pid_t pid = start_groups();
		int status;

		(void)usleep(500 + round * 1237 % 6000);
		assert_int_equal(kill(pid, SIGTERM), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		file_get("g0", first);
		assert_string_equal(file_get("g1", other), first);
		assert_string_equal(file_get("g2", other), first);
		assert_int_equal(folder_count(), *first ? GROUP : 0);
	}
}

/* --- signals ----------------------------------------------------------- */

enum { BODY = 40000, WRITERS = 3 };

/* For ever: a whole file of one letter, after another. */
static void *write_files(void *context)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	const char *name = context;
	char data[BODY + 1];

	for (unsigned i = 0;; i++) {
		memset(data, letters[i % 26], BODY);
		data[BODY] = '\0';
		if (put(name, data, NULL) < 0)
			_exit(3);
		if (i % 5 == 4)
			(void)unlink(name);
	}
	return NULL;
}

static pid_t start_writers(void)
{
	static char *const names[WRITERS] = {"f0", "f1", "f2"};
	pid_t pid = fork();
	pthread_t thread;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	ingot_output_handle_signals();
	for (int i = 1; i < WRITERS; i++)
		if (pthread_create(&thread, NULL, write_files, names[i]) != 0)
			_exit(4);
	(void)write_files(names[0]);
	_exit(5);
}

/* Absent, or BODY bytes of one letter. */
static void assert_whole(const char *path)
{
	char data[BODY + 1];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, data, sizeof(data));
	(void)close(fd);
	assert_int_equal(n, BODY);
	for (int i = 1; i < BODY; i++)
		assert_int_equal(data[i], data[0]);
}

static size_t temporary_count(void)
{
	DIR *dir = opendir(".");
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += strstr(e->d_name, ".tmp") != NULL;
	(void)closedir(dir);
	return n;
}

/* Killed after a pseudo-random time, over and over: SIGKILL may leave what it catches, an unnamed
 * file at the moment of its rename or any temporary name; the others leave nothing. */
static void interrupt_writers(int number)
{
	uint32_t random = (uint32_t)number;

	for (int round = 0; round < 25; round++) {
		pid_t pid = start_writers();
		size_t left;
		int status;

		random = random * 1664525 + 1013904223;
		(void)usleep(500 + (random >> 8) % 6000);
		assert_int_equal(kill(pid, number), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == number);
		assert_whole("f0");
		assert_whole("f1");
		assert_whole("f2");
		left = temporary_count();
		if (number != SIGKILL)
			assert_int_equal(left, 0);
		assert_true(left <= WRITERS * (size_t)(round + 1));
	}
}

static void test_sigint(void **state)
{
	(void)state;
	interrupt_writers(SIGINT);
}

static void test_sigterm(void **state)
{
	(void)state;
	interrupt_writers(SIGTERM);
}

static void test_sigkill(void **state)
{
	(void)state;
	interrupt_writers(SIGKILL);
}

/* Two at once: the second must neither skip the cleaning nor wait for ever. */
static void test_two_signals(void **state)
{
	(void)state;
	for (int round = 0; round < 25; round++) {
		pid_t pid = start_writers();
		int status;

		(void)usleep(500 + (useconds_t)round * 97);
		assert_int_equal(kill(pid, SIGTERM), 0);
		assert_int_equal(kill(pid, SIGINT), 0);
		assert_int_equal(kill(pid, SIGHUP), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(temporary_count(), 0);
		assert_whole("f0");
	}
}

/* nohup stays nohup. */
static int hang_up(struct ingot_error *err)
{
	(void)signal(SIGHUP, SIG_IGN);
	ingot_output_handle_signals();
	(void)raise(SIGHUP);
	return put("f", "x", err);
}

static void test_ignored_stays_ignored(void **state)
{
	struct child child = run_child(hang_up, STDERR_FILENO);

	(void)state;
	assert_int_equal(child.status, 0);
	assert_int_equal(folder_count(), 1);
}

#define BOTH(test)                                                                                 \
	{#test " (unnamed)", test, setup_unnamed, folder_teardown, NULL},                          \
	{                                                                                          \
#test " (named)", test, setup_named, folder_teardown, NULL                         \
	}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BOTH(test_nothing_is_seen_before_commit),
		BOTH(test_without_commit_nothing_changed),
		BOTH(test_umask_decides_the_mode),
		BOTH(test_long_names),
		BOTH(test_one_name_written_twice),
		BOTH(test_links),
		BOTH(test_names_that_cannot_be),
		BOTH(test_folder_that_is_not_writable),
		BOTH(test_failing_rename),
		BOTH(test_folder_that_goes_away),
		BOTH(test_many_at_once),
		BOTH(test_standard_output),
		BOTH(test_standard_output_full),
		BOTH(test_standard_output_nobody_reads),
		BOTH(test_file_size_limit_is_an_error),
		BOTH(test_several),
		BOTH(test_several_or_none),
		BOTH(test_several_interrupted),
		BOTH(test_sigint),
		BOTH(test_sigterm),
		BOTH(test_sigkill),
		BOTH(test_two_signals),
		BOTH(test_ignored_stays_ignored),
		cmocka_unit_test_setup_teardown(test_standard_output_without_tmpdir, setup_unnamed,
						folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

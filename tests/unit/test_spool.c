/* What can be read only once, kept; what can be read as it is, taken. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "folder.h"
#include "io/source.h"

/* A pipe with that much text, zeros, and text in it, from a child. */
static int open_pipe(size_t text, size_t zeros)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		static const unsigned char nothing[4096];

		(void)close(ends[0]);
		for (size_t i = 0; i < text; i++)
			if (write(ends[1], "x", 1) != 1)
				_exit(1);
		for (size_t i = 0; i < zeros; i += sizeof(nothing))
			if (write(ends[1], nothing, sizeof(nothing)) != sizeof(nothing))
				_exit(1);
		_exit(write(ends[1], "end", 3) != 3);
	}
	(void)close(ends[1]);
	return ends[0];
}

static void test_pipe(void **state)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_error err = {0};
	struct ingot_extent run;
	char text[4];
	int fd = open_pipe(1000, 4 << 20), status;

	(void)state;
	assert_ok(ingot_source_spool(fd, "standard input", ".", &source, &err));
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	assert_int_equal(source->size, 1000 + (4 << 20) + 3);
	assert_string_equal(source->name, "standard input");
	assert_ok(ingot_source_read(source, 998, text, 4, &err));
	assert_memory_equal(text, "xx\0\0", 4);
	assert_ok(ingot_source_read(source, source->size - 3, text, 3, &err));
	assert_memory_equal(text, "end", 3);
	assert_ok(ingot_source_extent(source, 1 << 20, &run, &err));
	assert_true(run.hole);
	(void)close(fd);
}

static void test_file(void **state)
{
	INGOT_SOURCE struct ingot_source *whole = NULL, *rest = NULL;
	struct ingot_error err = {0};
	int fd = open("file", O_RDWR | O_CREAT, 0666);
	char text[5];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "0123456789", 10, 0), 10);
	assert_ok(ingot_source_spool(fd, "file", "no/such/folder", &whole, &err));
	assert_int_equal(whole->size, 10);
	assert_int_equal(read(fd, text, 5), 5); /* somebody has begun to read it */
	assert_ok(ingot_source_spool(fd, "file", ".", &rest, &err));
	assert_int_equal(rest->size, 5);
	assert_ok(ingot_source_read(rest, 0, text, 5, &err));
	assert_memory_equal(text, "56789", 5);
	(void)close(fd);
}

static void test_failures(void **state)
{
	struct ingot_source *source = NULL;
	struct ingot_error err = {0};
	int fd = open_pipe(10, 0), status;

	(void)state;
	assert_fails(ingot_source_spool(fd, "pipe", "no/such/folder", &source, &err), -ENOENT,
		     "no/such/folder");
	(void)close(fd);
	assert_true(wait(&status) > 0);
	fd = open("out", O_WRONLY | O_CREAT | O_APPEND, 0666);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_fails(ingot_source_spool(fd, "out", ".", &source, &err), -EBADF, "read out");
	(void)close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {T(test_pipe), T(test_file), T(test_failures)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sinks: what was not written reads as zero, nothing is written past the end. */
#include <errno.h>
#include <pthread.h>

#include "folder.h"
#include "io/sink.h"
#include "unit.h"

/* The same for a file, for memory, and for a part of either. */
static void check_sink(struct ingot_sink *sink)
{
	static const char zeros[100];
	struct ingot_error err = {0};
	char data[100];

	assert_true(sink->size == 100);
	assert_ok(ingot_sink_read(sink, 0, data, 100, &err));
	assert_memory_equal(data, zeros, 100);
	assert_ok(ingot_sink_write(sink, 95, "hello", 5, &err));
	assert_ok(ingot_sink_write(sink, 0, "first", 5, &err));
	assert_ok(ingot_sink_write(sink, 100, "", 0, &err));
	assert_ok(ingot_sink_read(sink, 90, data, 10, &err));
	assert_memory_equal(data, "\0\0\0\0\0hello", 10);
	assert_fails(ingot_sink_write(sink, 96, "hello", 5, &err), -EFBIG,
		     "write 5 bytes at 0x60 of");
	assert_fails(ingot_sink_write(sink, UINT64_MAX, "hello", 5, &err), -EFBIG, "past its end");
	assert_fails(ingot_sink_read(sink, 100, data, 1, &err), -EFBIG, "past its end at 0x64");
	assert_ok(ingot_sink_read(sink, 0, data, 6, &err));
	assert_memory_equal(data, "first\0", 6);
}

static void test_file(void **state)
{
	INGOT_CLOSE int fd = open("f", O_RDWR | O_CREAT, 0666);
	struct ingot_error err = {0};
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct stat st;

	(void)state;
	assert_ok(ingot_sink_fd(fd, "f", 100, &sink, &err));
	check_sink(sink);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 100);
}

static void test_memory(void **state)
{
	struct ingot_error err = {0};
	INGOT_SINK struct ingot_sink *sink = NULL;
	unsigned char *data = NULL;

	(void)state;
	assert_ok(ingot_sink_memory(100, &sink, &data, &err));
	check_sink(sink);
	assert_memory_equal(data + 95, "hello", 5);
	ingot_sink_free(INGOT_TAKE(sink));
	assert_fails(ingot_sink_memory(SIZE_MAX, &sink, &data, &err), -ENOMEM, "out of memory");
	assert_fails(ingot_sink_memory(SIZE_MAX - 8, &sink, &data, &err), -ENOMEM, "out of memory");
	assert_null(sink);
}

static void test_part(void **state)
{
	struct ingot_error err = {0};
	INGOT_SINK struct ingot_sink *whole = NULL, *part = NULL, *none = NULL;
	unsigned char *data = NULL;

	(void)state;
	assert_ok(ingot_sink_memory(120, &whole, &data, &err));
	assert_ok(ingot_sink_part(whole, 10, 100, &part, &err));
	check_sink(part);
	assert_memory_equal(data, "\0\0\0\0\0\0\0\0\0\0first", 15);
	assert_memory_equal(data + 105, "hello\0\0\0\0\0\0\0\0\0\0", 15);
	assert_fails(ingot_sink_part(whole, 10, 111, &none, &err), -EINVAL, "has no 111 bytes");
	assert_fails(ingot_sink_part(whole, 10, UINT64_MAX, &none, &err), -EINVAL, "has no");
	assert_ok(ingot_sink_part(whole, 120, 0, &none, &err));
}

static void test_size_no_file_can_have(void **state)
{
	INGOT_CLOSE int fd = open("f", O_RDWR | O_CREAT, 0666);
	struct ingot_error err = {0};
	struct ingot_sink *sink = NULL;

	(void)state;
	assert_fails(ingot_sink_fd(fd, "f", UINT64_MAX, &sink, &err), -EFBIG, "'f' is too large");
	assert_null(sink);
}

static void test_what_has_no_length(void **state)
{
	INGOT_CLOSE int fd = open("/dev/full", O_RDWR);
	struct ingot_error err = {0};
	struct ingot_sink *sink = NULL;

	(void)state;
	assert_fails(ingot_sink_fd(fd, "full", 10, &sink, &err), -EINVAL,
		     "make 'full' 10 bytes long: ");
}

static void test_a_file_cut_short_by_someone(void **state)
{
	INGOT_CLOSE int fd = open("f", O_RDWR | O_CREAT, 0666);
	struct ingot_error err = {0};
	INGOT_SINK struct ingot_sink *sink = NULL;
	char data[10];

	(void)state;
	assert_ok(ingot_sink_fd(fd, "f", 100, &sink, &err));
	assert_int_equal(truncate("f", 50), 0);
	assert_fails(ingot_sink_read(sink, 45, data, 10, &err), -EIO,
		     "read 5 bytes at 0x32 of 'f': the file has become shorter");
}

struct writer {
	struct ingot_sink *sink;
	unsigned number;
};

static void *write_stripes(void *context)
{
	const struct writer *writer = context;
	unsigned char data[512];

	memset(data, (int)writer->number + 1, sizeof(data));
	for (uint64_t at = writer->number; at < 256; at += 4)
		if (ingot_sink_write(writer->sink, at * 512, data, 512, NULL) < 0)
			return "failed";
	return NULL;
}

static void test_several_threads(void **state)
{
	INGOT_CLOSE int fd = open("f", O_RDWR | O_CREAT, 0666);
	struct ingot_error err = {0};
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct writer writers[4];
	pthread_t threads[4];
	unsigned char data[512];

	(void)state;
	assert_ok(ingot_sink_fd(fd, "f", 256 * 512, &sink, &err));
	for (unsigned i = 0; i < 4; i++) {
		writers[i] = (struct writer){sink, i};
		assert_int_equal(pthread_create(&threads[i], NULL, write_stripes, &writers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	for (uint64_t at = 0; at < 256; at++) {
		assert_ok(ingot_sink_read(sink, at * 512, data, 512, &err));
		for (unsigned i = 0; i < 512; i++)
			assert_int_equal(data[i], at % 4 + 1);
	}
}

static void test_as_a_source(void **state)
{
	INGOT_SINK struct ingot_sink *sink = NULL;
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_error err = {0};
	char data[4];

	(void)state;
	assert_ok(ingot_sink_memory(8, &sink, NULL, &err));
	assert_ok(ingot_sink_source(sink, &source, &err));
	assert_int_equal(source->size, 8);
	assert_ok(ingot_sink_write(sink, 4, "abcd", 4, &err));
	assert_ok(ingot_source_read(source, 2, data, 4, &err));
	assert_memory_equal(data, "\0\0ab", 4);
	assert_fails(ingot_source_read(source, 5, data, 4, &err), -EIO, "past its end");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, folder_setup, folder_teardown),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_as_a_source),
		cmocka_unit_test_setup_teardown(test_size_no_file_can_have, folder_setup,
						folder_teardown),
		cmocka_unit_test(test_what_has_no_length),
		cmocka_unit_test_setup_teardown(test_a_file_cut_short_by_someone, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(test_several_threads, folder_setup,
						folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

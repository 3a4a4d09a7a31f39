/* A copy has the same bytes and the same holes, for any number of jobs. */
#include <errno.h>

#include "folder.h"
#include "io/copy.h"
#include "unit.h"

enum { MIB = 1 << 20 };

/* Data that crosses the copy's steps, a hole inside a step and one over several. */
static struct ingot_source *pattern(void)
{
	struct ingot_error err = {0};
	struct ingot_source *source = NULL;
	int fd = open("source", O_RDWR | O_CREAT | O_TRUNC, 0666);
	unsigned char data[8192];

	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + i / 256);
	assert_int_equal(ftruncate(fd, 20 * MIB + 77), 0);
	for (off_t at = MIB - 4096; at < 3 * MIB; at += (off_t)sizeof(data))
		assert_int_equal(pwrite(fd, data, sizeof(data), at), sizeof(data));
	assert_int_equal(pwrite(fd, "mid", 3, 4 * MIB + MIB / 2), 3);
	assert_int_equal(pwrite(fd, "end", 3, 20 * MIB + 74), 3);
	(void)close(fd);
	assert_ok(ingot_source_open("source", &source, &err));
	return source;
}

struct seen {
	uint64_t done, total, calls;
};

static void report(void *context, uint64_t done, uint64_t total)
{
	struct seen *seen = context;

	assert_true(done > seen->done && done <= total);
	seen->done = done;
	seen->total = total;
	seen->calls++;
}

static void test_bytes_and_holes(void **state)
{
	static const unsigned jobs[] = {1, 2, 3, 8};
	INGOT_SOURCE struct ingot_source *source = pattern();
	struct ingot_error err = {0};
	uint8_t want[32], got[32];

	(void)state;
	assert_ok(ingot_source_sha256(source, want, &err));
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		INGOT_CLOSE int fd = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0666);
		INGOT_SINK struct ingot_sink *sink = NULL;
		INGOT_SOURCE struct ingot_source *copy = NULL;
		struct seen seen = {0};
		struct ingot_progress progress = {report, &seen};
		struct stat st, from;

		assert_ok(ingot_sink_fd(fd, "copy", source->size, &sink, &err));
		assert_ok(ingot_copy(source, sink, jobs[i], &progress, &err));
		assert_ok(ingot_source_open("copy", &copy, &err));
		assert_ok(ingot_source_sha256(copy, got, &err));
		assert_memory_equal(want, got, 32);
		assert_int_equal(stat("copy", &st), 0);
		assert_int_equal(stat("source", &from), 0);
		assert_true(st.st_blocks <= from.st_blocks + 16);
		assert_true(seen.done == source->size && seen.total == source->size);
		assert_int_equal(seen.calls, 21);
	}
}

static void test_edges(void **state)
{
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *none = NULL, *one = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL, *small = NULL;
	unsigned char *data = NULL;

	(void)state;
	assert_ok(ingot_source_memory("none", NULL, 0, &none, &err));
	assert_ok(ingot_source_memory("one", "x", 1, &one, &err));
	assert_ok(ingot_sink_memory(2, &sink, &data, &err));
	assert_ok(ingot_copy(none, sink, 8, NULL, &err));
	assert_ok(ingot_copy(one, sink, 8, NULL, &err));
	assert_memory_equal(data, "x\0", 2);
	assert_ok(ingot_sink_memory(0, &small, NULL, &err));
	assert_fails(ingot_copy(one, small, 1, NULL, &err), -EFBIG,
		     "'one' is larger than 'memory'");
}

static void test_a_source_that_shrinks(void **state)
{
	INGOT_SOURCE struct ingot_source *source = pattern();
	struct ingot_error err = {0};
	INGOT_CLOSE int fd = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0666);
	INGOT_SINK struct ingot_sink *sink = NULL;

	(void)state;
	assert_ok(ingot_sink_fd(fd, "copy", source->size, &sink, &err));
	assert_int_equal(truncate("source", 10 * MIB), 0);
	for (unsigned jobs = 1; jobs < 4; jobs++)
		assert_fails(ingot_copy(source, sink, jobs, NULL, &err), -EIO,
			     "'source' has become shorter");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes_and_holes, folder_setup,
						folder_teardown),
		cmocka_unit_test(test_edges),
		cmocka_unit_test_setup_teardown(test_a_source_that_shrinks, folder_setup,
						folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

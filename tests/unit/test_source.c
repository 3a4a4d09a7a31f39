/* Sources: files with holes, memory, parts, pieces, and files that change under the reader. */
#include <errno.h>

#include "base/text.h"
#include "folder.h"
#include "io/source.h"
#include "io/source_watched.h"
#include "unit.h"

static void sparse_file(const char *path, off_t size, off_t at, const char *data)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	if (data)
		assert_int_equal(pwrite(fd, data, strlen(data), at), strlen(data));
	(void)close(fd);
}

static void assert_reads(struct ingot_source *source, uint64_t offset, const char *want)
{
	struct ingot_error err = {0};
	char data[64] = "";

	assert_ok(ingot_source_read(source, offset, data, strlen(want), &err));
	assert_memory_equal(data, want, strlen(want));
}

/* All runs, as text: "d4096 h8192 ". */
static void assert_runs(struct ingot_source *source, const char *want)
{
	struct ingot_error err = {0};
	struct ingot_extent run;
	char text[256] = "";

	for (uint64_t at = 0; at < source->size; at += run.length) {
		size_t n = strlen(text);

		assert_ok(ingot_source_extent(source, at, &run, &err));
		assert_true(run.length > 0 && run.length <= source->size - at);
		(void)snprintf(text + n, sizeof(text) - n, "%c%llu ", run.hole ? 'h' : 'd',
			       (unsigned long long)run.length);
	}
	assert_string_equal(text, want);
}

static void test_file(void **state)
{
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *source = NULL;
	char data[8];

	(void)state;
	file_put("f", "hello world", 11);
	assert_ok(ingot_source_open("f", &source, &err));
	assert_true(source->size == 11);
	assert_string_equal(source->name, "f");
	assert_reads(source, 6, "world");
	assert_ok(ingot_source_read(source, 11, data, 0, &err));
	assert_fails(ingot_source_read(source, 11, data, 1, &err), -EIO, "past its end at 0xb");
	assert_fails(ingot_source_read(source, 10, data, 2, &err), -EIO, "past its end");
	assert_fails(ingot_source_read(source, UINT64_MAX, data, 2, &err), -EIO, "past its end");
	assert_runs(source, "d11 ");
}

static void test_holes_of_a_file(void **state)
{
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *middle = NULL, *empty = NULL, *hole = NULL, *part = NULL;
	struct ingot_extent run;

	(void)state;
	sparse_file("middle", 12 << 20, 4 << 20, "x");
	sparse_file("empty", 0, 0, NULL);
	sparse_file("hole", 1000001, 0, NULL);
	assert_ok(ingot_source_open("middle", &middle, &err));
	assert_ok(ingot_source_open("empty", &empty, &err));
	assert_ok(ingot_source_open("hole", &hole, &err));
	assert_runs(middle, "h4194304 d4096 h8384512 ");
	assert_reads(middle, 4 << 20, "x");
	assert_runs(empty, "");
	assert_fails(ingot_source_extent(empty, 0, &run, &err), -EIO, "past its end");
	assert_runs(hole, "h1000001 ");

	assert_ok(ingot_source_part(middle, (4 << 20) - 10, 20, &part, &err));
	assert_runs(part, "h10 d10 ");
}

static void test_a_file_that_shrinks(void **state)
{
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_extent run;
	uint8_t digest[32];
	char data[100];

	(void)state;
	sparse_file("f", 8 << 20, 0, "data");
	assert_ok(ingot_source_open("f", &source, &err));
	assert_int_equal(truncate("f", 5 << 20), 0);
	assert_fails(ingot_source_read(source, (5 << 20) - 50, data, 100, &err), -EIO,
		     "read 50 bytes at 0x500000 of 'f': the file has become shorter");
	assert_fails(ingot_source_extent(source, 1 << 20, &run, &err), -EIO, "become shorter");
	assert_fails(ingot_source_extent(source, 6 << 20, &run, &err), -EIO, "become shorter");
	assert_fails(ingot_source_sha256(source, digest, &err), -EIO, "become shorter");
}

static void test_what_cannot_be_a_source(void **state)
{
	struct ingot_error err = {0};
	struct ingot_source *source = NULL;

	(void)state;
	assert_fails(ingot_source_open("missing", &source, &err), -ENOENT,
		     "open 'missing': No such file");
	assert_fails(ingot_source_open(".", &source, &err), -EISDIR, "'.' is a folder");
	assert_fails(ingot_source_open("/dev/null", &source, &err), -EINVAL,
		     "'/dev/null' is neither a file nor a block device");
	/* Nobody writes into it: opening it would wait for ever. */
	assert_int_equal(mkfifo("pipe", 0666), 0);
	assert_fails(ingot_source_open("pipe", &source, &err), -EINVAL, "'pipe' is a pipe");
	assert_null(source);
}

static void test_standard_input_is_a_pipe(void **state)
{
	struct ingot_error err = {0};
	struct ingot_source *source = NULL;
	int ends[2], before = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_fails(ingot_source_open("/dev/stdin", &source, &err), -EINVAL,
		     "'/dev/stdin' is a pipe");
	(void)close(ends[0]);
	(void)close(ends[1]);
	if (before >= 0)
		assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	(void)close(before);
}

static void test_part(void **state)
{
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *whole = NULL, *part = NULL, *none = NULL;
	char data[4];

	(void)state;
	assert_ok(ingot_source_memory("m", "0123456789", 10, &whole, &err));
	assert_ok(ingot_source_part(whole, 3, 4, &part, &err));
	assert_reads(part, 0, "3456");
	assert_fails(ingot_source_read(part, 2, data, 3, &err), -EIO, "past its end at 0x4");
	assert_ok(ingot_source_part(whole, 10, 0, &none, &err));
	assert_runs(none, "");
	assert_fails(ingot_source_part(whole, 10, 1, &none, &err), -EINVAL,
		     "has no 1 bytes at 0xa");
	assert_fails(ingot_source_part(whole, 1, UINT64_MAX, &none, &err), -EINVAL, "has no");
}

static struct ingot_source *memory(const char *text)
{
	struct ingot_error err = {0};
	struct ingot_source *source = NULL;

	assert_ok(ingot_source_memory("piece", text, strlen(text), &source, &err));
	return source;
}

static struct ingot_source *zero(uint64_t size)
{
	struct ingot_error err = {0};
	struct ingot_source *source = NULL;

	assert_ok(ingot_source_zero(size, &source, &err));
	return source;
}

/* Every part of the whole, read at once. */
static void assert_all_parts(struct ingot_source *source, const char *want, size_t n)
{
	struct ingot_error err = {0};
	char data[64];

	assert_true(source->size == n && n < sizeof(data));
	for (size_t from = 0; from <= n; from++)
		for (size_t to = from; to <= n; to++) {
			memset(data, '?', sizeof(data));
			assert_ok(ingot_source_read(source, from, data, to - from, &err));
			assert_memory_equal(data, want + from, to - from);
			assert_int_equal(data[to - from], '?');
		}
}

static void test_concat_with_empty_pieces(void **state)
{
	struct ingot_source *pieces[] = {memory(""), zero(0),	   memory("abc"), memory(""),
					 zero(3),    memory(""),   zero(0),	  memory("d"),
					 memory(""), memory("ef"), zero(0)};
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *all = NULL;

	(void)state;
	assert_ok(ingot_source_concat("all", pieces, 11, &all, &err));
	assert_all_parts(all, "abc\0\0\0def", 9);
	assert_runs(all, "d3 h3 d1 d2 ");
}

static void test_concat_of_nothing(void **state)
{
	struct ingot_source *pieces[] = {memory(""), zero(0)};
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *none = NULL, *empty = NULL;
	struct ingot_extent run;
	char data[1];

	(void)state;
	assert_ok(ingot_source_concat("none", NULL, 0, &none, &err));
	assert_true(none->size == 0);
	assert_fails(ingot_source_read(none, 0, data, 1, &err), -EIO, "'none'");
	assert_ok(ingot_source_concat("empty", pieces, 2, &empty, &err));
	assert_fails(ingot_source_extent(empty, 0, &run, &err), -EIO, "'empty'");
}

static void test_concat_too_large_leaves_the_pieces(void **state)
{
	struct ingot_source *pieces[] = {zero(UINT64_MAX), zero(1)};
	struct ingot_error err = {0};
	struct ingot_source *all = NULL;

	(void)state;
	assert_fails(ingot_source_concat("all", pieces, 2, &all, &err), -EOVERFLOW,
		     "'all' is too large");
	assert_null(all);
	ingot_source_free(pieces[0]);
	ingot_source_free(pieces[1]);
}

static void test_load(void **state)
{
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *huge = zero(UINT64_MAX);
	INGOT_FREE char *data = NULL;
	size_t n = 99;

	(void)state;
	file_put("f", "hello", 5);
	assert_fails(ingot_load_file("f", 4, &data, &n, &err), -EFBIG,
		     "'f' is larger than 4 bytes");
	assert_fails(ingot_source_load(huge, SIZE_MAX, &data, &n, &err), -EFBIG, "is larger than");
	assert_null(data);
	assert_int_equal(n, 99);
	assert_ok(ingot_load_file("f", 5, &data, &n, &err));
	assert_int_equal(n, 5);
	assert_string_equal(data, "hello");
	free(INGOT_TAKE(data));
	file_put("f", "", 0);
	assert_ok(ingot_load_file("f", 0, &data, &n, &err));
	assert_int_equal(n, 0);
	assert_string_equal(data, "");
}

/* Digests by: head -c 1048577 /dev/zero | sha256sum; (head -c 1048577 /dev/zero; printf end) ... */
static void test_sha256_of_holes(void **state)
{
	struct ingot_source *pieces[] = {zero(1048577), memory("end")};
	struct ingot_error err = {0};
	INGOT_SOURCE struct ingot_source *all = NULL;
	uint8_t digest[32];
	char text[65];

	(void)state;
	assert_ok(ingot_source_sha256(pieces[0], digest, &err));
	ingot_hex(digest, 32, text);
	assert_string_equal(text,
			    "2cb74edba754a81d121c9db6833704a8e7d417e5b13d1a19f4a52f007d644264");
	assert_ok(ingot_source_concat("all", pieces, 2, &all, &err));
	assert_ok(ingot_source_sha256(all, digest, &err));
	ingot_hex(digest, 32, text);
	assert_string_equal(text,
			    "817b32eda804ad8b6f43758e9fb379c5aac3a42c2be9d9438c20f7f33fcc28f2");
}

static void test_overlay(void **state)
{
	static const struct ingot_range ranges[] = {{0, 2}, {4, 3}, {12, 2}, {18, 9}};
	INGOT_SOURCE struct ingot_source *base = memory("abcdefghij");
	INGOT_SOURCE struct ingot_source *top = memory("0123456789ABCDEFGHIJ");
	INGOT_SOURCE struct ingot_source *all = NULL;
	struct ingot_error err = {0};
	const char want[] = "01cd456hij\0\0CD\0\0\0\0IJ";
	struct ingot_extent run;
	char bytes[20];

	(void)state;
	assert_ok(ingot_source_overlay("all", base, top, ranges, 4, &all, &err));
	assert_int_equal(all->size, 20);
	for (size_t from = 0; from < 20; from++)
		for (size_t n = 1; from + n <= 20; n++) {
			assert_ok(ingot_source_read(all, from, bytes, n, &err));
			assert_memory_equal(bytes, want + from, n);
		}
	assert_ok(ingot_source_extent(all, 2, &run, &err));
	assert_int_equal(run.length, 2);
	assert_false(run.hole);
	assert_ok(ingot_source_extent(all, 10, &run, &err));
	assert_int_equal(run.length, 2);
	assert_true(run.hole);
	assert_ok(ingot_source_extent(all, 19, &run, &err));
	assert_int_equal(run.length, 1);
	assert_false(run.hole);
}

/* --- what is remembered ------------------------------------------------- */

/* A medium of two sectors, of which the second does not read. */
static int worn_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	if (offset + n > 512)
		return ingot_raise(err, -EIO, "read '%s' at %llu", source->name,
				   (unsigned long long)offset);
	memset(data, 'x', n);
	return 0;
}

static void test_watched(void **state)
{
	static const struct ingot_source_ops ops = {worn_read, NULL, NULL};
	struct ingot_source worn = {&ops, "worn", 1024};
	struct ingot_watched_source watched;
	struct ingot_extent extent;
	struct ingot_error err = {0};
	char data[512];

	(void)state;
	ingot_watched_source(&watched, &worn);
	assert_string_equal(watched.source.name, "worn");
	assert_int_equal(watched.source.size, 1024);
	assert_ok(ingot_source_read(&watched.source, 0, data, sizeof(data), &err));
	assert_int_equal(data[511], 'x');
	assert_ok(ingot_source_extent(&watched.source, 1, &extent, &err));
	assert_false(extent.hole);
	assert_int_equal(extent.length, 1023);
	assert_int_equal(watched.err.code, 0);
	/* Nobody listens, and it is kept all the same; the first one. */
	assert_int_equal(ingot_source_read(&watched.source, 600, data, 1, NULL), -EIO);
	assert_fails(ingot_source_read(&watched.source, 700, data, 1, &err), -EIO,
		     "read 'worn' at 700");
	assert_int_equal(watched.err.code, -EIO);
	assert_string_equal(watched.err.text, "read 'worn' at 600");
	ingot_source_free(&watched.source);
	assert_int_equal(watched.err.code, -EIO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_holes_of_a_file),
		cmocka_unit_test(test_a_file_that_shrinks),
		cmocka_unit_test(test_what_cannot_be_a_source),
		cmocka_unit_test(test_standard_input_is_a_pipe),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_concat_with_empty_pieces),
		cmocka_unit_test(test_concat_of_nothing),
		cmocka_unit_test(test_concat_too_large_leaves_the_pieces),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_sha256_of_holes),
		cmocka_unit_test(test_watched),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}

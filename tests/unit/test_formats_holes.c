/* What is far and wide a hole is not gone through, and leaves no trace in the bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "formats_support.h"

enum { MIB = 1 << 20 };

static const char *const FORMATS[] = {"raw",	     "qcow2", "qcow2-zstd",  "qcow2-v2",
				      "vmdk",	     "vhd",   "vhd-dynamic", "vhdx",
				      "vmdk-sparse", "vdi",   "ova"};
enum { FORMAT_COUNT = sizeof(FORMATS) / sizeof(FORMATS[0]) };

/* A file that counts what is read of it, and says of its holes what it is told to. */
struct watched {
	struct ingot_source source;
	struct ingot_source *file;
	uint64_t bytes;
};

static int watched_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	struct watched *w = (struct watched *)source;

	__atomic_add_fetch(&w->bytes, n, __ATOMIC_RELAXED);
	return ingot_source_read(w->file, offset, data, n, err);
}

static int watched_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			  struct ingot_error *err)
{
	return ingot_source_extent(((struct watched *)source)->file, offset, ret, err);
}

static void watched_free(struct ingot_source *source)
{
	(void)source;
}

static const struct ingot_source_ops SEEING = {watched_read, watched_extent, watched_free};
static const struct ingot_source_ops BLIND = {watched_read, NULL, watched_free};

static void convert_all(const char *path, const struct ingot_source_ops *ops, const char *prefix,
			struct watched *w)
{
	struct ingot_convert_output outputs[FORMAT_COUNT] = {0};
	char names[FORMAT_COUNT][32];
	const struct ingot_convert_options options = {
		.outputs = outputs, .count = FORMAT_COUNT, .level = 1, .jobs = 2};
	struct ingot_error err = {0};

	*w = (struct watched){0};
	assert_ok(ingot_source_open(path, &w->file, &err));
	w->source = (struct ingot_source){ops, w->file->name, w->file->size};
	for (size_t f = 0; f < FORMAT_COUNT; f++) {
		(void)snprintf(names[f], sizeof(names[f]), "%s.%s", prefix, FORMATS[f]);
		outputs[f] = (struct ingot_convert_output){.format = FORMATS[f], .path = names[f]};
		outputs[f].options.name = "disk";
	}
	assert_ok(ingot_convert(&w->source, &options, &err));
	ingot_source_free(w->file);
}

static bool is_hole(struct ingot_source *file, uint64_t offset, size_t n)
{
	struct ingot_extent run;
	struct ingot_error err = {0};

	assert_ok(ingot_source_extent(file, offset, &run, &err));
	return run.hole && run.length >= n;
}

/* Where both have a hole, nothing needs to be read. */
static void same_files(const char *format, const char *a, const char *b)
{
	static unsigned char left[MIB], right[MIB];
	char names[2][32];
	INGOT_SOURCE struct ingot_source *x = NULL, *y = NULL;
	struct ingot_error err = {0};

	(void)snprintf(names[0], sizeof(names[0]), "%s.%s", a, format);
	(void)snprintf(names[1], sizeof(names[1]), "%s.%s", b, format);
	assert_ok(ingot_source_open(names[0], &x, &err));
	assert_ok(ingot_source_open(names[1], &y, &err));
	assert_true(x->size == y->size);
	for (uint64_t at = 0; at < x->size; at += MIB) {
		size_t n = (size_t)ingot_min(MIB, x->size - at);

		if (is_hole(x, at, n) && is_hole(y, at, n))
			continue;
		assert_ok(ingot_source_read(x, at, left, n, &err));
		assert_ok(ingot_source_read(y, at, right, n, &err));
		if (memcmp(left, right, n) != 0)
			fail_msg("%s: a hole has left a trace", format);
	}
}

/* A disk with some text at each of the places. */
static void make_disk(uint64_t size, const uint64_t *places, size_t count)
{
	int fd = open("disk", O_RDWR | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	for (size_t i = 0; i < count; i++)
		formats_write(fd, places[i], 70000, false, size);
	(void)close(fd);
}

/* Spans of 512 MiB: data in the second of two or three only, over a border, and nowhere. */
static void test_no_trace(void **state)
{
	static const uint64_t behind[] = {515ULL * MIB}, border[] = {512ULL * MIB - 65536};
	static const uint64_t between[] = {700ULL * MIB};
	static const struct {
		uint64_t size;
		const uint64_t *places;
		size_t count;
	} cases[] = {
		{520ULL * MIB, behind, 1},     {520ULL * MIB, border, 1},
		{1030ULL * MIB, between, 1},   {512ULL * MIB, NULL, 0},
		{512ULL * MIB + 512, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct watched seeing, blind;

		make_disk(cases[i].size, cases[i].places, cases[i].count);
		convert_all("disk", &SEEING, "seeing", &seeing);
		convert_all("disk", &BLIND, "blind", &blind);
		assert_true(seeing.bytes <= MIB && blind.bytes == cases[i].size);
		for (size_t f = 0; f < FORMAT_COUNT; f++)
			same_files(FORMATS[f], "seeing", "blind");
	}
}

static int no_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	(void)source;
	(void)data;
	return ingot_raise(err, -EIO, "read %zu bytes at 0x%llx of a hole", n,
			   (unsigned long long)offset);
}

static int all_hole(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		    struct ingot_error *err)
{
	(void)err;
	*ret = (struct ingot_extent){.length = source->size - offset, .hole = true};
	return 0;
}

/* Nothing but a hole, there and back: gone through chunk by chunk it would take minutes. */
static void test_a_small_file_may_claim_much(void **state)
{
	static const struct ingot_source_ops ops = {no_read, all_hole, watched_free};
	static const struct {
		const char *format;
		uint64_t tebibytes;
	} cases[] = {{"qcow2", 64}, {"vmdk", 62}, {"vmdk-sparse", 2}, {"vhdx", 64}};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_source nothing = {&ops, "nothing", cases[i].tebibytes << 40};
		INGOT_SOURCE struct ingot_source *disk = NULL;
		struct ingot_convert_output output = {.format = cases[i].format, .path = "claims"};
		const struct ingot_convert_options options = {
			.outputs = &output, .count = 1, .jobs = 2};
		struct ingot_extent run;
		const char *name;

		assert_ok(ingot_convert(&nothing, &options, &err));
		assert_ok(ingot_format_open("claims", &name, &disk, &err));
		assert_true(disk->size == nothing.size);
		for (uint64_t at = 0; at < disk->size; at += run.length) {
			assert_ok(ingot_source_extent(disk, at, &run, &err));
			assert_true(run.hole);
		}
	}
}

/* --- several disks ----------------------------------------------------- */

/* Every format of the file, and of a larger disk that has bytes of its own in two ranges. */
static void convert_two(const char *path, const struct ingot_source_ops *ops, const char *prefix,
			struct watched *w)
{
	static const struct ingot_range own[] = {{MIB, 4096}, {1100ULL * MIB, MIB}};
	static const struct ingot_range plain[] = {{1700ULL * MIB, 4096}};
	struct ingot_convert_output outputs[2 * FORMAT_COUNT] = {0};
	const struct ingot_convert_options options = {
		.outputs = outputs, .count = 2 * FORMAT_COUNT, .level = 1, .jobs = 2};
	INGOT_SOURCE struct ingot_source *top = NULL, *second = NULL;
	INGOT_CONVERSION struct ingot_conversion *c = NULL;
	struct ingot_convert_disk disks[2] = {0};
	char names[2 * FORMAT_COUNT][32];
	struct ingot_error err = {0};

	*w = (struct watched){0};
	assert_ok(ingot_source_open(path, &w->file, &err));
	w->source = (struct ingot_source){ops, w->file->name, w->file->size};
	assert_ok(ingot_source_open("top", &top, &err));
	assert_ok(ingot_source_overlay("second", &w->source, top, own, 2, &second, &err));
	disks[0] = (struct ingot_convert_disk){.source = &w->source};
	disks[1] = (struct ingot_convert_disk){second, own, 2, NULL, plain, 1};
	for (size_t i = 0; i < 2 * FORMAT_COUNT; i++) {
		const char *format = FORMATS[i / 2];

		(void)snprintf(names[i], sizeof(names[i]), "%s-%zu.%s", prefix, i % 2, format);
		outputs[i] = (struct ingot_convert_output){
			.format = format, .path = names[i], .disk = i % 2};
		outputs[i].options.name = "disk";
	}
	assert_ok(ingot_conversion_run(disks, 2, &options, &c, &err));
	assert_ok(ingot_conversion_commit(c, &err));
	ingot_source_free(w->file);
}

/* What is a hole in one of them only, at its end, or where pieces may change, is not left out. */
static void test_no_trace_in_several(void **state)
{
	static const uint64_t places[] = {3ULL * MIB}, own[] = {MIB, 1100ULL * MIB};
	struct watched seeing, blind;

	(void)state;
	make_disk(2200ULL * MIB, own, 2);
	assert_int_equal(rename("disk", "top"), 0);
	make_disk(600ULL * MIB + 512, places, 1);
	convert_two("disk", &SEEING, "seeing", &seeing);
	convert_two("disk", &BLIND, "blind", &blind);
	assert_true(seeing.bytes <= MIB && blind.bytes >= 600ULL * MIB);
	for (size_t f = 0; f < FORMAT_COUNT; f++) {
		same_files(FORMATS[f], "seeing-0", "blind-0");
		same_files(FORMATS[f], "seeing-1", "blind-1");
	}
}

static void test_several_may_claim_much(void **state)
{
	static const struct ingot_source_ops ops = {no_read, all_hole, watched_free};
	static const struct ingot_range plain = {UINT64_C(9) << 40, 4096};
	struct ingot_source nothing = {&ops, "nothing", UINT64_C(60) << 40};
	struct ingot_source more = {&ops, "more", UINT64_C(64) << 40};
	const struct ingot_convert_disk disks[] = {
		{.source = &nothing, .plain = &plain, .plain_count = 1}, {.source = &more}};
	const struct ingot_convert_output outputs[] = {
		{.format = "qcow2", .path = "one"}, {.format = "vhdx", .path = "two", .disk = 1}};
	const struct ingot_convert_options options = {.outputs = outputs, .count = 2, .jobs = 2};
	INGOT_CONVERSION struct ingot_conversion *c = NULL;
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_conversion_run(disks, 2, &options, &c, &err));
	assert_ok(ingot_conversion_commit(c, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_trace),
		cmocka_unit_test(test_no_trace_in_several),
		cmocka_unit_test(test_a_small_file_may_claim_much),
		cmocka_unit_test(test_several_may_claim_much),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}

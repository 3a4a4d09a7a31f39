/* Changes in place: what is changed is, byte for byte, what a conversion of the changed disk is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "formats/edit.h"
#include "formats_support.h"

enum { SIZE = 3 * (1 << 20) + 70001, PIECE = 65536 };

/* Text, a hole, across two pieces of noise, and the last byte of all. */
static const struct ingot_range PLAIN[] = {
	{70100, 3000}, {500000, 100}, {(1 << 20) + PIECE - 1000, 2000}, {SIZE - 5000, 5000}};
enum { PLAIN_COUNT = sizeof(PLAIN) / sizeof(PLAIN[0]) };

static const char *const FORMATS[] = {"raw",	 "qcow2",	"qcow2-zstd", "qcow2-v2",
				      "vmdk",	 "vmdk-sparse", "vhd",	      "vhd-dynamic",
				      "vhdx",	 "vdi",		"gce",	      "ova",
				      "vagrant", "raw.gz",	"raw.zst",    "raw.xz"};
enum { FORMAT_COUNT = sizeof(FORMATS) / sizeof(FORMATS[0]) };

static void make_change(unsigned char *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (unsigned char)(i * 7 + 1);
}

/* The disk before and after; nothing else differs. */
static void make_disks(void)
{
	int fd;

	formats_disk("before", SIZE);
	formats_disk("after", SIZE);
	fd = open("after", O_RDWR);
	assert_true(fd >= 0);
	for (size_t i = 0; i < PLAIN_COUNT; i++) {
		unsigned char data[5000];

		make_change(data, sizeof(data));
		assert_int_equal(pwrite(fd, data, PLAIN[i].length, (off_t)PLAIN[i].offset),
				 PLAIN[i].length);
	}
	(void)close(fd);
}

static void convert(const char *in, const char *format, const char *out, size_t plain_count)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_convert_output output = {.format = format, .path = out};
	struct ingot_convert_options options = {.outputs = &output, .count = 1, .jobs = 3};
	struct ingot_convert_disk disk = {.plain = PLAIN, .plain_count = plain_count};
	struct ingot_error err = {0};
	INGOT_CONVERSION struct ingot_conversion *conversion = NULL; /* borrows those above */

	assert_ok(ingot_source_open(in, &source, &err));
	disk.source = source;
	assert_ok(ingot_conversion_run(&disk, 1, &options, &conversion, &err));
	assert_ok(ingot_conversion_commit(conversion, &err));
}

static void put_all(struct ingot_edit *edit)
{
	struct ingot_error err = {0};
	unsigned char data[5000];

	make_change(data, sizeof(data));
	for (size_t i = 0; i < PLAIN_COUNT; i++)
		assert_ok(
			ingot_edit_put(edit, PLAIN[i].offset, data, (size_t)PLAIN[i].length, &err));
}

static uint64_t change(const char *path)
{
	INGOT_EDIT struct ingot_edit *edit = NULL;
	struct ingot_error err = {0};
	uint64_t written;

	assert_ok(ingot_edit_open(path, NULL, &edit, &err));
	put_all(edit);
	assert_ok(ingot_edit_commit(edit, &written, &err));
	return written;
}

static void same_files(const char *a, const char *b)
{
	size_t n, m;
	unsigned char *x = formats_load(a, &n), *y = formats_load(b, &m);

	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
}

/* VMDK and qcow2 round up to whole sectors or grains. */
static void same_disk(const char *path, const char *disk)
{
	INGOT_SOURCE struct ingot_source *a = NULL, *b = NULL;
	struct ingot_error err = {0};
	unsigned char *x = malloc(SIZE), *y = malloc(SIZE);

	assert_non_null(x);
	assert_non_null(y);
	assert_ok(ingot_format_open(path, NULL, &a, &err));
	assert_ok(ingot_source_open(disk, &b, &err));
	assert_ok(ingot_source_read(a, 0, x, SIZE, &err));
	assert_ok(ingot_source_read(b, 0, y, SIZE, &err));
	assert_memory_equal(x, y, SIZE);
	free(x);
	free(y);
}

static void every_format(void **state)
{
	(void)state;
	make_disks();
	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		uint64_t written;

		convert("before", FORMATS[i], "changed", PLAIN_COUNT);
		convert("after", FORMATS[i], "direct", PLAIN_COUNT);
		written = change("changed");
		assert_in_range(written, 5000, 60000);
		same_files("changed", "direct");
		same_disk("changed", "after");
		assert_int_equal(change("changed"), 0);
		same_files("changed", "direct");
	}
}

/* Any of the sectors may have been written already. */
static void interrupted(const char *path, const char *done, unsigned pattern)
{
	size_t n, m;
	unsigned char *a = formats_load(path, &n), *b = formats_load(done, &m);
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	for (size_t at = 0, differing = 0; at < n; at += 512) {
		size_t part = (size_t)ingot_min(512, n - at);

		if (memcmp(a + at, b + at, part) == 0)
			continue;
		if (pattern >> differing++ % 8 & 1)
			assert_int_equal(pwrite(fd, b + at, part, (off_t)at), part);
	}
	(void)close(fd);
	free(a);
	free(b);
}

static void again_after_an_interruption(void **state)
{
	static const unsigned PATTERNS[] = {0x01, 0x0f, 0xa5, 0xfe};

	(void)state;
	make_disks();
	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		convert("after", FORMATS[i], "direct", PLAIN_COUNT);
		for (size_t p = 0; p < sizeof(PATTERNS) / sizeof(PATTERNS[0]); p++) {
			convert("before", FORMATS[i], "changed", PLAIN_COUNT);
			interrupted("changed", "direct", PATTERNS[p]);
			(void)change("changed");
			same_files("changed", "direct");
		}
	}
}

/* The disk can be read while it is neither before nor after: every byte, past wrong checksums. */
static void reads_past_checksums(void **state)
{
	(void)state;
	make_disks();
	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		INGOT_EDIT struct ingot_edit *edit = NULL;
		struct ingot_error err = {0};
		unsigned char *data = malloc(SIZE), *want = malloc(SIZE);
		INGOT_SOURCE struct ingot_source *before = NULL;

		assert_non_null(data);
		assert_non_null(want);
		convert("before", FORMATS[i], "changed", PLAIN_COUNT);
		convert("after", FORMATS[i], "direct", PLAIN_COUNT);
		interrupted("changed", "direct", 0x55);
		assert_ok(ingot_edit_open("changed", NULL, &edit, &err));
		assert_ok(ingot_source_read(ingot_edit_disk(edit), 0, data, SIZE, &err));
		assert_ok(ingot_source_open("before", &before, &err));
		assert_ok(ingot_source_read(before, 0, want, SIZE, &err));
		for (size_t p = 0; p < PLAIN_COUNT; p++)
			memset(want + PLAIN[p].offset, 0, (size_t)PLAIN[p].length);
		for (size_t p = 0; p < PLAIN_COUNT; p++)
			memset(data + PLAIN[p].offset, 0, (size_t)PLAIN[p].length);
		assert_memory_equal(data, want, SIZE);
		free(data);
		free(want);
	}
}

/* What nobody left room for is refused, and the file stays. */
static void without_room(void **state)
{
	(void)state;
	make_disks();
	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		INGOT_EDIT struct ingot_edit *edit = NULL;
		struct ingot_error err = {0};
		bool fixed = strcmp(FORMATS[i], "raw") == 0 || strcmp(FORMATS[i], "vhd") == 0;
		unsigned char *a, *b;
		size_t n, m;
		int rc;

		convert("before", FORMATS[i], "file", 0);
		a = formats_load("file", &n);
		assert_ok(ingot_edit_open("file", NULL, &edit, &err));
		/* A hole: in the middle of those blocks that are larger. */
		rc = ingot_edit_put(edit, 2 * (1 << 20) + 500000, "x", 1, &err);
		if (fixed || strcmp(FORMATS[i], "vhd-dynamic") == 0) {
			assert_int_equal(rc, 0);
		} else {
			assert_int_equal(rc, -EINVAL);
			assert_non_null(strstr(err.text, "'file'"));
		}
		assert_int_equal(ingot_edit_put(edit, UINT64_MAX - 5, "x", 1, &err), -EINVAL);
		b = formats_load("file", &m);
		assert_int_equal(n, m);
		assert_memory_equal(a, b, n);
		free(a);
		free(b);
	}
}

/* A plain piece of zeros is there, and a changed one does not change who the disk is. */
static void identity_is_of_the_place(void **state)
{
	static const char *const WITH[] = {"vmdk", "vhd", "vhdx", "vdi", "ova"};

	(void)state;
	make_disks();
	for (size_t i = 0; i < sizeof(WITH) / sizeof(WITH[0]); i++) {
		size_t n, m;
		unsigned char *a, *b;

		convert("before", WITH[i], "a", 0);
		convert("before", WITH[i], "b", 1);
		a = formats_load("a", &n);
		b = formats_load("b", &m);
		assert_true(n != m || memcmp(a, b, n) != 0);
		free(a);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_format, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(again_after_an_interruption, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(reads_past_checksums, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(without_room, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(identity_is_of_the_place, folder_setup,
						folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

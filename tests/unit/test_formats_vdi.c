/* VDI as we write it, byte by byte, and as it is read. */
#include <errno.h>

#include "base/bytes.h"
#include "formats_support.h"

enum { MIB = 1 << 20, MAP = 512 };

static void test_layout(void **state)
{
	unsigned char *f;
	size_t n;

	(void)state;
	/* Data in the blocks 0, 1 and 9. */
	formats_disk("disk", 10 * MIB - 100);
	formats_convert("disk", "vdi", "out", 2);
	f = formats_load("out", &n);
	assert_int_equal(n, 4 * MIB);
	assert_memory_equal(f + 64, "\x7f\x10\xda\xbe\1\0\1\0\x80\1\0\0\1\0\0\0", 16);
	assert_int_equal(ingot_get_le32(f + 340), MAP);
	assert_int_equal(ingot_get_le32(f + 344), MIB);
	assert_int_equal(ingot_get_le32(f + 360), 512);
	assert_int_equal(ingot_get_le64(f + 368), 10 * MIB); /* whole sectors */
	assert_int_equal(ingot_get_le32(f + 376), MIB);
	assert_int_equal(ingot_get_le32(f + 384), 10);
	assert_int_equal(ingot_get_le32(f + 388), 3);
	assert_int_equal(f[392 + 7] >> 4, 4); /* a UUID of version 4, mixed-endian */
	for (size_t i = 424; i < MAP; i++)
		assert_int_equal(f[i], 0);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(ingot_get_le32(f + MAP + 4 * i), i < 2	   ? i
								  : i == 9 ? 2
									   : UINT32_MAX);
	free(f);
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("vdi", "vdi", 512);
}

/* Blocks of another size, bytes in front of each, out of order, discarded: anyone's. */
static void test_others(void **state)
{
	INGOT_SOURCE struct ingot_source *file = NULL, *disk = NULL;
	struct ingot_error err = {0};
	unsigned char *f = calloc(1, 1024 + 2 * (512 + 4096)), got[4 * 4096];
	struct ingot_extent run;

	(void)state;
	assert_non_null(f);
	ingot_put_le32(f + 64, 0xbeda107f);
	ingot_put_le32(f + 68, 0x00010001);
	ingot_put_le32(f + 72, 0x190);
	ingot_put_le32(f + 76, 2);
	ingot_put_le32(f + 340, 512);
	ingot_put_le32(f + 344, 1024);
	ingot_put_le32(f + 360, 512);
	ingot_put_le64(f + 368, sizeof(got));
	ingot_put_le32(f + 376, 4096);
	ingot_put_le32(f + 380, 512);
	ingot_put_le32(f + 384, 4);
	ingot_put_le32(f + 512, 1);
	ingot_put_le32(f + 516, 0xfffffffe);
	ingot_put_le32(f + 520, 0xffffffff);
	ingot_put_le32(f + 524, 0);
	memset(f + 1024 + 512, 'b', 4096);
	memset(f + 1024 + 512 + 4096 + 512, 'a', 4096);
	assert_ok(ingot_source_memory("file", f, 1024 + 2 * (512 + 4096), &file, &err));
	assert_ok(ingot_format_open_source(file, NULL, &disk, &err));
	file = NULL;
	assert_ok(ingot_source_read(disk, 0, got, sizeof(got), &err));
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], i < 4096 ? 'a' : i < 3 * 4096 ? 0 : 'b');
	assert_ok(ingot_source_extent(disk, 5000, &run, &err));
	assert_true(run.hole);
	assert_int_equal(run.length, 3 * 4096 - 5000);
	free(f);
}

static void test_hostile(void **state)
{
	static const struct {
		size_t offset;
		unsigned bytes;
		uint64_t value;
		int code;
		const char *words;
	} changes[] = {
		{68, 4, 0x00020000, -ENOTSUP, "version 2.0"},
		{72, 4, 4000, -EBADMSG, "header has 4000"},
		{76, 4, 4, -ENOTSUP, "difference"},
		{76, 4, 7, -ENOTSUP, "kind 7"},
		{440, 1, 1, -ENOTSUP, "difference"},
		{340, 4, 0, -EBADMSG, "map at 0x0"},
		{340, 4, UINT32_MAX, -EBADMSG, "not in the file"},
		{344, 4, 0, -EBADMSG, "container's own data"},
		{344, 4, UINT32_MAX, -EBADMSG, "not in the file"},
		{368, 8, 0, -EBADMSG, "impossible"},
		{368, 8, UINT64_MAX, -EBADMSG, "impossible"},
		{368, 8, INT64_MAX, -EBADMSG, "blocks of"},
		{376, 4, 0, -EBADMSG, "blocks have 0"},
		{376, 4, 3 << 20, -EBADMSG, "blocks have"},
		{376, 4, 1u << 31, -EBADMSG, "blocks have"},
		{380, 4, 5, -EBADMSG, "in front"},
		{384, 4, 2, -EBADMSG, "2 blocks"},
		{MAP, 4, 1, -EBADMSG, "two blocks share"},
		{MAP, 4, 0xfffffffd, -EBADMSG, "not in the file"},
	};
	unsigned char *f;
	size_t n;

	(void)state;
	formats_disk("disk", 3 * MIB);
	formats_convert("disk", "vdi", "out", 1);
	f = formats_load("out", &n);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		unsigned char raw[8];

		ingot_put_le64(raw, changes[i].value);
		formats_refused(f, n, changes[i].offset, raw, changes[i].bytes, changes[i].code,
				changes[i].words);
	}
	formats_refused(f, n - 1, 0, f, 1, -EBADMSG, "not in the file");
	formats_refused(f, 500, 0, f, 1, -EBADMSG, "cut off");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
		cmocka_unit_test(test_others),
		cmocka_unit_test_setup_teardown(test_hostile, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

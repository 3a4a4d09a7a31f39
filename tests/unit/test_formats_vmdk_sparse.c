/* monolithicSparse as we write it, sector by sector. test_formats_vmdk.c has hostile ones. */
#include <errno.h>

#include "base/bytes.h"
#include "formats_support.h"

enum { SECTOR = 512, MIB = 1 << 20, TABLE_SECTORS = 4, SPAN = 32 * MIB };

/* Directories at 21 and, behind two tables, at 30; grains from 128 on. */
enum { SECOND = 21, FIRST = SECOND + 1 + 2 * TABLE_SECTORS, GRAINS = 128 };

static void test_layout(void **state)
{
	unsigned char *f;
	size_t n, table;

	(void)state;
	/* Data in the grains 0 to 4, 16 to 18 and the last. */
	formats_disk("disk", 40 * MIB - 100);
	formats_convert("disk", "vmdk-sparse", "out", 2);
	f = formats_load("out", &n);
	assert_int_equal(n, GRAINS * SECTOR + 9 * 65536);
	assert_memory_equal(f, "KDMV\1\0\0\0\3\0\0\0", 12);
	assert_int_equal(ingot_get_le64(f + 12), 40 * MIB / SECTOR);
	assert_int_equal(ingot_get_le64(f + 20), 128);
	assert_int_equal(ingot_get_le64(f + 28), 1);
	assert_int_equal(ingot_get_le64(f + 36), 20);
	assert_int_equal(ingot_get_le32(f + 44), 512);
	assert_int_equal(ingot_get_le64(f + 48), SECOND);
	assert_int_equal(ingot_get_le64(f + 56), FIRST);
	assert_int_equal(ingot_get_le64(f + 64), GRAINS);
	assert_memory_equal(f + 72, "\0\n \r\n\0\0\0", 8);
	assert_non_null(strstr((char *)f + SECTOR, "\ncreateType=\"monolithicSparse\"\n"));
	assert_non_null(strstr((char *)f + SECTOR, "\nRW 81920 SPARSE \"disk.vmdk\"\n"));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ingot_get_le32(f + SECOND * SECTOR + 4 * i), SECOND + 1 + 4 * i);
		assert_int_equal(ingot_get_le32(f + FIRST * SECTOR + 4 * i), FIRST + 1 + 4 * i);
	}
	table = (FIRST + 1) * (size_t)SECTOR;
	assert_memory_equal(f + table, f + (SECOND + 1) * SECTOR, 2 * TABLE_SECTORS * SECTOR);
	for (size_t i = 0; i < 640; i++) {
		size_t number = i < 5 ? i : i >= 16 && i < 19 ? i - 11 : i == 639 ? 8 : SIZE_MAX;

		assert_int_equal(ingot_get_le32(f + table + 4 * i),
				 number == SIZE_MAX ? 0 : GRAINS + 128 * number);
	}
	free(f);
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("vmdk-sparse", "vmdk", 65536);
}

static void test_too_large(void **state)
{
	INGOT_SOURCE struct ingot_source *zeros = NULL;
	struct ingot_convert_output output = {.format = "vmdk-sparse", .path = "out"};
	struct ingot_convert_options options = {.outputs = &output, .count = 1, .jobs = 1};
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_source_zero((UINT64_C(2) << 40) + 512, &zeros, &err));
	assert_fails(ingot_convert(zeros, &options, &err), -EFBIG, "larger than 2 TiB");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_too_large, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

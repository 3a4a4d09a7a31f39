/* FAT volumes byte by byte: boot sector, tables, names, placement, what does not fit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fs/fat.h"
#include "unit.h"

#define MIB (1024U * 1024U)

static const struct ingot_fat_options SMALL = {.size = (uint64_t)40 * MIB,
					       .sector_size = 512,
					       .volume_id = 0x12345678,
					       .label = "Test-1",
					       .epoch = 1767225601}; /* 2026-01-01 00:00:01 */

static struct ingot_source *content(const char *data, size_t n)
{
	struct ingot_source *source;

	if (ingot_source_memory("content", data, n, &source, NULL) < 0)
		abort();
	return source;
}

static void read_at(struct ingot_source *source, uint64_t offset, uint8_t *data, size_t n)
{
	struct ingot_error err = {0};

	assert_ok(ingot_source_read(source, offset, data, n, &err));
}

/* Where cluster 2 starts, from the boot sector. */
static uint64_t clusters_at(struct ingot_source *volume)
{
	uint8_t boot[512];

	read_at(volume, 0, boot, sizeof(boot));
	return ((uint64_t)ingot_get_le16(boot + 14) + 2ULL * ingot_get_le32(boot + 36)) *
	       ingot_get_le16(boot + 11);
}

static void test_boot_sector(void **state)
{
	/* fatgen103, "Boot Sector and BPB"; 80628 clusters need 630 sectors of table. */
	static const uint8_t want[] = {
		0xeb, 0x58, 0x90, 'I',	'N',  'G',  'O',  'T',	' ',  ' ',  ' ',  0x00, 0x02, 0x01,
		0x20, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x00, 0x00, 0x3f, 0x00, 0xff, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x01, 0x00, 0x76, 0x02, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x29, 0x78, 0x56, 0x34,
		0x12, 'T',  'E',  'S',	'T',  '-',  '1',  ' ',	' ',  ' ',  ' ',  ' ',	'F',  'A',
		'T',  '3',  '2',  ' ',	' ',  ' ',  0xcd, 0x18, 0xf4, 0xeb, 0xfd, 0x00,
	};
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	uint8_t head[8 * 512];

	(void)state;
	assert_ok(ingot_fat_source(&SMALL, NULL, 0, &volume, &err));
	read_at(volume, 0, head, sizeof(head));
	assert_memory_equal(head, want, sizeof(want));
	assert_int_equal(ingot_get_le16(head + 510), 0xaa55);
	assert_memory_equal(head, head + 6 * 512, 2 * 512);
	assert_int_equal(ingot_get_le32(head + 512), 0x41615252);
	assert_int_equal(ingot_get_le32(head + 512 + 484), 0x61417272);
	assert_int_equal(ingot_get_le32(head + 512 + 488), 81920 - 32 - 2 * 630 - 1);
	assert_int_equal(ingot_get_le32(head + 512 + 492), 3);
	assert_int_equal(ingot_get_le32(head + 512 + 508), 0xaa550000);
}

static void test_tables_hold_one_run_per_file(void **state)
{
	static char data[1025];
	INGOT_SOURCE struct ingot_source *three = content(data, sizeof(data));
	INGOT_SOURCE struct ingot_source *none = content(data, 0);
	const struct ingot_fat_file files[] = {{"B", three}, {"A", none}};
	static const uint32_t want[] = {0x0ffffff8, 0x0fffffff, 0x0fffffff, 4, 5, 0x0fffffff, 0};
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	uint8_t table[sizeof(want)], odd[3];

	(void)state;
	assert_ok(ingot_fat_source(&SMALL, files, 2, &volume, &err));
	for (int i = 0; i < 2; i++) {
		read_at(volume, (32 + 630 * (uint64_t)i) * 512, table, sizeof(table));
		for (size_t k = 0; k < sizeof(want) / 4; k++)
			assert_int_equal(ingot_get_le32(table + 4 * k), want[k]);
	}
	read_at(volume, 32 * 512 + 11, odd, sizeof(odd)); /* across two numbers */
	assert_memory_equal(odd, ((uint8_t[]){0x0f, 0x04, 0x00}), 3);
}

static void test_long_name_entry(void **state)
{
	/* "Ünit-1.conf", 11 units: one entry; the short name is _NIT-1~1.CON, its sum 0x6e. */
	static const uint8_t want[32] = {0x41, 0xdc, 0x00, 'n',	 0x00, 'i',  0x00, 't',
					 0x00, '-',  0x00, 0x0f, 0x00, 0x6e, '1',  0x00,
					 '.',  0x00, 'c',  0x00, 'o',  0x00, 'n',  0x00,
					 'f',  0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff};
	static const uint8_t want_short[32] = {'_',  'N',  'I',	 'T',  '-',  '1',  '~',	 '1',
					       'C',  'O',  'N',	 0x20, 0x00, 0x64, 0x00, 0x00,
					       0x21, 0x5c, 0x21, 0x5c, 0x00, 0x00, 0x00, 0x00,
					       0x21, 0x5c, 0x03, 0x00, 0x05, 0x00, 0x00, 0x00};
	INGOT_SOURCE struct ingot_source *hello = content("hello", 5);
	const struct ingot_fat_file file = {"\xc3\x9cnit-1.conf", hello};
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	uint8_t root[4 * 32];

	(void)state;
	assert_ok(ingot_fat_source(&SMALL, &file, 1, &volume, &err));
	read_at(volume, clusters_at(volume), root, sizeof(root));
	assert_memory_equal(root, "TEST-1     \x08", 12);
	assert_memory_equal(root + 32, want, 32);
	assert_memory_equal(root + 64, want_short, 32);
	assert_int_equal(root[96], 0);
}

/* The short names in the root, one after the other; "" for a long entry. */
static void short_names(struct ingot_source *volume, char names[][12], size_t count)
{
	uint8_t entry[32];

	for (size_t i = 0, k = 0; k < count; i++) {
		read_at(volume, clusters_at(volume) + 32 * i, entry, sizeof(entry));
		if (entry[11] == 0x0f || entry[11] == 0x08)
			continue;
		memcpy(names[k], entry, 11);
		names[k++][11] = '\0';
	}
}

static void test_short_names_are_all_different(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content("x", 1);
	/* In byte order; ABCDEF~1.TXT is somebody's own name. */
	const struct ingot_fat_file files[] = {
		{"ABCDEF~1.TXT", x},  {"README", x},	     {"a b.txt", x},
		{"abcdefghi.txt", x}, {"abcdefghij.txt", x}, {"abcdefghik.txt", x},
		{"lower.efi", x},     {"x.y.conf", x},
	};
	static const char *const want[] = {"ABCDEF~1TXT", "README     ", "AB~1    TXT",
					   "ABCDEF~2TXT", "ABCDEF~3TXT", "ABCDEF~4TXT",
					   "LOWER   EFI", "XY~1    CON"};
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	char names[8][12];

	(void)state;
	assert_ok(ingot_fat_source(&SMALL, files, 8, &volume, &err));
	short_names(volume, names, 8);
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(names[i], want[i]);
}

static void test_order_of_the_list_does_not_matter(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content("x", 1);
	INGOT_SOURCE struct ingot_source *y = content("yy", 2);
	const struct ingot_fat_file one[] = {{"a/b", x}, {"a.c", y}, {"a/c/d", y}, {"B", x}};
	const struct ingot_fat_file two[] = {{"B", x}, {"a/c/d", y}, {"a.c", y}, {"a/b", x}};
	INGOT_SOURCE struct ingot_source *first = NULL;
	INGOT_SOURCE struct ingot_source *second = NULL;
	struct ingot_error err = {0};
	uint8_t a[32], b[32];

	(void)state;
	assert_ok(ingot_fat_source(&SMALL, one, 4, &first, &err));
	assert_ok(ingot_fat_source(&SMALL, two, 4, &second, &err));
	assert_ok(ingot_source_sha256(first, a, &err));
	assert_ok(ingot_source_sha256(second, b, &err));
	assert_memory_equal(a, b, 32);
}

/* Extents cover the volume, and reads that begin and end anywhere agree with one long read. */
static void test_extents_and_reads(void **state)
{
	static char data[3000];
	INGOT_SOURCE struct ingot_source *file = content(memset(data, 'x', sizeof(data)), 3000);
	const struct ingot_fat_file files[] = {{"dir/some file", file}, {"other", file}};
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	INGOT_FREE uint8_t *all = malloc(SMALL.size);
	INGOT_FREE uint8_t *part = malloc(SMALL.size);
	struct ingot_extent run;
	uint64_t used = 0;

	(void)state;
	assert_non_null(all);
	assert_non_null(part);
	assert_ok(ingot_fat_source(&SMALL, files, 2, &volume, &err));
	read_at(volume, 0, all, SMALL.size);
	for (uint64_t at = 0; at < SMALL.size; at += run.length) {
		assert_ok(ingot_source_extent(volume, at, &run, &err));
		assert_true(run.length > 0 && run.length <= SMALL.size - at);
		for (uint64_t i = at; run.hole && i < at + run.length; i++)
			if (all[i])
				fail_msg("hole with data at %llu", (unsigned long long)i);
		used += run.hole ? 0 : run.length;
	}
	assert_true(used < 20 * 1024);
	for (uint64_t at = 0, n = 1; at < SMALL.size; at += n, n = (n * 7 + 3) % 99991) {
		n = ingot_min(n, SMALL.size - at);
		read_at(volume, at, part + at, n);
	}
	assert_memory_equal(all, part, SMALL.size);
}

static void test_what_is_refused(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content("x", 1);
	INGOT_SOURCE struct ingot_source *huge = NULL;
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	static const struct {
		const char *paths[2];
		const char *words;
	} cases[] = {
		{{"a/../b"}, "ends in a dot"},
		{{"/a"}, "empty"},
		{{"a//b"}, "empty"},
		{{"a/"}, "empty"},
		{{"a?"}, "does not allow"},
		{{"a\tb"}, "does not allow"},
		{{"dot."}, "ends in a dot"},
		{{"\xff"}, "not UTF-8"},
		{{"\xed\xa0\x80"}, "not UTF-8"},
		{{"\xc0\xaf"}, "not UTF-8"},
		{{"File", "fILE"}, "'File' and 'fILE' differ only in case"},
		{{"\xc3\x84", "\xc3\xa4"}, "differ only in case"},
		{{"EFI/a", "efi/b"}, "differ only in case"},
		{{"a", "a/b"}, "'a' is a file"},
		{{"a", "a"}, "given twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_fat_file files[2] = {{cases[i].paths[0], x}, {cases[i].paths[1], x}};

		assert_fails(ingot_fat_source(&SMALL, files, files[1].path ? 2 : 1, &volume, &err),
			     -EINVAL, cases[i].words);
	}
	assert_ok(ingot_source_zero(UINT64_C(1) << 32, &huge, &err));
	assert_fails(
		ingot_fat_source(&SMALL, &(struct ingot_fat_file){"a", huge}, 1, &volume, &err),
		-EFBIG, "4294967296 bytes");
}

static void test_long_names_have_255_units(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content("x", 1);
	struct ingot_fat_file file = {NULL, x};
	struct ingot_error err = {0};
	char name[512];

	(void)state;
	for (size_t i = 0; i < 128; i++)
		memcpy(name + 4 * i, "\xf0\x9f\x90\xa7", 4); /* two units each */
	name[127 * 4] = 'x';
	name[127 * 4 + 1] = '\0';
	file.path = name;
	for (int units = 255; units <= 256; units++) {
		INGOT_SOURCE struct ingot_source *volume = NULL;
		int rc = ingot_fat_source(&SMALL, &file, 1, &volume, &err);

		assert_int_equal(rc, units == 255 ? 0 : -EINVAL);
		strcpy(name + 127 * 4 + 1, "y");
	}
}

static void test_sizes(void **state)
{
	INGOT_SOURCE struct ingot_source *volume = NULL;
	INGOT_SOURCE struct ingot_source *much = NULL;
	struct ingot_fat_options options = SMALL;
	struct ingot_error err = {0};

	(void)state;
	options.size = (uint64_t)16 * MIB;
	assert_fails(ingot_fat_source(&options, NULL, 0, &volume, &err), -EINVAL, "KiB too small");
	options.size = (uint64_t)40 * MIB + 1;
	assert_fails(ingot_fat_source(&options, NULL, 0, &volume, &err), -EINVAL, "multiple");
	options.size = 0;
	assert_fails(ingot_fat_source(&options, NULL, 0, &volume, &err), -EINVAL, "too small");
	options.size = UINT64_C(3) << 40;
	assert_fails(ingot_fat_source(&options, NULL, 0, &volume, &err), -EINVAL, "more than");
	options.size = (uint64_t)40 * MIB;
	options.sector_size = 1024;
	assert_fails(ingot_fat_source(&options, NULL, 0, &volume, &err), -EINVAL, "1024");

	/* 81920 - 32 - 2 * 630 clusters, one of them for the root. */
	assert_ok(ingot_source_zero((81920 - 32 - 2 * 630) * 512, &much, &err));
	assert_fails(
		ingot_fat_source(&SMALL, &(struct ingot_fat_file){"a", much}, 1, &volume, &err),
		-ENOSPC, ": 1 KiB too small");
	ingot_source_free(much);
	assert_ok(ingot_source_zero((81920 - 32 - 2 * 630 - 1) * 512, &much, &err));
	assert_ok(ingot_fat_source(&SMALL, &(struct ingot_fat_file){"a", much}, 1, &volume, &err));
}

static void test_labels(void **state)
{
	struct ingot_fat_options options = SMALL;
	struct ingot_error err = {0};
	uint8_t boot[512], entry[32];

	(void)state;
	for (int i = 0; i < 2; i++) {
		INGOT_SOURCE struct ingot_source *volume = NULL;

		options.label = i ? "" : NULL;
		assert_ok(ingot_fat_source(&options, NULL, 0, &volume, &err));
		read_at(volume, 0, boot, sizeof(boot));
		assert_memory_equal(boot + 71, "NO NAME    ", 11);
		read_at(volume, clusters_at(volume), entry, sizeof(entry));
		assert_int_equal(entry[0], 0);
	}
	options.label = "TWELVE-BYTES";
	assert_fails(ingot_fat_source(&options, NULL, 0, NULL, &err), -EINVAL, "longer than 11");
	options.label = "A/B";
	assert_fails(ingot_fat_source(&options, NULL, 0, NULL, &err), -EINVAL, "A/B");
	options.label = "AB ";
	assert_fails(ingot_fat_source(&options, NULL, 0, NULL, &err), -EINVAL, "blank");
}

/* Sectors of 4096 bytes and not enough of them for FAT32. */
static void test_fat16(void **state)
{
	static const uint8_t want[] = {
		0xeb, 0x3c, 0x90, 'I',	'N',  'G',  'O',  'T',	' ',  ' ',  ' ',  0x00, 0x10, 0x01,
		0x01, 0x00, 0x02, 0x00, 0x02, 0x00, 0x80, 0xf8, 0x10, 0x00, 0x3f, 0x00, 0xff, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x29, 0x78, 0x56, 0x34,
		0x12, 'T',  'E',  'S',	'T',  '-',  '1',  ' ',	' ',  ' ',  ' ',  ' ',	'F',  'A',
		'T',  '1',  '6',  ' ',	' ',  ' ',  0xcd, 0x18, 0xf4, 0xeb, 0xfd, 0x00,
	};
	static const uint8_t table[] = {0xf8, 0xff, 0xff, 0xff, 0x03, 0x00, 0xff, 0xff, 0, 0};
	static char data[4097];
	INGOT_SOURCE struct ingot_source *two = content(data, sizeof(data));
	const struct ingot_fat_file file = {"A", two};
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_fat_options options = SMALL;
	struct ingot_error err = {0};
	uint8_t got[512];

	(void)state;
	options.size = (uint64_t)128 * MIB;
	options.sector_size = 4096;
	assert_ok(ingot_fat_source(&options, &file, 1, &volume, &err));
	read_at(volume, 0, got, sizeof(got));
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(ingot_get_le16(got + 510), 0xaa55);
	for (uint64_t i = 0; i < 2; i++) {
		read_at(volume, (1 + 16 * i) * 4096, got, sizeof(table));
		assert_memory_equal(got, table, sizeof(table));
	}
	read_at(volume, 33 * 4096, got, 64); /* the root */
	assert_memory_equal(got, "TEST-1     \x08", 12);
	assert_memory_equal(got + 32, "A          \x20", 12);
	assert_int_equal(ingot_get_le16(got + 32 + 26), 2);
}

/* FAT16's root has room for 512 entries, FAT32's grows. */
static void test_fat16_root_is_small(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content("x", 1);
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_fat_options options = SMALL;
	struct ingot_error err = {0};
	static char paths[512][8];
	struct ingot_fat_file files[512];

	(void)state;
	for (int i = 0; i < 512; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%03d", i);
		files[i] = (struct ingot_fat_file){paths[i], x};
	}
	assert_ok(ingot_fat_source(&options, files, 512, &volume, &err));
	ingot_source_free(INGOT_TAKE(volume));
	options.sector_size = 4096;
	assert_fails(ingot_fat_source(&options, files, 512, &volume, &err), -EINVAL,
		     "folder '/': 513 entries, and FAT ends at 512");
	assert_ok(ingot_fat_source(&options, files, 511, &volume, &err));
	ingot_source_free(INGOT_TAKE(volume));
	options.size = (uint64_t)16 * MIB;
	assert_fails(ingot_fat_source(&options, NULL, 0, &volume, &err), -EINVAL, "too small");
}

/* Before 1980 and after 2107 there is no date. */
static void test_times_are_clamped(void **state)
{
	static const struct {
		int64_t epoch;
		uint8_t stamp[4];
	} cases[] = {{0, {0x00, 0x00, 0x21, 0x00}},
		     {-1, {0x00, 0x00, 0x21, 0x00}},
		     {1767225599, {0x7d, 0xbf, 0x9f, 0x5b}}, /* 2025-12-31 23:59:59 */
		     {INT64_MAX, {0x7d, 0xbf, 0x9f, 0xff}}};
	struct ingot_fat_options options = SMALL;
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_SOURCE struct ingot_source *volume = NULL;
		uint8_t entry[32];

		options.epoch = cases[i].epoch;
		assert_ok(ingot_fat_source(&options, NULL, 0, &volume, &err));
		read_at(volume, clusters_at(volume), entry, sizeof(entry));
		assert_memory_equal(entry + 22, cases[i].stamp, 4);
	}
}

/* A folder of many entries is a run of clusters, and ".." of its child leads to it. */
static void test_folders(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content("x", 1);
	struct ingot_fat_file files[301];
	static char paths[301][32];
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	uint8_t entry[64];

	(void)state;
	for (int i = 0; i < 300; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "D/%03d", i);
		files[i] = (struct ingot_fat_file){paths[i], x};
	}
	files[300] = (struct ingot_fat_file){"D/SUB/X", x};
	assert_ok(ingot_fat_source(&SMALL, files, 301, &volume, &err));
	/* D is at cluster 3, 303 entries in 19 clusters; 300 files; SUB. */
	read_at(volume, clusters_at(volume) + 32, entry, 32);
	assert_memory_equal(entry, "D          \x10", 12);
	assert_int_equal(ingot_get_le16(entry + 26), 3);
	assert_int_equal(ingot_get_le32(entry + 28), 0);
	read_at(volume, clusters_at(volume) + (3 + 19 + 300 - 2) * 512, entry, 64);
	assert_memory_equal(entry, ".          \x10", 12);
	assert_int_equal(ingot_get_le16(entry + 26), 3 + 19 + 300);
	assert_memory_equal(entry + 32, "..         \x10", 12);
	assert_int_equal(ingot_get_le16(entry + 32 + 26), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_sector),
		cmocka_unit_test(test_tables_hold_one_run_per_file),
		cmocka_unit_test(test_long_name_entry),
		cmocka_unit_test(test_short_names_are_all_different),
		cmocka_unit_test(test_order_of_the_list_does_not_matter),
		cmocka_unit_test(test_extents_and_reads),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_long_names_have_255_units),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_fat16),
		cmocka_unit_test(test_fat16_root_is_small),
		cmocka_unit_test(test_times_are_clamped),
		cmocka_unit_test(test_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

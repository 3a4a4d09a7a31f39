/* VHDX as we write it, structure by structure, and as it is read. */
#include <errno.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "formats_support.h"

enum { KIB = 1 << 10, MIB = 1 << 20, BAT = 3 * MIB, META = 2 * MIB, FIRST = 4 * MIB };

static void seal(unsigned char *p, size_t n)
{
	ingot_put_le32(p + 4, 0);
	ingot_put_le32(p + 4, ingot_crc32c(0, p, n));
}

static void check_sum(const unsigned char *p, size_t n)
{
	unsigned char *copy = malloc(n);

	assert_non_null(copy);
	memcpy(copy, p, n);
	seal(copy, n);
	assert_memory_equal(copy, p, n);
	free(copy);
}

static void test_layout(void **state)
{
	unsigned char *f;
	size_t n;

	(void)state;
	formats_disk("disk", 10 * MIB - 100);
	formats_convert("disk", "vhdx", "out", 2);
	f = formats_load("out", &n);
	assert_int_equal(n, FIRST + 3 * MIB);
	assert_memory_equal(f, "vhdxfilei\0n\0g\0o\0t\0\0", 20);
	for (size_t i = 1; i <= 2; i++) {
		const unsigned char *h = f + 64 * i * KIB, *regions = f + (128 + 64 * i) * KIB;

		check_sum(h, 4096);
		assert_memory_equal(h, "head", 4);
		assert_int_equal(ingot_get_le64(h + 8), i);
		for (size_t j = 48; j < 66; j++)
			assert_int_equal(h[j], 0); /* no log */
		assert_int_equal(ingot_get_le16(h + 66), 1);
		assert_int_equal(ingot_get_le32(h + 68), MIB);
		assert_int_equal(ingot_get_le64(h + 72), MIB);
		check_sum(regions, 64 * KIB);
		assert_memory_equal(regions, "regi", 4);
		assert_int_equal(ingot_get_le32(regions + 8), 2);
		assert_memory_equal(regions + 16, "\x66\x77\xc2\x2d\x23\xf6\0\x42", 8);
		assert_int_equal(ingot_get_le64(regions + 32), BAT);
		assert_int_equal(ingot_get_le32(regions + 40), MIB);
		assert_int_equal(ingot_get_le64(regions + 64), META);
	}
	assert_memory_equal(f + META, "metadata\0\0\5\0", 12);
	assert_int_equal(ingot_get_le32(f + META + 64 * KIB), MIB);
	assert_int_equal(ingot_get_le64(f + META + 64 * KIB + 16), 10 * MIB);
	assert_int_equal(ingot_get_le32(f + META + 64 * KIB + 48), 512);
	assert_int_equal(ingot_get_le32(f + META + 64 * KIB + 64), 4096);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(ingot_get_le64(f + BAT + 8 * i), i < 2	   ? (FIRST + i * MIB) | 6
								  : i == 9 ? (FIRST + 2 * MIB) | 6
									   : 0);
	free(f);
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("vhdx", "vhdx", 512);
}

/* Past 4 GiB of blocks of 1 MiB there is an entry for a bitmap in the table. */
static void test_bitmap_entry(void **state)
{
	const uint64_t size = UINT64_C(4100) * MIB;
	unsigned char *f;
	size_t n;

	(void)state;
	formats_disk("disk", size);
	formats_convert("disk", "vhdx", "out", 2);
	formats_same("out", "disk", "vhdx", 512);
	f = formats_load("out", &n);
	assert_int_equal(n, FIRST + 4 * MIB);
	assert_int_equal(ingot_get_le64(f + BAT + 8 * 4096), 0);
	assert_int_equal(ingot_get_le64(f + BAT + 8 * 4100), (FIRST + 3 * MIB) | 6);
	free(f);
}

/* More than 1 TiB has larger blocks. */
static void test_large(void **state)
{
	INGOT_SOURCE struct ingot_source *zeros = NULL, *disk = NULL;
	struct ingot_convert_output output = {.format = "vhdx", .path = "out"};
	struct ingot_convert_options options = {.outputs = &output, .count = 1, .jobs = 2};
	struct ingot_error err = {0};
	struct ingot_extent run;
	unsigned char *f;
	size_t n;

	(void)state;
	assert_ok(ingot_source_zero((UINT64_C(1) << 40) + 1, &zeros, &err));
	assert_ok(ingot_convert(zeros, &options, &err));
	assert_ok(ingot_format_open("out", NULL, &disk, &err));
	assert_int_equal(disk->size, (UINT64_C(1) << 40) + 512);
	assert_ok(ingot_source_extent(disk, 0, &run, &err));
	assert_true(run.hole);
	f = formats_load("out", &n);
	assert_int_equal(ingot_get_le32(f + META + 64 * KIB), 2 * MIB);
	free(f);
}

/* --- as it is read ----------------------------------------------------- */

enum where { HEADERS, HEADER_1, HEADER_2, REGIONS, PLAIN };

struct change {
	enum where where;
	size_t offset; /* in each structure, or in the file */
	unsigned bytes;
	uint64_t value;
	int code; /* 0: it is read all the same */
	const char *words;
};

/* The change, with checksums that are right. */
static void apply(unsigned char *f, const struct change *c)
{
	unsigned char raw[8];

	ingot_put_le64(raw, c->value);
	for (size_t i = 1; i <= 2; i++) {
		unsigned char *h = f + 64 * i * KIB, *regions = f + (128 + 64 * i) * KIB;

		if (c->where == HEADERS || c->where == (i == 1 ? HEADER_1 : HEADER_2)) {
			memcpy(h + c->offset, raw, c->bytes);
			seal(h, 4096);
		}
		if (c->where == REGIONS) {
			memcpy(regions + c->offset, raw, c->bytes);
			seal(regions, 64 * KIB);
		}
	}
	if (c->where == PLAIN)
		memcpy(f + c->offset, raw, c->bytes);
}

static void check_changes(const unsigned char *good, size_t n, const struct change *changes,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		INGOT_SOURCE struct ingot_source *file = NULL;
		struct ingot_source *disk = NULL;
		struct ingot_error err = {0};
		unsigned char *bad = malloc(n);

		assert_non_null(bad);
		memcpy(bad, good, n);
		apply(bad, &changes[i]);
		assert_ok(ingot_source_memory("bad", bad, n, &file, &err));
		if (changes[i].code == 0) {
			assert_ok(ingot_format_open_source(file, NULL, &disk, &err));
			file = disk;
		} else {
			assert_fails(ingot_format_open_source(file, NULL, &disk, &err),
				     changes[i].code, changes[i].words);
		}
		free(bad);
	}
}

static unsigned char *make(size_t *n)
{
	formats_disk("disk", 3 * MIB);
	formats_convert("disk", "vhdx", "out", 1);
	return formats_load("out", n);
}

/* The second header has the higher number: it counts, unless it is damaged. */
static void test_headers(void **state)
{
	static const struct change changes[] = {
		{HEADER_1, 66, 2, 9, 0, NULL},
		{HEADER_2, 66, 2, 9, -ENOTSUP, "version 9"},
		{HEADER_2, 64, 2, 1, -ENOTSUP, "version 1 of its log"},
		{HEADER_1, 48, 1, 1, 0, NULL},
		{HEADER_2, 48, 1, 1, 0, NULL}, /* a log in which nothing is */
		{HEADER_1, 8, 8, 3, 0, NULL},
		{HEADER_1, 8, 8, 2, 0, NULL}, /* the same twice */
		{PLAIN, 64 * KIB + 66, 2, 9, 0, NULL},
		{PLAIN, 128 * KIB + 66, 2, 9, 0, NULL},
		{PLAIN, 192 * KIB + 9, 1, 9, 0, NULL},
		{PLAIN, 256 * KIB + 9, 1, 9, 0, NULL},
	};
	unsigned char *f;
	size_t n;

	(void)state;
	f = make(&n);
	check_changes(f, n, changes, sizeof(changes) / sizeof(changes[0]));
	apply(f, &(struct change){HEADER_1, 8, 8, 2, 0, NULL});
	check_changes(f, n, &(struct change){HEADER_1, 16, 1, 0, -EBADMSG, "contradict"}, 1);
	f[64 * KIB + 4000] ^= 1;
	formats_refused(f, n, 128 * KIB + 4000, (const unsigned char *)"x", 1, -EBADMSG,
			"both of its headers");
	f[64 * KIB + 4000] ^= 1;
	f[192 * KIB + 60000] ^= 1;
	formats_refused(f, n, 256 * KIB + 60000, (const unsigned char *)"x", 1, -EBADMSG,
			"both of its region tables");
	free(f);
}

static void test_hostile(void **state)
{
	enum { ITEM = META + 32, DATA = META + 64 * KIB };
	static const struct change changes[] = {
		{REGIONS, 8, 4, 2048, -EBADMSG, "2048 regions"},
		{REGIONS, 8, 4, 1, -EBADMSG, "no metadata"},
		{REGIONS, 8, 4, 0, -EBADMSG, "no block table"},
		{REGIONS, 16, 1, 9, -ENOTSUP, "region that is unknown"},
		{REGIONS, 32, 8, UINT64_MAX - MIB + 1, -EBADMSG, "a region of"},
		{REGIONS, 32, 8, BAT + 512, -EBADMSG, "a region of"},
		{REGIONS, 32, 8, 0, -EBADMSG, "a region of"},
		{REGIONS, 32, 8, META, -EBADMSG, "overlap"},
		{REGIONS, 40, 4, 0xfff00000, -EBADMSG, "a region of"},
		{PLAIN, META, 1, 'x', -EBADMSG, "metadata is damaged"},
		{PLAIN, META + 10, 2, 2048, -EBADMSG, "metadata is damaged"},
		{PLAIN, META + 10, 2, 0, -EBADMSG, "blocks have 0"},
		{PLAIN, ITEM, 1, 0, -ENOTSUP, "metadata that is unknown"},
		{PLAIN, ITEM + 16, 4, UINT32_MAX, -EBADMSG, "an item of"},
		{PLAIN, ITEM + 20, 4, UINT32_MAX, -EBADMSG, "an item of"},
		{PLAIN, DATA, 4, 3 * MIB, -EBADMSG, "blocks have"},
		{PLAIN, DATA, 4, 512 * MIB, -EBADMSG, "blocks have"},
		{PLAIN, DATA + 4, 4, 2, -ENOTSUP, "difference"},
		{PLAIN, DATA + 16, 8, UINT64_MAX, -EBADMSG, "impossible"},
		{PLAIN, DATA + 16, 8, 513, -EBADMSG, "impossible"},
		{PLAIN, DATA + 16, 8, UINT64_C(64) << 40, -EBADMSG, "a table of"},
		{PLAIN, DATA + 48, 4, 1024, -EBADMSG, "sectors have"},
		{PLAIN, BAT, 8, FIRST | 7, -EBADMSG, "state 7"},
		{PLAIN, BAT, 8, FIRST | 5, -EBADMSG, "state 5"},
		{PLAIN, BAT, 8, (FIRST + MIB) | 6, -EBADMSG, "two blocks share"},
		{PLAIN, BAT, 8, META | 6, -EBADMSG, "container's own data"},
		{PLAIN, BAT, 8, 6, -EBADMSG, "container's own data"},
		{PLAIN, BAT, 8, (UINT64_MAX << 20) | 6, -EBADMSG, "not in the file"},
	};
	unsigned char *f;
	size_t n;

	(void)state;
	f = make(&n);
	check_changes(f, n, changes, sizeof(changes) / sizeof(changes[0]));
	formats_refused(f, n - 1, 0, f, 1, -EBADMSG, "not in the file");
	formats_refused(f, 1000, 0, f, 1, -EBADMSG, "cut off");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_bitmap_entry, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_large, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_headers, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_hostile, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

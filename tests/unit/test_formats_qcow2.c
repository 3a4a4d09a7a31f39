/* qcow2 as we write it, byte by byte, and as it is read. */
#include <errno.h>

#include "base/bytes.h"
#include "folder.h"
#include "formats/convert.h"
#include "formats/format.h"
#include "formats_support.h"
#include "unit.h"

static void test_header(void **state)
{
	size_t n;
	unsigned char *f;

	(void)state;
	formats_disk("disk", 600 << 20);
	formats_convert("disk", "qcow2", "out", 2);
	f = formats_load("out", &n);
	assert_memory_equal(f, "QFI\xfb\0\0\0\3", 8);
	assert_int_equal(ingot_get_be64(f + 8), 0);   /* no backing file */
	assert_int_equal(ingot_get_be32(f + 20), 16); /* clusters of 64 KiB */
	assert_int_equal(ingot_get_be64(f + 24), 600 << 20);
	assert_int_equal(ingot_get_be32(f + 36), 2); /* L1 entries, 512 MiB each */
	assert_int_equal(ingot_get_be64(f + 72), 0); /* no incompatible feature */
	assert_int_equal(ingot_get_be32(f + 96), 4);
	assert_int_equal(ingot_get_be32(f + 100), 104);
	assert_int_equal(n % 65536, 0);
	/* The refcount table is the last cluster, its block and the L1 table lie before it. */
	assert_int_equal(ingot_get_be64(f + 48), n - 65536);
	assert_int_equal(ingot_get_be64(f + n - 65536), n - 2 * 65536);
	assert_int_equal(ingot_get_be64(f + 40), n - 3 * 65536);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ingot_get_be16(f + n - 2 * 65536 + 2 * (n / 65536 - 1 - i)), 1);
	free(f);
}

static void test_variants(void **state)
{
	size_t n;
	unsigned char *f;

	(void)state;
	formats_disk("disk", 3 << 20);
	formats_convert("disk", "qcow2-v2", "out", 1);
	f = formats_load("out", &n);
	assert_int_equal(ingot_get_be32(f + 4), 2);
	for (size_t i = 72; i < 512; i++)
		assert_int_equal(f[i], 0);
	free(f);
	formats_convert("disk", "qcow2-zstd", "out", 1);
	f = formats_load("out", &n);
	assert_int_equal(ingot_get_be32(f + 4), 3);
	assert_int_equal(ingot_get_be64(f + 72), 8);
	assert_int_equal(ingot_get_be32(f + 100), 112);
	assert_int_equal(f[104], 1);
	free(f);
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("qcow2", "qcow2", 512);
	formats_round_trips("qcow2-zstd", "qcow2", 512);
	formats_round_trips("qcow2-v2", "qcow2", 512);
}

/* One change to a good file; the sentence that answers it. */
struct change {
	size_t offset;
	unsigned bytes;
	uint64_t value;
	int code;
	const char *words;
};

static void test_hostile_headers(void **state)
{
	static const struct change changes[] = {
		{4, 4, 4, -ENOTSUP, "version 4"},
		{8, 8, 512, -ENOTSUP, "backing file"},
		{20, 4, 8, -EBADMSG, "2^8"},
		{20, 4, 22, -EBADMSG, "2^22"},
		{24, 8, UINT64_MAX, -EBADMSG, "impossible"},
		{24, 8, INT64_MAX, -EBADMSG, "L1 table of"},
		{32, 4, 1, -ENOTSUP, "encrypted"},
		{36, 4, 0, -EBADMSG, "L1 table of 0"},
		{36, 4, UINT32_MAX, -EBADMSG, "L1 table of"},
		{40, 8, 0, -EBADMSG, "L1 table at"},
		{40, 8, 65537, -EBADMSG, "L1 table at"},
		{40, 8, UINT64_MAX & ~UINT64_C(65535), -EBADMSG, "L1 table at"},
		{60, 4, 1, -ENOTSUP, "snapshots"},
		{72, 8, 2, -EBADMSG, "corrupt"},
		{72, 8, 4, -ENOTSUP, "another file"},
		{72, 8, 16, -EBADMSG, "contradict"}, /* subclusters that are no such thing */
		{72, 8, 1024, -ENOTSUP, "unknown features"},
		{104, 1, 2, -ENOTSUP, "compression 2"},
	};
	unsigned char *good;
	size_t n;

	(void)state;
	formats_disk("disk", 3 << 20);
	formats_convert("disk", "qcow2-zstd", "out", 1);
	good = formats_load("out", &n);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i];
		unsigned char raw[8];

		ingot_put_be64(raw, c->value << (64 - 8 * c->bytes));
		formats_refused(good, n, c->offset, raw, c->bytes, c->code, c->words);
	}
	free(good);
}

static void test_hostile_tables(void **state)
{
	unsigned char *f;
	size_t n, l1, l2;
	unsigned char raw[8];

	(void)state;
	formats_disk("disk", 1100 << 20);
	formats_convert("disk", "qcow2", "out", 1);
	f = formats_load("out", &n);
	l1 = (size_t)ingot_get_be64(f + 40);
	l2 = (size_t)(ingot_get_be64(f + l1) & UINT64_C(0x00fffffffffffe00));
	formats_refused(f, n, l1 + 8, f + l1, 8, -EBADMSG, "overlaps another");
	ingot_put_be64(raw, l1);
	formats_refused(f, n, l1, raw, 8, -EBADMSG, "overlaps the L1 table");
	ingot_put_be64(raw, n);
	formats_refused(f, n, l1, raw, 8, -EBADMSG, "not in the file");
	/* A cluster twice: plain, and compressed. */
	ingot_put_be64(raw, UINT64_C(1) << 63 | 65536);
	memcpy(f + l2 + 8 * 8000, raw, 8);
	formats_refused(f, n, l2 + 8 * 8001, raw, 8, -EBADMSG, "share the place 0x10000");
	memset(f + l2 + 8 * 8000, 0, 8);
	formats_refused(f, n, l2 + 8 * 8001, f + l2, 8, -EBADMSG, "share the place 0x10000");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_header, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_variants, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_hostile_headers, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(test_hostile_tables, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* VHD that grows as we write it, byte by byte, and as it is read. */
#include <errno.h>

#include "base/bytes.h"
#include "formats_support.h"

enum { MIB = 1 << 20, TABLE = 1536, PLACE = 4096, STRIDE = 2 * MIB + 4096 };

static void seal(unsigned char *p, size_t n, size_t at)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i / 4 == at / 4 ? 0 : p[i];
	ingot_put_be32(p + at, ~sum);
}

static void check_sum(const unsigned char *p, size_t n, size_t at)
{
	unsigned char copy[1024];

	memcpy(copy, p, n);
	seal(copy, n, at);
	assert_memory_equal(copy, p, n);
}

static void test_layout(void **state)
{
	unsigned char *f;
	size_t n;

	(void)state;
	/* Data in the blocks 0 and 4. */
	formats_disk("disk", 10 * MIB - 100);
	formats_convert("disk", "vhd-dynamic", "out", 2);
	f = formats_load("out", &n);
	assert_int_equal(n, PLACE + STRIDE + 2 * MIB + 512);
	assert_memory_equal(f, f + n - 512, 512);
	assert_memory_equal(f, "conectix\0\0\0\2\0\1\0\0\0\0\0\0\0\0\2\0", 24);
	assert_int_equal(ingot_get_be64(f + 48), 10 * MIB); /* whole sectors */
	assert_int_equal(ingot_get_be32(f + 60), 3);
	check_sum(f, 512, 64);
	assert_memory_equal(f + 512, "cxsparse\xff\xff\xff\xff\xff\xff\xff\xff", 16);
	assert_int_equal(ingot_get_be64(f + 528), TABLE);
	assert_int_equal(ingot_get_be32(f + 540), 5);
	assert_int_equal(ingot_get_be32(f + 544), 2 * MIB);
	check_sum(f + 512, 1024, 36);
	for (size_t i = 0; i < 128; i++)
		assert_int_equal(ingot_get_be32(f + TABLE + 4 * i),
				 i == 0	  ? PLACE / 512 - 1
				 : i == 4 ? (PLACE + STRIDE) / 512 - 1
					  : UINT32_MAX);
	for (size_t i = 0; i < 512; i++)
		assert_int_equal(f[PLACE - 512 + i] & f[PLACE + STRIDE - 512 + i], 0xff);
	free(f);
}

static void test_no_data(void **state)
{
	unsigned char *f;
	size_t n;

	(void)state;
	assert_int_equal(truncate("disk", 0), -1);
	assert_int_equal(close(creat("disk", 0666)), 0);
	assert_int_equal(truncate("disk", 5 * MIB), 0);
	formats_convert("disk", "vhd-dynamic", "out", 1);
	f = formats_load("out", &n);
	assert_int_equal(n, TABLE + 512 + 512);
	formats_same("out", "disk", "vhd", 512);
	free(f);
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("vhd-dynamic", "vhd", 512);
}

static unsigned char *make(size_t *n)
{
	formats_disk("disk", 3 * MIB);
	formats_convert("disk", "vhd-dynamic", "out", 1);
	return formats_load("out", n);
}

/* A sector whose bit is 0 was never written: it is zero whatever the file has there. */
static void test_bits(void **state)
{
	INGOT_SOURCE struct ingot_source *file = NULL, *disk = NULL;
	struct ingot_error err = {0};
	unsigned char *f, got[2048];
	size_t n;

	(void)state;
	f = make(&n);
	memset(f + PLACE, 'a', sizeof(got));
	f[PLACE - 512] = 0x9f; /* not 1 and 2 */
	assert_ok(ingot_source_memory("file", f, n, &file, &err));
	assert_ok(ingot_format_open_source(file, NULL, &disk, &err));
	file = NULL;
	assert_ok(ingot_source_read(disk, 0, got, sizeof(got), &err));
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], i / 512 == 1 || i / 512 == 2 ? 0 : 'a');
	assert_ok(ingot_source_read(disk, 1000, got, 600, &err));
	for (size_t i = 0; i < 600; i++)
		assert_int_equal(got[i], (1000 + i) / 512 < 3 ? 0 : 'a');
	free(f);
}

struct change {
	bool footer; /* or header */
	size_t offset;
	unsigned bytes;
	uint64_t value;
	int code;
	const char *words;
};

static void refused(const unsigned char *good, size_t n, const struct change *c)
{
	unsigned char *bad = malloc(n), raw[8];

	assert_non_null(bad);
	memcpy(bad, good, n);
	ingot_put_be64(raw, c->value);
	memcpy(bad + (c->footer ? n - 512 : 512) + c->offset, raw + 8 - c->bytes, c->bytes);
	seal(bad + n - 512, 512, 64);
	seal(bad + 512, 1024, 36);
	formats_refused(bad, n, 0, bad, 1, c->code, c->words);
	free(bad);
}

static void test_hostile(void **state)
{
	static const struct change changes[] = {
		{true, 16, 8, UINT64_MAX, -EBADMSG, "header at"},
		{true, 16, 8, 0, -EBADMSG, "header is missing"},
		{true, 48, 8, 0, -EBADMSG, "impossible"},
		{true, 48, 8, UINT64_MAX, -EBADMSG, "impossible"},
		{true, 48, 8, INT64_MAX, -EBADMSG, "2 blocks of"},
		{true, 60, 4, 4, -ENOTSUP, "difference"},
		{false, 16, 8, UINT64_MAX, -EBADMSG, "table at"},
		{false, 24, 4, 0x00020000, -ENOTSUP, "version"},
		{false, 28, 4, 1, -EBADMSG, "1 blocks of"},
		{false, 32, 4, 0, -EBADMSG, "blocks have 0"},
		{false, 32, 4, 100, -EBADMSG, "blocks have 100"},
		{false, 32, 4, 256, -EBADMSG, "blocks have 256"},
	};
	unsigned char *f, raw[4];
	size_t n;

	(void)state;
	f = make(&n);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		refused(f, n, &changes[i]);
	formats_refused(f, n, 600, (const unsigned char *)"x", 1, -EBADMSG, "sum of its header");
	formats_refused(f, n, TABLE + 4, f + TABLE, 4, -EBADMSG, "two blocks share");
	ingot_put_be32(raw, 0);
	formats_refused(f, n, TABLE, raw, 4, -EBADMSG, "container's own data");
	ingot_put_be32(raw, 0xfffffffe);
	formats_refused(f, n, TABLE, raw, 4, -EBADMSG, "not in the file");
	ingot_put_be32(raw, (uint32_t)(n / 512 - 4097));
	formats_refused(f, n, TABLE, raw, 4, -EBADMSG, "container's own data");
	formats_refused(f, n - 512, 0, f, 1, -EBADMSG, "cut off");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_no_data, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_bits, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_hostile, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

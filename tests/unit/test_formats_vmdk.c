/* streamOptimized as we write it, sector by sector, and as it is read. */
#include <errno.h>

#include "base/bytes.h"
#include "formats_support.h"

enum { SECTOR = 512, GRAINS = 128 };

static const unsigned char *check_marker(const unsigned char *f, size_t sector, uint64_t sectors,
					 uint32_t kind)
{
	const unsigned char *marker = f + sector * SECTOR;

	assert_int_equal(ingot_get_le64(marker), sectors);
	assert_int_equal(ingot_get_le32(marker + 8), 0);
	assert_int_equal(ingot_get_le32(marker + 12), kind);
	return marker + SECTOR;
}

static void check_header(const unsigned char *h, uint64_t directory)
{
	assert_memory_equal(h, "KDMV\3\0\0\0\1\0\3\0", 12);
	assert_int_equal(ingot_get_le64(h + 12), 40 << 11); /* capacity */
	assert_int_equal(ingot_get_le64(h + 20), 128);	    /* grain */
	assert_int_equal(ingot_get_le64(h + 28), 1);	    /* descriptor */
	assert_int_equal(ingot_get_le32(h + 44), 512);
	assert_int_equal(ingot_get_le64(h + 48), 0);
	assert_int_equal(ingot_get_le64(h + 56), directory);
	assert_int_equal(ingot_get_le64(h + 64), GRAINS);
	assert_memory_equal(h + 72, "\0\n \r\n\1\0\0", 8);
}

static void test_layout(void **state)
{
	const unsigned char *gd, *gt;
	unsigned char *f;
	size_t n, last;
	uint32_t directory, table;

	(void)state;
	formats_disk("disk", 40 << 20);
	formats_convert("disk", "vmdk", "out", 2);
	f = formats_load("out", &n);
	last = n / SECTOR - 1;
	assert_int_equal(n % SECTOR, 0);
	check_header(f, UINT64_MAX);
	directory = (uint32_t)ingot_get_le64(f + (last - 1) * SECTOR + 56);
	check_header(check_marker(f, last - 2, 1, 3), directory);
	(void)check_marker(f, last, 0, 0);
	/* Two grain tables; the first one's grains start behind the overhead. */
	gd = check_marker(f, directory - 1, 1, 2);
	assert_ptr_equal(gd, f + directory * (size_t)SECTOR);
	for (size_t i = 8; i < SECTOR; i++)
		assert_int_equal(gd[i], 0);
	table = ingot_get_le32(gd);
	gt = check_marker(f, table - 1, 4, 1);
	assert_int_equal(ingot_get_le32(gt), GRAINS);
	assert_int_equal(ingot_get_le64(f + GRAINS * SECTOR), 0);
	assert_memory_equal(f + GRAINS * SECTOR + 12, "\x78\x9c", 2);
	/* The last grain of 40 MiB is number 127 of the second table. */
	gt = check_marker(f, ingot_get_le32(gd + 4) - 1, 4, 1);
	for (size_t i = 0; i < 512; i++)
		assert_int_equal(ingot_get_le32(gt + 4 * i) != 0, i == 127);
	assert_int_equal(ingot_get_le64(f + ingot_get_le32(gt + 4 * 127) * (size_t)SECTOR),
			 639 * 128);
	free(f);
}

static void test_descriptor(void **state)
{
	unsigned char *a, *b;
	const char *text;
	size_t n, m;

	(void)state;
	formats_disk("disk", 1 << 20);
	formats_convert("disk", "vmdk", "a", 1);
	a = formats_load("a", &n);
	text = (const char *)a + SECTOR;
	assert_non_null(strstr(text, "\ncreateType=\"streamOptimized\"\n"));
	assert_non_null(strstr(text, "\nparentCID=ffffffff\n"));
	assert_non_null(strstr(text, "\nRW 2048 SPARSE \"disk.vmdk\"\n"));
	/* Another content has another CID, the same has the same. */
	formats_disk("other", 2 << 20);
	formats_convert("other", "vmdk", "b", 1);
	b = formats_load("b", &m);
	assert_memory_not_equal(strstr(text, "\nCID="), strstr((const char *)b + SECTOR, "\nCID="),
				13);
	free(b);
	formats_convert("a", "vmdk", "b", 1);
	b = formats_load("b", &m);
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n);
	free(a);
	free(b);
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("vmdk", "vmdk", 65536);
}

/* One change to the header of a good file, or to its footer. */
struct change {
	size_t offset;
	unsigned bytes;
	uint64_t value;
	int code;
	const char *words;
};

static void apply(const unsigned char *good, size_t n, size_t base, const struct change *c)
{
	unsigned char raw[8];

	ingot_put_le64(raw, c->value);
	formats_refused(good, n, base + c->offset, raw, c->bytes, c->code, c->words);
}

static void test_hostile(void **state)
{
	static const struct change header[] = {
		{4, 4, 4, -ENOTSUP, "version 4"},
		{28, 8, 0, -ENOTSUP, "descriptor is in another file"},
		{28, 8, INT64_MAX, -EBADMSG, "a descriptor of"},
		{36, 8, UINT64_MAX, -EBADMSG, "a descriptor of"},
		{56, 8, INT64_MAX, -EBADMSG, "grain directory"},
	};
	static const struct change footer[] = {
		{0, 4, 0, -EBADMSG, "footer is missing"},
		{12, 8, 0, -EBADMSG, "impossible"},
		{12, 8, UINT64_MAX, -EBADMSG, "impossible"},
		{12, 8, INT64_MAX / 512, -EBADMSG, "grain directory"},
		{20, 8, 3, -EBADMSG, "3 sectors"},
		{20, 8, 0, -EBADMSG, "0 sectors"},
		{44, 4, 0, -EBADMSG, "0 entries"},
		{44, 4, UINT32_MAX, -EBADMSG, "entries"},
		{56, 8, UINT64_MAX, -EBADMSG, "footer is missing"},
		{56, 8, INT64_MAX, -EBADMSG, "grain directory"},
		{77, 2, 2, -ENOTSUP, "compression 2"},
	};
	unsigned char *f, raw[4];
	const char *parent;
	size_t n, gd;

	(void)state;
	formats_disk("disk", 40 << 20);
	formats_convert("disk", "vmdk", "out", 1);
	f = formats_load("out", &n);
	for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++)
		apply(f, n, 0, &header[i]);
	for (size_t i = 0; i < sizeof(footer) / sizeof(footer[0]); i++)
		apply(f, n, n - 2 * SECTOR, &footer[i]);
	parent = strstr((const char *)f + SECTOR, "parentCID=f");
	formats_refused(f, n, (size_t)((const unsigned char *)parent - f) + 10,
			(const unsigned char *)"0", 1, -ENOTSUP, "backing file");
	gd = (size_t)ingot_get_le64(f + n - 2 * SECTOR + 56) * SECTOR;
	formats_refused(f, n, gd + 4, f + gd, 4, -EBADMSG, "overlaps another");
	ingot_put_le32(raw, (uint32_t)(n / SECTOR));
	formats_refused(f, n, gd, raw, 4, -EBADMSG, "not in the file");
	formats_refused(f, n - SECTOR, 0, f, 1, -EBADMSG, "footer is missing");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_descriptor, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_hostile, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

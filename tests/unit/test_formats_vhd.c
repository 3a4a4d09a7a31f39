/* The footer of a VHD, byte by byte. */
#include <errno.h>

#include "base/bytes.h"
#include "formats_support.h"

static uint32_t sum_of(const unsigned char *f)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 512; i++)
		sum += i / 4 == 16 ? 0 : f[i];
	return ~sum;
}

static void test_footer(void **state)
{
	static const unsigned char want[68] = {
		'c', 'o', 'n', 'e', 'c', 't',  'i', 'x', 0,   0,   0,  2,   0,	 1,    0,   0,
		255, 255, 255, 255, 255, 255,  255, 255, 0,   0,   0,  0,   'q', 'e',  'm', '2',
		0,   5,	  0,   3,   'W', 'i',  '2', 'k', 0,   0,   0,  0,   0,	 0x30, 0,   0,
		0,   0,	  0,   0,   0,	 0x30, 0,   0,	 255, 255, 16, 255, 0,	 0,    0,   2};
	unsigned char *f, *footer;
	size_t n;

	(void)state;
	formats_disk("disk", 3 << 20);
	formats_convert("disk", "vhd", "out", 2);
	f = formats_load("out", &n);
	assert_int_equal(n, (3 << 20) + 512);
	footer = f + n - 512;
	assert_memory_equal(footer, want, 64);
	assert_int_equal(ingot_get_be32(footer + 64), sum_of(footer));
	assert_int_equal(footer[74] >> 4, 4); /* a UUID of version 4 */
	for (size_t i = 84; i < 512; i++)
		assert_int_equal(footer[i], 0);
	free(f);
}

/* The identifier follows the content. */
static void test_identifier(void **state)
{
	unsigned char *a, *b, *c;
	size_t n;

	(void)state;
	formats_disk("disk", 3 << 20);
	formats_convert("disk", "vhd", "a", 1);
	formats_disk("larger", 4 << 20);
	formats_convert("larger", "vhd", "b", 1);
	formats_convert("b", "vhd", "c", 1);
	a = formats_load("a", &n);
	b = formats_load("b", &n);
	c = formats_load("c", &n);
	assert_memory_not_equal(a + (3 << 20) + 68, b + (4 << 20) + 68, 16);
	assert_memory_equal(b, c, n);
	free(a);
	free(b);
	free(c);
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("vhd", "vhd", 512);
}

static void refused(unsigned char *f, size_t n, size_t at, uint8_t value, const char *words,
		    int code)
{
	unsigned char *footer = f + n - 512, was = footer[at];
	unsigned char sum[4];

	footer[at] = value;
	ingot_put_be32(sum, sum_of(footer));
	formats_refused(f, n, n - 512 + 64, sum, 4, code, words);
	footer[at] = was;
}

static void test_hostile(void **state)
{
	unsigned char *f;
	size_t n;

	(void)state;
	formats_disk("disk", 1 << 20);
	formats_convert("disk", "vhd", "out", 1);
	f = formats_load("out", &n);
	formats_refused(f, n, n - 1, (const unsigned char *)"x", 1, -EBADMSG, "checksum");
	refused(f, n, 63, 4, "difference", -ENOTSUP);
	refused(f, n, 63, 9, "kind 9", -ENOTSUP);
	refused(f, n, 48, 0xff, "not in the file", -EBADMSG);
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_footer, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_identifier, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_hostile, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

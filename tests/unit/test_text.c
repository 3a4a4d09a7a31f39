/* Hex, numbers and sizes as typed; names from outside made printable. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unit.h"

static void test_hex_there_and_back(void **state)
{
	struct ingot_error err = {0};
	unsigned char all[256], back[256];
	char text[513];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	ingot_hex(all, 256, text);
	assert_memory_equal(text, "000102030405060708090a0b", 24);
	assert_ok(ingot_unhex(text, back, 256, &n, &err));
	assert_int_equal(n, 256);
	assert_memory_equal(all, back, 256);
	assert_ok(ingot_unhex("aAbB", back, 2, &n, &err));
	assert_memory_equal(back, "\xaa\xbb", 2);
	assert_ok(ingot_unhex("", back, 0, &n, &err));
	assert_int_equal(n, 0);
}

static void test_hex_that_is_none(void **state)
{
	struct ingot_error err = {0};
	unsigned char data[4];
	size_t n;

	(void)state;
	assert_fails(ingot_unhex("abc", data, 4, &n, &err), -EINVAL, "odd number");
	assert_fails(ingot_unhex("0g", data, 4, &n, &err), -EINVAL, "not hexadecimal");
	assert_fails(ingot_unhex("0x00", data, 4, &n, &err), -EINVAL, "not hexadecimal");
	assert_fails(ingot_unhex(" 00 ", data, 4, &n, &err), -EINVAL, "not hexadecimal");
	assert_fails(ingot_unhex("0011223344", data, 4, &n, &err), -EINVAL, "longer than 4");
}

static void test_numbers(void **state)
{
	struct ingot_error err = {0};
	uint64_t v = 1;

	(void)state;
	assert_ok(ingot_parse_u64("0", &v, &err));
	assert_true(v == 0);
	assert_ok(ingot_parse_u64("18446744073709551615", &v, &err));
	assert_true(v == UINT64_MAX);
	assert_ok(ingot_parse_u64("007", &v, &err));
	assert_true(v == 7);
	assert_fails(ingot_parse_u64("18446744073709551616", &v, &err), -ERANGE, "too large");
	assert_fails(ingot_parse_u64("99999999999999999999", &v, &err), -ERANGE, "too large");
	assert_true(v == 7);
	assert_fails(ingot_parse_u64("", &v, &err), -EINVAL, "'' is not a number");
	assert_fails(ingot_parse_u64("-1", &v, &err), -EINVAL, "not a number");
	assert_fails(ingot_parse_u64("+1", &v, &err), -EINVAL, "not a number");
	assert_fails(ingot_parse_u64(" 1", &v, &err), -EINVAL, "not a number");
	assert_fails(ingot_parse_u64("1 ", &v, &err), -EINVAL, "not a number");
	assert_fails(ingot_parse_u64("0x10", &v, &err), -EINVAL, "not a number");
	assert_fails(ingot_parse_u64("1K", &v, &err), -EINVAL, "not a number");
}

static void test_sizes(void **state)
{
	struct ingot_error err = {0};
	uint64_t v = 0;

	(void)state;
	assert_ok(ingot_parse_size("512", &v, &err));
	assert_true(v == 512);
	assert_ok(ingot_parse_size("3K", &v, &err));
	assert_true(v == 3072);
	assert_ok(ingot_parse_size("1G", &v, &err));
	assert_true(v == UINT64_C(1) << 30);
	assert_ok(ingot_parse_size("16777215T", &v, &err));
	assert_true(v == UINT64_C(16777215) << 40);
	assert_fails(ingot_parse_size("16777216T", &v, &err), -ERANGE, "too large");
	assert_fails(ingot_parse_size("18446744073709551615K", &v, &err), -ERANGE, "too large");
	assert_fails(ingot_parse_size("1k", &v, &err), -EINVAL, "not a size");
	assert_fails(ingot_parse_size("1KB", &v, &err), -EINVAL, "not a size");
	assert_fails(ingot_parse_size("1.5G", &v, &err), -EINVAL, "not a size");
	assert_fails(ingot_parse_size("G", &v, &err), -EINVAL, "not a number");
}

static void assert_size_text(uint64_t bytes, const char *want)
{
	char text[INGOT_SIZE_TEXT];

	assert_string_equal(ingot_size_text(bytes, text), want);
}

static void test_size_text(void **state)
{
	(void)state;
	assert_size_text(0, "0 bytes");
	assert_size_text(1023, "1023 bytes");
	assert_size_text(1024, "1 KiB");
	assert_size_text(1536, "1.5 KiB");
	assert_size_text(UINT64_C(1016) << 20, "1016 MiB");
	assert_size_text((UINT64_C(1) << 30) - 1, "1023 MiB");
	assert_size_text(UINT64_MAX, "15.9 EiB");
}

static void assert_printable(const char *name, const char *want)
{
	char text[64];

	assert_string_equal(ingot_printable(name, strlen(name), text, sizeof(text)), want);
}

static void test_printable(void **state)
{
	(void)state;
	assert_printable("usr/lib", "usr/lib");
	assert_printable("", "");
	assert_printable("a\nb\x1b[2J", "a\\x0ab\\x1b[2J");
	assert_printable("it's\\", "it\\x27s\\x5c");
	assert_printable("\x7f", "\\x7f");
	/* Two, three and four bytes of UTF-8 stay. */
	assert_printable("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
			 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	/* Latin-1; a sequence cut off; a second byte that is none. */
	assert_printable("caf\xe9", "caf\\xe9");
	assert_printable("\xe2\x82", "\\xe2\\x82");
	assert_printable("\xc3(", "\\xc3(");
	/* A C1 control (CSI), overlong '/', a surrogate, beyond U+10FFFF. */
	assert_printable("\xc2\x9b", "\\xc2\\x9b");
	assert_printable("\xc0\xaf", "\\xc0\\xaf");
	assert_printable("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	assert_printable("\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_printable("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	assert_printable("\xff", "\\xff");
}

static void test_print_sentence(void **state)
{
	static const char text[] = "open 'a\nb\\\x1b': caf\xc3\xa9\xff",
			  want[] = "open 'a\\x0ab\\\\x1b': caf\xc3\xa9\\xff";
	char *found = NULL;
	size_t n;
	FILE *stream = open_memstream(&found, &n);

	(void)state;
	assert_non_null(stream);
	ingot_print_sentence(text, strlen(text), stream);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(found, want);
	free(found);
}

static void test_printable_never_overruns(void **state)
{
	char name[300], text[128];

	(void)state;
	for (int byte = 1; byte < 256; byte += 2)
		for (size_t size = 16; size < 64; size++) {
			memset(name, byte, sizeof(name));
			memset(text, 'Z', sizeof(text));
			(void)ingot_printable(name, sizeof(name), text, size);
			assert_true(strlen(text) < size);
			assert_string_equal(text + strlen(text) - 3, "...");
			assert_int_equal(text[size], 'Z');
		}
}

static void test_base_name(void **state)
{
	(void)state;
	assert_string_equal(ingot_base_name("a"), "a");
	assert_string_equal(ingot_base_name("/a"), "a");
	assert_string_equal(ingot_base_name("a/b.c/d.e"), "d.e");
	assert_string_equal(ingot_base_name("a/"), "");
	assert_string_equal(ingot_base_name(""), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_there_and_back),
		cmocka_unit_test(test_hex_that_is_none),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_size_text),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_print_sentence),
		cmocka_unit_test(test_printable_never_overruns),
		cmocka_unit_test(test_base_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

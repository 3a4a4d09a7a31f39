#include "unit.h"

#include <string.h>

#include "base/crc32.h"

/* The check value of the CRC catalogue, and others from any gzip. */
static void vectors(void **state)
{
	(void)state;
	assert_int_equal(ingot_crc32(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(ingot_crc32(0, "", 0), 0);
	assert_int_equal(ingot_crc32(0, "a", 1), 0xe8b7be43);
	assert_int_equal(ingot_crc32(0, "The quick brown fox jumps over the lazy dog", 43),
			 0x414fa339);
	assert_int_equal(ingot_crc32(0, (unsigned char[32]){0}, 32), 0x190a55ad);
}

static void in_pieces(void **state)
{
	const char *text = "123456789";

	(void)state;
	for (size_t cut = 0; cut <= 9; cut++) {
		uint32_t crc = ingot_crc32(0, text, cut);

		assert_int_equal(ingot_crc32(crc, text + cut, 9 - cut), 0xcbf43926);
	}
}

/* The check value, and RFC 3720, appendix B.4. */
static void castagnoli(void **state)
{
	unsigned char bytes[32];

	(void)state;
	assert_int_equal(ingot_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(ingot_crc32c(ingot_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(ingot_crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(ingot_crc32c(0, bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(ingot_crc32c(0, bytes, 32), 0x46dd794e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(vectors), cmocka_unit_test(in_pieces),
					   cmocka_unit_test(castagnoli)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "verity/superblock.h"

static struct ingot_error err;

static struct ingot_verity_superblock example(void)
{
	struct ingot_verity_superblock superblock = {ingot_verity_defaults(), 129};

	for (uint8_t i = 0; i < 16; i++)
		superblock.params.uuid.bytes[i] = (uint8_t)(0x11 * i);
	superblock.params.salt_size = 8;
	for (uint8_t i = 0; i < 8; i++)
		superblock.params.salt[i] = (uint8_t)(i + 1);
	return superblock;
}

/*
 * seq 1 100000000 | head -c 528384 > d
 * veritysetup format d h --uuid=00112233-4455-6677-8899-aabbccddeeff --salt=0102030405060708
 * head -c 96 h | xxd -p
 */
static const char GOLDEN[] = "7665726974790000010000000100000000112233445566778899aabbccddeeff"
			     "7368613235360000000000000000000000000000000000000000000000000000"
			     "0010000000100000810000000000000008000000000000000102030405060708";

static void test_golden(void **state)
{
	struct ingot_verity_superblock superblock = example();
	uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE], rest[INGOT_VERITY_SUPERBLOCK_SIZE] = {0};
	char text[sizeof(GOLDEN)];

	(void)state;
	ingot_verity_superblock_encode(&superblock, raw);
	ingot_hex(raw, 96, text);
	assert_string_equal(text, GOLDEN);
	assert_memory_equal(raw + 96, rest, sizeof(raw) - 96);
}

static void test_round_trip(void **state)
{
	struct ingot_verity_superblock in = example(), out;
	uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE];

	(void)state;
	in.params.hash = "sha512";
	in.params.data_block_size = 512;
	in.params.hash_block_size = 524288;
	in.params.hash_type = 0;
	in.params.salt_size = 256;
	memset(in.params.salt, 0xa5, 256);
	ingot_verity_superblock_encode(&in, raw);
	assert_ok(ingot_verity_superblock_decode(raw, &out, &err));
	assert_string_equal(out.params.hash, "sha512");
	assert_int_equal(out.params.data_block_size, 512);
	assert_int_equal(out.params.hash_block_size, 524288);
	assert_int_equal(out.params.hash_type, 0);
	assert_int_equal(out.params.salt_size, 256);
	assert_memory_equal(out.params.salt, in.params.salt, 256);
	assert_memory_equal(out.params.uuid.bytes, in.params.uuid.bytes, 16);
	assert_int_equal(out.data_blocks, 129);
}

/* Every field in turn holds what no tree can have. */
static void test_hostile(void **state)
{
	static const struct {
		size_t offset;
		size_t size;
		const char *bytes;
		const char *words;
	} cases[] = {
		{0, 1, "V", "verity superblock: not there"},
		{7, 1, "\1", "not there"},
		{8, 4, "\0\0\0\0", "unknown version 0"},
		{8, 4, "\2\0\0\0", "unknown version 2"},
		{12, 4, "\2\0\0\0", "hash type 2"},
		{12, 4, "\xff\xff\xff\xff", "hash type 4294967295"},
		{32, 1, "\0", "unknown hash ''"},
		{32, 6, "SHA256", "unknown hash 'SHA256'"},
		{32, 6, "sha\n5\x7f", "unknown hash 'sha\\x0a5\\x7f'"},
		{32, 32, "sha256sha256sha256sha256sha256sh", "sha256sha256sha256sha256sha256sh"},
		{64, 4, "\0\0\0\0", "data block size 0"},
		{64, 4, "\0\1\0\0", "data block size 256"},
		{64, 4, "\1\x10\0\0", "data block size 4097"},
		{64, 4, "\0\0\0\x80", "data block size 2147483648"},
		{68, 4, "\0\0\0\0", "hash block size 0"},
		{68, 4, "\0\0\x10\0", "hash block size 1048576"},
		{68, 4, "\0\x30\0\0", "hash block size 12288"},
		{72, 8, "\0\0\0\0\0\0\0\0", "no data blocks"},
		{72, 8, "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615 data blocks"},
		{72, 8, "\0\0\0\0\0\0\x08\0", "2251799813685248 data blocks are too many"},
		{80, 2, "\1\1", "salt of 257 bytes"},
		{80, 2, "\xff\xff", "salt of 65535 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_verity_superblock superblock = example(), out = {0};
		uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE];

		ingot_verity_superblock_encode(&superblock, raw);
		memcpy(raw + cases[i].offset, cases[i].bytes, cases[i].size);
		assert_fails(ingot_verity_superblock_decode(raw, &out, &err), -EINVAL,
			     cases[i].words);
		assert_null(out.params.hash);
	}
}

static void test_read_names_the_place(void **state)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_verity_superblock out;
	uint8_t zero[1024] = {0};

	(void)state;
	assert_ok(ingot_source_memory("disk.raw", zero, sizeof(zero), &source, &err));
	assert_fails(ingot_verity_superblock_read(source, 512, &out, &err), -EINVAL,
		     "'disk.raw' at 0x200: verity superblock: not there");
	assert_fails(ingot_verity_superblock_read(source, 1024, &out, &err), -EIO, "past its end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_read_names_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Superblocks: what mke2fs would write, and what nobody should believe. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fs/ext_info.h"
#include "unit.h"

enum { SB = 1024, IMAGE_SIZE = 64 * 1024 };

/* Kernel, Documentation/filesystems/ext4/super.rst. */
enum {
	INODES = SB + 0,
	BLOCKS = SB + 4,
	FREE_BLOCKS = SB + 12,
	FREE_INODES = SB + 16,
	LOG_BLOCK = SB + 24,
	MAGIC = SB + 56,
	COMPAT = SB + 92,
	INCOMPAT = SB + 96,
	RO_COMPAT = SB + 100,
	UUID = SB + 104,
	LABEL = SB + 120,
	BLOCKS_HIGH = SB + 336,
	FREE_BLOCKS_HIGH = SB + 344,
};

/* 16 blocks of 4096, half of them free; sparse_super, large_file and filetype as mke2fs sets. */
static void fill(unsigned char image[IMAGE_SIZE])
{
	memset(image, 0, IMAGE_SIZE);
	ingot_put_le32(image + INODES, 32);
	ingot_put_le32(image + BLOCKS, 16);
	ingot_put_le32(image + FREE_BLOCKS, 8);
	ingot_put_le32(image + FREE_INODES, 21);
	ingot_put_le32(image + LOG_BLOCK, 2);
	ingot_put_le16(image + MAGIC, 0xef53);
	ingot_put_le32(image + INCOMPAT, 0x2);
	ingot_put_le32(image + RO_COMPAT, 0x3);
	memcpy(image + UUID, "0123456789abcdef", 16);
	memcpy(image + LABEL, "sixteen letters!", 16);
}

static int info(const unsigned char *image, size_t n, struct ingot_ext_info *ret,
		struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	int rc = ingot_source_memory("image", image, n, &source, err);

	return rc < 0 ? rc : ingot_ext_info(source, ret, err);
}

static void test_a_filesystem(void **state)
{
	unsigned char image[IMAGE_SIZE];
	struct ingot_ext_info i;
	struct ingot_error err = {0};

	(void)state;
	fill(image);
	assert_ok(info(image, sizeof(image), &i, &err));
	assert_string_equal(i.type, "ext2");
	assert_int_equal(i.size, 65536);
	assert_int_equal(i.free, 32768);
	assert_int_equal(i.block_size, 4096);
	assert_int_equal(i.inodes, 32);
	assert_int_equal(i.free_inodes, 21);
	assert_false(i.read_only);
	assert_memory_equal(i.uuid.bytes, "0123456789abcdef", 16);
	assert_string_equal(i.label, "sixteen letters!");
}

static void test_type_by_features(void **state)
{
	static const struct {
		uint32_t compat, incompat, ro_compat;
		const char *type;
		bool read_only;
	} cases[] = {
		{0, 0x2, 0x3, "ext2", false},	     {0x38, 0x2, 0x1003, "ext2", true},
		{0x38, 0x2, 0x5003, "ext2", true}, /* shared blocks: mke2fs -E ... android's */
		{0x4, 0x2, 0x3, "ext3", false},	     {0x4, 0x6, 0x3, "ext3", false},
		{0x3c, 0x2c2, 0x46b, "ext4", false}, {0, 0x42, 0x3, "ext4", false},
		{0x38, 0x2, 0x40b, "ext4", false},   {0, 0x82, 0x3, "ext4", false},
		{0x38, 0x42, 0x1003, "ext4", true},
	};
	unsigned char image[IMAGE_SIZE];
	struct ingot_ext_info i;
	struct ingot_error err = {0};

	(void)state;
	fill(image);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		ingot_put_le32(image + COMPAT, cases[k].compat);
		ingot_put_le32(image + INCOMPAT, cases[k].incompat);
		ingot_put_le32(image + RO_COMPAT, cases[k].ro_compat);
		assert_ok(info(image, sizeof(image), &i, &err));
		assert_string_equal(i.type, cases[k].type);
		assert_int_equal(i.read_only, cases[k].read_only);
	}
}

static void test_numbers_that_cannot_be_true(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} cases[] = {
		{BLOCKS, 17},
		{BLOCKS, UINT32_MAX},
		{BLOCKS, 0},
		{FREE_BLOCKS, 17},
		{LOG_BLOCK, 3},
		{LOG_BLOCK, 7},
		{LOG_BLOCK, UINT32_MAX},
		{FREE_INODES, 33},
	};
	unsigned char image[IMAGE_SIZE];
	struct ingot_ext_info i;
	struct ingot_error err = {0};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		fill(image);
		ingot_put_le32(image + cases[k].at, cases[k].value);
		assert_fails(info(image, sizeof(image), &i, &err), -EINVAL, "cannot be true");
	}
	/* The upper halves count only with the feature, and then they do. */
	fill(image);
	ingot_put_le32(image + BLOCKS_HIGH, UINT32_MAX);
	ingot_put_le32(image + FREE_BLOCKS_HIGH, UINT32_MAX);
	assert_ok(info(image, sizeof(image), &i, &err));
	ingot_put_le32(image + INCOMPAT, 0x82);
	assert_fails(info(image, sizeof(image), &i, &err), -EINVAL, "cannot be true");
}

static void test_what_is_none(void **state)
{
	unsigned char image[IMAGE_SIZE];
	struct ingot_ext_info i;
	struct ingot_error err = {0};

	(void)state;
	fill(image);
	assert_fails(info(image, 0, &i, &err), -ENODATA, "no ext filesystem");
	assert_fails(info(image, 2047, &i, &err), -ENODATA, "no ext filesystem");
	assert_fails(info(image, 2048, &i, &err), -EINVAL, "cannot be true"); /* cut off */
	ingot_put_le16(image + MAGIC, 0x53ef);
	assert_fails(info(image, sizeof(image), &i, &err), -ENODATA, "no ext filesystem");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_filesystem),
		cmocka_unit_test(test_type_by_features),
		cmocka_unit_test(test_numbers_that_cannot_be_true),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

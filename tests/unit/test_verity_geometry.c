#include "unit.h"

#include <errno.h>
#include <string.h>

#include "verity/geometry.h"

static struct ingot_error err;

static void test_1_gib(void **state)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	struct ingot_verity_geometry g;

	(void)state;
	assert_ok(ingot_verity_geometry(&params, 262144, 0, &g, &err));
	assert_int_equal(g.digest_size, 32);
	assert_int_equal(g.digests_per_block, 128);
	assert_int_equal(g.level_count, 3);
	assert_int_equal(g.levels[0].blocks, 2048);
	assert_int_equal(g.levels[1].blocks, 16);
	assert_int_equal(g.levels[2].blocks, 1);
	assert_int_equal(g.hash_blocks, 2065);
	assert_int_equal(g.tree_offset, 4096);
	assert_int_equal(g.levels[2].offset, 4096);
	assert_int_equal(g.levels[1].offset, 2 * 4096);
	assert_int_equal(g.levels[0].offset, 18 * 4096);
	assert_int_equal(g.end, 2066 * 4096);
}

static void test_levels(void **state)
{
	static const struct {
		uint64_t data_blocks;
		uint32_t hash_block_size;
		const char *hash;
		uint32_t per_block;
		unsigned levels;
		uint64_t hash_blocks;
	} cases[] = {
		{1, 4096, "sha256", 128, 0, 0},		{2, 4096, "sha256", 128, 1, 1},
		{127, 4096, "sha256", 128, 1, 1},	{128, 4096, "sha256", 128, 1, 1},
		{129, 4096, "sha256", 128, 2, 3},	{16384, 4096, "sha256", 128, 2, 129},
		{16385, 4096, "sha256", 128, 3, 132},	{129, 512, "sha256", 16, 2, 10},
		{129, 512, "sha512", 8, 3, 21},		{129, 512, "sha384", 8, 3, 21},
		{129, 512, "sha224", 16, 2, 10},	{16384, 524288, "sha256", 16384, 1, 1},
		{16385, 524288, "sha256", 16384, 2, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_verity_params params = ingot_verity_defaults();
		struct ingot_verity_geometry g;

		params.hash = cases[i].hash;
		params.hash_block_size = cases[i].hash_block_size;
		assert_ok(ingot_verity_geometry(&params, cases[i].data_blocks, 0, &g, &err));
		assert_int_equal(g.digests_per_block, cases[i].per_block);
		assert_int_equal(g.level_count, cases[i].levels);
		assert_int_equal(g.hash_blocks, cases[i].hash_blocks);
		assert_int_equal(g.end, (1 + g.hash_blocks) * cases[i].hash_block_size);
	}
}

/* Type 0 packs digests; how many go into a block is a power of two all the same. */
static void test_packed_digests(void **state)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	struct ingot_verity_geometry g;

	(void)state;
	params.hash_type = 0;
	params.hash = "sha384";
	assert_ok(ingot_verity_geometry(&params, 65, 0, &g, &err));
	assert_int_equal(g.slot_size, 48);
	assert_int_equal(g.digests_per_block, 64);
	assert_int_equal(g.level_count, 2);
}

static void test_offsets(void **state)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	struct ingot_verity_geometry g;

	(void)state;
	/* The tree starts at ceil((offset + 512) / hash block). */
	assert_ok(ingot_verity_geometry(&params, 129, 3584, &g, &err));
	assert_int_equal(g.tree_offset, 4096);
	assert_ok(ingot_verity_geometry(&params, 129, 4096, &g, &err));
	assert_int_equal(g.tree_offset, 8192);
	assert_fails(ingot_verity_geometry(&params, 129, 4095, &g, &err), -EINVAL,
		     "hash offset 4095 is not a multiple of 512");
	params.no_superblock = true;
	assert_ok(ingot_verity_geometry(&params, 129, 4096, &g, &err));
	assert_int_equal(g.tree_offset, 4096);
	assert_fails(ingot_verity_geometry(&params, 129, 3584, &g, &err), -EINVAL,
		     "hash offset 3584 is not a multiple of 4096");
}

static void test_refused(void **state)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	struct ingot_verity_geometry g;

	(void)state;
	assert_fails(ingot_verity_geometry(&params, 0, 0, &g, &err), -EINVAL, "no data block");
	assert_fails(ingot_verity_geometry(&params, UINT64_MAX, 0, &g, &err), -EFBIG, "too large");
	assert_fails(ingot_verity_geometry(&params, UINT64_MAX / 4096, 0, &g, &err), -EFBIG,
		     "too large");
	assert_ok(ingot_verity_geometry(&params, INT64_MAX / 4096 - 1, 0, &g, &err));
	assert_fails(ingot_verity_geometry(&params, 1, UINT64_MAX - 511, &g, &err), -EFBIG,
		     "too large");
	params.data_block_size = 8192;
	assert_fails(ingot_verity_geometry(&params, 1, 0, &g, &err), -EINVAL,
		     "data block size 8192");
	params.data_block_size = 3000;
	assert_fails(ingot_verity_geometry(&params, 1, 0, &g, &err), -EINVAL,
		     "data block size 3000");
	params = ingot_verity_defaults();
	params.hash_block_size = 256;
	assert_fails(ingot_verity_geometry(&params, 1, 0, &g, &err), -EINVAL, "hash block size");
	params = ingot_verity_defaults();
	params.hash = "md5";
	assert_fails(ingot_verity_geometry(&params, 1, 0, &g, &err), -EINVAL, "hash 'md5'");
	params = ingot_verity_defaults();
	params.hash_type = 2;
	assert_fails(ingot_verity_geometry(&params, 1, 0, &g, &err), -EINVAL, "hash type 2");
	params = ingot_verity_defaults();
	params.salt_size = 257;
	assert_fails(ingot_verity_geometry(&params, 1, 0, &g, &err), -EINVAL, "salt of 257");
}

static void test_fit(void **state)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	uint64_t blocks, offset;

	(void)state;
	/* Flatcar's USR partition: data, superblock and tree fill 1 GiB to the last byte. */
	assert_ok(ingot_verity_fit(&params, 1024 * 1024 * 1024, &blocks, &err));
	assert_int_equal(blocks, 260094);
	assert_ok(ingot_verity_append_offset(&params, blocks, &offset, &err));
	assert_int_equal(offset, 1065345024);
	assert_fails(ingot_verity_fit(&params, 8191, &blocks, &err), -ENOSPC, "8191 bytes");
	assert_ok(ingot_verity_fit(&params, 8192, &blocks, &err));
	assert_int_equal(blocks, 1);
}

/* One block more never fits, whatever the sizes. */
static void test_fit_is_tight(void **state)
{
	(void)state;
	for (uint32_t data = 512; data <= 4096; data *= 2)
		for (uint32_t hash = 512; hash <= 65536; hash *= 2)
			for (uint64_t bytes = 2 * 65536; bytes < 4000000; bytes = bytes * 3 / 2) {
				struct ingot_verity_params params = ingot_verity_defaults();
				struct ingot_verity_geometry g;
				uint64_t blocks, offset;

				params.data_block_size = data;
				params.hash_block_size = hash;
				params.no_superblock = bytes % 2 == 1;
				assert_ok(ingot_verity_fit(&params, bytes, &blocks, &err));
				assert_ok(
					ingot_verity_append_offset(&params, blocks, &offset, &err));
				assert_ok(ingot_verity_geometry(&params, blocks, offset, &g, &err));
				assert_true(g.data_size <= offset && g.end <= bytes);
				assert_ok(ingot_verity_append_offset(&params, blocks + 1, &offset,
								     &err));
				assert_ok(ingot_verity_geometry(&params, blocks + 1, offset, &g,
								&err));
				assert_true(g.end > bytes);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_1_gib),	       cmocka_unit_test(test_levels),
		cmocka_unit_test(test_packed_digests), cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_fit),
		cmocka_unit_test(test_fit_is_tight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

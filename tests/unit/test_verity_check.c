#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <libcryptsetup.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "verity/build.h"
#include "verity/check.h"
#include "verity_data.h"

static struct ingot_error err;

/* 3 levels of 512-byte hash blocks over 300 blocks of data: 19, 2 and 1 hash blocks. */
enum { BLOCKS = 300, BLOCK = 512, SIZE = BLOCKS * BLOCK, AREA = 23 * 512 };

struct built {
	struct ingot_verity_params params;
	uint8_t *data;
	uint8_t area[AREA];
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t root_size;
};

static int setup(void **state)
{
	struct built *built = test_calloc(1, sizeof(*built));
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct ingot_verity_job job = {.jobs = 1};
	uint8_t *area;

	built->params = ingot_verity_defaults();
	built->params.data_block_size = built->params.hash_block_size = BLOCK;
	built->data = make_data(SIZE);
	assert_ok(ingot_source_memory("data", built->data, SIZE, &source, &err));
	assert_ok(ingot_sink_memory(AREA, &sink, &area, &err));
	job.data = source;
	job.hash = sink;
	assert_ok(ingot_verity_build(&built->params, &job, built->root, &built->root_size, &err));
	memcpy(built->area, area, AREA);
	*state = built;
	return 0;
}

static int teardown(void **state)
{
	test_free(((struct built *)*state)->data);
	test_free(*state);
	return 0;
}

static int check_sized(struct built *built, size_t data_size, size_t area_size, unsigned jobs,
		       struct ingot_verity_result *ret)
{
	INGOT_SOURCE struct ingot_source *data = NULL, *hash = NULL;
	struct ingot_verity_check check = {
		.data_blocks = BLOCKS,
		.root = built->root,
		.root_size = built->root_size,
		.jobs = jobs,
	};

	assert_ok(ingot_source_memory("data", built->data, data_size, &data, &err));
	assert_ok(ingot_source_memory("hash", built->area, area_size, &hash, &err));
	check.data = data;
	check.hash = hash;
	return ingot_verity_check(&built->params, &check, ret, &err);
}

/* libcryptsetup about the same. */
static enum ingot_verity_verdict second(struct built *built, unsigned jobs)
{
	INGOT_SOURCE struct ingot_source *data = NULL, *hash = NULL;
	struct ingot_verity_check check = {
		.data_blocks = BLOCKS,
		.root = built->root,
		.root_size = built->root_size,
		.jobs = jobs,
	};
	char words[INGOT_VERITY_WORDS];
	enum ingot_verity_verdict verdict;

	assert_ok(ingot_source_memory("data", built->data, SIZE, &data, &err));
	assert_ok(ingot_source_memory("hash", built->area, AREA, &hash, &err));
	check.data = data;
	check.hash = hash;
	assert_ok(ingot_verity_check_second(&built->params, &check, &verdict, words, &err));
	return verdict;
}

static struct ingot_verity_result check(struct built *built, unsigned jobs)
{
	struct ingot_verity_result result;

	assert_ok(check_sized(built, SIZE, AREA, jobs, &result));
	return result;
}

static void assert_bad(struct built *built, int level, uint64_t block, uint64_t offset)
{
	for (unsigned jobs = 1; jobs <= 4; jobs += 3) {
		struct ingot_verity_result result = check(built, jobs);

		assert_int_equal(result.verdict, INGOT_VERITY_BAD);
		assert_int_equal(result.level, level);
		assert_int_equal(result.block, block);
		assert_int_equal(result.offset, offset);
		assert_int_equal(second(built, jobs), INGOT_VERITY_BAD);
	}
}

static void test_good(void **state)
{
	assert_int_equal(check(*state, 1).verdict, INGOT_VERITY_GOOD);
	assert_int_equal(check(*state, 8).verdict, INGOT_VERITY_GOOD);
	assert_int_equal(second(*state, 1), INGOT_VERITY_GOOD);
	assert_int_equal(second(*state, 8), INGOT_VERITY_GOOD);
}

static void test_every_data_block(void **state)
{
	struct built *built = *state;

	for (unsigned i = 0; i < BLOCKS; i++) {
		built->data[i * BLOCK + i % BLOCK] ^= 1;
		assert_bad(built, INGOT_VERITY_LEVEL_DATA, i, (uint64_t)i * BLOCK);
		built->data[i * BLOCK + i % BLOCK] ^= 1;
	}
}

/* Root level at 512, then level 1 at 1024, then the leaves at 2048. */
static void test_every_byte_of_the_tree(void **state)
{
	struct built *built = *state;

	for (unsigned i = 512; i < AREA; i += 7) {
		int level = i < 1024 ? 2 : i < 2048 ? 1 : 0;
		uint64_t start = i < 1024 ? 512 : i < 2048 ? 1024 : 2048;

		built->area[i] ^= 0x80;
		assert_bad(built, level, (i - start) / 512, i - i % 512);
		built->area[i] ^= 0x80;
	}
}

static void test_root(void **state)
{
	struct built *built = *state;

	built->root[31] ^= 1;
	assert_bad(built, 2, 0, 512);
	built->root[31] ^= 1;
}

static void test_salt_counts(void **state)
{
	struct built *built = *state;

	built->params.salt_size = 1;
	assert_bad(built, 2, 0, 512);
	built->params.salt_size = 0;
}

/* The lowest bad block is named, however many there are and whoever finds one first. */
static void test_first_of_many(void **state)
{
	struct built *built = *state;

	for (unsigned i = 200; i < BLOCKS; i++)
		built->data[i * BLOCK] ^= 1;
	assert_bad(built, INGOT_VERITY_LEVEL_DATA, 200, 200 * BLOCK);
	for (unsigned i = 200; i < BLOCKS; i++)
		built->data[i * BLOCK] ^= 1;
}

static void test_could_not(void **state)
{
	struct built *built = *state;
	struct ingot_verity_result result;

	assert_fails(check_sized(built, SIZE - 1, AREA, 1, &result), -EINVAL,
		     "'data' has 153599 bytes, but its hash tree is for 153600");
	assert_int_equal(result.verdict, INGOT_VERITY_NOT_CHECKED);
	assert_fails(check_sized(built, SIZE, AREA - 1, 1, &result), -EINVAL,
		     "'hash' ends at 11775, but its hash tree at 11776");
	assert_int_equal(result.verdict, INGOT_VERITY_NOT_CHECKED);
	built->root_size = 20;
	assert_fails(check_sized(built, SIZE, AREA, 1, &result), -EINVAL, "20 bytes");
	assert_int_equal(result.verdict, INGOT_VERITY_NOT_CHECKED);
	built->root_size = 32;
}

/* --- more than one window ---------------------------------------------- */

/*
 * 6150 blocks of 512 bytes: 385, 25, 2 and 1 hash blocks, which libcryptsetup is asked about in 25
 * windows of two levels, then one of the two others. The middle is zero.
 */
enum { MANY = 6150, MANY_SIZE = MANY * BLOCK, MANY_AREA = (1 + 385 + 25 + 2 + 1) * BLOCK };

static enum ingot_verity_verdict ask(const struct built *built, struct ingot_sink *sink,
				     unsigned jobs)
{
	INGOT_SOURCE struct ingot_source *data = NULL, *hash = NULL;
	char words[INGOT_VERITY_WORDS];
	enum ingot_verity_verdict verdict;
	struct ingot_verity_check check = {.data_blocks = MANY,
					   .root = built->root,
					   .root_size = built->root_size,
					   .jobs = jobs};

	assert_ok(ingot_source_memory("data", built->data, MANY_SIZE, &data, &err));
	assert_ok(ingot_sink_source(sink, &hash, &err));
	check.data = data;
	check.hash = hash;
	assert_ok(ingot_verity_check_second(&built->params, &check, &verdict, words, &err));
	return verdict;
}

/* --- libcryptsetup, by several threads --------------------------------- */

static struct {
	bool slow;
	atomic_uint inside;
	atomic_bool overlapped;
} opening;

/* In the library's place, and then the library's: its first call makes the globals of its crypto
 * library, without a lock. */
int crypt_format(struct crypt_device *cd, const char *type, const char *cipher, const char *mode,
		 const char *uuid, const char *key, size_t key_size, void *params)
{
	int (*format)(struct crypt_device *, const char *, const char *, const char *, const char *,
		      const char *, size_t, void *);
	void *symbol = dlsym(RTLD_NEXT, "crypt_format");
	int rc;

	assert_non_null(symbol);
	memcpy(&format, &symbol, sizeof(format));
	if (atomic_fetch_add(&opening.inside, 1) > 0)
		atomic_store(&opening.overlapped, true);
	if (opening.slow)
		(void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	rc = format(cd, type, cipher, mode, uuid, key, key_size, params);
	atomic_fetch_sub(&opening.inside, 1);
	return rc;
}

static void assert_opened_by_one_at_a_time(const struct built *built, struct ingot_sink *sink)
{
	opening.slow = true;
	assert_int_equal(ask(built, sink, 4), INGOT_VERITY_GOOD);
	opening.slow = false;
	assert_false(atomic_load(&opening.overlapped));
}

static void test_second_opinion_in_windows(void **state)
{
	struct built built = {.params = ((struct built *)*state)->params};
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct ingot_verity_job job = {.jobs = 1};
	uint8_t *area;

	built.data = make_data(MANY_SIZE);
	memset(built.data + MANY_SIZE / 4, 0, MANY_SIZE / 2);
	assert_ok(ingot_source_memory("data", built.data, MANY_SIZE, &source, &err));
	assert_ok(ingot_sink_memory(MANY_AREA, &sink, &area, &err));
	job.data = source;
	job.hash = sink;
	assert_ok(ingot_verity_build(&built.params, &job, built.root, &built.root_size, &err));
	assert_opened_by_one_at_a_time(&built, sink);
	for (unsigned jobs = 1; jobs <= 4; jobs += 3) {
		assert_int_equal(ask(&built, sink, jobs), INGOT_VERITY_GOOD);
		for (size_t i = 0; i < MANY_SIZE; i += 200003) {
			built.data[i] ^= 4;
			assert_int_equal(ask(&built, sink, jobs), INGOT_VERITY_BAD);
			built.data[i] ^= 4;
		}
		for (size_t i = BLOCK; i < MANY_AREA; i += 1543) {
			area[i] ^= 4;
			assert_int_equal(ask(&built, sink, jobs), INGOT_VERITY_BAD);
			area[i] ^= 4;
		}
	}
	test_free(built.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_every_data_block),
		cmocka_unit_test(test_every_byte_of_the_tree),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_salt_counts),
		cmocka_unit_test(test_first_of_many),
		cmocka_unit_test(test_could_not),
		cmocka_unit_test(test_second_opinion_in_windows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

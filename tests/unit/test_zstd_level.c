/* Every level's parameters are ones that libzstd takes, and do what their number says. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "formats/zstd_level_internal.h"

enum { N = 65536, LEVELS = 9 };

/* Words of three letters, some of them often. */
static unsigned char *make_data(void)
{
	unsigned char *data = malloc(N);
	uint64_t x = 1;

	for (size_t i = 0; i < N; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		data[i] = i % 97 < 60 && i > 5000 ? data[i - 97 * (1 + (x >> 33) % 50)]
						  : (unsigned char)(97 + (x >> 58) % 20);
	}
	return data;
}

static void test_levels(void **state)
{
	unsigned char *data = make_data(), *back = malloc(N), *packed = malloc(2 * N);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	struct ingot_error err = {0};
	size_t sizes[LEVELS + 1] = {0};

	(void)state;
	for (unsigned level = 1; level <= LEVELS; level++) {
		size_t again;

		assert_ok(ingot_zstd_set_level(zstd, level, &err));
		sizes[level] = ZSTD_compress2(zstd, packed, 2 * N, data, N);
		assert_false(ZSTD_isError(sizes[level]));
		assert_int_equal(ZSTD_getFrameContentSize(packed, sizes[level]), N);
		memset(back, 0, N);
		assert_int_equal(ZSTD_decompress(back, N, packed, sizes[level]), N);
		assert_memory_equal(back, data, N);
		again = ZSTD_compress2(zstd, packed, 2 * N, data, N);
		assert_int_equal(again, sizes[level]);
	}
	assert_true(sizes[1] < N);
	assert_true(sizes[5] < sizes[1]);
	assert_true(sizes[9] < sizes[5]);
	(void)ZSTD_freeCCtx(zstd);
	free(data);
	free(back);
	free(packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

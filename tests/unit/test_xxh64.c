/* XXH64 against values of xxhsum and of Zstandard's own frames. */
#include <string.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/xxh64.h"
#include "unit.h"

static void test_vectors(void **state)
{
	(void)state;
	assert_true(ingot_xxh64("", 0) == UINT64_C(0xef46db3751d8e999));
	assert_true(ingot_xxh64("a", 1) == UINT64_C(0xd24ec4f1a98c6e5b));
	assert_true(ingot_xxh64("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
}

/* The last 4 bytes of a frame with a checksum, for every length of a tail behind the stripes. */
static void test_frames(void **state)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	unsigned char data[200], frame[400];

	(void)state;
	assert_non_null(zstd);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 151 + 7);
	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	for (size_t n = 1; n <= sizeof(data); n++) {
		size_t got = ZSTD_compress2(zstd, frame, sizeof(frame), data, n);

		assert_false(ZSTD_isError(got));
		assert_int_equal(ingot_get_le32(frame + got - 4), (uint32_t)ingot_xxh64(data, n));
	}
	(void)ZSTD_freeCCtx(zstd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

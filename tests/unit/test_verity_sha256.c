/* Each way of computing SHA-256 that this processor has, against libcrypto. */
#include "unit.h"

#include <openssl/evp.h>
#include <string.h>

#include "verity/sha256_lanes_internal.h"

static struct ingot_error err;

enum { LANES = INGOT_SHA256_LANES_MAX, SIZE_MAX_ = 8192 };

/* The same "random" bytes on every run: a linear congruential generator (Knuth, MMIX). */
static uint64_t random_state = 1;

static uint32_t next_random(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 32);
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)next_random();
}

static void reference(const uint8_t *salt, size_t salt_size, const uint8_t *data, size_t size,
		      uint8_t digest[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_non_null(ctx);
	assert_int_equal(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, salt, salt_size), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, data, size), 1);
	assert_int_equal(EVP_DigestFinal_ex(ctx, digest, NULL), 1);
	EVP_MD_CTX_free(ctx);
}

static void compare(const struct ingot_sha256_kernel *kernel, size_t salt_size, size_t size,
		    size_t count)
{
	static uint8_t data[LANES][SIZE_MAX_ + 1];
	uint8_t salt[INGOT_VERITY_SALT_MAX], got[LANES + 1][32], want[32];
	struct ingot_verity_block blocks[LANES];
	struct ingot_sha256_salted salted;

	memset(got, 0xee, sizeof(got));
	fill(salt, salt_size);
	for (size_t i = 0; i < count; i++) {
		size_t odd = i % 2; /* no alignment is needed */

		fill(data[i] + odd, size);
		blocks[i] = (struct ingot_verity_block){data[i] + odd, got[i]};
	}
	ingot_sha256_salt(kernel, salt, salt_size, &salted);
	ingot_sha256_lanes(kernel, &salted, blocks, count, size);
	for (size_t i = 0; i < count; i++) {
		reference(salt, salt_size, blocks[i].data, size, want);
		assert_memory_equal(got[i], want, 32);
	}
	memset(want, 0xee, sizeof(want));
	assert_memory_equal(got[count], want, 32); /* nothing behind the last digest */
}

static void check_kernel(const struct ingot_sha256_kernel *kernel)
{
	if (!kernel)
		skip();
	for (size_t salt_size = 0; salt_size <= INGOT_VERITY_SALT_MAX; salt_size++)
		compare(kernel, salt_size, 512, kernel->lanes);
	for (size_t size = 64; size <= SIZE_MAX_; size *= 2)
		for (size_t count = 1; count <= kernel->lanes; count++)
			compare(kernel, next_random() % (INGOT_VERITY_SALT_MAX + 1), size, count);
}

static void test_shani(void **state)
{
	(void)state;
	check_kernel(ingot_sha256_shani());
}

static void test_avx512(void **state)
{
	(void)state;
	check_kernel(ingot_sha256_avx512());
}

/* However many blocks there are, and however they are shared out. */
static void test_hasher(void **state)
{
	enum { COUNT = 70, SIZE = 1024 };
	static uint8_t data[COUNT][SIZE], got[COUNT][32];
	struct ingot_verity_block blocks[COUNT];

	(void)state;
	fill(data[0], sizeof(data));
	for (size_t i = 0; i < COUNT; i++)
		blocks[i] = (struct ingot_verity_block){data[i], got[i]};
	for (uint32_t type = 0; type <= 1; type++) {
		struct ingot_verity_params params = ingot_verity_defaults();
		struct ingot_verity_hasher *hasher;

		params.hash_type = type;
		params.salt_size = type * 33; /* none for type 0: then the order is the same */
		fill(params.salt, params.salt_size);
		assert_ok(ingot_verity_hasher_new(&params, &hasher, &err));
		for (size_t count = 0; count <= COUNT; count++) {
			uint8_t want[32];

			memset(got, 0, sizeof(got));
			assert_ok(ingot_verity_hash(hasher, blocks, count, SIZE, &err));
			for (size_t i = 0; i < count; i++) {
				reference(params.salt, params.salt_size, data[i], SIZE, want);
				assert_memory_equal(got[i], want, 32);
			}
		}
		ingot_verity_hasher_free(hasher);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shani),
		cmocka_unit_test(test_avx512),
		cmocka_unit_test(test_hasher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

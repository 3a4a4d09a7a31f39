/*
 * Derived identifiers and SHA-256 against openssl's command line:
 *
 *	printf '%s' LABEL | openssl dgst -sha256 -mac HMAC -macopt hexkey:SEED
 *	printf 'ingot seed\0demo\0001\0x86-64\0' | openssl dgst -sha256
 */
#include <errno.h>
#include <string.h>

#include "base/derive.h"
#include "base/text.h"
#include "unit.h"

static const char SEED[] = "00112233445566778899aabbccddeeff";

static void assert_hex(const void *data, size_t n, const char *want)
{
	char text[2 * 64 + 1];

	ingot_hex(data, n, text);
	assert_string_equal(text, want);
}

static void test_hmac_vectors(void **state)
{
	static const struct {
		const char *label, *mac;
	} vectors[] = {
		{"gpt disk", "464e7a8a6fdd007be615e76bd97f85fb0426e99d249176d0af51865c72a55bae"},
		{"verity salt USR-A",
		 "7fa25eec85586216efdd48f3669bc16fe0cff55c70a536ed02ab7d0ed6e857aa"},
		{"", "e8a06537f096ccf1a3c425a56cea054072c4a8db67bd28cfb02fbeaf84b35f6c"},
	};
	struct ingot_error err = {0};
	struct ingot_seed seed;
	uint8_t bytes[32];

	(void)state;
	assert_ok(ingot_seed_parse(SEED, &seed, &err));
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_ok(ingot_derive(&seed, vectors[i].label, bytes, sizeof(bytes), &err));
		assert_hex(bytes, sizeof(bytes), vectors[i].mac);
	}
	memset(bytes, 0x55, sizeof(bytes));
	assert_ok(ingot_derive(&seed, "gpt disk", bytes, 4, &err));
	assert_hex(bytes, 5, "464e7a8a55");
}

static void test_guid_has_version_and_variant(void **state)
{
	struct ingot_error err = {0};
	char text[INGOT_GUID_TEXT];
	struct ingot_seed seed;
	struct ingot_guid guid;

	(void)state;
	assert_ok(ingot_seed_parse(SEED, &seed, &err));
	assert_ok(ingot_derive_guid(&seed, "gpt disk", &guid, &err));
	/* 464e7a8a 6fdd 007b e615 e76bd97f85fb with 4 in byte 6 and 10 in byte 8's top bits. */
	assert_string_equal(ingot_guid_text(&guid, text), "464e7a8a-6fdd-407b-a615-e76bd97f85fb");
}

static void test_seed_of_64_bytes(void **state)
{
	struct ingot_error err = {0};
	struct ingot_seed seed;
	uint8_t bytes[32];
	char hex[131];

	(void)state;
	for (int i = 0; i < 65; i++)
		memcpy(hex + 2 * i, "ab", 3);
	assert_fails(ingot_seed_parse(hex, &seed, &err), -EINVAL, "seed: ");
	hex[128] = '\0';
	assert_ok(ingot_seed_parse(hex, &seed, &err));
	assert_int_equal(seed.size, 64);
	assert_ok(ingot_derive(&seed, "gpt disk", bytes, sizeof(bytes), &err));
	assert_hex(bytes, sizeof(bytes),
		   "603a4b5b117b1caac91731211fe35e02d3dc428b599de0768ef4c9b04031e8d2");
}

static void test_seeds_that_are_none(void **state)
{
	struct ingot_error err = {0};
	struct ingot_seed seed = {.size = 17};

	(void)state;
	assert_fails(ingot_seed_parse("", &seed, &err), -EINVAL, "seed: 0 bytes are too few");
	assert_fails(ingot_seed_parse("00112233445566778899aabbccddee", &seed, &err), -EINVAL,
		     "seed: 15 bytes are too few (16 to 64)");
	assert_fails(ingot_seed_parse("xyz1", &seed, &err), -EINVAL, "not hexadecimal");
	assert_int_equal(seed.size, 17);
}

static void test_seed_from_name(void **state)
{
	struct ingot_error err = {0};
	struct ingot_seed seed, other;

	(void)state;
	assert_ok(ingot_seed_from_name("demo", "1", "x86-64", &seed, &err));
	assert_int_equal(seed.size, 32);
	assert_hex(seed.bytes, 32,
		   "c80967e1400bfbc2f96e113813f37268787af89c3fa72ae3cd9d2fe0020fdb5e");
	/* Where one part ends and the next begins counts. */
	assert_ok(ingot_seed_from_name("demo1", "", "x86-64", &other, &err));
	assert_memory_not_equal(seed.bytes, other.bytes, 32);
}

static void test_sha256_starts_anew_after_final(void **state)
{
	struct ingot_error err = {0};
	INGOT_SHA256 struct ingot_sha256 *sha = ingot_sha256_new(&err);
	uint8_t digest[INGOT_SHA256_SIZE];

	(void)state;
	assert_non_null(sha);
	for (int round = 0; round < 2; round++) {
		assert_ok(ingot_sha256_update(sha, "a", 1, &err));
		assert_ok(ingot_sha256_update(sha, "bc", 2, &err));
		assert_ok(ingot_sha256_final(sha, digest, &err));
		/* FIPS 180-4's example "abc" */
		assert_hex(digest, 32,
			   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	}
	assert_ok(ingot_sha256("", 0, digest, &err));
	assert_hex(digest, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hmac_vectors),
		cmocka_unit_test(test_guid_has_version_and_variant),
		cmocka_unit_test(test_seed_of_64_bytes),
		cmocka_unit_test(test_seeds_that_are_none),
		cmocka_unit_test(test_seed_from_name),
		cmocka_unit_test(test_sha256_starts_anew_after_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "unit.h"

#include <openssl/ecdsa.h>
#include <string.h>

#include "base/text.h"
#include "sign/keys_internal.h"
#include "test_keys.h"

/* RFC 6979, A.2.5 and A.2.6, with SHA-256 */
struct vector {
	const char *key, *message, *r, *s;
};

static const struct vector VECTORS[] = {
	{"c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", "sample",
	 "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
	 "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
	{"c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", "test",
	 "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
	 "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
	{"6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
	 "96d5724e4c70a825f872c9ea60d2edf5",
	 "sample",
	 "21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33"
	 "bde1e888e63355d92fa2b3c36d8fb2cd",
	 "f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feeb"
	 "efdc63eccd1ac42ec0cb8668a4fa0ab0"},
	{"6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
	 "96d5724e4c70a825f872c9ea60d2edf5",
	 "test",
	 "6d6defac9ab64dabafe36c6bf510352a4cc27001263638e5b16d9bb51d451559"
	 "f918eedaf2293be5b475cc8f0188636b",
	 "2d46f3becbcc523d5f1a1256bf0c9b024d879ba9e838144c8ba6baeb4b53b47d"
	 "51ab373f9845c0514eefb14024787265"},
};

/* ECPrivateKey (RFC 5915) without the public half. */
static EVP_PKEY *make_key(const char *hex)
{
	static const uint8_t p256[] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86,
				       0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static const uint8_t p384[] = {0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
	uint8_t der[128] = {0x30, 0, 0x02, 0x01, 0x01, 0x04};
	struct ingot_error err = {0};
	const unsigned char *p = der;
	EVP_PKEY *key;
	size_t n, end;

	assert_ok(ingot_unhex(hex, der + 7, 48, &n, &err));
	der[6] = (uint8_t)n;
	end = 7 + n + (n == 32 ? sizeof(p256) : sizeof(p384));
	memcpy(der + 7 + n, n == 32 ? p256 : p384, n == 32 ? sizeof(p256) : sizeof(p384));
	der[1] = (uint8_t)(end - 2);
	key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, (long)end);
	assert_non_null(key);
	return key;
}

static void same_number(const BIGNUM *number, const char *hex)
{
	BIGNUM *want = NULL;

	assert_true(BN_hex2bn(&want, hex) > 0);
	assert_int_equal(BN_cmp(number, want), 0);
	BN_free(want);
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		const struct vector *v = &VECTORS[i];
		EVP_PKEY *key = make_key(v->key);
		uint8_t digest[32], signature[INGOT_RAW_SIGNATURE_MAX];
		const unsigned char *p = signature;
		struct ingot_error err = {0};
		const BIGNUM *r, *s;
		ECDSA_SIG *pair;
		size_t n;

		assert_ok(ingot_sha256(v->message, strlen(v->message), digest, &err));
		assert_ok(ecdsa_sign(key, digest, false /* full */, signature, &n, &err));
		pair = d2i_ECDSA_SIG(NULL, &p, (long)n);
		assert_non_null(pair);
		assert_ptr_equal(p, signature + n);
		ECDSA_SIG_get0(pair, &r, &s);
		same_number(r, v->r);
		same_number(s, v->s);
		ECDSA_SIG_free(pair);
		EVP_PKEY_free(key);
	}
}

/* Where the RFC's own signature has its full length, it is the one; else a later candidate's. */
static void test_full(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		const struct vector *v = &VECTORS[i];
		EVP_PKEY *key = make_key(v->key);
		uint8_t digest[32], one[INGOT_RAW_SIGNATURE_MAX], two[INGOT_RAW_SIGNATURE_MAX];
		bool same = v->r[0] >= '8' && v->s[0] >= '8';
		struct ingot_error err = {0};
		size_t n, full;

		assert_ok(ingot_sha256(v->message, strlen(v->message), digest, &err));
		assert_ok(ecdsa_sign(key, digest, false /* full */, one, &n, &err));
		assert_ok(ecdsa_sign(key, digest, true /* full */, two, &full, &err));
		assert_int_equal(full, EVP_PKEY_get_size(key));
		assert_int_equal(n == full && memcmp(one, two, n) == 0, same);
		EVP_PKEY_free(key);
	}
}

/* Keys and digests of all sorts: libcrypto says that the signature is good. */
static void test_verifies(void **state)
{
	static const char *const curves[] = {"P-256", "P-384"};

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		EVP_PKEY *pkey = EVP_EC_gen(curves[i % 2]);
		char *pem = test_key_pem(pkey, NULL);
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
		uint8_t digest[32], one[INGOT_RAW_SIGNATURE_MAX], two[INGOT_RAW_SIGNATURE_MAX];
		struct ingot_error err = {0};
		struct ingot_key *key = NULL;
		size_t one_n, two_n;

		memset(digest, i < 4 ? (i < 2 ? 0 : 0xff) : (int)(7 * i), sizeof(digest));
		assert_ok(ingot_key_parse("x", pem, strlen(pem), &key, &err));
		assert_ok(ingot_key_sign(key, digest, one, &one_n, &err));
		assert_ok(ingot_key_sign(key, digest, two, &two_n, &err));
		assert_int_equal(one_n, two_n);
		assert_int_equal(one_n, EVP_PKEY_get_size(pkey));
		assert_memory_equal(one, two, one_n);
		assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
		assert_int_equal(EVP_PKEY_verify(ctx, one, one_n, digest, sizeof(digest)), 1);
		EVP_PKEY_CTX_free(ctx);
		ingot_key_free(key);
		free(pem);
		EVP_PKEY_free(pkey);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_verifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

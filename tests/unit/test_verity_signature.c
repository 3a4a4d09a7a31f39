#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "verity/signature_partition.h"

static struct ingot_error err;

#define ROOT  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PRINT "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_golden(void **state)
{
	static const char want[] = "{\"rootHash\":\"" ROOT "\",\"certificateFingerprint\":\"" PRINT
				   "\",\"signature\":\"MAMCAQE=\"}";
	static const uint8_t pkcs7[] = {0x30, 3, 2, 1, 1};
	struct ingot_verity_signature in = {
		.root_size = 32, .pkcs7 = pkcs7, .pkcs7_size = 5, .has_fingerprint = true};
	struct ingot_verity_signature out;
	INGOT_FREE uint8_t *raw = NULL, *der = NULL;
	size_t size;

	(void)state;
	memset(in.root, 0xaa, 32);
	memset(in.fingerprint, 0xbb, 32);
	assert_ok(ingot_verity_signature_encode(&in, &raw, &size, &err));
	assert_int_equal(size, 4096);
	assert_string_equal((const char *)raw, want);
	for (size_t i = sizeof(want); i < size; i++)
		assert_int_equal(raw[i], 0);
	assert_ok(ingot_verity_signature_decode(raw, size, &out, &der, &err));
	assert_int_equal(out.root_size, 32);
	assert_memory_equal(out.root, in.root, 32);
	assert_true(out.has_fingerprint);
	assert_memory_equal(out.fingerprint, in.fingerprint, 32);
	assert_int_equal(out.pkcs7_size, 5);
	assert_memory_equal(out.pkcs7, pkcs7, 5);
}

/* Every length of padding that base64 has, and a JSON that fills more than one block. */
static void test_round_trip_sizes(void **state)
{
	uint8_t pkcs7[10000];

	(void)state;
	memset(pkcs7, 0xff, sizeof(pkcs7));
	for (size_t n = 1; n <= sizeof(pkcs7); n = n < 4 ? n + 1 : n * 3 + 1) {
		struct ingot_verity_signature in = {
			.root_size = 64, .pkcs7 = pkcs7, .pkcs7_size = n};
		struct ingot_verity_signature out;
		INGOT_FREE uint8_t *raw = NULL, *der = NULL;
		size_t size;

		assert_ok(ingot_verity_signature_encode(&in, &raw, &size, &err));
		assert_int_equal(size % 4096, 0);
		assert_ok(ingot_verity_signature_decode(raw, size, &out, &der, &err));
		assert_int_equal(out.root_size, 64);
		assert_false(out.has_fingerprint);
		assert_int_equal(out.pkcs7_size, n);
		assert_memory_equal(out.pkcs7, pkcs7, n);
	}
}

static void test_hostile(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "line 1"},
		{"{", "line 1"},
		{"[]", "not a JSON object"},
		{"{}", "no key 'rootHash'"},
		{"{\"rootHash\":1}", "no text in 'rootHash'"},
		{"{\"rootHash\":\"\"}", "'rootHash' is empty"},
		{"{\"rootHash\":\"AA\"}", "not lower-case hex"},
		{"{\"rootHash\":\"aaa\"}", "'rootHash'"},
		{"{\"rootHash\":\"" ROOT ROOT "aa\"}", "'rootHash'"},
		{"{\"rootHash\":\"aa\"}", "no key 'signature'"},
		{"{\"rootHash\":\"aa\",\"rootHash\":\"bb\",\"signature\":\"AAAA\"}", "duplicate"},
		{"{\"rootHash\":\"aa\",\"signature\":\"\"}", "'signature' is not base64"},
		{"{\"rootHash\":\"aa\",\"signature\":\"AAA\"}", "'signature' is not base64"},
		{"{\"rootHash\":\"aa\",\"signature\":\"A===\"}", "'signature' is not base64"},
		{"{\"rootHash\":\"aa\",\"signature\":\"AA=A\"}", "'signature' is not base64"},
		{"{\"rootHash\":\"aa\",\"signature\":\" AAA\"}", "'signature' is not base64"},
		{"{\"rootHash\":\"aa\",\"signature\":\"AA\\u0000A\"}", "line 1"},
		{"{\"rootHash\":\"aa\",\"signature\":\"AAAA\",\"certificateFingerprint\":\"bb\"}",
		 "'certificateFingerprint' has 1 bytes"},
		{"{\"rootHash\":\"aa\",\"signature\":\"AAAA\",\"certificateFingerprint\":null}",
		 "no text in 'certificateFingerprint'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_verity_signature out;
		uint8_t *der = NULL;

		assert_fails(ingot_verity_signature_decode((const uint8_t *)cases[i].text,
							   strlen(cases[i].text), &out, &der, &err),
			     -EINVAL, cases[i].words);
		assert_null(der);
	}
}

static void test_padding(void **state)
{
	uint8_t raw[4096] = "{\"rootHash\":\"aa\",\"signature\":\"AAAA\"}";
	struct ingot_verity_signature out;
	uint8_t *der = NULL;

	(void)state;
	raw[4095] = ' ';
	assert_fails(ingot_verity_signature_decode(raw, sizeof(raw), &out, &der, &err), -EINVAL,
		     "of the padding is not zero");
	assert_null(der);
	raw[4095] = 0;
	assert_ok(ingot_verity_signature_decode(raw, sizeof(raw), &out, &der, &err));
	free(der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_round_trip_sizes),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

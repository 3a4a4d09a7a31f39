/* The manifest's own signature: every byte of it and of what it signs counts. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "image/verify.h"
#include "sign/cms.h"
#include "test_keys.h"

struct party {
	struct ingot_key *key;
	struct ingot_certificate *certificate;
};

/* One, and another whose certificate has the same name and number. */
static struct party ours, impostor;

static const char TEXT[] = "{\"manifest\": 1, \"outputs\": [{\"format\": \"raw\"}]}\n";

/* What `ingot verify` is given. */
struct given {
	char text[sizeof(TEXT)];
	uint8_t *signature;
	size_t n;
};

static struct party make_party(void)
{
	EVP_PKEY *pkey = test_rsa(2048);
	X509 *x509 = test_certificate(pkey, "manifests", 7);
	char *key = test_key_pem(pkey, NULL), *certificate = test_certificate_pem(x509);
	struct ingot_error err;
	struct party p;

	assert_ok(ingot_key_parse("key", key, strlen(key), &p.key, &err));
	assert_ok(ingot_certificate_parse("certificate", certificate, strlen(certificate),
					  &p.certificate, &err));
	free(key);
	free(certificate);
	X509_free(x509);
	EVP_PKEY_free(pkey);
	return p;
}

static int setup(void **state)
{
	(void)state;
	ours = make_party();
	impostor = make_party();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ingot_key_free(ours.key);
	ingot_key_free(impostor.key);
	ingot_certificate_free(ours.certificate);
	ingot_certificate_free(impostor.certificate);
	return 0;
}

static struct given sign(const struct party *by)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	struct ingot_error err;
	struct given given;

	strcpy(given.text, TEXT);
	assert_ok(ingot_sha256(given.text, strlen(given.text), digest, &err));
	assert_ok(
		ingot_cms_sign(by->key, by->certificate, digest, &given.signature, &given.n, &err));
	return given;
}

/* What is said of it by those who trust `by`; NULL: nobody is trusted. */
static enum ingot_verify_verdict judge(const struct given *given, const struct party *by)
{
	static const unsigned char zeros[64 * 1024];
	const struct ingot_certificate *certificate = by ? by->certificate : NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	json_t *manifest = json_loads(TEXT, 0, NULL);
	const struct ingot_verify_options options = {
		.jobs = 1,
		.certificates = &certificate,
		.certificate_count = by ? 1 : 0,
		.manifest = manifest,
		.manifest_digest = digest,
		.manifest_signature = given->signature,
		.manifest_signature_size = given->n,
	};
	INGOT_SOURCE struct ingot_source *disk = NULL;
	struct ingot_verify_report *report;
	enum ingot_verify_verdict verdict;
	struct ingot_error err;

	assert_ok(ingot_sha256(given->text, strlen(given->text), digest, &err));
	assert_ok(ingot_source_memory("image", zeros, sizeof(zeros), &disk, &err));
	assert_ok(ingot_verify(disk, &options, &report, &err));
	verdict = ingot_verify_find(report, "manifest.signature")->verdict;
	ingot_verify_report_free(report);
	json_decref(manifest);
	return verdict;
}

static void test_whose_it_is(void **state)
{
	struct given given = sign(&ours);

	(void)state;
	assert_int_equal(judge(&given, &ours), INGOT_VERIFY_GOOD);
	assert_int_equal(judge(&given, &impostor), INGOT_VERIFY_BAD);
	/* It is there and nobody says who may have signed: that is not good. */
	assert_int_equal(judge(&given, NULL), INGOT_VERIFY_NOT_CHECKED);
	free(given.signature);
}

static void test_none(void **state)
{
	struct given given = {.text = "{}"};

	(void)state;
	assert_int_equal(judge(&given, &ours), INGOT_VERIFY_NOT_APPLICABLE);
}

static void test_every_byte_of_the_signature(void **state)
{
	struct given given = sign(&ours);

	(void)state;
	for (size_t i = 0; i < given.n; i++)
		for (unsigned bit = 1; bit < 256; bit <<= 3) {
			given.signature[i] ^= (uint8_t)bit;
			if (judge(&given, &ours) != INGOT_VERIFY_BAD)
				fail_msg("byte %zu may be anything", i);
			given.signature[i] ^= (uint8_t)bit;
		}
	free(given.signature);
}

static void test_longer_and_shorter(void **state)
{
	struct given given = sign(&ours);
	size_t n = given.n;
	uint8_t *longer = calloc(1, n + 1);

	(void)state;
	memcpy(longer, given.signature, n);
	free(given.signature);
	given.signature = longer;
	for (given.n = 0; given.n < n; given.n += 13)
		assert_int_equal(judge(&given, &ours), INGOT_VERIFY_BAD);
	given.n = n + 1;
	assert_int_equal(judge(&given, &ours), INGOT_VERIFY_BAD);
	free(longer);
}

static void test_every_byte_of_the_manifest(void **state)
{
	struct given given = sign(&ours);

	(void)state;
	for (size_t i = 0; i < strlen(TEXT); i++) {
		given.text[i] ^= 1;
		assert_int_equal(judge(&given, &ours), INGOT_VERIFY_BAD);
		given.text[i] ^= 1;
	}
	free(given.signature);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_it_is),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_every_byte_of_the_signature),
		cmocka_unit_test(test_longer_and_shorter),
		cmocka_unit_test(test_every_byte_of_the_manifest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

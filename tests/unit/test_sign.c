#include "unit.h"

#include <errno.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sign/pkcs7.h"
#include "test_keys.h"

#define HASH  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Ours, and a stranger whose certificate has the same name and number. */
struct world {
	EVP_PKEY *pkey, *stranger_pkey;
	X509 *x509, *stranger_x509;
	struct ingot_key *key;
	struct ingot_certificate *certificate, *stranger;
};

static struct ingot_certificate *wrap_certificate(X509 *x509, const char *name)
{
	struct ingot_certificate *certificate = NULL;
	struct ingot_error err = {0};
	char *pem = test_certificate_pem(x509);

	assert_ok(ingot_certificate_parse(name, pem, strlen(pem), &certificate, &err));
	free(pem);
	return certificate;
}

static int setup(void **state)
{
	static struct world w;
	struct ingot_error err = {0};
	char *pem;

	w.pkey = test_rsa(2048);
	w.stranger_pkey = test_rsa(2048);
	w.x509 = test_certificate(w.pkey, "Ingot TEST", 7);
	w.stranger_x509 = test_certificate(w.stranger_pkey, "Ingot TEST", 7);
	pem = test_key_pem(w.pkey, NULL);
	assert_ok(ingot_key_parse("ours.key", pem, strlen(pem), &w.key, &err));
	free(pem);
	w.certificate = wrap_certificate(w.x509, "ours.crt");
	w.stranger = wrap_certificate(w.stranger_x509, "stranger.crt");
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ingot_key_free(w->key);
	ingot_certificate_free(w->certificate);
	ingot_certificate_free(w->stranger);
	X509_free(w->x509);
	X509_free(w->stranger_x509);
	EVP_PKEY_free(w->pkey);
	EVP_PKEY_free(w->stranger_pkey);
	return 0;
}

/* --- keys -------------------------------------------------------------- */

static void parse_fails(EVP_PKEY *pkey, const char *passphrase, int rc, const char *words)
{
	char *pem = test_key_pem(pkey, passphrase);
	struct ingot_key *key = NULL;
	struct ingot_error err = {0};

	assert_fails(ingot_key_parse("a.key", pem, strlen(pem), &key, &err), rc, words);
	assert_null(key);
	free(pem);
	EVP_PKEY_free(pkey);
}

static void test_key_kinds(void **state)
{
	(void)state;
	parse_fails(test_rsa(1024), NULL, -EINVAL, "'a.key': it has 1024 bits, RSA of 2048 to");
	parse_fails(EVP_EC_gen("P-521"), NULL, -EINVAL, "P-256 and P-384 are accepted");
	parse_fails(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, -EINVAL, "neither an RSA nor");
	parse_fails(test_rsa(2048), "secret", -ENOKEY, "nothing says where it comes from");
}

static void test_key_rubbish(void **state)
{
	static const char *const bad[] = {
		"", "hello", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
	struct ingot_key *key = NULL;
	struct ingot_error err = {0};
	char *large = calloc(1, INGOT_KEY_FILE_MAX + 1);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(ingot_key_parse("a.key", bad[i], strlen(bad[i]), &key, &err), -EINVAL,
			     "'a.key' is not a private key in PEM form");
	assert_fails(ingot_key_parse("a.key", large, INGOT_KEY_FILE_MAX + 1, &key, &err), -EFBIG,
		     "longer than");
	assert_fails(ingot_key_open(&(struct ingot_key_source){.location = "/nonexistent.key"},
				    &key, NULL, &err),
		     -ENOENT, "/nonexistent.key");
	free(large);
}

/* A file of a test's own, by that mode; the caller unlinks it. */
static void put_file(char path[], const char *text, mode_t mode)
{
	int fd = mkstemp(path);

	assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_key_exposed(void **state)
{
	struct world *w = *state;
	char path[] = "/tmp/ingot-test-sign-XXXXXX", *pem = test_key_pem(w->pkey, NULL);
	const struct ingot_key_source source = {.location = path};
	struct ingot_key *key = NULL;
	struct ingot_error err = {0};
	unsigned exposed = 7;

	put_file(path, pem, 0600);
	assert_ok(ingot_key_open(&source, &key, &exposed, &err));
	assert_int_equal(exposed, 0);
	ingot_key_free(key);
	assert_int_equal(chmod(path, 0640), 0);
	assert_ok(ingot_key_open(&source, &key, &exposed, &err));
	assert_int_equal(exposed, INGOT_KEY_EXPOSED);
	ingot_key_free(key);
	unlink(path);
	free(pem);
}

/* A key behind a passphrase, opened with what this file says. */
static int open_locked(const char *passphrase_file_says, unsigned *exposed, struct ingot_error *err)
{
	char key_path[] = "/tmp/ingot-test-sign-XXXXXX", file[] = "/tmp/ingot-test-sign-XXXXXX";
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	char *pem = test_key_pem(pkey, "correct horse");
	const struct ingot_key_source source = {.location = key_path, .secret_file = file};
	struct ingot_key *key = NULL;
	int rc;

	put_file(key_path, pem, 0600);
	put_file(file, passphrase_file_says, 0644);
	rc = ingot_key_open(&source, &key, exposed, err);
	assert_true((rc == 0) == (key != NULL));
	ingot_key_free(key);
	unlink(key_path);
	unlink(file);
	free(pem);
	EVP_PKEY_free(pkey);
	return rc;
}

static void test_passphrase_file(void **state)
{
	struct ingot_error err = {0};
	unsigned exposed = 0;
	char large[1100];

	(void)state;
	assert_ok(open_locked("correct horse\nnot this", &exposed, &err));
	assert_int_equal(exposed, INGOT_SECRET_EXPOSED);
	assert_ok(open_locked("correct horse", NULL, &err));
	assert_fails(open_locked("correct horse ", NULL, &err), -EKEYREJECTED, "wrong passphrase");
	assert_null(strstr(err.text, "horse"));
	assert_fails(open_locked("\n", NULL, &err), -EINVAL, "it is empty");
	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	assert_fails(open_locked(large, NULL, &err), -EFBIG, "more than 1024 bytes");
}

static void test_passphrase_variable(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	char path[] = "/tmp/ingot-test-sign-XXXXXX", *pem = test_key_pem(pkey, "correct horse");
	const struct ingot_key_source source = {.location = path,
						.secret_variable = "INGOT_TEST_SECRET"};
	struct ingot_key *key = NULL;
	struct ingot_error err = {0};

	(void)state;
	put_file(path, pem, 0600);
	unsetenv("INGOT_TEST_SECRET");
	assert_fails(ingot_key_open(&source, &key, NULL, &err), -ENOKEY, "INGOT_TEST_SECRET");
	setenv("INGOT_TEST_SECRET", "correct horse", 1);
	assert_ok(ingot_key_open(&source, &key, NULL, &err));
	assert_int_equal(ingot_key_kind(key), INGOT_KEY_P256);
	ingot_key_free(key);
	unsetenv("INGOT_TEST_SECRET");
	unlink(path);
	free(pem);
	EVP_PKEY_free(pkey);
}

static void uri_fails(const char *uri, int rc, const char *words)
{
	const struct ingot_key_source source = {.location = uri};
	struct ingot_key *key = NULL;
	struct ingot_error err = {0};

	assert_fails(ingot_key_open(&source, &key, NULL, &err), rc, words);
	assert_null(key);
}

/* What needs a token is in tests/interop/sign-token.sh. */
static void test_token_uris(void **state)
{
	(void)state;
	uri_fails("pkcs11:token=%zz", -EINVAL, "it cannot be read");
	uri_fails("pkcs11:colour=red", -EINVAL, "an attribute that is not known");
	uri_fails("pkcs11:token=x?pin-value=1234", -EINVAL, "it has a pin-value");
	uri_fails("pkcs11:token=x?module-path=/nonexistent.so", -ENOENT, "'/nonexistent.so'");
}

static void test_key_pair(void **state)
{
	struct world *w = *state;
	struct ingot_error err = {0};

	assert_ok(ingot_key_check(w->key, w->certificate, &err));
	assert_fails(ingot_key_check(w->key, w->stranger, &err), -EKEYREJECTED,
		     "key 'ours.key' does not belong to certificate 'stranger.crt'");
}

/* --- certificates ------------------------------------------------------ */

static void test_certificate_forms(void **state)
{
	struct world *w = *state;
	struct ingot_certificate *again = NULL;
	struct ingot_error err = {0};
	uint8_t one[32], two[32];
	char *pem;
	size_t n, pem_n;
	const uint8_t *der = ingot_certificate_der(w->certificate, &n);

	assert_ok(ingot_certificate_parse("der", der, n, &again, &err));
	assert_ok(ingot_certificate_fingerprint(w->certificate, one, &err));
	assert_ok(ingot_certificate_fingerprint(again, two, &err));
	assert_memory_equal(one, two, sizeof(one));
	assert_ok(ingot_certificate_pem(again, &pem, &pem_n, &err));
	assert_int_equal(strlen(pem), pem_n);
	assert_true(strncmp(pem, "-----BEGIN CERTIFICATE-----\n", 28) == 0);
	ingot_certificate_free(again);
	again = NULL;
	assert_fails(ingot_certificate_parse("cut", der, n - 1, &again, &err), -EINVAL,
		     "'cut' is not a certificate");
	free(pem);
	pem = calloc(1, n + 1);
	memcpy(pem, der, n);
	assert_fails(ingot_certificate_parse("long", pem, n + 1, &again, &err), -EINVAL,
		     "'long' is not a certificate");
	free(pem);
}

static void test_certificate_names(void **state)
{
	static const struct {
		const char *name;
		bool is_test;
	} cases[] = {{"Ingot TEST", true}, {"TEST", true},	  {"a TEST key", true},
		     {"TESTING", false},   {"LATEST one", false}, {"test", false}};
	struct world *w = *state;
	struct ingot_error err = {0};
	char *subject;

	assert_ok(ingot_certificate_subject(w->certificate, &subject, &err));
	assert_string_equal(subject, "CN=Ingot TEST");
	free(subject);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509 *x509 = test_certificate(w->pkey, cases[i].name, 1);
		struct ingot_certificate *certificate = wrap_certificate(x509, "x");

		assert_int_equal(ingot_certificate_is_test(certificate), cases[i].is_test);
		ingot_certificate_free(certificate);
		X509_free(x509);
	}
}

/* --- signatures -------------------------------------------------------- */

static void test_root_hash_text(void **state)
{
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_root_hash_check(HASH, &err));
	assert_ok(ingot_root_hash_check(HASH HASH, &err));
	assert_fails(ingot_root_hash_check("", &err), -EINVAL, "0 hex digits");
	assert_fails(ingot_root_hash_check(&HASH[1], &err), -EINVAL, "63 hex digits");
	assert_fails(ingot_root_hash_check("A123456789abcdef", &err), -EINVAL, "lower-case");
	assert_fails(ingot_root_hash_check(HASH "\n", &err), -EINVAL, "lower-case");
}

static void test_sign_and_verify(void **state)
{
	struct world *w = *state;
	struct ingot_error err = {0};
	struct ingot_certificate *namesake;
	uint8_t *one, *two;
	size_t one_n, two_n;
	X509 *other;

	assert_ok(ingot_sign_root_hash(w->key, w->certificate, HASH, &one, &one_n, &err));
	assert_ok(ingot_sign_root_hash(w->key, w->certificate, HASH, &two, &two_n, &err));
	assert_int_equal(one_n, two_n);
	assert_memory_equal(one, two, one_n);
	assert_ok(ingot_verify_root_hash(one, one_n, HASH, w->certificate, &err));
	assert_fails(ingot_verify_root_hash(one, one_n, OTHER, w->certificate, &err), -EKEYREJECTED,
		     "by certificate 'ours.crt'");
	assert_fails(ingot_verify_root_hash(one, one_n, HASH, w->stranger, &err), -EKEYREJECTED,
		     "by certificate 'stranger.crt'");
	other = test_certificate(w->pkey, "Ingot TEST", 8);
	namesake = wrap_certificate(other, "eight.crt");
	assert_fails(ingot_verify_root_hash(one, one_n, HASH, namesake, &err), -EKEYREJECTED,
		     "names another signer than certificate 'eight.crt'");
	ingot_certificate_free(namesake);
	X509_free(other);
	assert_fails(ingot_sign_root_hash(w->key, w->stranger, HASH, &two, &two_n, &err),
		     -EKEYREJECTED, "does not belong");
	free(one);
	free(two);
}

/* The RSA number stands at the end, 256 bytes of it. */
static void test_changed_bytes(void **state)
{
	struct world *w = *state;
	struct ingot_error err = {0};
	uint8_t *der;
	size_t n;

	assert_ok(ingot_sign_root_hash(w->key, w->certificate, HASH, &der, &n, &err));
	for (size_t i = n - 256; i < n; i++) {
		der[i] ^= 1;
		assert_fails(ingot_verify_root_hash(der, n, HASH, w->certificate, &err),
			     -EKEYREJECTED, "by certificate 'ours.crt'");
		der[i] ^= 1;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ingot_verify_root_hash(der, i, HASH, w->certificate, &err),
				 -EBADMSG);
	free(der);
}

/* PKCS7_sign's bytes: what libcrypto, and so systemd and sbsign, would have written. */
static void test_as_libcrypto(void **state)
{
	const int flags = PKCS7_DETACHED | PKCS7_NOATTR | PKCS7_BINARY;
	struct world *w = *state;
	BIO *text = BIO_new_mem_buf(HASH, -1);
	PKCS7 *p7 = PKCS7_sign(w->x509, w->pkey, NULL, text, flags);
	struct ingot_error err = {0};
	unsigned char *theirs = NULL;
	int theirs_n = i2d_PKCS7(p7, &theirs);
	uint8_t *ours;
	size_t n;

	assert_ok(ingot_sign_root_hash(w->key, w->certificate, HASH, &ours, &n, &err));
	assert_int_equal(n, theirs_n);
	assert_memory_equal(ours, theirs, n);
	free(ours);
	OPENSSL_free(theirs);
	PKCS7_free(p7);
	BIO_free(text);
}

/* Two keys for one root hash, the raw signatures made apart, in either order. */
static void test_two_signers(void **state)
{
	struct world *w = *state;
	EVP_PKEY *pkey = EVP_EC_gen("P-384");
	X509 *x509 = test_certificate(pkey, "Ingot TEST next", 9);
	struct ingot_certificate *next = wrap_certificate(x509, "next.crt");
	char *pem = test_key_pem(pkey, NULL);
	struct ingot_key *key = NULL;
	struct ingot_error err = {0};
	uint8_t digest[32], raw[2][INGOT_RAW_SIGNATURE_MAX], *der[2];
	struct ingot_signer signers[] = {{w->certificate, raw[0], 0}, {next, raw[1], 0}};
	struct ingot_signer swapped[2];
	const struct ingot_certificate *both[] = {w->certificate, next};
	size_t n[2], most;

	assert_ok(ingot_key_parse("next.key", pem, strlen(pem), &key, &err));
	assert_ok(ingot_root_hash_digest(HASH, digest, &err));
	assert_ok(ingot_key_sign(w->key, digest, raw[0], &signers[0].raw_n, &err));
	assert_ok(ingot_key_sign(key, digest, raw[1], &signers[1].raw_n, &err));
	assert_ok(ingot_root_hash_assemble(HASH, signers, 2, &der[0], &n[0], &err));
	assert_ok(ingot_verify_root_hash(der[0], n[0], HASH, w->certificate, &err));
	assert_ok(ingot_verify_root_hash(der[0], n[0], HASH, next, &err));
	assert_fails(ingot_verify_root_hash(der[0], n[0], HASH, w->stranger, &err), -EKEYREJECTED,
		     "stranger.crt");
	assert_fails(ingot_verify_root_hash(der[0], n[0], OTHER, next, &err), -EKEYREJECTED,
		     "next.crt");
	free(der[0]);

	swapped[0] = (struct ingot_signer){w->certificate, raw[1], signers[1].raw_n};
	swapped[1] = (struct ingot_signer){next, raw[0], signers[0].raw_n};
	assert_fails(ingot_root_hash_assemble(HASH, swapped, 2, &der[0], &n[0], &err),
		     -EKEYREJECTED, "certificate 'ours.crt': the signature was not made with its");
	assert_int_equal(ingot_root_hash_assemble(HASH, signers, 0, &der[0], &n[0], &err), -EINVAL);
	assert_int_equal(ingot_root_hash_assemble(HASH, signers, 9, &der[0], &n[0], &err), -EINVAL);

	/* RSA's length is known before. */
	assert_ok(ingot_certificate_signature_size(w->certificate, &most, &err));
	assert_int_equal(most, signers[0].raw_n);
	assert_ok(ingot_root_hash_placeholder(both, 1, &der[0], &n[0], &err));
	assert_ok(ingot_root_hash_assemble(HASH, signers, 1, &der[1], &n[1], &err));
	assert_int_equal(n[0], n[1]);
	assert_memory_equal(der[0], der[1], n[0] - 256);
	assert_fails(ingot_verify_root_hash(der[0], n[0], HASH, w->certificate, &err),
		     -EKEYREJECTED, "ours.crt");
	free(der[0]);
	free(der[1]);
	ingot_key_free(key);
	ingot_certificate_free(next);
	free(pem);
	X509_free(x509);
	EVP_PKEY_free(pkey);
}

static void other_shape(struct world *w, int flags, const EVP_MD *md, const char *words)
{
	BIO *text = BIO_new_mem_buf(HASH, -1);
	PKCS7 *p7 = PKCS7_sign(NULL, NULL, NULL, NULL, flags | PKCS7_BINARY | PKCS7_PARTIAL);
	struct ingot_error err = {0};
	unsigned char *der = NULL;
	int n;

	assert_non_null(PKCS7_sign_add_signer(p7, w->x509, w->pkey, md, flags));
	assert_int_equal(PKCS7_final(p7, text, flags | PKCS7_BINARY), 1);
	n = i2d_PKCS7(p7, &der);
	assert_true(n > 0);
	assert_fails(ingot_verify_root_hash(der, (size_t)n, HASH, w->certificate, &err), -EBADMSG,
		     words);
	OPENSSL_free(der);
	PKCS7_free(p7);
	BIO_free(text);
}

static void test_other_shapes(void **state)
{
	struct world *w = *state;

	other_shape(w, PKCS7_DETACHED, EVP_sha256(), "has signed attributes");
	other_shape(w, PKCS7_NOATTR, EVP_sha256(), "is not detached");
	other_shape(w, PKCS7_NOATTR | PKCS7_DETACHED, EVP_sha1(), "does not use SHA-256");
}

static void test_not_a_signature(void **state)
{
	struct world *w = *state;
	struct ingot_error err = {0};
	static const uint8_t empty_sequence[] = {0x30, 0x00};
	uint8_t *large = calloc(1, INGOT_SIGNATURE_MAX + 1);

	assert_fails(ingot_verify_root_hash("", 0, HASH, w->certificate, &err), -EBADMSG,
		     "not PKCS#7");
	assert_fails(ingot_verify_root_hash(empty_sequence, 2, HASH, w->certificate, &err),
		     -EBADMSG, "not PKCS#7");
	assert_fails(
		ingot_verify_root_hash(large, INGOT_SIGNATURE_MAX + 1, HASH, w->certificate, &err),
		-EBADMSG, "longer than");
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_kinds),
		cmocka_unit_test(test_key_rubbish),
		cmocka_unit_test(test_key_exposed),
		cmocka_unit_test(test_key_pair),
		cmocka_unit_test(test_certificate_forms),
		cmocka_unit_test(test_root_hash_text),
		cmocka_unit_test(test_sign_and_verify),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_other_shapes),
		cmocka_unit_test(test_not_a_signature),
		cmocka_unit_test(test_passphrase_file),
		cmocka_unit_test(test_passphrase_variable),
		cmocka_unit_test(test_token_uris),
		cmocka_unit_test(test_as_libcrypto),
		cmocka_unit_test(test_two_signers),
		cmocka_unit_test(test_certificate_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

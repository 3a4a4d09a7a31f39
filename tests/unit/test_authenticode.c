/* Signatures of programs and files: good ones, and all that looks like one. */
#include "unit.h"

#include <errno.h>
#include <openssl/pkcs7.h>
#include <stdlib.h>
#include <string.h>

#include "boot/pe.h"
#include "image/pe_signature.h"
#include "pe_image.h"
#include "sign/cms.h"
#include "sign/exact.h"
#include "test_keys.h"

enum { HEADERS = 0x400 };

struct party {
	EVP_PKEY *pkey;
	X509 *x509;
	struct ingot_key *key;
	struct ingot_certificate *certificate;
};

/* A CA, two that it vouches for, and an impostor with the names and numbers of the first. */
static struct party ca, ours, other, impostor;

static struct party make_party(const char *name, long serial, const struct party *issuer)
{
	struct party p = {.pkey = test_rsa(2048)};
	struct ingot_error err = {0};
	char *pem;

	p.x509 = test_certificate(p.pkey, name, serial);
	if (issuer) {
		X509_set_issuer_name(p.x509, X509_get_subject_name(issuer->x509));
		X509_sign(p.x509, issuer->pkey, EVP_sha256());
	}
	pem = test_key_pem(p.pkey, NULL);
	assert_ok(ingot_key_parse(name, pem, strlen(pem), &p.key, &err));
	free(pem);
	pem = test_certificate_pem(p.x509);
	assert_ok(ingot_certificate_parse(name, pem, strlen(pem), &p.certificate, &err));
	free(pem);
	return p;
}

static void free_party(struct party *p)
{
	ingot_key_free(p->key);
	ingot_certificate_free(p->certificate);
	X509_free(p->x509);
	EVP_PKEY_free(p->pkey);
}

static int setup(void **state)
{
	(void)state;
	ca = make_party("TEST CA", 1, NULL);
	ours = make_party("TEST ours", 2, &ca);
	other = make_party("TEST other", 3, &ca);
	impostor = make_party("TEST ours", 2, &ca);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free_party(&ca);
	free_party(&ours);
	free_party(&other);
	free_party(&impostor);
	return 0;
}

static const uint8_t DIGEST[32] = {1, 2, 3}, OTHER_DIGEST[32] = {1, 2, 4};

static int check(const uint8_t *der, size_t n, const uint8_t digest[32], const struct party *by,
		 struct ingot_error *err)
{
	const struct ingot_certificate *certificate = by->certificate;

	return ingot_authenticode_check(der, n, digest, &certificate, 1, NULL, err);
}

static void test_sign_and_check(void **state)
{
	const struct ingot_certificate *both[] = {other.certificate, ours.certificate};
	struct ingot_error err = {0};
	uint8_t *der, *again, *shape;
	size_t n, again_n, shape_n;
	char *signer = NULL;

	(void)state;
	assert_ok(ingot_authenticode_sign(ours.key, ours.certificate, DIGEST, &der, &n, &err));
	assert_ok(ingot_authenticode_sign(ours.key, ours.certificate, DIGEST, &again, &again_n,
					  &err));
	assert_int_equal(n, again_n);
	assert_memory_equal(der, again, n);
	free(again);
	assert_ok(ingot_authenticode_placeholder(ours.certificate, &shape, &shape_n, &err));
	assert_int_equal(n, shape_n);
	free(shape);

	assert_ok(check(der, n, DIGEST, &ours, &err));
	assert_ok(ingot_authenticode_check(der, n, DIGEST, both, 2, &signer, &err));
	assert_string_equal(signer, "CN=TEST ours");
	free(signer);
	assert_int_equal(ingot_authenticode_check(der, n, DIGEST, NULL, 0, &signer, &err), -ENOKEY);
	assert_string_equal(signer, "CN=TEST ours");
	free(signer);
	assert_fails(check(der, n, OTHER_DIGEST, &ours, &err), -EKEYREJECTED, "another file");
	assert_fails(check(der, n, DIGEST, &other, &err), -ENOKEY, "vouches");
	/* The certificate in the signature made it, and nobody vouches for that one. */
	assert_fails(check(der, n, DIGEST, &impostor, &err), -ENOKEY, "vouches");
	/* For another file by somebody unknown: the first is said. */
	assert_fails(check(der, n, OTHER_DIGEST, &other, &err), -EKEYREJECTED, "another file");
	free(der);
	assert_fails(ingot_authenticode_sign(ours.key, other.certificate, DIGEST, &der, &n, &err),
		     -EKEYREJECTED, "does not belong");
}

/* The test certificates say nothing of CAs, and version 3 without basicConstraints is no CA. */
static void test_chain(void **state)
{
	struct ingot_error err = {0};
	struct party root = {.pkey = test_rsa(2048)};
	struct party leaf;
	X509_EXTENSION *extension;
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	uint8_t *der;
	char *pem;
	size_t n;

	(void)state;
	assert_ok(ingot_authenticode_sign(ours.key, ours.certificate, DIGEST, &der, &n, &err));
	assert_fails(check(der, n, DIGEST, &ca, &err), -ENOKEY, "vouches");
	free(der);

	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x30\x03\x01\x01\xff",
			      5); /* cA TRUE */
	extension = X509_EXTENSION_create_by_NID(NULL, NID_basic_constraints, 1, value);
	root.x509 = test_certificate(root.pkey, "TEST root", 9);
	X509_add_ext(root.x509, extension, -1);
	X509_sign(root.x509, root.pkey, EVP_sha256());
	pem = test_certificate_pem(root.x509);
	assert_ok(ingot_certificate_parse("root", pem, strlen(pem), &root.certificate, &err));
	free(pem);
	leaf = make_party("TEST leaf", 10, &root);
	assert_ok(ingot_authenticode_sign(leaf.key, leaf.certificate, DIGEST, &der, &n, &err));
	assert_ok(check(der, n, DIGEST, &root, &err));
	assert_ok(check(der, n, DIGEST, &leaf, &err));
	assert_fails(check(der, n, DIGEST, &ca, &err), -ENOKEY, "vouches");
	free(der);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	free_party(&root);
	free_party(&leaf);
}

/* Whatever byte is changed, and wherever it is cut, it is not good any more. */
static void test_changed(void **state)
{
	struct ingot_error err = {0};
	uint8_t *der;
	size_t n, trusted = 0;

	(void)state;
	assert_ok(ingot_authenticode_sign(ours.key, ours.certificate, DIGEST, &der, &n, &err));
	for (size_t i = 0; i < n; i++) {
		static const uint8_t flips[] = {0x01, 0x80, 0xff};

		for (size_t f = 0; f < sizeof(flips); f++) {
			der[i] ^= flips[f];
			trusted += check(der, n, DIGEST, &ours, &err) == 0;
			der[i] ^= flips[f];
		}
		assert_int_not_equal(check(der, i, DIGEST, &ours, &err), 0);
	}
	/* Only in the enclosed certificate, whose copy is given, may a byte differ unnoticed. */
	assert_true(trusted < 3 * 1000);
	for (size_t i = n - 256; i < n; i++) {
		der[i] ^= 1;
		assert_fails(check(der, n, DIGEST, &ours, &err), -EKEYREJECTED, "not by the key");
		der[i] ^= 1;
	}
	free(der);
}

static void test_other_kinds(void **state)
{
	struct ingot_error err = {0};
	const struct ingot_certificate *certificate = ours.certificate;
	const char *hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	uint8_t *root, *program, *file, digest[32];
	size_t root_n, program_n, file_n;

	(void)state;
	assert_ok(ingot_sha256(hash, 64, digest, &err));
	assert_ok(ingot_sign_root_hash(ours.key, ours.certificate, hash, &root, &root_n, &err));
	assert_ok(ingot_authenticode_sign(ours.key, ours.certificate, digest, &program, &program_n,
					  &err));
	assert_ok(ingot_cms_sign(ours.key, ours.certificate, digest, &file, &file_n, &err));

	/* A signature of one is good for nothing else. */
	assert_ok(ingot_cms_check(file, file_n, digest, &certificate, 1, NULL, &err));
	assert_fails(ingot_cms_check(program, program_n, digest, &certificate, 1, NULL, &err),
		     -EBADMSG, "the signature");
	assert_fails(ingot_cms_check(root, root_n, digest, &certificate, 1, NULL, &err), -EBADMSG,
		     "no signed attributes");
	assert_fails(check(file, file_n, digest, &ours, &err), -EBADMSG, "not Authenticode");
	assert_fails(check(root, root_n, digest, &ours, &err), -EBADMSG, "no signed attributes");
	assert_int_equal(ingot_verify_root_hash(file, file_n, hash, certificate, &err), -EBADMSG);
	assert_int_equal(ingot_verify_root_hash(program, program_n, hash, certificate, &err),
			 -EBADMSG);

	certificate = other.certificate;
	assert_fails(ingot_cms_check(file, file_n, digest, &certificate, 1, NULL, &err), -ENOKEY,
		     "vouches");
	certificate = ours.certificate;
	assert_fails(ingot_cms_check(file, file_n, DIGEST, &certificate, 1, NULL, &err),
		     -EKEYREJECTED, "another file");
	file[file_n - 1] ^= 1;
	assert_fails(ingot_cms_check(file, file_n, digest, &certificate, 1, NULL, &err),
		     -EKEYREJECTED, "not by the key");
	free(root);
	free(program);
	free(file);
}

/* Signers are sorted by their bytes, certificates stand as they were given: in any order. */
static void test_signers_in_any_order(void **state)
{
	const struct ingot_certificate *both[] = {other.certificate, ours.certificate};
	const char *hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const struct party *const orders[2][2] = {{&ours, &other}, {&other, &ours}};
	uint8_t raw[2][INGOT_RAW_SIGNATURE_MAX], digest[32];
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_root_hash_digest(hash, digest, &err));
	for (size_t i = 0; i < 2; i++) {
		struct ingot_signer signers[2];
		INGOT_FREE uint8_t *der = NULL;
		bool exact;
		size_t n;

		for (size_t j = 0; j < 2; j++) {
			signers[j] = (struct ingot_signer){orders[i][j]->certificate, raw[j], 0};
			assert_ok(ingot_key_sign(orders[i][j]->key, digest, raw[j],
						 &signers[j].raw_n, &err));
		}
		assert_ok(ingot_root_hash_assemble(hash, signers, 2, &der, &n, &err));
		assert_ok(ingot_root_hash_is_exact(der, n, hash, both, 2, &exact, &err));
		assert_true(exact);
		assert_ok(ingot_root_hash_is_exact(der, n, hash, both, 1, &exact, &err));
		assert_false(exact); /* one of them is not given */
		der[n - 1] ^= 1;
		assert_ok(ingot_root_hash_is_exact(der, n, hash, both, 2, &exact, &err));
		assert_false(exact);
	}
}

/* Whoever is given besides, and in whatever order: an impostor's name and number do not matter. */
static void test_beside_impostor(void **state)
{
	const struct ingot_certificate *list[2][2] = {
		{ours.certificate, impostor.certificate},
		{impostor.certificate, ours.certificate},
	};
	const char *hash = "0011223344556677889900112233445566778899001122334455667788990011";
	INGOT_FREE uint8_t *der = NULL, *program = NULL;
	size_t n, program_n;
	struct ingot_error err = {0};
	uint8_t digest[INGOT_SHA256_SIZE] = {1};

	(void)state;
	assert_ok(ingot_sign_root_hash(ours.key, ours.certificate, hash, &der, &n, &err));
	assert_ok(ingot_authenticode_sign(ours.key, ours.certificate, digest, &program, &program_n,
					  &err));
	for (size_t i = 0; i < 2; i++) {
		bool exact = false;

		assert_ok(ingot_root_hash_is_exact(der, n, hash, list[i], 2, &exact, &err));
		assert_true(exact);
		assert_ok(ingot_authenticode_is_exact(program, program_n, digest, list[i], 2,
						      &exact, &err));
		assert_true(exact);
		assert_ok(ingot_authenticode_is_exact(program, program_n, digest, &list[1][0], 1,
						      &exact, &err));
		assert_false(exact);
	}
}

/* --- files ------------------------------------------------------------- */

static char *sign_image(const struct party *const *parties, size_t count, size_t *ret_n)
{
	uint8_t bytes[PE_IMAGE_MAX];
	size_t n = pe_image(bytes, INGOT_PE_X86_64, HEADERS) + 5;
	struct ingot_error err = {0};
	char *image = malloc(n);

	memcpy(image, bytes, n);
	for (size_t i = 0; i < count; i++) {
		INGOT_SOURCE struct ingot_source *source = NULL;
		INGOT_SOURCE struct ingot_source *made = NULL;

		assert_ok(ingot_source_memory("x.efi", image, n, &source, &err));
		free(image);
		assert_ok(ingot_pe_sign(source, parties[i]->key, parties[i]->certificate, &made,
					&err));
		assert_ok(ingot_source_load(made, 1 << 20, &image, &n, &err));
	}
	*ret_n = n;
	return image;
}

static int verify(const char *image, size_t n, const struct party *by,
		  struct ingot_authenticode_report *report, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	const struct ingot_certificate *certificate = by->certificate;

	assert_int_equal(ingot_source_memory("x.efi", image, n, &source, err), 0);
	return ingot_authenticode_verify(source, &certificate, 1, report, err);
}

static void test_verify(void **state)
{
	const struct party *parties[] = {&ours, &other};
	struct ingot_authenticode_report report;
	struct ingot_error err = {0};
	size_t n;
	char *image = sign_image(parties, 2, &n);

	(void)state;
	assert_ok(verify(image, n, &ours, &report, &err));
	assert_int_equal(report.count, 2);
	assert_int_equal(report.signatures[0].verdict, INGOT_AUTHENTICODE_GOOD);
	assert_null(report.signatures[0].reason);
	assert_string_equal(report.signatures[0].signer, "CN=TEST ours");
	assert_int_equal(report.signatures[1].verdict, INGOT_AUTHENTICODE_UNTRUSTED);
	assert_string_equal(report.signatures[1].signer, "CN=TEST other");
	assert_non_null(report.signatures[1].reason);
	ingot_authenticode_report_done(&report);
	assert_ok(verify(image, n, &other, NULL, &err));
	assert_fails(verify(image, n, &ca, NULL, &err), -ENOKEY, "'x.efi': signature 1: ");

	image[HEADERS + 7] ^= 1;
	assert_fails(verify(image, n, &ours, &report, &err), -EKEYREJECTED, "another file");
	assert_int_equal(report.signatures[0].verdict, INGOT_AUTHENTICODE_BAD);
	assert_int_equal(report.signatures[1].verdict, INGOT_AUTHENTICODE_BAD);
	ingot_authenticode_report_done(&report);
	image[HEADERS + 7] ^= 1;

	image[n - 10] ^= 1; /* in the second's RSA number: a good first one does not help */
	assert_fails(verify(image, n, &ours, &report, &err), -EKEYREJECTED, "signature 2: ");
	assert_int_equal(report.signatures[0].verdict, INGOT_AUTHENTICODE_GOOD);
	assert_int_equal(report.signatures[1].verdict, INGOT_AUTHENTICODE_BAD);
	ingot_authenticode_report_done(&report);
	free(image);

	image = sign_image(NULL, 0, &n);
	assert_fails(verify(image, n, &ours, &report, &err), -ENODATA, "'x.efi' is not signed");
	assert_int_equal(report.count, 0);
	free(image);
}

/* One signature, every byte of the file changed in turn. */
static void test_every_byte(void **state)
{
	const struct party *parties[] = {&ours};
	enum { CHECKSUM_AT = OPT_AT + 64 };
	struct ingot_error err = {0};
	size_t n, table, unnoticed = 0;
	char *image = sign_image(parties, 1, &n);

	(void)state;
	table = ingot_get_le32(image + DIRECTORIES_AT + 32);
	for (size_t i = 0; i < n; i++) {
		bool is_checksum = i >= CHECKSUM_AT && i < CHECKSUM_AT + 4;
		int rc;

		image[i] ^= 1;
		rc = verify(image, n, &ours, NULL, &err);
		image[i] ^= 1;
		if (i < table)
			assert_true((rc == 0) == is_checksum);
		else
			unnoticed += rc == 0;
	}
	/* The enclosed certificate, of which a copy was given. */
	assert_true(unnoticed < 900);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_and_check),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_signers_in_any_order),
		cmocka_unit_test(test_beside_impostor),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_every_byte),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

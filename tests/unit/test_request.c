/* Requests and responses of the air gap, and the SHA-256 that travels between the machines. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sign/request.h"
#include "test_keys.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum { FRONT = 640, SEGMENT = 3000 };

static struct ingot_key *root_key, *next_key, *boot_key;
static struct ingot_certificate *root_certificate, *next_certificate, *boot_certificate;

static void make(const char *name, struct ingot_key **key, struct ingot_certificate **certificate)
{
	EVP_PKEY *pkey = test_rsa(2048);
	X509 *x509 = test_certificate(pkey, name, 7);
	char *pem = test_key_pem(pkey, NULL);
	struct ingot_error err = {0};

	assert_ok(ingot_key_parse(name, pem, strlen(pem), key, &err));
	free(pem);
	pem = test_certificate_pem(x509);
	assert_ok(ingot_certificate_parse(name, pem, strlen(pem), certificate, &err));
	free(pem);
	X509_free(x509);
	EVP_PKEY_free(pkey);
}

static int setup(void **state)
{
	(void)state;
	make("TEST root", &root_key, &root_certificate);
	make("TEST next", &next_key, &next_certificate);
	make("TEST boot", &boot_key, &boot_certificate);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ingot_key_free(root_key);
	ingot_key_free(next_key);
	ingot_key_free(boot_key);
	ingot_certificate_free(root_certificate);
	ingot_certificate_free(next_certificate);
	ingot_certificate_free(boot_certificate);
	return 0;
}

/* --- SHA-256 ----------------------------------------------------------- */

static void assert_digest(const uint8_t digest[32], const char *want)
{
	char hex[65];

	ingot_hex(digest, 32, hex);
	assert_string_equal(hex, want);
}

/* FIPS 180-4 examples: of one block, of two, and of a million letters. */
static void vectors_agree(void **state)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	struct ingot_sha256_state sha;
	uint8_t digest[32], block[640];

	(void)state;
	ingot_sha256_state_init(&sha);
	ingot_sha256_state_end(&sha, "abc", 3, digest);
	assert_digest(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ingot_sha256_state_init(&sha);
	ingot_sha256_state_end(&sha, two, strlen(two), digest);
	assert_digest(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(block, 'a', sizeof(block));
	ingot_sha256_state_init(&sha);
	for (size_t i = 0; i < 999680 / sizeof(block); i++)
		ingot_sha256_state_add(&sha, block, sizeof(block));
	ingot_sha256_state_end(&sha, block, 320, digest);
	assert_digest(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Whatever is left for the end, libcrypto says the same. */
static void every_length_agrees(void **state)
{
	uint8_t data[400], digest[32], want[32];
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		struct ingot_sha256_state sha;

		ingot_sha256_state_init(&sha);
		ingot_sha256_state_add(&sha, data, n / 128 * 64);
		ingot_sha256_state_end(&sha, data + n / 128 * 64, n - n / 128 * 64, digest);
		assert_ok(ingot_sha256(data, n, want, &err));
		assert_memory_equal(digest, want, sizeof(want));
	}
}

/* --- a request --------------------------------------------------------- */

static struct ingot_certificate *copy_of(const struct ingot_certificate *certificate)
{
	struct ingot_certificate *copy;
	struct ingot_error err = {0};
	size_t n;
	const uint8_t *der = ingot_certificate_der(certificate, &n);

	assert_ok(ingot_certificate_parse("copy", der, n, &copy, &err));
	return copy;
}

/* A vendor's UKI, with other bytes and 64 more of them in front of what it shares. */
static void add_vendor(struct ingot_sign_request *r)
{
	struct ingot_request_uki *uki;
	struct ingot_error err = {0};
	uint8_t front[FRONT + 64];

	assert_ok(ingot_sign_request_add_vendor(r, "ami", &uki, &err));
	uki->command_line = ingot_strdup("usrhash=" HASH " console=ttyS0", &err);
	uki->size = r->uki.size + 64;
	uki->signature_offset = r->uki.signature_offset + 64;
	uki->checksum = 70001;
	memset(front, 'y', sizeof(front));
	ingot_sha256_state_init(&uki->state);
	ingot_sha256_state_add(&uki->state, front, sizeof(front));
}

/* A UKI of so many bytes that are all 'x', with room for the signature in the middle. */
static struct ingot_sign_request *make_request(void)
{
	struct ingot_error err = {0};
	struct ingot_sign_request *r = ingot_alloc(1, sizeof(*r), &err);
	uint8_t front[FRONT], *der;
	size_t n;

	r->name = ingot_strdup("demo", &err);
	r->version = ingot_strdup("1", &err);
	r->architecture = ingot_strdup("x86-64", &err);
	strcpy(r->root_hash, HASH);
	r->signers[r->signer_count++].certificate = copy_of(root_certificate);
	r->signers[r->signer_count++].certificate = copy_of(next_certificate);
	r->has_uki = true;
	r->uki.path = ingot_strdup("EFI/BOOT/BOOTX64.EFI", &err);
	r->uki.command_line = ingot_strdup("usrhash=" HASH, &err);
	r->uki.signer.certificate = copy_of(boot_certificate);
	r->uki.checksum = 70000;
	memset(front, 'x', sizeof(front));
	ingot_sha256_state_init(&r->uki.state);
	ingot_sha256_state_add(&r->uki.state, front, sizeof(front));
	r->uki.tail_n = 8 * SEGMENT - FRONT - 12;
	r->uki.size = 8 * SEGMENT - 5; /* zeros up to a multiple of 8 */
	r->uki.tail = ingot_alloc(r->uki.tail_n, 1, &err);
	memset(r->uki.tail, 'x', r->uki.tail_n - 5);
	assert_ok(ingot_sign_request_placeholder(r, &der, &n, &err));
	r->uki.tail_hole = 100;
	memcpy(r->uki.tail + 100, der, n);
	free(der);
	r->uki.signature_offset = 12 + FRONT + 100;
	r->files = json_pack("[{s:s, s:s}]", "role", "linux", "path", "vmlinuz");
	add_vendor(r);
	return r;
}

static void is_signed_and_answered(void **state)
{
	struct ingot_key *const keys[] = {boot_key, next_key, root_key};
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = make_request();
	INGOT_SIGN_REQUEST struct ingot_sign_request *read = NULL, *response = NULL;
	INGOT_FREE char *text = NULL, *again = NULL, *answer = NULL;
	INGOT_FREE uint8_t *der = NULL, *whole = NULL;
	uint8_t digest[32];
	struct ingot_error err = {0};
	size_t n;

	(void)state;
	assert_ok(ingot_sign_request_write(request, &text, &err));
	assert_ok(ingot_sign_request_read(text, strlen(text), &read, &err));
	assert_ok(ingot_sign_request_write(read, &again, &err));
	assert_string_equal(text, again);
	assert_ok(ingot_sign_request_sign(read, keys, 3, &err));
	assert_ok(ingot_sign_response_write(read, &answer, &err));
	assert_ok(ingot_sign_response_read(answer, strlen(answer), &response, &err));
	assert_ok(ingot_sign_response_check(response, request, &err));
	assert_ok(ingot_sign_request_assemble(response, &der, &n, &err));
	assert_ok(ingot_verify_root_hash(der, n, HASH, root_certificate, &err));
	assert_ok(ingot_verify_root_hash(der, n, HASH, next_certificate, &err));

	/* What the second signature covers is the file with the first one in it. */
	whole = ingot_alloc(FRONT + 64 + read->uki.tail_n, 1, &err);
	memset(whole, 'x', FRONT);
	memcpy(whole + FRONT, read->uki.tail, read->uki.tail_n);
	memcpy(whole + FRONT + 100, der, n);
	assert_ok(ingot_sha256(whole, FRONT + read->uki.tail_n, digest, &err));
	assert_memory_equal(digest, response->uki.digest, sizeof(digest));

	/* A vendor's has the same end. */
	memmove(whole + FRONT + 64, whole + FRONT, read->uki.tail_n);
	memset(whole, 'y', FRONT + 64);
	assert_ok(ingot_sha256(whole, FRONT + 64 + read->uki.tail_n, digest, &err));
	assert_int_equal(response->vendor_count, 1);
	assert_memory_equal(digest, response->vendors[0].digest, sizeof(digest));
	assert_ptr_equal(ingot_sign_request_find_uki(response, "usrhash=" HASH), &response->uki);
	assert_ptr_equal(ingot_sign_request_find_uki(response, "usrhash=" HASH " console=ttyS0"),
			 &response->vendors[0]);
	assert_null(ingot_sign_request_find_uki(response, "usrhash="));
}

static void an_answer_without_a_vendor_is_another(void **state)
{
	struct ingot_key *const keys[] = {boot_key, next_key, root_key};
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = make_request();
	INGOT_SIGN_REQUEST struct ingot_sign_request *read = NULL;
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_sign_request_write(request, &text, &err));
	assert_ok(ingot_sign_request_read(text, strlen(text), &read, &err));
	assert_ok(ingot_sign_request_sign(read, keys, 3, &err));
	request->vendors[0].state.chain[0] ^= 1;
	assert_fails(ingot_sign_response_check(read, request, &err), -EINVAL,
		     "the response has signed another UKI");
	request->vendors[0].checksum++;
	assert_fails(ingot_sign_response_check(read, request, &err), -EINVAL,
		     "the response answers another request");
}

static void wrong_keys_are_refused(void **state)
{
	struct ingot_key *const few[] = {boot_key, root_key}, *const all[] = {boot_key, root_key,
									      next_key};
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = make_request();
	struct ingot_error err = {0};

	(void)state;
	assert_fails(ingot_sign_request_sign(request, few, 2, &err), -EKEYREJECTED,
		     "no key was given for the certificate 'CN=TEST next'");
	ingot_certificate_free(request->uki.signer.certificate);
	request->uki.signer.certificate = NULL;
	assert_fails(ingot_sign_request_sign(request, all, 3, &err), -EKEYREJECTED,
		     "key 1 is for none of the request's certificates");
}

/* Each of them is a request that says one thing and has another signed. */
static void contradictions_are_refused(void **state)
{
	struct ingot_error err = {0};

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		INGOT_SIGN_REQUEST struct ingot_sign_request *r = make_request();
		INGOT_SIGN_REQUEST struct ingot_sign_request *read = NULL;
		INGOT_FREE char *text = NULL;

		switch (i) {
		case 0:
			r->uki.tail[100] ^= 1;
			break;
		case 1:
			r->uki.tail_hole++;
			break;
		case 2:
			r->uki.signature_offset++;
			break;
		case 3:
			r->uki.size += 8;
			break;
		case 4:
			r->uki.state.bytes += 64;
			break;
		case 5:
			r->uki.state.bytes += 1;
			break;
		case 6:
			r->uki.tail_n -= 8;
			break;
		case 7:
			r->vendors[0].size += 8;
			break;
		case 8:
			r->vendors[0].signature_offset++;
			break;
		case 9:
			r->vendors[0].state.bytes -= 64;
			break;
		case 10:
			r->vendors[0].state.bytes += 1;
			break;
		default:
			r->uki.tail_hole = r->uki.tail_n - 10;
			break;
		}
		assert_ok(ingot_sign_request_write(r, &text, &err));
		assert_int_equal(ingot_sign_request_read(text, strlen(text), &read, &err), -EINVAL);
	}
}

static void every_byte_may_be_another(void **state)
{
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = make_request();
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};
	size_t n;

	(void)state;
	assert_ok(ingot_sign_request_write(request, &text, &err));
	n = strlen(text);
	for (size_t i = 0; i < n; i += 1 + n / 3000) {
		struct ingot_sign_request *read = NULL;
		char kept = text[i];

		text[i] = '"';
		if (ingot_sign_request_read(text, n, &read, &err) == 0)
			ingot_sign_request_free(read);
		assert_int_not_equal(ingot_sign_request_read(text, i, &read, &err), 0);
		text[i] = kept;
	}
}

static void forged_responses_are_refused(void **state)
{
	struct ingot_key *const keys[] = {boot_key, next_key, root_key};
	struct ingot_error err = {0};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		INGOT_SIGN_REQUEST struct ingot_sign_request *r = make_request(), *read = NULL;
		INGOT_FREE char *text = NULL;

		assert_ok(ingot_sign_request_sign(r, keys, 3, &err));
		switch (i) {
		case 0:
			r->signers[1].raw[5] ^= 1;
			break;
		case 1:
			r->uki.signer.raw[5] ^= 1;
			break;
		case 2:
			r->uki.digest[0] ^= 1;
			break;
		case 3:
			r->vendors[0].signer.raw[5] ^= 1;
			break;
		case 4:
			r->vendors[0].digest[0] ^= 1;
			break;
		default:
			r->root_hash[0] = 'f';
			break;
		}
		assert_ok(ingot_sign_response_write(r, &text, &err));
		assert_fails(ingot_sign_response_read(text, strlen(text), &read, &err),
			     -EKEYREJECTED, "was not made with its key");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_agree),
		cmocka_unit_test(every_length_agrees),
		cmocka_unit_test(is_signed_and_answered),
		cmocka_unit_test(an_answer_without_a_vendor_is_another),
		cmocka_unit_test(wrong_keys_are_refused),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(every_byte_may_be_another),
		cmocka_unit_test(forged_responses_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

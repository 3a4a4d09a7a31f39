/*
 * A request held against the file that it is about. Whole images are held against theirs in
 * tests/interop/air-gap-image.sh.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/pe.h"
#include "image/request_image_internal.h"
#include "image/uki_digest_internal.h"
#include "pe_image.h"
#include "test_keys.h"

enum { HEADERS = 0x400, SPLIT = HEADERS + 64 + UKI_NOT_DIGESTED, ROOM_AT = HEADERS + 0x210 };

static const char ROOM[] = "room for a signature";
static struct ingot_error err;

/* A program that does not end at a multiple of 8, with the room in it. */
static size_t make_program(uint8_t bytes[PE_IMAGE_MAX])
{
	size_t n = pe_image(bytes, INGOT_PE_X86_64, HEADERS) + 5;

	memcpy(bytes + ROOM_AT, ROOM, sizeof(ROOM));
	return n;
}

static struct ingot_source *source_of(const uint8_t *bytes, size_t n)
{
	struct ingot_source *source;

	assert_ok(ingot_source_memory("x.efi", bytes, n, &source, &err));
	return source;
}

/* What a request has of it. */
static struct ingot_request_uki describe(const uint8_t *bytes, size_t n,
					 struct ingot_certificate *certificate)
{
	INGOT_SOURCE struct ingot_source *source = source_of(bytes, n);
	struct ingot_request_uki uki = {.size = n, .signature_offset = ROOM_AT};
	struct ingot_pe_place place;

	assert_ok(ingot_pe_place_read(source, &place, &err));
	assert_ok(uki_digest_front(source, &place, SPLIT, &uki.state, &err));
	uki.tail_n = (size_t)place.table_offset - SPLIT;
	uki.tail_hole = ROOM_AT - SPLIT;
	uki.tail = ingot_alloc(uki.tail_n, 1, &err);
	assert_non_null(uki.tail);
	memcpy(uki.tail, bytes + SPLIT, n - SPLIT);
	uki.checksum = 0xc0ffee;
	uki.signer.certificate = certificate;
	return uki;
}

static int check(const struct ingot_request_uki *uki, const uint8_t *bytes, size_t n)
{
	INGOT_SOURCE struct ingot_source *source = source_of(bytes, n);

	return request_check_bytes(uki, source, (const uint8_t *)ROOM, sizeof(ROOM), &err);
}

static struct ingot_certificate *make_certificate(void)
{
	EVP_PKEY *pkey = test_rsa(2048);
	X509 *x509 = test_certificate(pkey, "TEST", 1);
	char *pem = test_certificate_pem(x509);
	struct ingot_certificate *certificate;

	assert_ok(ingot_certificate_parse("x", pem, strlen(pem), &certificate, &err));
	free(pem);
	X509_free(x509);
	EVP_PKEY_free(pkey);
	return certificate;
}

/* The two pieces make the digest that libcrypto makes of the file. */
static void test_the_pieces_are_the_file(void **state)
{
	INGOT_CERTIFICATE struct ingot_certificate *certificate = make_certificate();
	uint8_t bytes[PE_IMAGE_MAX], want[INGOT_SHA256_SIZE], digest[INGOT_SHA256_SIZE];
	size_t n = make_program(bytes);
	struct ingot_request_uki uki = describe(bytes, n, certificate);
	INGOT_SOURCE struct ingot_source *source = source_of(bytes, n);
	struct ingot_pe_place place;

	(void)state;
	assert_ok(ingot_pe_place_read(source, &place, &err));
	assert_ok(ingot_pe_digest(source, &place, want, &err));
	assert_ok(ingot_sign_request_uki_digest(&uki, (const uint8_t *)ROOM, sizeof(ROOM), digest,
						&err));
	assert_memory_equal(digest, want, sizeof(want));
	assert_ok(check(&uki, bytes, n));
	free(uki.tail);
}

/* The offset of a table of signatures that is empty: attaching writes another. */
static bool is_free(size_t at)
{
	enum { ENTRY = DIRECTORIES_AT + 4 * 8, OFFSET = 4 };

	return at >= ENTRY && at < ENTRY + OFFSET;
}

/* Whatever byte of the file is another. */
static void test_every_byte_counts(void **state)
{
	INGOT_CERTIFICATE struct ingot_certificate *certificate = make_certificate();
	uint8_t bytes[PE_IMAGE_MAX];
	size_t n = make_program(bytes);
	struct ingot_request_uki uki = describe(bytes, n, certificate);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		bytes[i] ^= 0x01;
		assert_int_equal(check(&uki, bytes, n) == 0, is_free(i));
		bytes[i] ^= 0x01;
	}
	free(uki.tail);
}

/* Each is a request that is not of the file. */
static void test_other_requests(void **state)
{
	INGOT_CERTIFICATE struct ingot_certificate *certificate = make_certificate();
	uint8_t bytes[PE_IMAGE_MAX];
	size_t n = make_program(bytes);
	const struct ingot_request_uki uki = describe(bytes, n, certificate);
	struct ingot_request_uki other = uki;

	(void)state;
	other.state.chain[31] ^= 1;
	assert_fails(check(&other, bytes, n), -EBADMSG, "headers, sections or initrd are not");
	other = uki;
	other.state.bytes += INGOT_SHA256_BLOCK;
	assert_fails(check(&other, bytes, n), -EBADMSG, "headers, sections or initrd are not");
	other = uki;
	other.state.bytes = 0;
	assert_fails(check(&other, bytes, n), -EBADMSG, "does not end between");
	other.state.bytes = 1 << 20;
	assert_fails(check(&other, bytes, n), -EBADMSG, "does not end between");
	other = uki;
	other.tail_n -= 8;
	assert_fails(check(&other, bytes, n), -EBADMSG, "longer or shorter");
	other = uki;
	other.checksum++;
	assert_fails(check(&other, bytes, n), -EBADMSG, "checksum is not the request's");
	other = uki;
	other.size += 8;
	assert_fails(check(&other, bytes, n), -EBADMSG, "it has 2053 bytes instead of 2061");
	other = uki;
	other.signature_offset++;
	assert_fails(check(&other, bytes, n), -EBADMSG, "there is no room");
	other.signature_offset = n;
	assert_fails(check(&other, bytes, n), -EBADMSG, "outside the file");
	for (size_t i = 0; i < uki.tail_n; i++) {
		uki.tail[i] ^= 0x80;
		assert_int_equal(check(&uki, bytes, n), -EBADMSG);
		uki.tail[i] ^= 0x80;
	}
	assert_ok(check(&uki, bytes, n));
	free(uki.tail);
}

/* Nothing of a UKI without Secure Boot is signed, but the place of the signature in it counts. */
static void test_without_secure_boot(void **state)
{
	uint8_t bytes[PE_IMAGE_MAX];
	size_t n = make_program(bytes);
	struct ingot_request_uki uki = {.size = n, .signature_offset = ROOM_AT};

	(void)state;
	assert_ok(check(&uki, bytes, n));
	uki.signature_offset--;
	assert_fails(check(&uki, bytes, n), -EBADMSG, "there is no room");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_pieces_are_the_file),
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_other_requests),
		cmocka_unit_test(test_without_secure_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

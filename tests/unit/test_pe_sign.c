/* Where the signatures of a PE file go, and what they are about. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/pe.h"
#include "boot/pe_sign.h"
#include "pe_image.h"

enum { HEADERS = 0x400, CHECKSUM_AT = OPT_AT + 64, ENTRY_AT = DIRECTORIES_AT + 4 * 8 };

static struct ingot_source *source_of(const void *bytes, size_t n)
{
	struct ingot_source *source = NULL;

	if (ingot_source_memory("x.efi", bytes, n, &source, NULL) < 0)
		abort();
	return source;
}

static void digest_of(const void *bytes, size_t n, uint8_t digest[32])
{
	INGOT_SOURCE struct ingot_source *source = source_of(bytes, n);
	struct ingot_pe_place place;
	struct ingot_error err = {0};

	assert_ok(ingot_pe_place_read(source, &place, &err));
	assert_ok(ingot_pe_digest(source, &place, digest, &err));
}

static void test_place(void **state)
{
	uint8_t bytes[PE_IMAGE_MAX];
	size_t n = pe_image(bytes, INGOT_PE_X86_64, HEADERS);
	INGOT_SOURCE struct ingot_source *source = source_of(bytes, n + 3);
	struct ingot_pe_place place;
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_pe_place_read(source, &place, &err));
	assert_int_equal(place.checksum_offset, CHECKSUM_AT);
	assert_int_equal(place.entry_offset, ENTRY_AT);
	assert_int_equal(place.content_size, n + 3);
	assert_int_equal(place.table_offset, n + 8);
	assert_int_equal(place.table_size, 0);
}

/* Every byte counts but those of the checksum and of the directory's entry, and zeros are added. */
static void test_digest(void **state)
{
	uint8_t bytes[PE_IMAGE_MAX], plain[32], digest[32];
	size_t n = pe_image(bytes, INGOT_PE_X86_64, HEADERS) + 3;
	struct ingot_sha256 *sha = ingot_sha256_new(NULL);
	struct ingot_error err = {0};

	(void)state;
	digest_of(bytes, n, plain);
	assert_ok(ingot_sha256_update(sha, bytes, CHECKSUM_AT, &err));
	assert_ok(ingot_sha256_update(sha, bytes + CHECKSUM_AT + 4, ENTRY_AT - CHECKSUM_AT - 4,
				      &err));
	assert_ok(ingot_sha256_update(sha, bytes + ENTRY_AT + 8, n - ENTRY_AT - 8, &err));
	assert_ok(ingot_sha256_update(sha, "\0\0\0\0", 5, &err));
	assert_ok(ingot_sha256_final(sha, digest, &err));
	assert_memory_equal(digest, plain, 32);
	ingot_sha256_free(sha);

	for (size_t i = TABLE_AT + 80; i < n; i++) {
		bytes[i] ^= 1;
		digest_of(bytes, n, digest);
		assert_memory_not_equal(digest, plain, 32);
		bytes[i] ^= 1;
	}
	for (size_t i = 0; i < 4; i++) {
		bytes[CHECKSUM_AT + i] ^= 1;
		digest_of(bytes, n, digest);
		assert_memory_equal(digest, plain, 32);
	}
}

static uint32_t checksum(const char *bytes, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) { /* PE Format, as everybody writes it */
		if (i >= CHECKSUM_AT && i < CHECKSUM_AT + 4)
			continue;
		sum += (uint32_t)(uint8_t)bytes[i] << (8 * (i % 2));
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum + (uint32_t)n;
}

static void test_attach(void **state)
{
	uint8_t bytes[PE_IMAGE_MAX], before[32], after[32];
	size_t n = pe_image(bytes, INGOT_PE_X86_64, HEADERS) + 3, table_n, loaded_n, count;
	INGOT_SOURCE struct ingot_source *source = source_of(bytes, n);
	INGOT_SOURCE struct ingot_source *image = NULL;
	INGOT_SOURCE struct ingot_source *bare = NULL;
	INGOT_FREE uint8_t *table = NULL, *two = NULL, *loaded = NULL;
	INGOT_FREE char *whole = NULL, *less = NULL;
	struct ingot_pe_certificate list[INGOT_PE_SIGNATURES_MAX];
	struct ingot_pe_place place, signed_place;
	struct ingot_error err = {0};
	size_t whole_n, less_n;
	struct ingot_pe pe;

	(void)state;
	assert_ok(ingot_pe_place_read(source, &place, &err));
	assert_ok(ingot_pe_digest(source, &place, before, &err));
	assert_ok(ingot_pe_table_add(NULL, 0, (const uint8_t *)"hello", 5, &table, &table_n, &err));
	assert_int_equal(table_n, 16);
	assert_ok(ingot_pe_table_add(table, table_n, (const uint8_t *)"worlds...", 9, &two,
				     &table_n, &err));
	assert_int_equal(table_n, 40);
	assert_ok(ingot_pe_attach(source, &place, two, table_n, &image, &err));
	assert_int_equal(image->size, place.table_offset + table_n);
	assert_ok(ingot_source_load(image, 1 << 20, &whole, &whole_n, &err));
	assert_int_equal(ingot_get_le32(whole + CHECKSUM_AT), checksum(whole, whole_n));
	assert_int_equal(ingot_get_le32(whole + ENTRY_AT), place.table_offset);
	assert_int_equal(ingot_get_le32(whole + ENTRY_AT + 4), table_n);

	assert_ok(ingot_pe_read(image, &pe, &err)); /* the other reader */
	assert_int_equal(pe.certificates_size, table_n);
	assert_ok(ingot_pe_place_read(image, &signed_place, &err));
	assert_ok(ingot_pe_digest(image, &signed_place, after, &err));
	assert_memory_equal(before, after, 32);
	assert_ok(ingot_pe_table_load(image, &signed_place, &loaded, &loaded_n, &err));
	assert_ok(ingot_pe_table_read(loaded, loaded_n, list, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(list[0].n, 5);
	assert_memory_equal(list[0].data, "hello", 5);
	assert_int_equal(list[1].n, 9);
	assert_memory_equal(list[1].data, "worlds...", 9);
	assert_int_equal(list[1].type, INGOT_PE_CERTIFICATE_PKCS7);

	assert_ok(ingot_pe_attach(image, &signed_place, NULL, 0, &bare, &err));
	assert_ok(ingot_source_load(bare, 1 << 20, &less, &less_n, &err));
	assert_int_equal(less_n, place.table_offset);
	assert_int_equal(ingot_get_le32(less + CHECKSUM_AT), checksum(less, less_n));
	digest_of(less, less_n, after);
	assert_memory_equal(before, after, 32);
}

/* In pieces of even length the sum is what it is at once. */
static void test_sum(void **state)
{
	uint8_t bytes[1001];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 201);
	for (size_t at = 0; at <= sizeof(bytes); at += 2) {
		uint16_t sum =
			ingot_pe_sum(ingot_pe_sum(0, bytes, at), bytes + at, sizeof(bytes) - at);

		assert_int_equal(sum, ingot_pe_sum(0, bytes, sizeof(bytes)));
	}
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(ingot_pe_sum(0, bytes, 1000), 0xffff);
}

/* One number put into a good file, and what the sentence must say then. */
static void test_lies(void **state)
{
	static const struct {
		size_t at, width;
		uint32_t value;
		const char *words;
	} cases[] = {
		{0, 2, 0x457f, "no MZ signature"},
		{OPT_AT, 2, 0x107, "neither PE32 nor PE32+"},
		{COFF_AT + 16, 2, 0x7000, "optional header ends after the file"},
		{COFF_AT + 16, 2, 112, "no place for a signature"},
		{OPT_AT + 108, 4, 4, "no place for a signature"},
		{OPT_AT + 60, 4, 0x7fffffff, "section table ends after its headers"},
		{OPT_AT + 60, 4, 0x100, "section table ends after its headers"},
		{COFF_AT + 2, 2, 500, "section table ends after its headers"},
		{TABLE_AT + 20, 4, HEADERS - 1, "sections overlap"},
		{TABLE_AT + 60, 4, HEADERS + 0x1ff, "sections overlap"},
		{TABLE_AT + 60, 4, HEADERS + 0x201, "bytes that no signature would cover"},
		{TABLE_AT + 20, 4, HEADERS + 0x10, "bytes that no signature would cover"},
		{TABLE_AT + 56, 4, 0x8000, "a section ends after the file"},
		{TABLE_AT + 56, 4, 0xffffffff, "a section ends after the file"},
		{ENTRY_AT + 4, 4, 8, "where it cannot be"},
		{ENTRY_AT + 4, 4, 0xffffffff, "where it cannot be"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[PE_IMAGE_MAX];
		size_t n = pe_image(bytes, INGOT_PE_X86_64, HEADERS);
		INGOT_SOURCE struct ingot_source *source = NULL;
		struct ingot_pe_place place;
		struct ingot_error err = {0};

		if (cases[i].width == 2)
			ingot_put_le16(bytes + cases[i].at, (uint16_t)cases[i].value);
		else
			ingot_put_le32(bytes + cases[i].at, cases[i].value);
		source = source_of(bytes, n);
		assert_fails(ingot_pe_place_read(source, &place, &err), -EINVAL, cases[i].words);
	}
}

static void test_tables(void **state)
{
	static const struct {
		size_t n;
		uint8_t bytes[24];
		const char *words;
	} cases[] = {
		{4, {4}, "too few"},
		{8, {7}, "has 7 bytes"},
		{8, {0}, "has 0 bytes"},
		{8, {9}, "has 9 bytes of the 8"},
		{20, {9, 0, 0, 0, 0, 2, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9}, "too few"},
		{16, {0xff, 0xff, 0xff, 0xff}, "has 4294967295 bytes"},
	};
	struct ingot_pe_certificate list[INGOT_PE_SIGNATURES_MAX];
	uint8_t many[8 * (INGOT_PE_SIGNATURES_MAX + 1)] = {0}, *made;
	struct ingot_error err = {0};
	size_t count, n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_fails(ingot_pe_table_read(cases[i].bytes, cases[i].n, list, &count, &err),
			     -EINVAL, cases[i].words);
	for (size_t i = 0; i < sizeof(many); i += 8)
		many[i] = 8;
	assert_ok(ingot_pe_table_read(many, sizeof(many) - 8, list, &count, &err));
	assert_int_equal(count, INGOT_PE_SIGNATURES_MAX);
	assert_fails(ingot_pe_table_read(many, sizeof(many), list, &count, &err), -EINVAL,
		     "more than 16");
	assert_fails(ingot_pe_table_add(many, sizeof(many) - 8, many, 1, &made, &n, &err), -ENOSPC,
		     "there are 16");
	assert_fails(ingot_pe_table_add(NULL, 0, many, INGOT_PE_TABLE_MAX + 1, &made, &n, &err),
		     -EFBIG, "more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),  cmocka_unit_test(test_digest),
		cmocka_unit_test(test_attach), cmocka_unit_test(test_sum),
		cmocka_unit_test(test_lies),   cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

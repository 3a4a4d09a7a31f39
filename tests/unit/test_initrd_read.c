/* The archive that ends an initrd: found behind anything, in linear time, and nothing else is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/cpio.h"
#include "boot/initrd.h"
#include "boot/initrd_read.h"
#include "unit.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* An initrd that a test puts together. */
struct bytes {
	char *data;
	size_t n, room;
};

static void put(struct bytes *b, const void *data, size_t n)
{
	struct ingot_error err = {0};

	assert_ok(ingot_grow((void **)&b->data, &b->room, b->n + n + 1, 1, &err));
	memcpy(b->data + b->n, data, n);
	b->n += n;
}

static void put_zeros(struct bytes *b, size_t n)
{
	static const char zeros[4096];

	for (; n > sizeof(zeros); n -= sizeof(zeros))
		put(b, zeros, sizeof(zeros));
	put(b, zeros, n);
}

static void put_file(struct bytes *b, const char *name, const char *data, size_t n)
{
	char head[128];

	(void)snprintf(head, sizeof(head),
		       "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1U, 0100644U,
		       0U, 0U, 1U, 0U, (unsigned)n, 0U, 0U, 0U, 0U, (unsigned)strlen(name) + 1, 0U);
	put(b, head, 110);
	put(b, name, strlen(name) + 1);
	put_zeros(b, -b->n % 4);
	put(b, data, n);
	put_zeros(b, -b->n % 4);
}

static void put_member(struct bytes *b, const char *name, const char *data)
{
	put_file(b, name, data, strlen(data));
}

static void put_trailer(struct bytes *b)
{
	put_member(b, "TRAILER!!!", "");
}

static int find(const struct bytes *b, const char *path, char **ret, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	size_t n;
	int rc = ingot_source_memory("initrd", b->data, b->n, &source, err);

	if (rc == 0)
		rc = ingot_initrd_find(source, path, ret, &n, err);
	if (rc == 0)
		assert_int_equal(n, strlen(*ret));
	return rc;
}

static void assert_found(const struct bytes *b, const char *path, const char *want)
{
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};

	assert_ok(find(b, path, &text, &err));
	assert_string_equal(text, want);
}

static void assert_missing(const struct bytes *b, const char *path)
{
	struct ingot_error err = {0};
	char *text = NULL;

	assert_fails(find(b, path, &text, &err), -ENODATA, "in its last archive");
	assert_null(text);
}

static void test_our_segment_behind_anything(void **state)
{
	static const struct ingot_initrd_verity verity = {.root_hash = HASH,
							  .data_device = "PARTUUID=a",
							  .hash_device = "PARTUUID=b",
							  .signature = "0\x01x",
							  .signature_size = 3,
							  .epoch = 1};
	INGOT_SOURCE struct ingot_source *segment = NULL;
	INGOT_FREE char *data = NULL;
	struct ingot_error err = {0};
	size_t n;

	(void)state;
	assert_ok(ingot_initrd_segment(&verity, &segment, &err));
	assert_ok(ingot_source_load(segment, 1 << 20, &data, &n, &err));
	/* Behind nothing, a compressed archive, more than is searched. */
	for (size_t before = 0; before < 3 * INGOT_SEGMENT_MAX; before += 1234568) {
		struct bytes b = {0};

		for (size_t i = 0; i < before; i++)
			put(&b, "\x1f", 1);
		put(&b, data, n);
		assert_found(&b, "etc/usr.p7s", "0\x01x");
		assert_found(&b, "etc/veritytab",
			     "usr PARTUUID=a PARTUUID=b " HASH
			     " root-hash-signature=/etc/usr.p7s\n");
		assert_missing(&b, "etc/verity");
		free(b.data);
	}
}

static void test_the_last_of_two_counts(void **state)
{
	struct bytes b = {0};

	(void)state;
	put_member(&b, "a", "first");
	put_member(&b, "only", "there");
	put_trailer(&b);
	put_zeros(&b, 512);
	put_member(&b, "a", "second");
	put_member(&b, "a", "third");
	put_member(&b, "b", "");
	put_trailer(&b);
	put_zeros(&b, 6);
	assert_found(&b, "a", "third");
	assert_found(&b, "b", "");
	assert_missing(&b, "only"); /* it is in an archive, but not in the last */
	free(b.data);
}

static void test_an_archive_in_a_file_is_no_archive(void **state)
{
	struct bytes inner = {0}, b = {0};

	(void)state;
	put_member(&inner, "etc/veritytab", "false");
	put_trailer(&inner);
	put_member(&b, "etc/veritytab", "true");
	put_file(&b, "x", inner.data, inner.n);
	put_trailer(&b);
	assert_found(&inner, "etc/veritytab", "false");
	assert_found(&b, "etc/veritytab", "true");
	free(inner.data);
	free(b.data);
}

static void test_what_is_no_archive(void **state)
{
	struct bytes b = {0};

	(void)state;
	put(&b, "", 0);
	assert_missing(&b, "a");
	put(&b, "070701", 6);
	assert_missing(&b, "a");
	b.n = 0;
	put_member(&b, "a", "x");
	assert_missing(&b, "a"); /* no trailer */
	put_trailer(&b);
	assert_found(&b, "a", "x");
	put(&b, "more", 4);
	assert_missing(&b, "a");
	b.n -= 4;
	b.data[7] = 'x'; /* not a number that is used */
	assert_found(&b, "a", "x");
	b.data[54] = 'g';
	assert_missing(&b, "a");
	memcpy(b.data + 54, "FFFFFFFF", 8);
	assert_missing(&b, "a");
	memcpy(b.data + 54, "00000001", 8);
	memcpy(b.data + 94, "00000000", 8);
	assert_missing(&b, "a");
	memcpy(b.data + 94, "FFFFFFFE", 8);
	assert_missing(&b, "a");
	memcpy(b.data + 94, "00000003", 8); /* does not end in a NUL */
	b.data[112] = 'b';
	assert_missing(&b, "a");
	free(b.data);
}

static void test_not_where_the_kernel_would_not_look(void **state)
{
	struct bytes b = {0};

	(void)state;
	put(&b, "..", 2);
	put_member(&b, "a", "x"); /* pads to a multiple of 4 from the start of the whole */
	put_trailer(&b);
	assert_missing(&b, "a");
	free(b.data);
}

/* A megabyte of members is looked at once, not once from each of them: this would take minutes. */
static void test_many_members(void **state)
{
	struct bytes b = {0};

	(void)state;
	put_member(&b, "first", "1");
	for (int i = 0; i < 9000; i++)
		put_member(&b, "a", "");
	put_trailer(&b);
	assert_true(b.n < INGOT_SEGMENT_MAX);
	for (int i = 0; i < 50; i++)
		assert_missing(&b, "none");
	assert_found(&b, "first", "1");
	free(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_segment_behind_anything),
		cmocka_unit_test(test_the_last_of_two_counts),
		cmocka_unit_test(test_an_archive_in_a_file_is_no_archive),
		cmocka_unit_test(test_what_is_no_archive),
		cmocka_unit_test(test_not_where_the_kernel_would_not_look),
		cmocka_unit_test(test_many_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

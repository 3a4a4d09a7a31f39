/* The fast deflate against two decoders that are not ours, and its bytes against a digest. */
#include "unit.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/digest.h"
#include "base/text.h"
#include "formats/fast_deflate.h"
#include "formats/huffman_internal.h"

enum { N = INGOT_FAST_DEFLATE_DATA, ROOM = INGOT_FAST_DEFLATE_ROOM };

struct fixture {
	struct ingot_fast_deflate *deflate;
	struct libdeflate_decompressor *libdeflate;
	unsigned char *data, *packed, *back;
	uint64_t random;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->deflate = ingot_fast_deflate_new(NULL);
	f->libdeflate = libdeflate_alloc_decompressor();
	f->data = malloc(N);
	f->packed = malloc(ROOM);
	f->back = malloc(N + 1);
	f->random = 1;
	*state = f;
	return f->deflate && f->libdeflate && f->data && f->packed && f->back ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ingot_fast_deflate_free(f->deflate);
	libdeflate_free_decompressor(f->libdeflate);
	free(f->data);
	free(f->packed);
	free(f->back);
	free(f);
	return 0;
}

static unsigned next_random(struct fixture *f)
{
	f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(f->random >> 40);
}

/* With zlib, which must also say that the stream ends where ours does. */
static void check_zlib(struct fixture *f, const unsigned char *data, size_t n, size_t size)
{
	z_stream z = {.next_in = f->packed, .avail_in = (uInt)size, .avail_out = N + 1};

	z.next_out = f->back;
	assert_int_equal(inflateInit2(&z, -15), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, n);
	assert_int_equal(z.avail_in, 0);
	assert_memory_equal(f->back, data, n);
	(void)inflateEnd(&z);
}

/* Data and room end where their memory ends, for the sanitizers. Returns the size. */
static size_t check(struct fixture *f, size_t n)
{
	unsigned char *data = malloc(n ? n : 1);
	size_t size, got;

	memcpy(data, f->data, n);
	size = ingot_fast_deflate(f->deflate, data, n, f->packed);
	assert_true(size <= n + 10);
	memset(f->back, 0xaa, N);
	assert_int_equal(libdeflate_deflate_decompress_ex(f->libdeflate, f->packed, size, f->back,
							  N, NULL, &got),
			 LIBDEFLATE_SUCCESS);
	assert_int_equal(got, n);
	assert_memory_equal(f->back, data, n);
	check_zlib(f, data, n, size);
	free(data);
	return size;
}

static void fill_text(struct fixture *f)
{
	static const char *const WORDS[] = {"the ",   "grain ",	 "directory ", "of ", "a ",
					    "disk, ", "sector ", "is ",	       "\n",  "image "};

	for (size_t at = 0; at < N;) {
		const char *word = WORDS[next_random(f) % 10];
		size_t n = strlen(word) < N - at ? strlen(word) : N - at;

		memcpy(f->data + at, word, n);
		at += n;
	}
}

/* --- tests ------------------------------------------------------------- */

static void test_constant(void **state)
{
	struct fixture *f = *state;

	memset(f->data, 0, N);
	assert_true(check(f, N) < 100);
	memset(f->data, 0xff, N);
	assert_true(check(f, N) < 100);
	memset(f->data, 0, N);
	f->data[N - 1] = 1;
	assert_true(check(f, N) < 100);
	f->data[N / 2] = 200;
	assert_true(check(f, N) < 300);
}

static void test_noise_is_stored(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < N; i++)
		f->data[i] = (unsigned char)next_random(f);
	assert_int_equal(check(f, N), N + 10);
	assert_int_equal(check(f, 65535), 65535 + 5);
	assert_int_equal(check(f, 1000), 1000 + 5);
	assert_int_equal(check(f, 1), 3); /* a fixed block: 3 + 8 + 7 bits */
	assert_int_equal(check(f, 0), 2);
}

static void test_text(void **state)
{
	struct fixture *f = *state;
	size_t size;

	fill_text(f);
	size = check(f, N);
	assert_true(size < N / 4);
	assert_true(size > N / 20);
}

/* Skewed, but without a repetition that helps: Huffman codes do the work. */
static void test_all_literals(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < N; i++)
		f->data[i] = (unsigned char)(next_random(f) & next_random(f));
	assert_true(check(f, N) < N * 15 / 16);
}

/*
 * Counts that grow like Fibonacci's numbers have codes as long as their number: far beyond the
 * limit, which here is met with a code that still is complete.
 */
static void test_fibonacci(void **state)
{
	struct fixture *f = *state;
	size_t a = 1, b = 1, at = 0;

	for (unsigned symbol = 0; at < N; symbol++) {
		for (size_t i = 0; i < a && at < N; i++)
			f->data[at++] = (unsigned char)(symbol * 7);
		b += a;
		a = b - a;
	}
	for (size_t i = N - 1; i > 0; i--) { /* in no order, so that few matches are found */
		size_t j = next_random(f) % (i + 1);
		unsigned char byte = f->data[i];

		f->data[i] = f->data[j];
		f->data[j] = byte;
	}
	assert_true(check(f, N) < N / 2);
}

static void test_lengths(void **state)
{
	struct fixture *f = *state;

	for (size_t length = 1; length < 1100; length += length < 600 ? 1 : 37) {
		size_t n = 2 * length + 40;

		for (size_t i = 0; i < n; i++)
			f->data[i] = (unsigned char)next_random(f);
		memcpy(f->data + 20 + length, f->data + 10, length);
		if (length > 40)
			assert_true(check(f, n) < n);
		else
			(void)check(f, n);
	}
}

/* 100 bytes of noise twice, zeros between them. Returns what the second time saves. */
static size_t saved_at(struct fixture *f, size_t distance)
{
	enum { REPEAT = 100 };
	size_t n = distance + REPEAT + 50, once;

	memset(f->data, 0, n);
	for (size_t i = 0; i < REPEAT; i++) {
		f->data[i] = (unsigned char)next_random(f);
		f->data[distance + i] = (unsigned char)next_random(f);
	}
	once = check(f, n);
	memcpy(f->data + distance, f->data, REPEAT);
	return once - check(f, n);
}

/* Found at a distance of 32768, which is as far as deflate reaches. */
static void test_distances(void **state)
{
	struct fixture *f = *state;

	for (size_t distance = 101; distance < 32750; distance += 619)
		assert_in_range(saved_at(f, distance), 80, 150);
	for (size_t distance = 32750; distance <= 32768; distance++)
		assert_in_range(saved_at(f, distance), 80, 150);
	for (size_t distance = 32769; distance <= 32780; distance++)
		assert_in_range(saved_at(f, distance) + 20, 0, 80);
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;

	fill_text(f);
	for (size_t n = 0; n <= 300; n++)
		(void)check(f, n);
	for (size_t n = N - 40; n <= N; n++)
		(void)check(f, n);
	memset(f->data, 'a', N);
	for (size_t n = 0; n <= 600; n++)
		(void)check(f, n);
}

static unsigned char mixed_byte(struct fixture *f, unsigned kind, size_t at, size_t distance)
{
	switch (kind) {
	case 0:
		return (unsigned char)next_random(f);
	case 1:
		return (unsigned char)"\0etaoin"[next_random(f) % 7];
	default:
		return at >= distance ? f->data[at - distance] : (unsigned char)distance;
	}
}

/* Stretches of noise, text, copies and runs, of random sizes. */
static void fill_mixed(struct fixture *f)
{
	for (size_t at = 0; at < N;) {
		unsigned kind = next_random(f) % 4, bits = next_random(f) % 12;
		size_t n = 1 + next_random(f) % (1U << bits);
		size_t distance = kind == 3 ? 1 : 1 + next_random(f) % N;

		for (; n > 0 && at < N; n--, at++)
			f->data[at] = mixed_byte(f, kind, at, distance);
	}
}

static void test_mixed(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 200; i++) {
		fill_mixed(f);
		(void)check(f, i % 2 ? N : next_random(f) % N);
	}
}

/* Whoever changes these bytes changes every file of the fast level: say so in the release notes. */
static void test_golden(void **state)
{
	struct fixture *f = *state;
	struct ingot_error err = {0};
	INGOT_SHA256 struct ingot_sha256 *all = ingot_sha256_new(&err);
	uint8_t digest[INGOT_SHA256_SIZE];
	char text[2 * INGOT_SHA256_SIZE + 1];

	assert_non_null(all);
	f->random = 20;
	for (int i = 0; i < 20; i++) {
		size_t size;

		fill_mixed(f);
		size = ingot_fast_deflate(f->deflate, f->data, N, f->packed);
		assert_ok(ingot_sha256_update(all, f->packed, size, &err));
	}
	assert_ok(ingot_sha256_final(all, digest, &err));
	ingot_hex(digest, sizeof(digest), text);
	assert_string_equal(text,
			    "2d09e14715e23dd60f6ce8fe9f9d96894b8a8c75dc5bf3da436e114a1b1f3662");
}

/* One compressor, two pieces: the second's bytes are those of a new one. */
static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct ingot_fast_deflate *other = ingot_fast_deflate_new(NULL);
	unsigned char *packed = malloc(ROOM);
	size_t size, again;

	fill_mixed(f);
	(void)check(f, N);
	fill_text(f);
	size = check(f, N);
	again = ingot_fast_deflate(other, f->data, N, packed);
	assert_int_equal(again, size);
	assert_memory_equal(packed, f->packed, size);
	free(packed);
	ingot_fast_deflate_free(other);
}

/* --- codes ------------------------------------------------------------- */

/* The lengths fill the code space exactly, and no symbol that is used is without one. */
static void check_code(const uint32_t *counts, size_t n, unsigned limit)
{
	uint8_t lengths[HUFFMAN_SYMBOLS];
	uint64_t space = 0;

	huffman_lengths(counts, n, limit, lengths);
	for (size_t s = 0; s < n; s++) {
		assert_true(lengths[s] <= limit);
		assert_true(lengths[s] > 0 || counts[s] == 0);
		if (lengths[s] > 0)
			space += UINT64_C(1) << (limit - lengths[s]);
	}
	assert_int_equal(space, UINT64_C(1) << limit);
}

static void test_codes(void **state)
{
	struct fixture *f = *state;
	uint32_t counts[HUFFMAN_SYMBOLS] = {0};

	check_code(counts, 19, 7);
	counts[18] = 3;
	check_code(counts, 19, 7);
	counts[0] = HUFFMAN_COUNT_MAX;
	check_code(counts, 19, 7);
	for (int round = 0; round < 500; round++) {
		size_t n = 2 + next_random(f) % (HUFFMAN_SYMBOLS - 1);
		unsigned limit = 9 + next_random(f) % 7;

		for (size_t s = 0; s < n; s++)
			counts[s] = next_random(f) % (1U << next_random(f) % 18);
		check_code(counts, n, limit);
	}
}

static void test_code_is_the_best(void **state)
{
	static const uint32_t COUNTS[] = {1, 1, 2, 3, 5, 8, 13, 21};
	static const uint8_t WANT[] = {7, 7, 6, 5, 4, 3, 2, 1};
	uint8_t lengths[8];

	(void)state;
	huffman_lengths(COUNTS, 8, 15, lengths);
	assert_memory_equal(lengths, WANT, sizeof(WANT));
}

/* RFC 1951, 3.2.2: its example, each code read from its other end. */
static void test_rfc_codes(void **state)
{
	static const uint8_t LENGTHS[] = {3, 3, 3, 3, 3, 2, 4, 4};
	static const uint16_t WANT[] = {2, 6, 1, 5, 3, 0, 7, 15};
	uint16_t codes[8];

	(void)state;
	huffman_codes(LENGTHS, 8, codes);
	for (size_t s = 0; s < 8; s++)
		assert_int_equal(codes[s], WANT[s]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_constant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_noise_is_stored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_literals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fibonacci, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lengths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_distances, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mixed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_golden, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_codes, set_up, tear_down),
		cmocka_unit_test(test_code_is_the_best),
		cmocka_unit_test(test_rfc_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

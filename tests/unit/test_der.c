/* DER both ways: what is written can be read, and nothing that is not DER is. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "sign/der_internal.h"

static void test_lengths(void **state)
{
	static const struct {
		size_t n, head;
		uint8_t first[4];
	} cases[] = {
		{0, 2, {4, 0}},
		{127, 2, {4, 127}},
		{128, 3, {4, 0x81, 128}},
		{255, 3, {4, 0x81, 255}},
		{256, 4, {4, 0x82, 1, 0}},
		{65535, 4, {4, 0x82, 255, 255}},
		{65536, 5, {4, 0x83, 1, 0}},
	};
	uint8_t *content = calloc(1, 65536);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_error err = {0};
		DER_WRITER struct der der = {.err = &err};
		struct der_view in, view;

		der_put(&der, DER_OCTET_STRING, content, cases[i].n);
		assert_int_equal(der.rc, 0);
		assert_int_equal(der.n, cases[i].head + cases[i].n);
		assert_memory_equal(der.data, cases[i].first,
				    cases[i].head < 4 ? cases[i].head : 4);
		in = (struct der_view){der.data, der.n};
		assert_true(der_take(&in, DER_OCTET_STRING, &view));
		assert_int_equal(view.n, cases[i].n);
		assert_int_equal(in.n, 0);
		in = (struct der_view){der.data, der.n - 1}; /* cut */
		assert_false(der_take(&in, DER_OCTET_STRING, &view));
		assert_int_equal(in.n, der.n - 1);
	}
	free(content);
}

static void test_nested(void **state)
{
	static const uint8_t want[] = {0x30, 7, 0x31, 2, 5, 0, 2, 1, 9};
	static const uint8_t nine[] = {9};
	struct ingot_error err = {0};
	DER_WRITER struct der der = {.err = &err};
	struct der_view in = {want, sizeof(want)}, sequence, set, view, whole;
	size_t outer = der_open(&der, DER_SEQUENCE), inner = der_open(&der, DER_SET);

	(void)state;
	der_put(&der, DER_NULL, NULL, 0);
	der_close(&der, inner);
	der_put(&der, DER_INTEGER, nine, 1);
	der_close(&der, outer);
	assert_int_equal(der.n, sizeof(want));
	assert_memory_equal(der.data, want, sizeof(want));

	assert_false(der_take(&in, DER_SET, &sequence));
	assert_true(der_take(&in, DER_SEQUENCE, &sequence));
	assert_true(der_take_whole(&sequence, DER_SET, &set, &whole));
	assert_int_equal(whole.n, 4);
	assert_true(der_take(&set, DER_NULL, &view));
	assert_int_equal(view.n, 0);
	assert_false(der_take(&set, DER_NULL, &view));
	assert_true(der_take(&sequence, DER_INTEGER, &view));
	assert_true(der_equal(&view, nine, 1));
}

/* BER, and lengths that lie. */
static void test_not_der(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t n;
	} cases[] = {
		{{4}, 1},
		{{4, 0x80, 0, 0}, 4},		    /* indefinite */
		{{4, 0x81, 3, 1, 1, 1}, 6},	    /* longer than it has to be */
		{{4, 0x82, 0, 3, 1, 1, 1}, 7},	    /* ... */
		{{4, 0x85, 0, 0, 0, 0, 1, 1}, 8},   /* more bytes than are read */
		{{4, 0x84, 255, 255, 255, 255}, 6}, /* past the end */
		{{4, 0x82, 1}, 3},		    /* the length is cut */
		{{4, 3, 1, 1}, 4},		    /* the content is */
		{{4, 0xff, 1, 1, 1, 1, 1, 1}, 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct der_view in = {cases[i].bytes, cases[i].n}, view;

		assert_false(der_take(&in, 4, &view));
		assert_int_equal(in.n, cases[i].n);
	}
}

static void test_sort(void **state)
{
	static const uint8_t a[] = {1}, ab[] = {1, 2}, b[] = {2}, c[] = {2, 0};
	struct der_element list[] = {{c, 2}, {b, 1}, {ab, 2}, {a, 1}};

	(void)state;
	der_sort(list, 4);
	assert_ptr_equal(list[0].data, a);
	assert_ptr_equal(list[1].data, ab);
	assert_ptr_equal(list[2].data, b);
	assert_ptr_equal(list[3].data, c);
}

static void test_too_long(void **state)
{
	struct ingot_error err = {0};
	DER_WRITER struct der der = {.err = &err};
	uint8_t *large = calloc(1, DER_MAX);
	uint8_t *data = NULL;
	size_t n, at;

	(void)state;
	at = der_open(&der, DER_SEQUENCE);
	der_raw(&der, large, DER_MAX);
	der_close(&der, at);
	assert_int_equal(der_finish(&der, &data, &n), -EFBIG);
	assert_null(data);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),	 cmocka_unit_test(test_nested),
		cmocka_unit_test(test_not_der),	 cmocka_unit_test(test_sort),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

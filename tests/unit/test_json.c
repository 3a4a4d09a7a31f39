/* What is wrong with a text, and what with the machine that reads it, is told apart. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const char TEXT[] =
	"{\"a key\": [1, 2, {\"b\": \"a text that is longer than a first buffer of "
	"sixteen bytes\"}], \"c\": null}";

static unsigned long left; /* allocations until one fails; 0: none does */

static void *fallible(size_t n)
{
	if (left > 0 && --left == 0)
		return NULL;
	return malloc(n);
}

static void test_text(void **state)
{
	struct ingot_error err;
	json_error_t why;
	json_t *json;

	(void)state;
	assert_ok(ingot_json_parse(TEXT, strlen(TEXT), &json, &why, &err));
	assert_int_equal(json_array_size(json_object_get(json, "a key")), 3);
	json_decref(json);
	assert_int_equal(ingot_json_parse(TEXT, strlen(TEXT) - 1, &json, &why, &err), -EINVAL);
	assert_null(json);
	assert_string_not_equal(why.text, "");
	assert_int_equal(ingot_json_parse("{\"a\": 1, \"a\": 2}", 16, &json, &why, &err), -EINVAL);
	assert_int_equal(ingot_json_parse("", 0, &json, &why, &err), -EINVAL);
}

/* jansson itself blames the text in some places, and in others returns half of a string. */
static void test_every_allocation(void **state)
{
	struct ingot_error err;
	json_error_t why;
	json_t *json, *whole = json_loads(TEXT, 0, NULL);
	int rc = -ENOMEM;

	(void)state;
	for (unsigned long at = 1; rc != 0; at++) {
		json_set_alloc_funcs(fallible, free);
		left = at;
		rc = ingot_json_parse(TEXT, strlen(TEXT), &json, &why, &err);
		if (left > 0) { /* more than it makes */
			assert_ok(rc);
			assert_true(json_equal(json, whole));
		} else {
			assert_int_equal(rc, -ENOMEM);
			assert_null(json);
		}
		json_decref(json);
		left = 0;
		json_set_alloc_funcs(malloc, free);
		assert_true(at < 1000);
	}
	json_decref(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sentences that keep the thing, the place and the cause, however long they get. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void test_raise_says_what_was_asked(void **state)
{
	struct ingot_error err = {0};

	(void)state;
	assert_int_equal(ingot_raise(&err, -EINVAL, "line %d", 7), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "line 7");
}

static void test_wrap_puts_words_in_front(void **state)
{
	struct ingot_error err = {0};

	(void)state;
	assert_int_equal(ingot_raise_errno(&err, ENOSPC, "write %d bytes", 6), -ENOSPC);
	assert_int_equal(ingot_wrap(&err, -ENOSPC, "hash level %u", 1U), -ENOSPC);
	assert_int_equal(ingot_wrap(&err, -EIO, "partition '%s'", "USR-A"), -EIO);
	assert_int_equal(err.code, -EIO);
	assert_string_equal(err.text, "partition 'USR-A': hash level 1: write 6 bytes: "
				      "No space left on device");
}

static void test_null_error_keeps_the_code(void **state)
{
	(void)state;
	assert_int_equal(ingot_raise(NULL, -EPERM, "x"), -EPERM);
	assert_int_equal(ingot_raise_errno(NULL, EIO, "x"), -EIO);
	assert_int_equal(ingot_wrap(NULL, -EIO, "x"), -EIO);
	assert_int_equal(ingot_raise_oom(NULL, 1), -ENOMEM);
}

/* libarchive's ARCHIVE_ERRNO_MISC is -1, and some calls fail with errno 0. */
static void test_a_missing_errno_is_still_a_failure(void **state)
{
	struct ingot_error err = {0};

	(void)state;
	assert_int_equal(ingot_raise_errno(&err, 0, "read"), -EIO);
	assert_int_equal(err.code, -EIO);
	assert_int_equal(ingot_raise_errno(&err, -1, "read"), -EIO);
	assert_int_equal(ingot_raise_errno(NULL, 0, "read"), -EIO);
}

static char *long_text(size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

static void assert_framed(const char *text, const char *front, const char *back)
{
	size_t n = strlen(text);

	assert_true(n < INGOT_ERROR_MAX);
	assert_memory_equal(text, front, strlen(front));
	assert_true(n >= strlen(back));
	assert_string_equal(text + n - strlen(back), back);
}

static void test_long_sentences_lose_their_middle(void **state)
{
	static const size_t lengths[] = {900,  1010, 1011, 1012, 1013, 1020, 1021,
					 1022, 1023, 1024, 1910, 1919, 1920, 1921,
					 2030, 2040, 2047, 2048, 2049, 4096, 100000};
	struct ingot_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char *text = long_text(lengths[i]);

		assert_int_equal(ingot_raise(&err, -EIO, "thing '%s' is bad", text), -EIO);
		assert_framed(err.text, "thing 'x", "x' is bad");
		assert_int_equal(ingot_raise_errno(&err, EIO, "thing '%s' read", text), -EIO);
		assert_framed(err.text, "thing 'x", "x' read: Input/output error");
		assert_int_equal(ingot_wrap(&err, -EIO, "place '%s' end", text), -EIO);
		assert_framed(err.text, "place 'x", ": Input/output error");
		assert_non_null(strstr(err.text, "x' end: "));
		free(text);
	}
}

static void test_many_wraps_keep_front_and_cause(void **state)
{
	struct ingot_error err;

	(void)state;
	assert_int_equal(ingot_raise(&err, -EIO, "the cause"), -EIO);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(ingot_wrap(&err, -EIO, "level %d", i), -EIO);
	assert_framed(err.text, "level 1999: level 1998: ", ": the cause");
}

static void test_a_sentence_may_be_made_from_the_old_one(void **state)
{
	struct ingot_error err;

	(void)state;
	assert_int_equal(ingot_raise(&err, -EIO, "old"), -EIO);
	assert_int_equal(ingot_raise(&err, -EINVAL, "new (%s)", err.text), -EINVAL);
	assert_string_equal(err.text, "new (old)");
	assert_int_equal(ingot_raise_errno(&err, EPERM, "%s!", err.text), -EPERM);
	assert_string_equal(err.text, "new (old)!: Operation not permitted");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raise_says_what_was_asked),
		cmocka_unit_test(test_wrap_puts_words_in_front),
		cmocka_unit_test(test_null_error_keeps_the_code),
		cmocka_unit_test(test_a_missing_errno_is_still_a_failure),
		cmocka_unit_test(test_long_sentences_lose_their_middle),
		cmocka_unit_test(test_many_wraps_keep_front_and_cause),
		cmocka_unit_test(test_a_sentence_may_be_made_from_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

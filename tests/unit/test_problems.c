/* Every mistake of a recipe, in the order of its lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/problems.h"
#include "unit.h"

static void test_sorted_by_file_line_and_column(void **state)
{
	struct ingot_problems problems = {0};
	char *text;

	(void)state;
	assert_false(ingot_problems_any(&problems));
	ingot_problem_add(&problems, "b.yaml", 2, 1, "late");
	ingot_problem_add(&problems, "a.yaml", 10, 1, "ten");
	ingot_problem_add(&problems, "a.yaml", 9, 7, "nine, seven");
	ingot_problem_add(&problems, "a.yaml", 9, 3, "nine, %s", "three");
	ingot_problem_add(&problems, "a.yaml", 0, 0, "as a whole");
	ingot_problem_add(&problems, NULL, 0, 0, "nowhere");
	assert_true(ingot_problems_any(&problems));
	text = ingot_problems_text(&problems);
	assert_non_null(text);
	assert_string_equal(text, "nowhere\n"
				  "a.yaml: as a whole\n"
				  "a.yaml:9:3: nine, three\n"
				  "a.yaml:9:7: nine, seven\n"
				  "a.yaml:10:1: ten\n"
				  "b.yaml:2:1: late\n");
	free(text);
	ingot_problems_done(&problems);
	assert_false(ingot_problems_any(&problems));
}

static void test_none_is_an_empty_text(void **state)
{
	struct ingot_problems problems = {0};
	char *text = ingot_problems_text(&problems);

	(void)state;
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
	ingot_problems_done(&problems);
}

static void test_beyond_the_limit_they_are_counted(void **state)
{
	struct ingot_problems problems = {0};
	char *text;

	(void)state;
	for (size_t i = 0; i < INGOT_PROBLEMS_MAX + 23; i++)
		ingot_problem_add(&problems, "f", i + 1, 1, "no");
	assert_int_equal(problems.count, INGOT_PROBLEMS_MAX);
	text = ingot_problems_text(&problems);
	assert_non_null(text);
	assert_non_null(strstr(text, "f:100:1: no\nand 23 more\n"));
	free(text);
	ingot_problems_done(&problems);
}

static void test_lost_for_want_of_memory_is_not_none(void **state)
{
	struct ingot_problems problems = {.oom = true};
	char *text = ingot_problems_text(&problems);

	(void)state;
	assert_true(ingot_problems_any(&problems));
	assert_non_null(text);
	assert_string_equal(text, "out of memory while collecting problems\n");
	free(text);
	ingot_problems_done(&problems);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_by_file_line_and_column),
		cmocka_unit_test(test_none_is_an_empty_text),
		cmocka_unit_test(test_beyond_the_limit_they_are_counted),
		cmocka_unit_test(test_lost_for_want_of_memory_is_not_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

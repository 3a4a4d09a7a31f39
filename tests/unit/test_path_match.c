#include "unit.h"

#include <string.h>

#include "base/text.h"

struct match_case {
	const char *pattern, *path;
	bool want;
};

static const struct match_case CASES[] = {
	{"usr", "usr", true},
	{"usr", "usr/bin", false},
	{"usr/bin", "usr", false},
	{"/usr/bin", "usr/bin", true},
	{"usr/bin/", "usr/bin", true},
	{"usr", "us", false},
	{"us", "usr", false},
	{"", "", true},
	{"/", "", true},
	{"/", "usr", false},
	{"usr", "", false},
	{"*", "usr", true},
	{"*", "usr/bin", false},
	{"*", ".hidden", true},
	{"usr/*", "usr/bin", true},
	{"usr/*", "usr/bin/x", false},
	{"usr/*/x", "usr/bin/x", true},
	{"u?r", "usr", true},
	{"u?r", "u/r", false},
	{"*.pyc", "a.pyc", true},
	{"[abc]x", "bx", true},
	{"[!abc]x", "bx", false},
	{"\\*", "*", true},
	{"\\*", "x", false},
	{"a*b*c", "aXbXc", true},
	{"**", "a", true},
	{"**", "a/b/c", true},
	{"**", "", false},
	{"usr/**", "usr", false},
	{"usr/**", "usr/a", true},
	{"usr/**", "usr/a/b/c", true},
	{"usr/**", "var/a", false},
	{"**/x", "x", true},
	{"**/x", "a/b/x", true},
	{"**/x", "a/b/y", false},
	{"**/x", "a/x/b", false},
	{"a/**/b", "a/b", true},
	{"a/**/b", "a/x/y/b", true},
	{"a/**/b", "a/x/b/y", false},
	{"**/a/**/b", "x/a/y/a/z/b", true},
	{"**/a/b/**/c", "a/a/b/x/c", true},
	{"**/a/*/c", "a/a/b/c", true},
	{"**/*.pyc", "usr/lib/x/a.pyc", true},
	{"a**", "abc", true},
	{"a**", "a/b", false},
	{"\xff*", "\xff\xfe", true},
};

static void cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		if (ingot_path_match(CASES[i].pattern, CASES[i].path) != CASES[i].want)
			fail_msg("'%s' and '%s'", CASES[i].pattern, CASES[i].path);
}

static void longest_name(void **state)
{
	char name[256] = "";

	(void)state;
	memset(name, 'n', 255);
	assert_true(ingot_path_match(name, name));
	assert_true(ingot_path_match("n*n", name));
	assert_false(ingot_path_match("n*m", name));
}

/* Many `**` and nothing that fits: no exponential time. */
static void many_stars(void **state)
{
	char pattern[1024] = "", path[2001] = "";

	(void)state;
	for (size_t i = 0; i < 100; i++)
		strcat(pattern, "**/a/");
	strcat(pattern, "b");
	for (size_t i = 0; i < 1000; i++)
		memcpy(path + 2 * i, "a/", 2);
	path[1999] = '\0';
	assert_false(ingot_path_match(pattern, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(longest_name),
		cmocka_unit_test(many_stars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

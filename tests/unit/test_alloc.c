/* Checked arithmetic at its edges, growing arrays, the arena. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "unit.h"

static void test_arithmetic_at_the_edges(void **state)
{
	uint64_t v;

	(void)state;
	assert_true(ingot_add(UINT64_MAX - 1, 1, &v) && v == UINT64_MAX);
	assert_false(ingot_add(UINT64_MAX, 1, &v));
	assert_true(ingot_mul(UINT64_MAX / 2, 2, &v) && v == UINT64_MAX - 1);
	assert_false(ingot_mul(UINT64_MAX / 2 + 1, 2, &v));
	assert_true(ingot_mul(UINT64_MAX, 0, &v) && v == 0);

	assert_true(ingot_in_range(0, 0, 0));
	assert_true(ingot_in_range(10, 0, 10));
	assert_false(ingot_in_range(11, 0, 10));
	assert_true(ingot_in_range(9, 1, 10));
	assert_false(ingot_in_range(9, 2, 10));
	assert_false(ingot_in_range(1, UINT64_MAX, 10));

	assert_true(ingot_div_up(UINT64_MAX, 1) == UINT64_MAX);
	assert_true(ingot_div_up(UINT64_MAX, 4096) == UINT64_C(1) << 52);
	assert_true(ingot_div_up(0, 4096) == 0);
	assert_true(ingot_round_up(4097, 4096) == 8192);
	assert_false(ingot_is_power_of_two(0));
	assert_true(ingot_is_power_of_two(1));
	assert_true(ingot_is_power_of_two(UINT64_C(1) << 63));
	assert_false(ingot_is_power_of_two(UINT64_MAX));
}

static void test_too_much_is_an_error(void **state)
{
	struct ingot_error err = {0};
	size_t room = 0;
	void *items = NULL;

	(void)state;
	assert_null(ingot_alloc(SIZE_MAX / 2, 4, &err));
	assert_int_equal(err.code, -ENOMEM);
	assert_non_null(strstr(err.text, "18446744073709551615 bytes"));
	assert_fails(ingot_grow(&items, &room, SIZE_MAX, 1, &err), -ENOMEM, "out of memory");
	assert_fails(ingot_grow(&items, &room, SIZE_MAX / 16, 32, &err), -ENOMEM, "out of memory");
	assert_null(items);
	assert_int_equal(room, 0);
}

static void test_nothing_is_a_valid_pointer(void **state)
{
	struct ingot_error err = {0};
	void *a = ingot_alloc(0, 8, &err), *b = ingot_alloc(8, 0, &err);
	void *c = ingot_memdup(NULL, 0, &err);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void test_a_buffer_begins_a_page_of_zeros(void **state)
{
	static const size_t sizes[] = {0, 1, 65536, 1 << 20};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		INGOT_FREE unsigned char *buffer = ingot_alloc_buffer(sizes[i], &err);

		assert_non_null(buffer);
		assert_int_equal((uintptr_t)buffer % 4096, 0);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(buffer[at], 0);
	}
	assert_null(ingot_alloc_buffer(SIZE_MAX - 4096, &err));
	assert_int_equal(err.code, -ENOMEM);
}

static void test_grow_from_any_room(void **state)
{
	struct ingot_error err = {0};

	(void)state;
	for (size_t start = 0; start < 20; start++) {
		size_t room = start;
		int *items = start ? malloc(start * sizeof(*items)) : NULL;

		for (size_t i = 0; i < 1000; i++) {
			assert_ok(ingot_grow((void **)&items, &room, i + 1, sizeof(*items), &err));
			assert_true(room > i);
			items[i] = (int)i;
		}
		for (size_t i = 0; i < 1000; i++)
			assert_int_equal(items[i], i);
		free(items);
	}
}

static void test_format_and_take(void **state)
{
	struct ingot_error err = {0};
	INGOT_FREE char *a = ingot_format(&err, "%s-%d", "a", 5);
	INGOT_FREE char *b = NULL;

	(void)state;
	assert_string_equal(a, "a-5");
	b = INGOT_TAKE(a);
	assert_null(a);
	assert_string_equal(b, "a-5");
}

static bool is_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Every piece is aligned, zeroed, and keeps its bytes whatever comes after it. */
static void test_arena(void **state)
{
	enum { COUNT = 4000 };
	static unsigned char *pieces[COUNT];
	static size_t sizes[COUNT];
	struct ingot_error err = {0};
	struct ingot_arena arena = {0};
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		size_t align = (size_t)1 << (i % 5);

		random = random * 1664525 + 1013904223;
		sizes[i] = i % 500 == 7 ? 70000 + i * 100 : (random >> 8) % 300;
		pieces[i] = ingot_arena_alloc(&arena, sizes[i], align, &err);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % align, 0);
		assert_true(is_zero(pieces[i], sizes[i]));
		memset(pieces[i], (int)(i % 251) + 1, sizes[i]);
	}
	for (size_t i = 0; i < COUNT; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(pieces[i][k], i % 251 + 1);
	ingot_arena_done(&arena);
	assert_null(arena.chunks);
}

static void test_arena_first_piece_is_large(void **state)
{
	struct ingot_error err = {0};
	struct ingot_arena arena = {0};
	char *large = ingot_arena_alloc(&arena, 1000001, 1, &err);
	char *after = ingot_arena_copy(&arena, "xy", 3, 16, &err);

	(void)state;
	assert_non_null(large);
	large[1000000] = 1;
	assert_string_equal(after, "xy");
	assert_int_equal((uintptr_t)after % 16, 0);
	assert_null(ingot_arena_alloc(&arena, SIZE_MAX, 1, &err));
	assert_int_equal(err.code, -ENOMEM);
	assert_null(ingot_arena_alloc(&arena, SIZE_MAX - 8, 16, &err));
	assert_string_equal(after, "xy");
	ingot_arena_done(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic_at_the_edges),
		cmocka_unit_test(test_too_much_is_an_error),
		cmocka_unit_test(test_nothing_is_a_valid_pointer),
		cmocka_unit_test(test_a_buffer_begins_a_page_of_zeros),
		cmocka_unit_test(test_grow_from_any_room),
		cmocka_unit_test(test_format_and_take),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_first_piece_is_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

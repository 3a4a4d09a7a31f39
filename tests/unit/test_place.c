#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk/place.h"

#define MIB (UINT64_C(1) << 20)

static struct ingot_layout layout_of(struct ingot_layout_partition *partitions, size_t count,
				     uint64_t size)
{
	static char name[] = "test";

	return (struct ingot_layout){
		.name = name,
		.sector_size = 512,
		.alignment = MIB,
		.size = size,
		.partitions = partitions,
		.count = count,
	};
}

static void sequential(void **state)
{
	struct ingot_layout_partition p[] = {
		{.number = 1, .size = 3 * MIB},
		{.number = 2, .reserved = true},
		{.number = 4, .size = 512},
		{.number = 9, .rest = true},
	};
	struct ingot_layout layout = layout_of(p, 4, 16 * MIB);
	struct ingot_placement *placement;
	struct ingot_error err;

	(void)state;
	assert_ok(ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err));
	assert_int_equal(placement->disk_size, 16 * MIB);
	assert_int_equal(placement->count, 3);
	assert_int_equal(placement->partitions[0].start, MIB);
	assert_int_equal(placement->partitions[0].size, 3 * MIB);
	assert_int_equal(placement->partitions[1].number, 4);
	assert_int_equal(placement->partitions[1].index, 2);
	assert_int_equal(placement->partitions[1].start, 4 * MIB);
	assert_int_equal(placement->partitions[1].size, 512);
	assert_int_equal(placement->partitions[2].start, 5 * MIB);
	assert_int_equal(placement->partitions[2].size, 10 * MIB); /* to 15 MiB: the copy's room */
	free(placement);
}

static void own_size(void **state)
{
	struct ingot_layout_partition p[] = {{.number = 1, .size = 3 * MIB}};
	struct ingot_layout layout = layout_of(p, 1, 0);
	struct ingot_placement *placement;
	struct ingot_error err;

	(void)state;
	assert_ok(ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err));
	assert_int_equal(placement->disk_size, 5 * MIB);
	free(placement);
}

/* The last usable sector can be used, the next one cannot. */
static void exact_fit(void **state)
{
	struct ingot_layout_partition p[] = {{.number = 1, .size = 3 * MIB - 33 * 512}};
	struct ingot_layout layout = layout_of(p, 1, 4 * MIB);
	struct ingot_placement *placement;
	struct ingot_error err;

	(void)state;
	assert_ok(ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err));
	free(placement);
	p[0].size += 512;
	assert_fails(
		ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err),
		-ENOSPC, "too small: it has 4 MiB (4194304 bytes)");
}

static void overrides(void **state)
{
	struct ingot_layout_partition p[] = {{.number = 1, .rest = true}};
	struct ingot_layout layout = layout_of(p, 1, 4 * MIB);
	struct ingot_place_options options = {.disk_size = 8 * MIB, .sector_size = 4096};
	struct ingot_placement *placement;
	struct ingot_error err;

	(void)state;
	assert_ok(ingot_layout_place(&layout, &options, &placement, &err));
	assert_int_equal(placement->sector_size, 4096);
	assert_int_equal(placement->partitions[0].size, 6 * MIB);
	free(placement);
	options.disk_size = 1000;
	assert_fails(ingot_layout_place(&layout, &options, &placement, &err), -EINVAL,
		     "not a multiple of the sector size");
	options.disk_size = 8 * 4096;
	assert_fails(ingot_layout_place(&layout, &options, &placement, &err), -EINVAL, "cannot be");
	options.disk_size = MIB;
	assert_fails(ingot_layout_place(&layout, &options, &placement, &err), -ENOSPC,
		     "nothing is left");
	options.sector_size = 1024;
	assert_fails(ingot_layout_place(&layout, &options, &placement, &err), -EINVAL, "1024");
}

static void explicit_start(void **state)
{
	struct ingot_layout_partition p[] = {
		{.number = 1, .size = 3 * MIB},
		{.number = 2, .size = MIB, .start_given = true, .start = 8 * MIB},
		{.number = 3, .size = MIB},
	};
	struct ingot_layout layout = layout_of(p, 3, 0);
	struct ingot_placement *placement;
	struct ingot_error err;

	(void)state;
	assert_ok(ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err));
	assert_int_equal(placement->partitions[1].start, 8 * MIB);
	assert_int_equal(placement->partitions[2].start, 9 * MIB);
	free(placement);
	p[1].start = 3 * MIB;
	assert_fails(
		ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err),
		-EINVAL, "partition 2 '' starts at 3145728 and overlaps");
	p[1].start = 8 * MIB + 512;
	assert_fails(
		ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err),
		-EINVAL, "not a multiple of the alignment");
}

static void huge(void **state)
{
	struct ingot_layout_partition p[] = {
		{.number = 1, .size = UINT64_MAX - 511},
		{.number = 2, .size = MIB},
	};
	struct ingot_layout layout = layout_of(p, 2, 0);
	struct ingot_placement *placement;
	struct ingot_error err;

	(void)state;
	assert_fails(
		ingot_layout_place(&layout, &(struct ingot_place_options){0}, &placement, &err),
		-EFBIG, "beyond any disk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequential),	  cmocka_unit_test(own_size),
		cmocka_unit_test(exact_fit),	  cmocka_unit_test(overrides),
		cmocka_unit_test(explicit_start), cmocka_unit_test(huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

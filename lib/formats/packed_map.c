#include "formats/packed_internal.h"

#include <errno.h>
#include <string.h>

enum { POINTS = 65536, WINDOWS = 448, RUNS = 65536, SPACING = 1 << 20 };

void ingot_packed_map_done(struct ingot_packed_map *map)
{
	for (size_t i = 0; i < map->point_count; i++)
		free((void *)(uintptr_t)map->points[i].window);
	free(map->points);
	free(map->runs);
}

bool ingot_packed_map_wants(const struct ingot_packed_map *map, uint64_t out)
{
	return map->point_count == 0 ||
	       out - map->points[map->point_count - 1].out >= ingot_max(map->spacing, SPACING);
}

/* Twice the distance, and only the points that still have it. */
static void thin_out(struct ingot_packed_map *map)
{
	size_t kept = 1;

	map->spacing = 2 * ingot_max(map->spacing, SPACING);
	for (size_t i = 1; i < map->point_count; i++) {
		struct ingot_point *point = &map->points[i];

		if (point->out - map->points[kept - 1].out >= map->spacing) {
			map->points[kept++] = *point;
			continue;
		}
		map->window_count -= point->window != NULL;
		free((void *)(uintptr_t)point->window);
	}
	map->point_count = kept;
}

int ingot_packed_map_point(struct ingot_packed_map *map, const struct ingot_point *point,
			   struct ingot_error *err)
{
	struct ingot_point kept = *point;
	int rc;

	while (map->point_count >= POINTS || map->window_count >= WINDOWS)
		thin_out(map);
	if (!ingot_packed_map_wants(map, point->out))
		return 0;
	rc = ingot_grow((void **)&map->points, &map->point_room, map->point_count + 1,
			sizeof(map->points[0]), err);
	if (rc < 0)
		return rc;
	if (point->window) {
		kept.window = ingot_memdup(point->window, INGOT_WINDOW, err);
		if (!kept.window)
			return -ENOMEM;
		map->window_count++;
	}
	map->points[map->point_count++] = kept;
	return 0;
}

int ingot_packed_map_zeros(struct ingot_packed_map *map, uint64_t start, uint64_t end,
			   struct ingot_error *err)
{
	int rc;

	if (map->run_count > 0 && map->runs[map->run_count - 1].end == start) {
		map->runs[map->run_count - 1].end = end;
		return 0;
	}
	if (map->run_count >= RUNS || start == end)
		return 0;
	rc = ingot_grow((void **)&map->runs, &map->run_room, map->run_count + 1,
			sizeof(map->runs[0]), err);
	if (rc < 0)
		return rc;
	map->runs[map->run_count++] = (struct ingot_zero_run){start, end};
	return 0;
}

int ingot_packed_map_grow(struct ingot_packed_map *map, uint64_t n, struct ingot_error *err)
{
	if (n > INGOT_UNPACKED_MAX - map->size)
		return ingot_raise(err, -EFBIG, "it unpacks to more than 64 TiB");
	map->size += n;
	return 0;
}

#include "disk/place.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "disk/place_internal.h"

/* A layout under placement. */
struct place {
	const struct ingot_layout *layout;
	struct ingot_placement *placement;
	uint64_t end;	/* of the last partition placed */
	size_t culprit; /* the layout's entry that an error is about; SIZE_MAX: none */
};

static const char *label_of(const struct ingot_layout_partition *p)
{
	return p->label ? p->label : "";
}

static int too_small(const struct place *place, struct ingot_error *err)
{
	const struct ingot_placement *placement = place->placement;
	uint64_t table = placement->disk_size -
			 ingot_gpt_usable_end(placement->disk_size, placement->sector_size);
	char have[INGOT_SIZE_TEXT], want[INGOT_SIZE_TEXT];

	return ingot_raise(err, -ENOSPC,
			   "the disk is too small: it has %s (%llu bytes), its partitions need %s "
			   "(%llu bytes)",
			   ingot_size_text(placement->disk_size, have),
			   (unsigned long long)placement->disk_size,
			   ingot_size_text(place->end + table, want),
			   (unsigned long long)(place->end + table));
}

static int find_start(const struct place *place, const struct ingot_layout_partition *p,
		      uint64_t *ret, struct ingot_error *err)
{
	uint64_t alignment = place->layout->alignment;

	if (!p->start_given) {
		*ret = ingot_round_up(place->end, alignment);
		return 0;
	}
	if (p->start % alignment)
		return ingot_raise(err, -EINVAL,
				   "partition %u '%s' starts at %llu, which is not a multiple of "
				   "the alignment, %llu",
				   p->number, label_of(p), (unsigned long long)p->start,
				   (unsigned long long)alignment);
	if (p->start < place->end)
		return ingot_raise(err, -EINVAL,
				   "partition %u '%s' starts at %llu and overlaps what lies before "
				   "it, which ends at %llu (the order on the disk is that of the "
				   "numbers)",
				   p->number, label_of(p), (unsigned long long)p->start,
				   (unsigned long long)place->end);
	*ret = p->start;
	return 0;
}

/* What is left for `rest`, a multiple of the alignment. */
static int find_rest(const struct place *place, uint64_t start, uint64_t *ret,
		     struct ingot_error *err)
{
	const struct ingot_placement *placement = place->placement;
	uint64_t alignment = place->layout->alignment, end;

	if (placement->disk_size == 0)
		return ingot_raise(err, -EINVAL, "size: rest needs the size of the disk");
	end = ingot_gpt_usable_end(placement->disk_size, placement->sector_size);
	end -= end % alignment;
	if (end <= start)
		return ingot_raise(err, -ENOSPC,
				   "the disk is too small: nothing is left of its %llu bytes for "
				   "the partition that takes the rest",
				   (unsigned long long)placement->disk_size);
	*ret = end - start;
	return 0;
}

static int place_one(struct place *place, size_t index, struct ingot_error *err)
{
	const struct ingot_layout_partition *p = &place->layout->partitions[index];
	struct ingot_placement *placement = place->placement;
	struct ingot_placed placed = {.number = p->number, .size = p->size, .index = index};
	int rc = find_start(place, p, &placed.start, err);

	if (rc == 0 && p->rest)
		rc = find_rest(place, placed.start, &placed.size, err);
	if (rc < 0)
		return rc;
	if (placed.size % placement->sector_size)
		return ingot_raise(err, -EINVAL,
				   "partition %u '%s' has %llu bytes, not a multiple of the "
				   "sector size, %u",
				   p->number, label_of(p), (unsigned long long)placed.size,
				   placement->sector_size);
	/* One bound for all sums that follow. */
	if (placed.start > INT64_MAX / 4 || placed.size > INT64_MAX / 4)
		return ingot_raise(err, -EFBIG, "partition %u '%s' ends beyond any disk", p->number,
				   label_of(p));
	place->end = placed.start + placed.size;
	placement->partitions[placement->count++] = placed;
	return 0;
}

/* The disk's own size, or the smallest that holds all partitions and the table's copy. */
static int settle_size(struct place *place, struct ingot_error *err)
{
	struct ingot_placement *placement = place->placement;
	uint64_t table = (1 + ingot_gpt_entry_sectors(placement->sector_size)) *
			 (uint64_t)placement->sector_size;

	if (placement->disk_size == 0)
		placement->disk_size = ingot_round_up(place->end + table, place->layout->alignment);
	if (place->end > ingot_gpt_usable_end(placement->disk_size, placement->sector_size))
		return too_small(place, err);
	return 0;
}

static int check_disk(const struct ingot_placement *placement, struct ingot_error *err)
{
	unsigned sector = placement->sector_size;
	uint64_t least = (2 * ingot_gpt_first_usable(sector)) * (uint64_t)sector;

	if (sector != 512 && sector != 4096)
		return ingot_raise(err, -EINVAL, "sector size %u is neither 512 nor 4096", sector);
	if (placement->disk_size == 0)
		return 0;
	if (placement->disk_size % sector)
		return ingot_raise(err, -EINVAL,
				   "the disk's %llu bytes are not a multiple of the sector size, "
				   "%u",
				   (unsigned long long)placement->disk_size, sector);
	if (placement->disk_size < least || placement->disk_size > INT64_MAX / 2)
		return ingot_raise(err, -EINVAL, "a disk of %llu bytes cannot be",
				   (unsigned long long)placement->disk_size);
	return 0;
}

static int place_all(struct place *place, struct ingot_error *err)
{
	unsigned sector = place->placement->sector_size;
	int rc = check_disk(place->placement, err);

	if (rc < 0)
		return rc;
	place->end = ingot_gpt_first_usable(sector) * (uint64_t)sector;
	for (size_t i = 0; i < place->layout->count; i++) {
		if (place->layout->partitions[i].reserved)
			continue;
		place->culprit = i;
		rc = place_one(place, i, err);
		if (rc < 0)
			return rc;
	}
	place->culprit = SIZE_MAX;
	return settle_size(place, err);
}

int ingot_layout_place_at(const struct ingot_layout *layout,
			  const struct ingot_place_options *options, struct ingot_placement **ret,
			  size_t *ret_culprit, struct ingot_error *err)
{
	INGOT_FREE struct ingot_placement *placement = ingot_alloc(
		1, sizeof(*placement) + layout->count * sizeof(placement->partitions[0]), err);
	struct place place = {.layout = layout, .placement = placement, .culprit = SIZE_MAX};
	int rc;

	*ret_culprit = SIZE_MAX;
	if (!placement)
		return -ENOMEM;
	placement->disk_size = options->disk_size ? options->disk_size : layout->size;
	placement->sector_size = options->sector_size ? options->sector_size : layout->sector_size;
	rc = place_all(&place, err);
	*ret_culprit = place.culprit;
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(placement);
	return 0;
}

int ingot_layout_place(const struct ingot_layout *layout, const struct ingot_place_options *options,
		       struct ingot_placement **ret, struct ingot_error *err)
{
	size_t culprit;
	int rc = ingot_layout_place_at(layout, options, ret, &culprit, err);

	return rc < 0 ? ingot_wrap(err, rc, "layout '%s'", layout->name) : 0;
}

const struct ingot_placed *ingot_placement_find_content(const struct ingot_placement *placement,
							const struct ingot_layout *layout,
							enum ingot_content content)
{
	for (size_t i = 0; i < placement->count; i++)
		if (layout->partitions[placement->partitions[i].index].content == content)
			return &placement->partitions[i];
	return NULL;
}

#include <errno.h>
#include <string.h>

#include "image/outputs_internal.h"

enum { STEP = 1 << 20, UNIT = 64 * 1024 }; /* bytes compared at a time, and told apart */

/* --- the plan ---------------------------------------------------------- */

static int plan_size(struct vendor_disk *v, struct ingot_error *err)
{
	struct build *b = &v->build;
	struct ingot_place_options options = {.sector_size = b->recipe->sector_size};
	uint64_t root = b->root_place ? b->root_place->size : 0;
	int rc = ingot_vendor_size_disk(v->wanted->vendor, b->placement->disk_size, root,
					&options.disk_size, err);

	if (rc == 0)
		rc = ingot_layout_place(b->layout, &options, &v->placement, err);
	if (rc < 0)
		return rc;
	b->placement = v->placement;
	build_find_places(b);
	return 0;
}

static int plan_arguments(struct vendor_disk *v, struct ingot_error *err)
{
	enum ingot_vendor_architecture architecture;

	if (!ingot_vendor_architecture_find(v->build.recipe->architecture, &architecture) ||
	    !v->wanted->vendor->architectures[architecture])
		return ingot_raise(err, -EINVAL, "vendor '%s' has no machines of architecture %s",
				   v->wanted->vendor->name, v->build.recipe->architecture);
	v->arguments = ingot_vendor_kernel_arguments(v->wanted->vendor, architecture, err);
	v->build.vendor_arguments = v->arguments;
	return v->arguments ? 0 : -ENOMEM;
}

/* The recipe's own content, and the vendor's files in it. */
static int plan_oem(struct vendor_disk *v, struct ingot_error *err)
{
	const struct ingot_recipe *recipe = v->build.recipe;
	struct ingot_tree_options options = {.epoch = recipe->epoch, .owner = true};
	INGOT_FREE struct ingot_vendor_file *files = NULL;
	size_t count;
	int rc = ingot_vendor_oem_files(v->wanted->vendor, recipe->version, &files, &count, err);

	if (rc < 0 || !v->build.oem_place)
		return rc;
	if (recipe->oem.path)
		rc = ingot_tree_open(recipe->oem.path, &options, &v->oem, err);
	else
		rc = ingot_tree_empty("OEM", recipe->epoch, &v->oem, err);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = ingot_tree_put(v->oem, files[i].path, files[i].data, files[i].size,
				    files[i].executable ? 0755 : 0644, recipe->epoch, err);
	v->build.oem = v->oem;
	return rc;
}

int vendor_disk_plan(struct build *b, const struct ingot_recipe_output *wanted,
		     struct vendor_disk *ret, struct ingot_error *err)
{
	int rc;

	ret->wanted = wanted;
	ret->build = *b;
	rc = plan_size(ret, err);
	if (rc == 0)
		rc = plan_arguments(ret, err);
	if (rc == 0)
		rc = plan_oem(ret, err);
	if (rc == 0)
		rc = build_rehearse(&ret->build, err);
	return rc;
}

/* --- ranges ------------------------------------------------------------ */

static int add_range(struct vendor_disk *v, uint64_t offset, uint64_t length,
		     struct ingot_error *err)
{
	struct ingot_range *last = v->range_count ? &v->ranges[v->range_count - 1] : NULL;
	void *items = v->ranges;
	int rc;

	if (length == 0)
		return 0;
	if (last && last->offset + last->length == offset) {
		last->length += length;
		return 0;
	}
	rc = ingot_grow(&items, &v->range_room, v->range_count + 1, sizeof(*v->ranges), err);
	v->ranges = items;
	if (rc == 0)
		v->ranges[v->range_count++] = (struct ingot_range){offset, length};
	return rc;
}

/* What is different in n bytes at offset of the disk goes to the vendor's file. */
static int keep_difference(struct vendor_disk *v, uint64_t offset, const unsigned char *mine,
			   const unsigned char *theirs, size_t n, struct ingot_error *err)
{
	for (size_t at = 0; at < n; at += UNIT) {
		size_t part = (size_t)ingot_min(UNIT, n - at);
		int rc;

		if (memcmp(mine + at, theirs + at, part) == 0)
			continue;
		rc = ingot_sink_write(v->sink, offset + at, mine + at, part, err);
		if (rc == 0)
			rc = add_range(v, offset + at, part, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Both are holes for so many bytes. */
static int common_hole(struct ingot_source *a, uint64_t at, struct ingot_source *b,
		       uint64_t b_offset, uint64_t *ret, struct ingot_error *err)
{
	struct ingot_extent x, y;
	int rc = ingot_source_extent(a, at, &x, err);

	if (rc == 0)
		rc = ingot_source_extent(b, b_offset, &y, err);
	if (rc == 0)
		*ret = x.hole && y.hole ? ingot_min(x.length, y.length) / UNIT * UNIT : 0;
	return rc;
}

/* A partition of the vendor's against the base's bytes at the same place. */
static int write_difference(struct vendor_disk *v, struct ingot_source *mine, uint64_t start,
			    struct ingot_source *base, struct ingot_error *err)
{
	INGOT_FREE unsigned char *a = ingot_alloc_buffer((size_t)2 * STEP, err);
	uint64_t at = 0, hole = 0;
	int rc = a ? 0 : -ENOMEM;

	while (rc == 0 && at < mine->size) {
		size_t n = (size_t)ingot_min(STEP, mine->size - at);

		rc = common_hole(mine, at, base, start + at, &hole, err);
		if (rc == 0 && hole > 0) {
			at += hole;
			continue;
		}
		if (rc == 0)
			rc = ingot_source_read(mine, at, a, n, err);
		if (rc == 0)
			rc = ingot_source_read(base, start + at, a + STEP, n, err);
		if (rc == 0)
			rc = keep_difference(v, start + at, a, a + STEP, n, err);
		at += n;
	}
	return rc;
}

/* --- writing ----------------------------------------------------------- */

static int write_esp(struct vendor_disk *v, struct ingot_source *base, struct ingot_error *err)
{
	struct esp esp;
	int rc = esp_make(&v->build, &v->build.root, v->gpt, &esp, err);

	if (rc == 0)
		rc = write_difference(v, esp.fat, v->build.esp_place->start, base, err);
	if (rc == 0)
		rc = room_add_esp(&v->build, &esp, err);
	if (rc == 0 && v->build.request && esp.uki)
		rc = request_add_vendor(&v->build, v->wanted->vendor->name, &esp, err);
	esp_done(&esp);
	return rc;
}

/* What has moved is copied to its new place. */
static int copy_partition(struct vendor_disk *v, const struct ingot_placed *mine,
			  const struct ingot_placed *theirs, struct ingot_source *base,
			  struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *from = NULL;
	INGOT_SINK struct ingot_sink *to = NULL;
	int rc;

	if (mine->size < theirs->size)
		return ingot_raise(err, -EINVAL, "it would be smaller than in the base image");
	rc = ingot_source_part(base, theirs->start, theirs->size, &from, err);
	if (rc == 0)
		rc = ingot_sink_part(v->sink, mine->start, mine->size, &to, err);
	if (rc == 0)
		rc = ingot_copy(from, to, v->build.options->jobs, NULL, err);
	return rc;
}

static const struct ingot_placed *same_number(const struct ingot_placement *placement,
					      unsigned number)
{
	for (size_t i = 0; i < placement->count; i++)
		if (placement->partitions[i].number == number)
			return &placement->partitions[i];
	return NULL;
}

static int write_partition(struct vendor_disk *v, const struct build *b,
			   const struct ingot_placed *mine, struct ingot_source *base,
			   struct ingot_error *err)
{
	const struct ingot_placed *theirs = same_number(b->placement, mine->number);
	bool moved = mine->start != theirs->start || mine->size != theirs->size;
	struct build *own = &v->build;
	int rc;

	if (mine == own->esp_place && !moved)
		return write_esp(v, base, err);
	if (mine == own->oem_place)
		rc = build_write_ext4(own, mine, "oem", v->oem, err);
	else if (!moved)
		return 0;
	else if (mine == own->root_place)
		rc = build_write_ext4(own, mine, "root", own->tree, err);
	else if (mine == own->esp_place)
		rc = ingot_raise(err, -ENOTSUP, "the ESP cannot move");
	else
		rc = copy_partition(v, mine, theirs, base, err);
	return rc < 0 ? rc : add_range(v, mine->start, mine->size, err);
}

static int by_start(const void *a, const void *b)
{
	const struct ingot_placed *x = *(const struct ingot_placed *const *)a;
	const struct ingot_placed *y = *(const struct ingot_placed *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int write_partitions(struct vendor_disk *v, const struct build *b, struct ingot_source *base,
			    struct ingot_error *err)
{
	const struct ingot_placement *placement = v->placement;
	INGOT_FREE const struct ingot_placed **list =
		ingot_alloc(placement->count, sizeof(*list), err);
	int rc = list ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < placement->count; i++)
		list[i] = &placement->partitions[i];
	if (rc == 0 && placement->count > 0)
		qsort(list, placement->count, sizeof(*list), by_start);
	for (size_t i = 0; rc == 0 && i < placement->count; i++) {
		rc = write_partition(v, b, list[i], base, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "partition %u", list[i]->number);
	}
	return rc;
}

/* It was copied with its partition, or is where it was. */
static int add_signature_room(struct vendor_disk *v, struct ingot_error *err)
{
	const struct ingot_placed *place = v->build.signature_place;
	INGOT_FREE uint8_t *data = NULL;
	size_t size;
	int rc;

	if (!place || !v->build.root.signature)
		return 0;
	rc = root_hash_partition(&v->build, &data, &size, err);
	return rc < 0 ? rc : image_room_add(&v->build.room, place->start, size, err);
}

/* The table at either end; between what is in front of the base's own and the vendor's, zeros. */
static int write_table(struct vendor_disk *v, const struct build *b, struct ingot_error *err)
{
	unsigned sector = v->placement->sector_size;
	uint64_t end = ingot_gpt_usable_end(v->placement->disk_size, sector);
	uint64_t base_end = ingot_gpt_usable_end(b->placement->disk_size, sector);
	const struct ingot_range *last = v->range_count ? &v->ranges[v->range_count - 1] : NULL;
	uint64_t covered = last ? last->offset + last->length : 0;
	/* The base's copy of the table is nothing where the vendor's disk goes on. */
	uint64_t from = ingot_max(covered, ingot_min(base_end, end));
	int rc = ingot_gpt_write(v->gpt, v->sink, err);

	return rc < 0 ? rc : add_range(v, from, v->placement->disk_size - from, err);
}

static int open_file(struct vendor_disk *v, const struct build *b, struct ingot_error *err)
{
	INGOT_FREE char *path = output_path(b, v->wanted->vendor->name, ".overlay", err);
	int rc = path ? ingot_output_create(path, &v->file, err) : -ENOMEM;

	if (rc == 0)
		rc = ingot_output_sink(v->file, v->placement->disk_size, &v->sink, err);
	v->build.disk = v->sink;
	return rc;
}

int vendor_disk_write(struct vendor_disk *v, const struct build *b, struct ingot_source *base,
		      struct ingot_error *err)
{
	unsigned sector = v->placement->sector_size;
	int rc = open_file(v, b, err);

	v->build.root = b->root;
	if (rc == 0)
		rc = gpt_for(&v->build, &b->root, &v->gpt, err);
	if (rc == 0)
		v->build.gpt = v->gpt;
	if (rc == 0)
		rc = add_range(v, 0, ingot_gpt_first_usable(sector) * (uint64_t)sector, err);
	if (rc == 0)
		rc = write_partitions(v, b, base, err);
	if (rc == 0)
		rc = add_signature_room(v, err);
	if (rc == 0)
		rc = write_table(v, b, err);
	if (rc == 0)
		rc = ingot_sink_source(v->sink, &v->top, err);
	if (rc == 0)
		rc = ingot_source_overlay(v->wanted->vendor->name, base, v->top, v->ranges,
					  v->range_count, &v->disk, err);
	return rc < 0 ? ingot_wrap(err, rc, "vendor '%s'", v->wanted->vendor->name) : 0;
}

void vendor_disk_done(struct vendor_disk *v)
{
	ingot_source_free(v->disk);
	ingot_source_free(v->top);
	ingot_sink_free(v->sink);
	ingot_output_free(v->file);
	ingot_tree_free(v->oem);
	free(v->build.room.list);
	free(v->blocks.items);
	image_digests_done(&v->digests);
	free(v->ranges);
	free(v->arguments);
	free(v->gpt);
	free(v->placement);
}

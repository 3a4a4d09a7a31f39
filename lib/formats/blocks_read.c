#include "formats/blocks_internal.h"

#include <errno.h>
#include <string.h>

static int read_part(struct ingot_block_source *blocks, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	uint64_t inside = offset % blocks->block, place;
	int rc = blocks->ops->locate(blocks, offset / blocks->block, 1, &place, err);

	if (rc < 0)
		return rc;
	if (place == INGOT_BLOCK_HOLE) {
		memset(data, 0, n);
		return 0;
	}
	if (blocks->ops->read)
		return blocks->ops->read(blocks, place, inside, data, n, err);
	return ingot_source_read(blocks->file, place + inside, data, n, err);
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct ingot_block_source *blocks = (struct ingot_block_source *)source;
	int rc = 0;

	for (size_t at = 0, part; rc == 0 && at < n; at += part) {
		part = (size_t)ingot_min(n - at, blocks->block - (offset + at) % blocks->block);
		rc = read_part(blocks, offset + at, (unsigned char *)data + at, part, err);
	}
	return rc < 0 ? ingot_wrap(err, rc, "%s '%s'", blocks->ops->format, source->name) : 0;
}

/* A run of absent blocks, or what the file says of a block that is there. */
static int find_run(struct ingot_block_source *blocks, uint64_t offset, struct ingot_extent *ret,
		    struct ingot_error *err)
{
	uint64_t index = offset / blocks->block, inside = offset % blocks->block;
	uint64_t places[INGOT_BLOCK_RUN];
	size_t n = (size_t)ingot_min(INGOT_BLOCK_RUN, blocks->count - index), i = 0;
	int rc = blocks->ops->locate(blocks, index, n, places, err);

	if (rc < 0)
		return rc;
	while (i < n && places[i] == INGOT_BLOCK_HOLE)
		i++;
	*ret = (struct ingot_extent){.length = i * blocks->block - inside, .hole = true};
	if (i > 0)
		return 0;
	rc = ingot_source_extent(blocks->file, places[0] + inside, ret, err);
	ret->length = ingot_min(ret->length, blocks->block - inside);
	return rc;
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	struct ingot_block_source *blocks = (struct ingot_block_source *)source;
	int rc = find_run(blocks, offset, ret, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "%s '%s'", blocks->ops->format, source->name);
	ret->length = ingot_min(ret->length, source->size - offset);
	return 0;
}

static void blocks_free(struct ingot_source *source)
{
	ingot_source_free(((struct ingot_block_source *)source)->file);
	free(source);
}

void ingot_blocks_init(struct ingot_block_source *blocks, struct ingot_source *file, uint64_t size)
{
	static const struct ingot_source_ops OPS = {read_at, extent_at, blocks_free};

	blocks->source = (struct ingot_source){&OPS, file->name, size};
	blocks->file = file;
	blocks->count = ingot_div_up(size, blocks->block);
}

/* --- changes in place -------------------------------------------------- */

int ingot_blocks_place(struct ingot_source *source, uint64_t offset, struct ingot_place *ret,
		       struct ingot_error *err)
{
	struct ingot_block_source *blocks = (struct ingot_block_source *)source;
	uint64_t inside = offset % blocks->block, at;
	int rc = blocks->ops->locate(blocks, offset / blocks->block, 1, &at, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "%s '%s'", blocks->ops->format, source->name);
	*ret = (struct ingot_place){.length = blocks->block - inside};
	if (at == INGOT_BLOCK_HOLE)
		return 0;
	ret->stored = true;
	ret->at = at + inside;
	return 0;
}

const struct ingot_edit_ops ingot_blocks_edit = {.place = ingot_blocks_place};

/* --- the whole table --------------------------------------------------- */

struct places {
	uint64_t *list; /* where the blocks that are in the file begin */
	size_t used, room;
};

static bool overlap(const struct ingot_range *range, uint64_t start, uint64_t length)
{
	return start < range->offset + range->length && range->offset < start + length;
}

static int check_place(const struct ingot_block_source *blocks, uint64_t index, uint64_t place,
		       struct ingot_error *err)
{
	uint64_t have = ingot_min(blocks->block, blocks->source.size - index * blocks->block);
	uint64_t start = place - blocks->before;

	if (place < blocks->before || !ingot_in_range(place, have, blocks->file->size))
		return ingot_raise(err, -EBADMSG, "block %llu at 0x%llx: not in the file",
				   (unsigned long long)index, (unsigned long long)place);
	for (size_t i = 0; i < sizeof(blocks->tables) / sizeof(blocks->tables[0]); i++)
		if (overlap(&blocks->tables[i], start, blocks->before + have))
			return ingot_raise(err, -EBADMSG,
					   "block %llu at 0x%llx lies on the container's own data",
					   (unsigned long long)index, (unsigned long long)place);
	return 0;
}

static int add_place(const struct ingot_block_source *blocks, struct places *places, uint64_t index,
		     uint64_t place, struct ingot_error *err)
{
	void *items = places->list;
	int rc = check_place(blocks, index, place, err);

	if (rc < 0)
		return rc;
	if (places->used > blocks->file->size / blocks->block)
		return ingot_raise(err, -EBADMSG,
				   "its table names more blocks than the file can hold");
	rc = ingot_grow(&items, &places->room, places->used + 1, sizeof(*places->list), err);
	places->list = items;
	if (rc < 0)
		return rc;
	places->list[places->used++] = place;
	return 0;
}

static int collect(struct ingot_block_source *blocks, struct places *places,
		   struct ingot_error *err)
{
	uint64_t run[INGOT_BLOCK_RUN];
	size_t n;

	for (uint64_t index = 0; index < blocks->count; index += n) {
		int rc;

		n = (size_t)ingot_min(INGOT_BLOCK_RUN, blocks->count - index);
		rc = blocks->ops->locate(blocks, index, n, run, err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			if (run[i] != INGOT_BLOCK_HOLE)
				rc = add_place(blocks, places, index + i, run[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int check_apart(const struct ingot_block_source *blocks, const struct places *places,
		       struct ingot_error *err)
{
	for (size_t i = 1; i < places->used; i++)
		if (places->list[i] - places->list[i - 1] < blocks->block + blocks->before)
			return ingot_raise(err, -EBADMSG, "two blocks share the place 0x%llx",
					   (unsigned long long)places->list[i]);
	return 0;
}

int ingot_blocks_check(struct ingot_block_source *blocks, struct ingot_error *err)
{
	struct places places = {0};
	int rc = collect(blocks, &places, err);

	if (rc == 0 && places.used > 0) {
		qsort(places.list, places.used, sizeof(*places.list), by_value);
		rc = check_apart(blocks, &places, err);
	}
	free(places.list);
	return rc;
}

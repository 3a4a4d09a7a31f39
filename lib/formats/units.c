#include "formats/units_internal.h"

#include <errno.h>
#include <string.h>

/* --- the list ---------------------------------------------------------- */

int ingot_units_add(struct ingot_units *units, uint64_t in, uint64_t packed, uint64_t size,
		    struct ingot_error *err)
{
	void *items = units->list;
	int rc;

	if (size > INGOT_UNIT_MAX || packed > 2 * INGOT_UNIT_MAX)
		return ingot_raise(err, -EOPNOTSUPP,
				   "what is at 0x%llx unpacks to %llu bytes at once: it was not "
				   "made for changes in place",
				   (unsigned long long)in, (unsigned long long)size);
	if (!ingot_in_range(in, packed, units->file->size))
		return ingot_raise(err, -EBADMSG, "it is cut off");
	if (size == 0)
		return 0;
	rc = ingot_grow(&items, &units->room, units->count + 1, sizeof(*units->list), err);
	units->list = items;
	if (rc < 0)
		return rc;
	units->list[units->count++] = (struct ingot_unit){
		.in = in,
		.out = units->source.size,
		.packed = (uint32_t)packed,
		.size = (uint32_t)size,
	};
	units->source.size += size;
	units->loaded = units->count;
	return 0;
}

/* The offset is inside of the whole. */
static size_t find(const struct ingot_units *units, uint64_t offset)
{
	size_t low = 0, high = units->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (units->list[middle].out <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* --- reading ----------------------------------------------------------- */

static int load(struct ingot_units *units, size_t index, struct ingot_error *err)
{
	const struct ingot_unit *unit = &units->list[index];
	INGOT_FREE unsigned char *packed = NULL;
	int rc;

	if (units->loaded == index)
		return 0;
	units->loaded = units->count;
	if (!units->data)
		units->data = ingot_alloc(1, INGOT_UNIT_MAX, err);
	packed = units->data ? ingot_alloc(1, unit->packed, err) : NULL;
	if (!packed)
		return -ENOMEM;
	rc = ingot_source_read(units->file, unit->in, packed, unit->packed, err);
	if (rc == 0)
		rc = units->ops->unpack(units, unit, packed, units->data, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "unpack '%s' at 0x%llx", units->file->name,
				  (unsigned long long)unit->in);
	units->loaded = index;
	return 0;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct ingot_units *units = (struct ingot_units *)source;
	unsigned char *p = data;

	while (n > 0) {
		size_t index = find(units, offset), part;
		const struct ingot_unit *unit = &units->list[index];
		int rc = load(units, index, err);

		if (rc < 0)
			return rc;
		part = (size_t)ingot_min(n, unit->out + unit->size - offset);
		memcpy(p, units->data + (offset - unit->out), part);
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

/* Without the file. */
static void units_done(struct ingot_units *units)
{
	ingot_unpacker_done(&units->unpacker);
	free(units->list);
	free(units->data);
	free(units);
}

static void units_free(struct ingot_source *source)
{
	struct ingot_units *units = (struct ingot_units *)source;

	ingot_source_free(units->file);
	units_done(units);
}

int ingot_units_open(struct ingot_source *file, const struct ingot_unit_ops *ops,
		     struct ingot_source **ret, struct ingot_error *err)
{
	static const struct ingot_source_ops OPS = {.read_at = read_at, .free = units_free};
	struct ingot_units *units = ingot_alloc(1, sizeof(*units), err);
	int rc;

	if (!units)
		return -ENOMEM;
	units->source = (struct ingot_source){&OPS, file->name, 0};
	units->file = file;
	units->ops = ops;
	rc = ops->list(units, err);
	if (rc < 0) {
		units_done(units);
		return rc;
	}
	*ret = &units->source;
	return 0;
}

/* --- changes ----------------------------------------------------------- */

static int place(struct ingot_source *source, uint64_t offset, struct ingot_place *ret,
		 struct ingot_error *err)
{
	struct ingot_units *units = (struct ingot_units *)source;
	const struct ingot_unit *unit = &units->list[find(units, offset)];
	uint64_t inside = offset - unit->out, first;
	int rc = units->ops->stored(units, unit, &first, err);

	*ret = (struct ingot_place){.length = unit->size - inside};
	if (rc < 0 || first == 0)
		return rc;
	ret->stored = true;
	ret->length = ingot_min(ret->length, units->ops->block - inside % units->ops->block);
	ret->at = first + units->ops->place(inside);
	return 0;
}

static int seal(struct ingot_source *source, uint64_t offset, struct ingot_changes *changes,
		uint64_t *ret_end, struct ingot_error *err)
{
	struct ingot_units *units = (struct ingot_units *)source;
	const struct ingot_unit *unit = &units->list[find(units, offset)];
	INGOT_FREE unsigned char *data = ingot_alloc(1, unit->size, err);
	uint64_t first = 0, block = units->ops->block;
	unsigned char sum[4];
	int rc = data ? units->ops->stored(units, unit, &first, err) : -ENOMEM;

	for (uint64_t at = 0; rc == 0 && at < unit->size; at += block)
		rc = ingot_changes_read(changes, first + units->ops->place(at), data + at,
					(size_t)ingot_min(block, unit->size - at), err);
	*ret_end = unit->out + unit->size;
	if (rc < 0)
		return rc;
	units->ops->sum(data, unit->size, sum);
	return ingot_changes_add(changes, unit->in + unit->packed - units->ops->sum_from_end, sum,
				 sizeof(sum), err);
}

const struct ingot_edit_ops ingot_units_edit = {.place = place, .seal = seal};

/* Two sources as one: what a few ranges hold, and what everything else does. */
#include <errno.h>
#include <string.h>

#include "io/source.h"

struct overlay {
	struct ingot_source source;
	struct ingot_source *base, *top;
	const struct ingot_range *ranges;
	size_t count;
};

/* What is at the offset: the run's length, and who has it; NULL: nobody, zeros. */
static struct ingot_source *owner_at(const struct overlay *o, uint64_t offset, uint64_t *length)
{
	const struct ingot_range *range = ingot_range_behind(o->ranges, o->count, offset);
	uint64_t end = o->source.size;

	if (range && range->offset <= offset) {
		*length = ingot_min(range->offset + range->length, end) - offset;
		return o->top;
	}
	if (range)
		end = ingot_min(end, range->offset);
	if (offset >= o->base->size) {
		*length = end - offset;
		return NULL;
	}
	*length = ingot_min(end, o->base->size) - offset;
	return o->base;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	const struct overlay *o = (const struct overlay *)source;
	unsigned char *p = data;

	while (n > 0) {
		uint64_t length;
		struct ingot_source *owner = owner_at(o, offset, &length);
		size_t part = (size_t)ingot_min(n, length);
		int rc = 0;

		if (owner)
			rc = ingot_source_read(owner, offset, p, part, err);
		else
			memset(p, 0, part);
		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	uint64_t length;
	struct ingot_source *owner = owner_at((const struct overlay *)source, offset, &length);
	int rc;

	if (!owner) {
		*ret = (struct ingot_extent){length, true /* hole */};
		return 0;
	}
	rc = ingot_source_extent(owner, offset, ret, err);
	ret->length = ingot_min(ret->length, length);
	return rc;
}

static void overlay_free(struct ingot_source *source)
{
	free(source);
}

static const struct ingot_source_ops OVERLAY_OPS = {read_at, extent_at, overlay_free};

int ingot_source_overlay(const char *name, struct ingot_source *base, struct ingot_source *top,
			 const struct ingot_range *ranges, size_t count, struct ingot_source **ret,
			 struct ingot_error *err)
{
	struct overlay *o = ingot_alloc(1, sizeof(*o) + strlen(name) + 1, err);
	char *copy;

	if (!o)
		return -ENOMEM;
	copy = (char *)(o + 1);
	strcpy(copy, name);
	o->source = (struct ingot_source){&OVERLAY_OPS, copy, top->size};
	o->base = base;
	o->top = top;
	o->ranges = ranges;
	o->count = count;
	*ret = &o->source;
	return 0;
}

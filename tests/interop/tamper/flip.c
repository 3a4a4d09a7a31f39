#include "tamper.h"

static int flip_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	struct flip *f = (struct flip *)source;
	int rc = ingot_source_read(f->below, offset, data, n, err);

	if (rc == 0 && f->at >= offset && f->at - offset < n)
		((uint8_t *)data)[f->at - offset] ^= f->bits;
	return rc;
}

/* A changed byte in a hole is none of it any more. */
static int flip_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	struct flip *f = (struct flip *)source;
	int rc = ingot_source_extent(f->below, offset, ret, err);

	if (rc < 0 || !ret->hole || !f->bits || f->at < offset || f->at - offset >= ret->length)
		return rc;
	if (f->at == offset)
		*ret = (struct ingot_extent){.length = 1};
	else
		ret->length = f->at - offset;
	return 0;
}

static const struct ingot_source_ops FLIP_OPS = {flip_read, flip_extent, NULL};

void flip_init(struct flip *flip, const char *path)
{
	struct ingot_error err;

	must(ingot_source_open(path, &flip->below, &err), &err);
	flip->source = (struct ingot_source){&FLIP_OPS, path, flip->below->size};
}

void flip_done(struct flip *flip)
{
	ingot_source_free(flip->below);
}

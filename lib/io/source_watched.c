#include "io/source_watched.h"

static int keep_failure(struct ingot_watched_source *watched, int rc, const struct ingot_error *why,
			struct ingot_error *err)
{
	if (rc < 0 && watched->err.code == 0)
		watched->err = *why;
	return rc < 0 ? ingot_raise(err, rc, "%s", why->text) : rc;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct ingot_watched_source *watched = (struct ingot_watched_source *)source;
	struct ingot_error why = {0};
	int rc = ingot_source_read(watched->inner, offset, data, n, &why);

	return keep_failure(watched, rc, &why, err);
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	struct ingot_watched_source *watched = (struct ingot_watched_source *)source;
	struct ingot_error why = {0};
	int rc = ingot_source_extent(watched->inner, offset, ret, &why);

	return keep_failure(watched, rc, &why, err);
}

static void keep(struct ingot_source *source)
{
	(void)source;
}

void ingot_watched_source(struct ingot_watched_source *watched, struct ingot_source *inner)
{
	static const struct ingot_source_ops ops = {read_at, extent_at, keep};

	*watched = (struct ingot_watched_source){
		.source = {&ops, inner->name, inner->size},
		.inner = inner,
	};
}

/*
 * The digests of every disk's blocks for the manifest, so that `verify` can say where an image
 * differs. What the vendors' disks share with the base is read and hashed once.
 */
#include "image/outputs_internal.h"

int outputs_digest_blocks(struct build *b, struct image_digests *base, struct ingot_error *err)
{
	struct build_outputs *o = b->outputs;
	struct image_digests_shared shared = {.base = base};
	int rc = 0;

	if (!b->recipe->digests || b->request || o->file_count == 0)
		return 0;
	build_step(b, "digests of the disks");
	if (!base->blocks)
		rc = image_digests_blocks(o->base, NULL /* shared */, b->options->jobs, base, err);
	shared.base_size = o->base->size;
	for (size_t i = 0; rc == 0 && i < o->vendor_count; i++) {
		struct vendor_disk *v = &o->vendors[i];

		shared.own = v->ranges;
		shared.own_count = v->range_count;
		rc = image_digests_blocks(v->disk, &shared, b->options->jobs, &v->digests, err);
	}
	return rc;
}

/* The first file of a disk has the digests of its blocks: one list is enough. */
static bool is_first(const struct build_outputs *o, const struct output_file *file)
{
	if (o->raw && file->disk == 0)
		return false;
	for (const struct output_file *other = o->files; other < file; other++)
		if (other->disk == file->disk)
			return false;
	return true;
}

json_t *outputs_blocks(const struct build *b, const struct output_file *file,
		       const struct image_digests *base)
{
	const struct build_outputs *o = b->outputs;

	if (!base || !is_first(o, file))
		return NULL;
	if (b->request)
		return json_null();
	return manifest_blocks(file->disk ? &o->vendors[file->disk - 1].digests : base);
}

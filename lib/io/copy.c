#include "io/copy.h"

#include <errno.h>

#include "io/pool.h"

enum { CHUNK = 1024 * 1024 };

struct copy {
	struct ingot_source *source;
	struct ingot_sink *sink;
	const struct ingot_progress *progress;
};

struct slot {
	unsigned char *buffer;
};

static int slot_init(void *context, void *slot, struct ingot_error *err)
{
	(void)context;
	((struct slot *)slot)->buffer = ingot_alloc_buffer(CHUNK, err);
	return ((struct slot *)slot)->buffer ? 0 : -ENOMEM;
}

static void slot_done(void *context, void *slot)
{
	(void)context;
	free(((struct slot *)slot)->buffer);
}

static int work(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	const struct copy *copy = context;
	unsigned char *buffer = ((struct slot *)slot)->buffer;
	uint64_t offset = index * CHUNK;
	uint64_t end = ingot_min(offset + CHUNK, copy->source->size);
	struct ingot_extent run;

	for (; offset < end; offset += run.length) {
		int rc = ingot_source_extent(copy->source, offset, &run, err);

		if (rc < 0)
			return rc;
		run.length = ingot_min(run.length, end - offset);
		if (run.hole)
			continue;
		rc = ingot_source_read(copy->source, offset, buffer, (size_t)run.length, err);
		if (rc < 0)
			return rc;
		rc = ingot_sink_write(copy->sink, offset, buffer, (size_t)run.length, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int commit(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	const struct copy *copy = context;

	(void)slot;
	(void)err;
	ingot_progress_report(copy->progress, ingot_min((index + 1) * CHUNK, copy->source->size),
			      copy->source->size);
	return 0;
}

int ingot_copy(struct ingot_source *source, struct ingot_sink *sink, unsigned jobs,
	       const struct ingot_progress *progress, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct slot),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit};
	struct copy copy = {source, sink, progress};

	/* A hole past the sink's end would go unnoticed below. */
	if (source->size > sink->size)
		return ingot_raise(err, -EFBIG, "'%s' is larger than '%s'", source->name,
				   sink->name);
	return ingot_pool_run(jobs, ingot_div_up(source->size, CHUNK), &ops, &copy, err);
}

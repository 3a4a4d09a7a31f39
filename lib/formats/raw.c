/* The disk itself: every byte at its place, zeros as holes. */
#include <errno.h>

#include "formats/format_internal.h"

struct raw_writer {
	struct ingot_writer writer;
	struct ingot_sink *sink;
};

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct raw_writer *raw = ingot_alloc(1, sizeof(*raw), err);
	int rc;

	(void)options;
	if (!raw)
		return -ENOMEM;
	raw->writer = (struct ingot_writer){ops, size};
	rc = ingot_output_sink(output, size, &raw->sink, err);
	if (rc < 0) {
		free(raw);
		return rc;
	}
	*ret = &raw->writer;
	return 0;
}

static int place(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		 struct ingot_error *err)
{
	return ingot_place_pieces(((struct raw_writer *)writer)->sink, chunk, err);
}

static void raw_free(struct ingot_writer *writer)
{
	ingot_sink_free(((struct raw_writer *)writer)->sink);
	free(writer);
}

const struct ingot_writer_ops ingot_raw_writer = {
	.format = {"raw", "the disk itself, zeros as holes"},
	.start = start,
	.place = place,
	.free = raw_free,
};

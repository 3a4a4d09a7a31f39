/* raw.gz: the disk, compressed with gzip. */
#include <errno.h>

#include "formats/format_internal.h"
#include "formats/gzip_internal.h"

struct gz_writer {
	struct ingot_writer writer;
	struct ingot_gzip gzip;
};

static void gz_free(struct ingot_writer *writer)
{
	ingot_gzip_done(&((struct gz_writer *)writer)->gzip);
	free(writer);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct gz_writer *gz = ingot_alloc(1, sizeof(*gz), err);
	int rc;

	(void)options;
	if (!gz)
		return -ENOMEM;
	gz->writer = (struct ingot_writer){ops, size};
	rc = ingot_gzip_init(&gz->gzip, output, size, err);
	if (rc < 0) {
		gz_free(&gz->writer);
		return rc;
	}
	*ret = &gz->writer;
	return 0;
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	return ingot_gzip_chunk(&((struct gz_writer *)writer)->gzip, chunk, err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	(void)seed;
	return ingot_gzip_finish(&((struct gz_writer *)writer)->gzip, err);
}

const struct ingot_writer_ops ingot_raw_gz_writer = {
	.format = {"raw.gz", "the disk, compressed with gzip"},
	.needs = INGOT_NEED_DEFLATE | INGOT_NEED_CRC32 | INGOT_NEED_HOLES,
	.start = start,
	.append = append,
	.finish = finish,
	.free = gz_free,
};

/*
 * Google Compute Engine's: the disk as the only member, "disk.raw", of a tar archive in GNU's old
 * format, compressed with gzip.
 *
 *	0              512         512 + size, to 512        to 10240
 *	+--------------+-----------+-------------------------+
 *	| header       | the disk  | zeros, at least 1024    |
 *	+--------------+-----------+-------------------------+
 *
 * The member is not sparse: the map of a sparse one stands before the data, which is read only
 * once. Zeros take a thousandth of their size anyway.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/format_internal.h"
#include "formats/gzip_internal.h"

enum { BLOCK = 512, RECORD = 10240 };

struct gce_writer {
	struct ingot_writer writer;
	struct ingot_gzip gzip;
	uint64_t end; /* zeros behind the disk */
};

/* 11 octal digits; what is larger, 8 GiB, in base 256 with the first bit set, as GNU tar has it. */
static void put_size(unsigned char field[12], uint64_t size)
{
	if (size >> 33 == 0) {
		(void)snprintf((char *)field, 12, "%011llo", (unsigned long long)size);
		return;
	}
	field[0] = 0x80;
	ingot_put_be64(field + 4, size);
}

static void make_header(uint64_t size, unsigned char h[BLOCK])
{
	unsigned sum = 0;

	memset(h, 0, BLOCK);
	memcpy(h, "disk.raw", 8);
	memcpy(h + 100, "0000644", 8); /* mode */
	memcpy(h + 108, "0000000", 8); /* owner */
	memcpy(h + 116, "0000000", 8); /* group */
	put_size(h + 124, size);
	memcpy(h + 136, "00000000000", 12); /* time */
	memset(h + 148, ' ', 8);
	h[156] = '0'; /* a file */
	memcpy(h + 257, "ustar  ", 8);
	memcpy(h + 265, "root", 4);
	memcpy(h + 297, "root", 4);
	for (size_t i = 0; i < BLOCK; i++)
		sum += h[i];
	(void)snprintf((char *)h + 148, 8, "%06o", sum); /* and NUL, space */
}

static void gce_free(struct ingot_writer *writer)
{
	ingot_gzip_done(&((struct gce_writer *)writer)->gzip);
	free(writer);
}

static int begin(struct gce_writer *gce, struct ingot_output *output, struct ingot_error *err)
{
	uint64_t size = gce->writer.size;
	uint64_t total = ingot_round_up(BLOCK + ingot_round_up(size, BLOCK) + 2 * BLOCK, RECORD);
	unsigned char header[BLOCK];
	int rc = ingot_gzip_init(&gce->gzip, output, total, err);

	if (rc < 0)
		return rc;
	gce->end = total - BLOCK - size;
	make_header(size, header);
	return ingot_gzip_bytes(&gce->gzip, header, BLOCK, err);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct gce_writer *gce = ingot_alloc(1, sizeof(*gce), err);
	int rc;

	(void)options;
	if (!gce)
		return -ENOMEM;
	gce->writer = (struct ingot_writer){ops, size};
	rc = begin(gce, output, err);
	if (rc < 0) {
		gce_free(&gce->writer);
		return rc;
	}
	*ret = &gce->writer;
	return 0;
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	return ingot_gzip_chunk(&((struct gce_writer *)writer)->gzip, chunk, err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct gce_writer *gce = (struct gce_writer *)writer;

	(void)seed;
	ingot_gzip_zeros(&gce->gzip, gce->end);
	return ingot_gzip_finish(&gce->gzip, err);
}

const struct ingot_writer_ops ingot_gce_writer = {
	.format = {"gce", "Google Compute Engine's: disk.raw in a tar, compressed with gzip"},
	.needs = INGOT_NEED_DEFLATE | INGOT_NEED_CRC32 | INGOT_NEED_HOLES,
	.start = start,
	.append = append,
	.finish = finish,
	.free = gce_free,
};

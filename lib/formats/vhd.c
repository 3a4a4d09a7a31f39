/*
 * VHD of fixed size (Microsoft's Virtual Hard Disk Image Format Specification 1.0): the disk, then
 * a footer of 512 bytes. Everything in the footer is big-endian.
 *
 *	  0  8  "conectix"				 48  8  current size
 *	  8  4  features, 2				 56  2  cylinders
 *	 12  4  version, 0x00010000			 58  1  heads
 *	 16  8  next structure, all ones		 59  1  sectors of a track
 *	 24  4  seconds since 2000			 60  4  kind: 2 fixed, 3 dynamic, 4
 *differencing 28  4  creator					 64  4  checksum 32  4  its version
 *68 16  identifier 36  4  its system, "Wi2k"			 84  1  saved state 40  8  size
 *85     zero
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/format_internal.h"

enum { FOOTER = 512, SECTOR = 512, FIXED = 2, DYNAMIC = 3, DIFFERENCING = 4 };

/* The ones' complement of the sum of all bytes, those of the checksum taken as zero. */
static uint32_t checksum(const unsigned char footer[FOOTER])
{
	uint32_t sum = 0;

	for (size_t i = 0; i < FOOTER; i++)
		if (i < 64 || i >= 68)
			sum += footer[i];
	return ~sum;
}

/* --- writing ----------------------------------------------------------- */

struct vhd_writer {
	struct ingot_writer writer;
	struct ingot_sink *sink;
	uint64_t disk; /* whole sectors */
};

/*
 * No geometry multiplies to any size. The largest there is, and the creator "qem2", say that the
 * size in bytes counts, to QEMU and to Hyper-V alike; from a geometry that fits, QEMU would take a
 * size that is not the disk's.
 */
static void make_footer(uint64_t size, const struct ingot_guid *guid, unsigned char f[FOOTER])
{
	memset(f, 0, FOOTER);
	memcpy(f, "conectix", 8);
	ingot_put_be32(f + 8, 2);
	ingot_put_be32(f + 12, 0x00010000);
	ingot_put_be64(f + 16, UINT64_MAX);
	memcpy(f + 28, "qem2", 4);
	ingot_put_be32(f + 32, 0x00050003);
	memcpy(f + 36, "Wi2k", 4);
	ingot_put_be64(f + 40, size);
	ingot_put_be64(f + 48, size);
	ingot_put_be16(f + 56, 65535);
	f[58] = 16;
	f[59] = 255;
	ingot_put_be32(f + 60, FIXED);
	memcpy(f + 68, guid->bytes, 16);
	ingot_put_be32(f + 64, checksum(f));
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct vhd_writer *vhd = ingot_alloc(1, sizeof(*vhd), err);
	int rc;

	(void)options;
	if (!vhd)
		return -ENOMEM;
	vhd->writer = (struct ingot_writer){ops, size};
	vhd->disk = ingot_round_up(size, SECTOR);
	rc = ingot_output_sink(output, vhd->disk + FOOTER, &vhd->sink, err);
	if (rc < 0) {
		free(vhd);
		return rc;
	}
	*ret = &vhd->writer;
	return 0;
}

static int place(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		 struct ingot_error *err)
{
	return ingot_place_pieces(((struct vhd_writer *)writer)->sink, chunk, err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct vhd_writer *vhd = (struct vhd_writer *)writer;
	unsigned char footer[FOOTER];
	struct ingot_guid guid;
	int rc = ingot_derive_guid(seed, "vhd identifier", &guid, err);

	if (rc < 0)
		return rc;
	make_footer(vhd->disk, &guid, footer);
	return ingot_sink_write(vhd->sink, vhd->disk, footer, FOOTER, err);
}

static void vhd_free(struct ingot_writer *writer)
{
	ingot_sink_free(((struct vhd_writer *)writer)->sink);
	free(writer);
}

const struct ingot_writer_ops ingot_vhd_writer = {
	.format = {"vhd", "Microsoft's, of fixed size: what Azure takes"},
	.needs = INGOT_NEED_IDENTITY,
	.start = start,
	.place = place,
	.finish = finish,
	.free = vhd_free,
};

/* --- reading ----------------------------------------------------------- */

struct vhd_source {
	struct ingot_source source;
	struct ingot_source *file;
};

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	return ingot_source_read(((struct vhd_source *)source)->file, offset, data, n, err);
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	int rc = ingot_source_extent(((struct vhd_source *)source)->file, offset, ret, err);

	if (rc == 0)
		ret->length = ingot_min(ret->length, source->size - offset);
	return rc;
}

static void source_free(struct ingot_source *source)
{
	ingot_source_free(((struct vhd_source *)source)->file);
	free(source);
}

static const struct ingot_source_ops VHD_OPS = {read_at, extent_at, source_free};

/* One that grows has a copy of the footer at its start, one of fixed size only this. */
bool ingot_vhd_probe(const struct ingot_probe *probe)
{
	return memcmp(probe->tail, "conectix", 8) == 0 || memcmp(probe->head, "conectix", 8) == 0;
}

static int check_footer(const unsigned char f[FOOTER], uint64_t file_size, struct ingot_error *err)
{
	uint32_t kind = ingot_get_be32(f + 60);

	if (memcmp(f, "conectix", 8) != 0)
		return ingot_raise(err, -EBADMSG, "its footer is missing at the end");
	if (ingot_get_be32(f + 64) != checksum(f))
		return ingot_raise(err, -EBADMSG, "the checksum of its footer is wrong");
	if (kind == DYNAMIC)
		return ingot_raise(err, -ENOTSUP, "it is one that grows, not of fixed size");
	if (kind == DIFFERENCING)
		return ingot_raise(err, -ENOTSUP, "it is the difference to another file");
	if (kind != FIXED)
		return ingot_raise(err, -ENOTSUP, "its kind %u is unknown", kind);
	if (ingot_get_be64(f + 48) > file_size - FOOTER)
		return ingot_raise(err, -EBADMSG, "a disk of %llu bytes is not in the file",
				   (unsigned long long)ingot_get_be64(f + 48));
	return 0;
}

int ingot_vhd_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	unsigned char footer[FOOTER];
	struct vhd_source *vhd;
	int rc;

	if (file->size < FOOTER)
		return ingot_raise(err, -EBADMSG, "it is cut off");
	rc = ingot_source_read(file, file->size - FOOTER, footer, FOOTER, err);
	if (rc == 0)
		rc = check_footer(footer, file->size, err);
	if (rc < 0)
		return rc;
	vhd = ingot_alloc(1, sizeof(*vhd), err);
	if (!vhd)
		return -ENOMEM;
	vhd->source = (struct ingot_source){&VHD_OPS, file->name, ingot_get_be64(footer + 48)};
	vhd->file = file;
	*ret = &vhd->source;
	return 0;
}

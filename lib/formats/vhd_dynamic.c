/*
 * VHD that grows: a copy of the footer, the header, the table, blocks of 2 MiB in the order of the
 * disk, the footer. The data of a block begins at a multiple of 4096 bytes, as it does on disks
 * that Hyper-V makes today; the sector of bits is right in front of it.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/blocks_internal.h"
#include "formats/vhd_internal.h"

enum {
	BLOCK = 2 << 20,
	BITS = BLOCK / VHD_SECTOR / 8, /* bytes, one sector */
	PAGE = 4096,
	HEADER = VHD_FOOTER,
	TABLE = HEADER + VHD_HEADER,
};

_Static_assert(BITS == (int)VHD_SECTOR, "the bits of a block are a sector");

struct vhd_writer {
	struct ingot_writer writer;
	struct ingot_block_file file;
	uint64_t disk; /* whole sectors */
};

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	(void)err;
	ingot_block_file_append(&((struct vhd_writer *)writer)->file, chunk);
	return 0;
}

static int place(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		 struct ingot_error *err)
{
	return ingot_block_file_place(&((struct vhd_writer *)writer)->file, chunk, err);
}

/* --- the end ----------------------------------------------------------- */

/* Entries, up to a whole sector. */
static size_t table_entries(size_t count)
{
	return (size_t)ingot_round_up(count, VHD_SECTOR / 4);
}

static void make_entry(const struct ingot_block_file *file, size_t index, unsigned char *entry)
{
	uint64_t place;
	uint32_t sector = VHD_ABSENT;

	if (ingot_block_file_find(file, index, &place))
		sector = (uint32_t)((place - BITS) / VHD_SECTOR);
	ingot_put_be32(entry, sector);
}

static void make_header(const struct vhd_writer *vhd, unsigned char h[VHD_HEADER])
{
	memset(h, 0, VHD_HEADER);
	memcpy(h, "cxsparse", 8);
	ingot_put_be64(h + 8, UINT64_MAX);
	ingot_put_be64(h + 16, TABLE);
	ingot_put_be32(h + 24, 0x00010000);
	ingot_put_be32(h + 28, (uint32_t)vhd->file.count);
	ingot_put_be32(h + 32, BLOCK);
	ingot_put_be32(h + VHD_HEADER_SUM, ingot_vhd_checksum(h, VHD_HEADER, VHD_HEADER_SUM));
}

/* All sectors of a block count as written, as QEMU has it: those that were not are zero. */
static int write_bits(const struct ingot_block_file *file, struct ingot_error *err)
{
	unsigned char bits[BITS];
	int rc = 0;

	memset(bits, 0xff, sizeof(bits));
	for (uint32_t i = 0; rc == 0 && i < file->used; i++)
		rc = ingot_sink_write(file->sink, file->first + i * file->stride - BITS, bits,
				      sizeof(bits), err);
	return rc;
}

static int write_footers(const struct vhd_writer *vhd, const struct ingot_seed *seed,
			 struct ingot_error *err)
{
	const struct ingot_block_file *file = &vhd->file;
	/* No gap after the last block. */
	uint64_t end = file->used > 0 ? ingot_block_file_end(file) - file->stride + BLOCK
				      : TABLE + 4 * table_entries(file->count);
	unsigned char footer[VHD_FOOTER];
	struct ingot_guid guid;
	int rc = ingot_derive_guid(seed, "vhd dynamic identifier", &guid, err);

	if (rc < 0)
		return rc;
	ingot_vhd_make_footer(vhd->disk, HEADER, &guid, footer);
	rc = ingot_sink_write(file->sink, 0, footer, VHD_FOOTER, err);
	if (rc == 0)
		rc = ingot_sink_write(file->sink, end, footer, VHD_FOOTER, err);
	return rc;
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	const struct vhd_writer *vhd = (struct vhd_writer *)writer;
	const struct ingot_block_table table = {
		.place = TABLE,
		.count = table_entries(vhd->file.count),
		.size = 4,
		.entry = make_entry,
	};
	unsigned char header[VHD_HEADER];
	int rc = write_bits(&vhd->file, err);

	if (rc == 0)
		rc = ingot_block_file_table(&vhd->file, &table, err);
	if (rc == 0)
		rc = write_footers(vhd, seed, err);
	if (rc < 0)
		return rc;
	make_header(vhd, header);
	return ingot_sink_write(vhd->file.sink, HEADER, header, sizeof(header), err);
}

/* --- the beginning ----------------------------------------------------- */

static void vhd_free(struct ingot_writer *writer)
{
	ingot_block_file_done(&((struct vhd_writer *)writer)->file);
	free(writer);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	static const uint64_t LARGEST = UINT64_C(2040) << 30; /* Hyper-V's and QEMU's limit */
	struct vhd_writer *vhd;
	int rc;

	(void)options;
	if (size > LARGEST)
		return ingot_raise(err, -EFBIG, "the disk is larger than 2040 GiB");
	vhd = ingot_alloc(1, sizeof(*vhd), err);
	if (!vhd)
		return -ENOMEM;
	vhd->writer = (struct ingot_writer){ops, size};
	vhd->disk = ingot_round_up(size, VHD_SECTOR);
	vhd->file.block = BLOCK;
	vhd->file.first = ingot_round_up(
		TABLE + 4 * table_entries((size_t)ingot_div_up(size, BLOCK)) + BITS, PAGE);
	vhd->file.stride = BLOCK + PAGE;
	rc = ingot_block_file_init(&vhd->file, output, size, err);
	if (rc < 0) {
		vhd_free(&vhd->writer);
		return rc;
	}
	*ret = &vhd->writer;
	return 0;
}

const struct ingot_writer_ops ingot_vhd_dynamic_writer = {
	.format = {"vhd-dynamic", "Microsoft's, as large as its data"},
	.needs = INGOT_NEED_IDENTITY,
	.start = start,
	.append = append,
	.place = place,
	.finish = finish,
	.free = vhd_free,
};

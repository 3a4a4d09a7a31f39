/*
 * VMDK streamOptimized, in the order of the specification: header, descriptor, grains with the
 * grain table of each 32 MiB behind them, grain directory, footer, end of stream. qemu-img puts the
 * directory in front and leaves out the footer; ESXi wants it as here.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/append_internal.h"
#include "formats/format_internal.h"
#include "formats/vmdk_internal.h"

enum {
	GRAIN = INGOT_PIECE,
	GRAIN_SECTORS = GRAIN / VMDK_SECTOR,
	TABLE_SPAN = VMDK_GTES * GRAIN, /* disk bytes behind a grain table */
	OVERHEAD = 128,			/* sectors before the first grain */
};

_Static_assert(TABLE_SPAN % INGOT_CHUNK == 0, "a grain table ends with a chunk");

struct vmdk_writer {
	struct ingot_writer writer;
	struct ingot_append file;
	uint64_t capacity; /* bytes, whole grains */
	unsigned char gt[VMDK_GTES * 4];
	bool gt_used;
	unsigned char *gd;
	size_t gd_count;
	const char *adapter;
};

/* The sector at the end of the file, which an entry of 32 bits can hold. */
static int next_sector(const struct vmdk_writer *v, uint32_t *ret, struct ingot_error *err)
{
	uint64_t sector = v->file.end / VMDK_SECTOR;

	if (sector > UINT32_MAX)
		return ingot_raise(err, -EFBIG, "the file would be larger than 2 TiB");
	*ret = (uint32_t)sector;
	return 0;
}

static int append_marker(struct vmdk_writer *v, uint64_t sectors, uint32_t kind,
			 struct ingot_error *err)
{
	unsigned char marker[VMDK_SECTOR] = {0};

	ingot_put_le64(marker, sectors);
	ingot_put_le32(marker + 12, kind);
	return ingot_append_bytes(&v->file, marker, sizeof(marker), err);
}

/* --- grains ------------------------------------------------------------ */

/* The deflate stream in the wrapper of RFC 1950: two bytes before, the checksum after. */
static int append_grain(struct vmdk_writer *v, const struct ingot_piece *piece, uint64_t offset,
			struct ingot_error *err)
{
	unsigned char before[VMDK_GRAIN_MARKER + 2], after[4];
	int rc;

	ingot_put_le64(before, offset / VMDK_SECTOR);
	ingot_put_le32(before + 8, (uint32_t)piece->deflate.size + 6);
	ingot_put_be16(before + 12, 0x789c);
	ingot_put_be32(after, piece->adler32);
	rc = ingot_append_bytes(&v->file, before, sizeof(before), err);
	if (rc == 0)
		rc = ingot_append_bytes(&v->file, piece->deflate.data, piece->deflate.size, err);
	if (rc == 0)
		rc = ingot_append_bytes(&v->file, after, sizeof(after), err);
	if (rc == 0)
		rc = ingot_append_align(&v->file, VMDK_SECTOR, err);
	return rc;
}

static int end_table(struct vmdk_writer *v, size_t index, struct ingot_error *err)
{
	uint32_t sector = 0;
	int rc;

	if (!v->gt_used)
		return 0;
	rc = append_marker(v, sizeof(v->gt) / VMDK_SECTOR, VMDK_MARKER_GT, err);
	if (rc == 0)
		rc = next_sector(v, &sector, err);
	if (rc == 0)
		rc = ingot_append_bytes(&v->file, v->gt, sizeof(v->gt), err);
	if (rc < 0)
		return rc;
	ingot_put_le32(v->gd + 4 * index, sector);
	memset(v->gt, 0, sizeof(v->gt));
	v->gt_used = false;
	return 0;
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	struct vmdk_writer *v = (struct vmdk_writer *)writer;
	uint64_t end = chunk->offset + chunk->length;

	for (size_t i = 0; i < chunk->piece_count; i++) {
		uint64_t offset = chunk->offset + i * GRAIN;
		uint32_t sector = 0;
		int rc;

		if (chunk->pieces[i].zero)
			continue;
		rc = next_sector(v, &sector, err);
		if (rc == 0)
			rc = append_grain(v, &chunk->pieces[i], offset, err);
		if (rc < 0)
			return rc;
		ingot_put_le32(v->gt + 4 * (offset / GRAIN % VMDK_GTES), sector);
		v->gt_used = true;
	}
	if (end % TABLE_SPAN == 0 || end == writer->size)
		return end_table(v, (size_t)(chunk->offset / TABLE_SPAN), err);
	return 0;
}

/* --- the end ----------------------------------------------------------- */

static void make_header(const struct vmdk_writer *v, uint64_t directory,
			unsigned char h[VMDK_SECTOR])
{
	memset(h, 0, VMDK_SECTOR);
	ingot_put_le32(h, VMDK_MAGIC);
	ingot_put_le32(h + 4, 3);
	ingot_put_le32(h + 8, VMDK_FLAG_NEWLINES | VMDK_FLAG_COMPRESSED | VMDK_FLAG_MARKERS);
	ingot_put_le64(h + 12, v->capacity / VMDK_SECTOR);
	ingot_put_le64(h + 20, GRAIN_SECTORS);
	ingot_put_le64(h + 28, VMDK_DESCRIPTOR);
	ingot_put_le64(h + 36, VMDK_DESCRIPTOR_SECTORS);
	ingot_put_le32(h + 44, VMDK_GTES);
	ingot_put_le64(h + 56, directory);
	ingot_put_le64(h + 64, OVERHEAD);
	memcpy(h + 73, "\n \r\n", 4);
	ingot_put_le16(h + 77, 1);
}

static int write_descriptor(struct vmdk_writer *v, uint32_t cid, struct ingot_error *err)
{
	const struct vmdk_description description = {.type = "streamOptimized",
						     .adapter = v->adapter,
						     .sectors = v->capacity / VMDK_SECTOR,
						     .cid = cid};
	INGOT_FREE char *text = ingot_vmdk_descriptor(&description, err);

	if (!text)
		return -ENOMEM;
	return ingot_append_patch(&v->file, VMDK_DESCRIPTOR * VMDK_SECTOR, text, strlen(text), err);
}

/* Grain directory, footer, end of stream; *directory is the first one's sector. */
static int append_end(struct vmdk_writer *v, struct ingot_error *err)
{
	unsigned char footer[VMDK_SECTOR];
	uint64_t sectors = ingot_div_up(v->gd_count * 4, VMDK_SECTOR);
	uint32_t directory = 0;
	int rc = append_marker(v, sectors, VMDK_MARKER_GD, err);

	if (rc == 0)
		rc = next_sector(v, &directory, err);
	if (rc == 0)
		rc = ingot_append_bytes(&v->file, v->gd, v->gd_count * 4, err);
	if (rc == 0)
		rc = ingot_append_align(&v->file, VMDK_SECTOR, err);
	if (rc == 0)
		rc = append_marker(v, 1, VMDK_MARKER_FOOTER, err);
	if (rc < 0)
		return rc;
	make_header(v, directory, footer);
	rc = ingot_append_bytes(&v->file, footer, sizeof(footer), err);
	if (rc == 0)
		rc = append_marker(v, 0, VMDK_MARKER_END, err);
	return rc;
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct vmdk_writer *v = (struct vmdk_writer *)writer;
	unsigned char header[VMDK_SECTOR];
	uint32_t cid;
	int rc = ingot_vmdk_derive_cid(seed, &cid, err);

	if (rc == 0)
		rc = append_end(v, err);
	if (rc == 0)
		rc = ingot_append_flush(&v->file, err);
	if (rc == 0)
		rc = write_descriptor(v, cid, err);
	if (rc < 0)
		return rc;
	make_header(v, VMDK_GD_AT_END, header);
	return ingot_append_patch(&v->file, 0, header, sizeof(header), err);
}

/* --- the beginning ----------------------------------------------------- */

static void vmdk_free(struct ingot_writer *writer)
{
	struct vmdk_writer *v = (struct vmdk_writer *)writer;

	ingot_append_done(&v->file);
	free(v->gd);
	free(v);
}

static int begin(struct vmdk_writer *v, struct ingot_output *output, uint64_t base,
		 struct ingot_error *err)
{
	static const unsigned char ZEROS[OVERHEAD * VMDK_SECTOR];
	int rc = ingot_append_init(&v->file, output, err);

	if (rc < 0)
		return rc;
	v->file.base = base;
	v->gd = ingot_alloc(v->gd_count, 4, err);
	if (!v->gd)
		return -ENOMEM;
	return ingot_append_bytes(&v->file, ZEROS, sizeof(ZEROS), err);
}

int ingot_vmdk_start_at(struct ingot_output *output, uint64_t base, uint64_t size,
			const struct ingot_format_options *options, struct ingot_writer **ret,
			struct ingot_error *err)
{
	static const uint64_t LARGEST = UINT64_C(62) << 40; /* vSphere's limit */
	struct vmdk_writer *v;
	int rc;

	if (size > LARGEST)
		return ingot_raise(err, -EFBIG, "the disk is larger than 62 TiB");
	v = ingot_alloc(1, sizeof(*v), err);
	if (!v)
		return -ENOMEM;
	v->writer = (struct ingot_writer){&ingot_vmdk_writer, size};
	v->capacity = ingot_round_up(size, GRAIN);
	v->gd_count = (size_t)ingot_max(ingot_div_up(size, TABLE_SPAN), 1);
	v->adapter = ingot_vmdk_adapter(options);
	rc = begin(v, output, base, err);
	if (rc < 0) {
		vmdk_free(&v->writer);
		return rc;
	}
	*ret = &v->writer;
	return 0;
}

uint64_t ingot_vmdk_bytes(const struct ingot_writer *writer)
{
	return ((const struct vmdk_writer *)writer)->file.end;
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	(void)ops;
	return ingot_vmdk_start_at(output, 0, size, options, ret, err);
}

const struct ingot_writer_ops ingot_vmdk_writer = {
	.format = {"vmdk", "VMware's streamOptimized"},
	.needs = INGOT_NEED_DEFLATE | INGOT_NEED_ADLER | INGOT_NEED_IDENTITY,
	.start = start,
	.append = append,
	.finish = finish,
	.free = vmdk_free,
};

/* VDI that grows: header, map, and from a whole MiB on blocks of 1 MiB in the order of the disk. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/blocks_internal.h"
#include "formats/vdi_internal.h"

enum { MAP = VDI_HEADER };

struct vdi_writer {
	struct ingot_writer writer;
	struct ingot_block_file file;
};

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	(void)err;
	ingot_block_file_append(&((struct vdi_writer *)writer)->file, chunk);
	return 0;
}

static int place(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		 struct ingot_error *err)
{
	return ingot_block_file_place(&((struct vdi_writer *)writer)->file, chunk, err);
}

static void make_entry(const struct ingot_block_file *file, size_t index, unsigned char *entry)
{
	uint32_t number = file->numbers[index];

	ingot_put_le32(entry, number == 0 ? VDI_ABSENT : number - 1);
}

static int make_header(const struct vdi_writer *vdi, const struct ingot_seed *seed,
		       unsigned char h[VDI_HEADER], struct ingot_error *err)
{
	struct ingot_guid image, change;
	int rc = ingot_derive_guid(seed, "vdi image", &image, err);

	if (rc == 0)
		rc = ingot_derive_guid(seed, "vdi change", &change, err);
	if (rc < 0)
		return rc;
	memset(h, 0, VDI_HEADER);
	strcpy((char *)h, "<<< VirtualBox disk image made by ingot >>>\n");
	ingot_put_le32(h + 64, VDI_MAGIC);
	ingot_put_le32(h + 68, VDI_VERSION);
	ingot_put_le32(h + 72, VDI_HEADER_FIELDS);
	ingot_put_le32(h + 76, VDI_GROWS);
	ingot_put_le32(h + 340, MAP);
	ingot_put_le32(h + 344, (uint32_t)vdi->file.first);
	ingot_put_le32(h + 360, VDI_SECTOR);
	ingot_put_le64(h + 368, ingot_round_up(vdi->writer.size, VDI_SECTOR));
	ingot_put_le32(h + 376, VDI_BLOCK);
	ingot_put_le32(h + 384, (uint32_t)vdi->file.count);
	ingot_put_le32(h + 388, vdi->file.used);
	ingot_guid_to_gpt(&image, h + 392);
	ingot_guid_to_gpt(&change, h + 408);
	return 0;
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	const struct vdi_writer *vdi = (struct vdi_writer *)writer;
	const struct ingot_block_table map = {
		.place = MAP, .count = vdi->file.count, .size = 4, .entry = make_entry};
	unsigned char header[VDI_HEADER];
	int rc = make_header(vdi, seed, header, err);

	if (rc == 0)
		rc = ingot_block_file_table(&vdi->file, &map, err);
	if (rc == 0)
		rc = ingot_sink_write(vdi->file.sink, 0, header, sizeof(header), err);
	if (rc == 0)
		rc = ingot_sink_truncate(vdi->file.sink, ingot_block_file_end(&vdi->file), err);
	return rc;
}

static void vdi_free(struct ingot_writer *writer)
{
	ingot_block_file_done(&((struct vdi_writer *)writer)->file);
	free(writer);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct vdi_writer *vdi;
	int rc;

	(void)options;
	if (size > (uint64_t)VDI_BLOCKS_MAX * VDI_BLOCK)
		return ingot_raise(err, -EFBIG, "the disk is larger than 1 PiB");
	vdi = ingot_alloc(1, sizeof(*vdi), err);
	if (!vdi)
		return -ENOMEM;
	vdi->writer = (struct ingot_writer){ops, size};
	vdi->file.block = VDI_BLOCK;
	vdi->file.stride = VDI_BLOCK;
	vdi->file.first = ingot_round_up(MAP + 4 * ingot_div_up(size, VDI_BLOCK), VDI_BLOCK);
	rc = ingot_block_file_init(&vdi->file, output, size, err);
	if (rc < 0) {
		vdi_free(&vdi->writer);
		return rc;
	}
	*ret = &vdi->writer;
	return 0;
}

const struct ingot_writer_ops ingot_vdi_writer = {
	.format = {"vdi", "VirtualBox's"},
	.needs = INGOT_NEED_IDENTITY,
	.start = start,
	.append = append,
	.place = place,
	.finish = finish,
	.free = vdi_free,
};

/*
 * VHDX that grows. Everything in front of the blocks has its place from the start: headers and
 * region tables in the first MiB, an empty log, metadata, the block allocation table.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/blocks_internal.h"
#include "formats/vhdx_internal.h"

enum {
	LOG = 1 * VHDX_MIB,
	METADATA = 2 * VHDX_MIB,
	BAT = 3 * VHDX_MIB,
	SECTOR = 512,
	BLOCKS_WANTED = 1 << 20, /* larger disks have larger blocks: a table of 8 MiB */
};

struct vhdx_writer {
	struct ingot_writer writer;
	struct ingot_block_file file;
	uint64_t disk;	/* whole sectors */
	uint64_t ratio; /* blocks to a bitmap */
};

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	(void)err;
	ingot_block_file_append(&((struct vhdx_writer *)writer)->file, chunk);
	return 0;
}

static int place(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		 struct ingot_error *err)
{
	return ingot_block_file_place(&((struct vhdx_writer *)writer)->file, chunk, err);
}

/* --- structures -------------------------------------------------------- */

static void put_guid(unsigned char *raw, const char *text)
{
	struct ingot_guid guid = {0};

	(void)!ingot_guid_parse(text, &guid, NULL);
	ingot_guid_to_gpt(&guid, raw);
}

static uint64_t bitmap_ratio(uint64_t block)
{
	return (uint64_t)VHDX_BITMAP_SECTORS * SECTOR / block;
}

static void make_entry(const struct ingot_block_file *file, size_t index, unsigned char *entry)
{
	uint64_t ratio = bitmap_ratio(file->block);
	size_t block = (size_t)(index - index / (ratio + 1));
	uint64_t place;

	if (index % (ratio + 1) == ratio || !ingot_block_file_find(file, block, &place))
		ingot_put_le64(entry, VHDX_NOT_PRESENT);
	else
		ingot_put_le64(entry, place | VHDX_PRESENT);
}

static size_t table_entries(uint64_t count, uint64_t ratio)
{
	return (size_t)vhdx_entry_index(count - 1, ratio) + 1;
}

static void make_header(const struct ingot_guid *writing, const struct ingot_guid *content,
			uint64_t number, unsigned char h[VHDX_HEADER_SIZE])
{
	memset(h, 0, VHDX_HEADER_SIZE);
	memcpy(h, "head", 4);
	ingot_put_le64(h + 8, number);
	ingot_guid_to_gpt(writing, h + 16);
	ingot_guid_to_gpt(content, h + 32);
	ingot_put_le16(h + 66, 1);
	ingot_put_le32(h + 68, VHDX_MIB);
	ingot_put_le64(h + 72, LOG);
	ingot_put_le32(h + 4, ingot_vhdx_checksum(h, VHDX_HEADER_SIZE));
}

static void put_region(unsigned char *entry, const char *guid, uint64_t place, uint64_t length)
{
	put_guid(entry, guid);
	ingot_put_le64(entry + 16, place);
	ingot_put_le32(entry + 24, (uint32_t)length);
	ingot_put_le32(entry + 28, VHDX_REGION_REQUIRED);
}

/* The file and the two tables before the blocks have the rest between them. */
static void make_regions(const struct vhdx_writer *vhdx, unsigned char table[VHDX_TABLE_SIZE])
{
	memcpy(table, "regi", 4);
	ingot_put_le32(table + 8, 2);
	put_region(table + 16, VHDX_BAT, BAT, vhdx->file.first - BAT);
	put_region(table + 16 + VHDX_ENTRY, VHDX_METADATA, METADATA, VHDX_MIB);
	ingot_put_le32(table + 4, ingot_vhdx_checksum(table, VHDX_TABLE_SIZE));
}

/* One item's entry in the table; its bytes follow the table, 16 for each. */
static unsigned char *put_item(unsigned char *table, unsigned index, const char *guid, uint32_t n,
			       uint32_t flags)
{
	unsigned char *entry = table + (size_t)(index + 1) * VHDX_ENTRY;
	uint32_t place = VHDX_TABLE_SIZE + 16 * index;

	put_guid(entry, guid);
	ingot_put_le32(entry + 16, place);
	ingot_put_le32(entry + 20, n);
	ingot_put_le32(entry + 24, flags | VHDX_ITEM_REQUIRED);
	return table + place;
}

static void make_metadata(const struct vhdx_writer *vhdx, const struct ingot_guid *disk,
			  unsigned char *table)
{
	unsigned char *item;

	memcpy(table, "metadata", 8);
	ingot_put_le16(table + 10, 5);
	item = put_item(table, 0, VHDX_FILE, 8, 0);
	ingot_put_le32(item, (uint32_t)vhdx->file.block);
	item = put_item(table, 1, VHDX_SIZE, 8, VHDX_ITEM_DISK);
	ingot_put_le64(item, vhdx->disk);
	item = put_item(table, 2, VHDX_DISK_ID, 16, VHDX_ITEM_DISK);
	ingot_guid_to_gpt(disk, item);
	item = put_item(table, 3, VHDX_LOGICAL, 4, VHDX_ITEM_DISK);
	ingot_put_le32(item, SECTOR);
	item = put_item(table, 4, VHDX_PHYSICAL, 4, VHDX_ITEM_DISK);
	ingot_put_le32(item, 4096);
}

/* --- the end ----------------------------------------------------------- */

static int write_identifier(const struct ingot_block_file *file, struct ingot_error *err)
{
	static const unsigned char CREATOR[] = "vhdxfilei\0n\0g\0o\0t";

	return ingot_sink_write(file->sink, 0, CREATOR, sizeof(CREATOR), err);
}

static int write_headers(const struct ingot_block_file *file, const struct ingot_seed *seed,
			 struct ingot_error *err)
{
	unsigned char header[VHDX_HEADER_SIZE];
	struct ingot_guid writing, content;
	int rc = ingot_derive_guid(seed, "vhdx writing", &writing, err);

	if (rc == 0)
		rc = ingot_derive_guid(seed, "vhdx content", &content, err);
	for (unsigned i = 1; rc == 0 && i <= 2; i++) {
		make_header(&writing, &content, i, header);
		rc = ingot_sink_write(file->sink, (uint64_t)VHDX_HEADERS * i, header,
				      sizeof(header), err);
	}
	return rc;
}

static int write_regions(const struct vhdx_writer *vhdx, struct ingot_error *err)
{
	INGOT_FREE unsigned char *table = ingot_alloc(1, VHDX_TABLE_SIZE, err);
	int rc;

	if (!table)
		return -ENOMEM;
	make_regions(vhdx, table);
	rc = ingot_sink_write(vhdx->file.sink, VHDX_REGIONS, table, VHDX_TABLE_SIZE, err);
	if (rc < 0)
		return rc;
	return ingot_sink_write(vhdx->file.sink, VHDX_REGIONS + VHDX_TABLE_SIZE, table,
				VHDX_TABLE_SIZE, err);
}

static int write_metadata(const struct vhdx_writer *vhdx, const struct ingot_seed *seed,
			  struct ingot_error *err)
{
	INGOT_FREE unsigned char *table = ingot_alloc(2, VHDX_TABLE_SIZE, err);
	struct ingot_guid disk;
	int rc;

	if (!table)
		return -ENOMEM;
	rc = ingot_derive_guid(seed, "vhdx disk", &disk, err);
	if (rc < 0)
		return rc;
	make_metadata(vhdx, &disk, table);
	return ingot_sink_write(vhdx->file.sink, METADATA, table, 2 * (size_t)VHDX_TABLE_SIZE, err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	const struct vhdx_writer *vhdx = (struct vhdx_writer *)writer;
	const struct ingot_block_file *file = &vhdx->file;
	const struct ingot_block_table bat = {.place = BAT,
					      .count = table_entries(file->count, vhdx->ratio),
					      .size = 8,
					      .entry = make_entry};
	int rc = write_identifier(file, err);

	if (rc == 0)
		rc = write_headers(file, seed, err);
	if (rc == 0)
		rc = write_regions(vhdx, err);
	if (rc == 0)
		rc = write_metadata(vhdx, seed, err);
	if (rc == 0)
		rc = ingot_block_file_table(file, &bat, err);
	if (rc == 0)
		rc = ingot_sink_truncate(file->sink, ingot_block_file_end(file), err);
	return rc;
}

/* --- the beginning ----------------------------------------------------- */

static void vhdx_free(struct ingot_writer *writer)
{
	ingot_block_file_done(&((struct vhdx_writer *)writer)->file);
	free(writer);
}

/* Small blocks waste least. Microsoft recommends 1 MiB for Linux guests. */
static uint64_t choose_block(uint64_t size)
{
	uint64_t block = VHDX_MIB;

	while (ingot_div_up(size, block) > BLOCKS_WANTED)
		block *= 2;
	return block;
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct vhdx_writer *vhdx;
	uint64_t entries;
	int rc;

	(void)options;
	if (size > VHDX_SIZE_MAX)
		return ingot_raise(err, -EFBIG, "the disk is larger than 64 TiB");
	vhdx = ingot_alloc(1, sizeof(*vhdx), err);
	if (!vhdx)
		return -ENOMEM;
	vhdx->writer = (struct ingot_writer){ops, size};
	vhdx->disk = ingot_round_up(size, SECTOR);
	vhdx->file.block = choose_block(size);
	vhdx->file.stride = vhdx->file.block;
	vhdx->ratio = bitmap_ratio(vhdx->file.block);
	entries = table_entries(ingot_max(ingot_div_up(size, vhdx->file.block), 1), vhdx->ratio);
	vhdx->file.first = BAT + ingot_round_up(entries * 8, VHDX_MIB);
	rc = ingot_block_file_init(&vhdx->file, output, size, err);
	if (rc < 0) {
		vhdx_free(&vhdx->writer);
		return rc;
	}
	*ret = &vhdx->writer;
	return 0;
}

const struct ingot_writer_ops ingot_vhdx_writer = {
	.format = {"vhdx", "Hyper-V's"},
	.needs = INGOT_NEED_IDENTITY,
	.start = start,
	.append = append,
	.place = place,
	.finish = finish,
	.free = vhdx_free,
};

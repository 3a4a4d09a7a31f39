/*
 * A VHDX, growing or of fixed size, as the disk inside. What waits in its log is taken into
 * account; the file stays as it is.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "formats/blocks_internal.h"
#include "formats/vhdx_internal.h"
#include "formats/vhdx_log_internal.h"

struct vhdx_source {
	struct ingot_block_source blocks;
	uint64_t bat;	/* its place in the file */
	uint64_t ratio; /* blocks to a bitmap */
};

uint32_t ingot_vhdx_checksum(const unsigned char *data, size_t n)
{
	static const unsigned char ZEROS[4];
	uint32_t crc = ingot_crc32c(0, data, 4);

	crc = ingot_crc32c(crc, ZEROS, sizeof(ZEROS));
	return ingot_crc32c(crc, data + 8, n - 8);
}

bool ingot_vhdx_probe(const struct ingot_probe *probe)
{
	return memcmp(probe->head, "vhdxfile", 8) == 0;
}

/* --- blocks ------------------------------------------------------------ */

static int place_of(uint64_t entry, uint64_t *ret, struct ingot_error *err)
{
	enum vhdx_state state = entry & 7;

	*ret = INGOT_BLOCK_HOLE;
	switch (state) {
	case VHDX_NOT_PRESENT:
	case VHDX_UNDEFINED:
	case VHDX_ZERO:
	case VHDX_UNMAPPED:
		return 0;
	case VHDX_PRESENT:
		*ret = entry & VHDX_PLACE;
		return 0;
	case VHDX_PARTLY_PRESENT:
	default:
		return ingot_raise(err, -EBADMSG, "a block in state %d", (int)state);
	}
}

static int locate(struct ingot_block_source *blocks, uint64_t first, size_t n, uint64_t *places,
		  struct ingot_error *err)
{
	const struct vhdx_source *vhdx = (const struct vhdx_source *)blocks;
	/* No bitmap follows less than 16 blocks. */
	unsigned char raw[8 * (INGOT_BLOCK_RUN + INGOT_BLOCK_RUN / 16 + 1)];
	uint64_t start = vhdx_entry_index(first, vhdx->ratio);
	uint64_t end = vhdx_entry_index(first + n - 1, vhdx->ratio) + 1;
	int rc = ingot_source_read(blocks->file, vhdx->bat + start * 8, raw,
				   (size_t)(end - start) * 8, err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = place_of(ingot_get_le64(
				      raw + 8 * (vhdx_entry_index(first + i, vhdx->ratio) - start)),
			      &places[i], err);
	return rc;
}

static const struct ingot_block_ops VHDX_OPS = {.format = "vhdx", .locate = locate};

/* --- the header -------------------------------------------------------- */

struct header {
	bool valid;
	unsigned char raw[VHDX_HEADER_SIZE];
};

static int load_header(struct ingot_source *file, uint64_t place, struct header *ret,
		       struct ingot_error *err)
{
	int rc = ingot_source_read(file, place, ret->raw, sizeof(ret->raw), err);

	ret->valid =
		rc == 0 && memcmp(ret->raw, "head", 4) == 0 &&
		ingot_get_le32(ret->raw + 4) == ingot_vhdx_checksum(ret->raw, sizeof(ret->raw));
	return rc;
}

/* The one that counts. Two with the same number can only be the same. */
static int choose_header(const struct header headers[2], const unsigned char **ret,
			 struct ingot_error *err)
{
	uint64_t a = ingot_get_le64(headers[0].raw + 8), b = ingot_get_le64(headers[1].raw + 8);

	if (!headers[0].valid && !headers[1].valid)
		return ingot_raise(err, -EBADMSG,
				   "both of its headers are missing or have a wrong checksum");
	if (headers[0].valid && headers[1].valid && a == b &&
	    memcmp(headers[0].raw, headers[1].raw, VHDX_HEADER_SIZE) != 0)
		return ingot_raise(err, -EBADMSG, "its two headers contradict each other");
	*ret = headers[0].valid && (!headers[1].valid || a >= b) ? headers[0].raw : headers[1].raw;
	return 0;
}

static bool is_zero(const unsigned char *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

struct log_head {
	struct ingot_range range;
	unsigned char guid[VHDX_LOG_GUID]; /* zero: there is nothing in it */
};

static int parse_header(const unsigned char *h, struct log_head *ret, struct ingot_error *err)
{
	if (ingot_get_le16(h + 66) != 1)
		return ingot_raise(err, -ENOTSUP, "version %u is unknown", ingot_get_le16(h + 66));
	if (ingot_get_le16(h + 64) != 0)
		return ingot_raise(err, -ENOTSUP, "version %u of its log is unknown",
				   ingot_get_le16(h + 64));
	ret->range = (struct ingot_range){ingot_get_le64(h + 72), ingot_get_le32(h + 68)};
	memcpy(ret->guid, h + 48, sizeof(ret->guid));
	return 0;
}

static int read_headers(struct ingot_source *file, struct log_head *ret, struct ingot_error *err)
{
	INGOT_FREE struct header *headers = ingot_alloc(2, sizeof(*headers), err);
	const unsigned char *h;
	int rc = headers ? 0 : -ENOMEM;

	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = load_header(file, (uint64_t)VHDX_HEADERS * (i + 1), &headers[i], err);
	if (rc == 0)
		rc = choose_header(headers, &h, err);
	return rc < 0 ? rc : parse_header(h, ret, err);
}

/* --- regions ----------------------------------------------------------- */

struct regions {
	struct ingot_range bat, metadata;
};

static bool is_guid(const unsigned char *raw, const char *text)
{
	struct ingot_guid want, is;

	ingot_guid_from_gpt(raw, &is);
	return ingot_guid_parse(text, &want, NULL) == 0 && ingot_guid_equal(&is, &want);
}

static int add_region(const struct ingot_source *file, const unsigned char *entry,
		      struct regions *ret, struct ingot_error *err)
{
	struct ingot_range range = {ingot_get_le64(entry + 16), ingot_get_le32(entry + 24)};
	struct ingot_range *into = is_guid(entry, VHDX_BAT)	   ? &ret->bat
				   : is_guid(entry, VHDX_METADATA) ? &ret->metadata
								   : NULL;

	if (!into && ingot_get_le32(entry + 28) & VHDX_REGION_REQUIRED)
		return ingot_raise(err, -ENOTSUP, "it needs a region that is unknown");
	if (range.offset % VHDX_MIB != 0 || range.length % VHDX_MIB != 0 || range.length == 0 ||
	    range.offset < VHDX_MIB || !ingot_in_range(range.offset, range.length, file->size))
		return ingot_raise(err, -EBADMSG, "a region of %llu bytes at 0x%llx",
				   (unsigned long long)range.length,
				   (unsigned long long)range.offset);
	if (!into)
		return 0;
	if (into->length != 0)
		return ingot_raise(err, -EBADMSG, "it has the same region twice");
	*into = range;
	return 0;
}

static int read_regions(const struct ingot_source *file, const unsigned char *table,
			struct regions *ret, struct ingot_error *err)
{
	uint32_t count = ingot_get_le32(table + 8);
	int rc = 0;

	if (count > VHDX_ENTRIES_MAX)
		return ingot_raise(err, -EBADMSG, "a table of %u regions", count);
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = add_region(file, table + 16 + (size_t)i * VHDX_ENTRY, ret, err);
	if (rc < 0)
		return rc;
	if (ret->bat.length == 0 || ret->metadata.length == 0)
		return ingot_raise(err, -EBADMSG, "it has no %s",
				   ret->bat.length == 0 ? "block table" : "metadata");
	if (ret->bat.offset < ret->metadata.offset + ret->metadata.length &&
	    ret->metadata.offset < ret->bat.offset + ret->bat.length)
		return ingot_raise(err, -EBADMSG, "its regions overlap");
	return 0;
}

/* Either copy of the table will do. */
static int find_regions(struct ingot_source *file, struct regions *ret, struct ingot_error *err)
{
	INGOT_FREE unsigned char *table = ingot_alloc(1, VHDX_TABLE_SIZE, err);

	if (!table)
		return -ENOMEM;
	for (unsigned i = 0; i < 2; i++) {
		int rc = ingot_source_read(file, VHDX_REGIONS + (uint64_t)i * VHDX_TABLE_SIZE,
					   table, VHDX_TABLE_SIZE, err);

		if (rc < 0)
			return rc;
		if (memcmp(table, "regi", 4) == 0 &&
		    ingot_get_le32(table + 4) == ingot_vhdx_checksum(table, VHDX_TABLE_SIZE))
			return read_regions(file, table, ret, err);
	}
	return ingot_raise(err, -EBADMSG,
			   "both of its region tables are missing or have a wrong checksum");
}

/* --- metadata ---------------------------------------------------------- */

/* What is there; 0 is nothing. */
struct items {
	uint32_t block, flags, sector;
	uint64_t size;
};

static int read_item(struct ingot_source *file, const struct ingot_range *metadata,
		     const unsigned char *entry, struct items *ret, struct ingot_error *err)
{
	uint32_t place = ingot_get_le32(entry + 16), n = ingot_get_le32(entry + 20);
	unsigned char raw[8] = {0};
	bool user = ingot_get_le32(entry + 24) & VHDX_ITEM_USER;
	int rc;

	if (place < VHDX_TABLE_SIZE || !ingot_in_range(place, n, metadata->length))
		return n == 0 && place == 0 ? 0
					    : ingot_raise(err, -EBADMSG,
							  "an item of %u bytes at 0x%x of its "
							  "metadata",
							  n, place);
	rc = ingot_source_read(file, metadata->offset + place, raw,
			       (size_t)ingot_min(n, sizeof(raw)), err);
	if (rc < 0)
		return rc;
	if (!user && is_guid(entry, VHDX_FILE) && n == 8) {
		ret->block = ingot_get_le32(raw);
		ret->flags = ingot_get_le32(raw + 4);
	} else if (!user && is_guid(entry, VHDX_SIZE) && n == 8) {
		ret->size = ingot_get_le64(raw);
	} else if (!user && is_guid(entry, VHDX_LOGICAL) && n == 4) {
		ret->sector = ingot_get_le32(raw);
	} else if (ingot_get_le32(entry + 24) & VHDX_ITEM_REQUIRED &&
		   !is_guid(entry, VHDX_PHYSICAL) && !is_guid(entry, VHDX_DISK_ID) &&
		   !is_guid(entry, VHDX_PARENT)) {
		return ingot_raise(err, -ENOTSUP, "it needs metadata that is unknown");
	}
	return 0;
}

static int read_items(struct ingot_source *file, const struct ingot_range *metadata,
		      struct items *ret, struct ingot_error *err)
{
	INGOT_FREE unsigned char *table = ingot_alloc(1, VHDX_TABLE_SIZE, err);
	uint32_t count;
	int rc;

	if (!table)
		return -ENOMEM;
	rc = ingot_source_read(file, metadata->offset, table, VHDX_TABLE_SIZE, err);
	if (rc < 0)
		return rc;
	count = ingot_get_le16(table + 10);
	if (memcmp(table, "metadata", 8) != 0 || count > VHDX_ENTRIES_MAX)
		return ingot_raise(err, -EBADMSG, "its metadata is damaged");
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = read_item(file, metadata, table + (size_t)(i + 1) * VHDX_ENTRY, ret, err);
	return rc;
}

static int check_items(const struct items *items, struct ingot_error *err)
{
	if (items->flags & VHDX_HAS_PARENT)
		return ingot_raise(err, -ENOTSUP, "it is the difference to another file");
	if (!ingot_is_power_of_two(items->block) || items->block < VHDX_MIB ||
	    items->block > VHDX_BLOCK_MAX)
		return ingot_raise(err, -EBADMSG, "its blocks have %u bytes", items->block);
	if (items->sector != 512 && items->sector != 4096)
		return ingot_raise(err, -EBADMSG, "its sectors have %u bytes", items->sector);
	if (items->size == 0 || items->size > VHDX_SIZE_MAX || items->size % items->sector != 0)
		return ingot_raise(err, -EBADMSG, "its size of %llu bytes is impossible",
				   (unsigned long long)items->size);
	return 0;
}

/* --- opening ----------------------------------------------------------- */

static int read_geometry(struct vhdx_source *vhdx, struct ingot_source *file,
			 struct ingot_error *err)
{
	struct regions regions = {0};
	struct items items = {0};
	int rc = find_regions(file, &regions, err);

	if (rc == 0)
		rc = read_items(file, &regions.metadata, &items, err);
	if (rc == 0)
		rc = check_items(&items, err);
	if (rc < 0)
		return rc;
	vhdx->bat = regions.bat.offset;
	vhdx->ratio = (uint64_t)VHDX_BITMAP_SECTORS * items.sector / items.block;
	vhdx->blocks.block = items.block;
	vhdx->blocks.tables[0] = (struct ingot_range){0, VHDX_MIB};
	vhdx->blocks.tables[1] = regions.bat;
	vhdx->blocks.tables[2] = regions.metadata;
	ingot_blocks_init(&vhdx->blocks, file, items.size);
	if (vhdx_entry_index(vhdx->blocks.count - 1, vhdx->ratio) >= regions.bat.length / 8)
		return ingot_raise(err, -EBADMSG, "a table of %llu bytes for %llu blocks",
				   (unsigned long long)regions.bat.length,
				   (unsigned long long)vhdx->blocks.count);
	return 0;
}

/* The file with what waits in its log; the file itself, if nothing does. */
static int replay(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	struct vhdx_updates updates = {.file_size = file->size};
	struct log_head log = {0};
	int rc = read_headers(file, &log, err);

	*ret = file;
	if (rc == 0 && !is_zero(log.guid, sizeof(log.guid)))
		rc = ingot_vhdx_log_read(file, &log.range, log.guid, &updates, err);
	if (rc == 0 && (updates.count > 0 || updates.file_size > file->size))
		rc = ingot_vhdx_log_replay(file, &updates, ret, err);
	free(updates.items);
	return rc;
}

static int open_disk(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct vhdx_source *vhdx = ingot_alloc(1, sizeof(*vhdx), err);
	int rc;

	if (!vhdx)
		return -ENOMEM;
	vhdx->blocks.ops = &VHDX_OPS;
	rc = read_geometry(vhdx, file, err);
	if (rc == 0)
		rc = ingot_blocks_check(&vhdx->blocks, err);
	if (rc < 0)
		return rc;
	*ret = &INGOT_TAKE(vhdx)->blocks.source;
	return 0;
}

int ingot_vhdx_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_source *whole;
	int rc;

	if (file->size < VHDX_MIB)
		return ingot_raise(err, -EBADMSG, "it is cut off");
	rc = replay(file, &whole, err);
	if (rc == 0)
		rc = open_disk(whole, ret, err);
	if (rc < 0 && whole != file)
		ingot_vhdx_log_disown(whole);
	return rc;
}

/* A place in a file with a log is of no use for writing: the log goes over it. */
int ingot_vhdx_open_edit(struct ingot_source *file, struct ingot_source **ret,
			 struct ingot_error *err)
{
	struct log_head log = {0};
	int rc;

	if (file->size < VHDX_MIB)
		return ingot_raise(err, -EBADMSG, "it is cut off");
	rc = read_headers(file, &log, err);
	if (rc == 0 && !is_zero(log.guid, sizeof(log.guid)))
		rc = ingot_raise(err, -EOPNOTSUPP,
				 "it was not closed: its log has to be replayed before it can be "
				 "changed in place");
	return rc < 0 ? rc : open_disk(file, ret, err);
}

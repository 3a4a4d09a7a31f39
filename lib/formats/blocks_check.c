/*
 * Containers of equal blocks, held against what Ingot writes: VDI, VHD that grows, VHDX. Their
 * blocks stand in the order of the disk with nothing between them, so the table decides where all
 * of them are, and the file's size.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/check_internal.h"
#include "formats/vdi_internal.h"
#include "formats/vhd_internal.h"
#include "formats/vhdx_internal.h"

enum { TABLE_MAX = 1 << 26 /* entries */ };

/* A table: entry k of those that are used has to be first + k * step. */
struct table {
	uint64_t place, count;
	unsigned size; /* of an entry, bytes */
	bool big_endian;
	uint64_t absent, first, step;
	uint64_t skip; /* VHDX: every so many entries there is one for a bitmap; 0: never */
	uint64_t used; /* result */
};

static uint64_t entry_value(const struct table *t, const unsigned char *p)
{
	if (t->size == 8)
		return ingot_get_le64(p);
	return t->big_endian ? ingot_get_be32(p) : ingot_get_le32(p);
}

static int check_table(struct ingot_source *file, struct table *t, char *finding,
		       struct ingot_error *err)
{
	unsigned char raw[4096];
	uint64_t per = sizeof(raw) / t->size;

	if (t->count > TABLE_MAX || !ingot_in_range(t->place, t->count * t->size, file->size)) {
		ingot_finding(finding, "its table of %llu entries is not in the file",
			      (unsigned long long)t->count);
		return 0;
	}
	for (uint64_t i = 0; i < t->count && !*finding; i++) {
		uint64_t value;
		int rc = 0;

		if (i % per == 0)
			rc = ingot_source_read(file, t->place + i * t->size, raw,
					       (size_t)ingot_min(per, t->count - i) * t->size, err);
		if (rc < 0)
			return rc;
		value = entry_value(t, raw + i % per * t->size);
		if (value == t->absent)
			continue;
		if ((t->skip && i % t->skip == t->skip - 1) ||
		    value != t->first + t->used * t->step)
			ingot_finding(finding, "entry %llu of its table, 0x%llx, leads elsewhere",
				      (unsigned long long)i, (unsigned long long)value);
		t->used++;
	}
	return 0;
}

static void check_size(struct ingot_source *file, uint64_t want, char *finding)
{
	if (file->size != want)
		ingot_finding(finding, "the file has %llu bytes, not %llu",
			      (unsigned long long)file->size, (unsigned long long)want);
}

/* --- VDI --------------------------------------------------------------- */

static void check_vdi_header(const unsigned char *h, uint64_t first, char *finding)
{
	static const char text[] = "<<< VirtualBox disk image made by ingot >>>\n";
	uint64_t size = ingot_get_le64(h + 368);

	if (memcmp(h, text, sizeof(text)) != 0 ||
	    !ingot_bytes_are_zero(h + sizeof(text), 64 - sizeof(text)))
		ingot_finding(finding, "the text at its start is another");
	if (ingot_get_le32(h + 64) != VDI_MAGIC || ingot_get_le32(h + 68) != VDI_VERSION ||
	    ingot_get_le32(h + 72) != VDI_HEADER_FIELDS || ingot_get_le32(h + 76) != VDI_GROWS)
		ingot_finding(finding, "magic, version, header size or kind");
	if (ingot_get_le32(h + 340) != VDI_HEADER || ingot_get_le32(h + 344) != first)
		ingot_finding(finding, "map or blocks are said to be elsewhere");
	if (ingot_get_le32(h + 360) != VDI_SECTOR || ingot_get_le32(h + 376) != VDI_BLOCK ||
	    size == 0 || size % VDI_SECTOR ||
	    ingot_get_le32(h + 384) != ingot_div_up(size, VDI_BLOCK))
		ingot_finding(finding, "sizes of disk, sector and block do not fit together");
	if (!ingot_bytes_are_zero(h + 80, 260) || !ingot_bytes_are_zero(h + 348, 12) ||
	    !ingot_bytes_are_zero(h + 364, 4) || !ingot_bytes_are_zero(h + 380, 4) ||
	    !ingot_bytes_are_zero(h + 424, VDI_HEADER - 424))
		ingot_finding(finding, "flags, comment, geometry or parent, which are zero");
	if (ingot_bytes_are_zero(h + 392, 16) || ingot_bytes_are_zero(h + 408, 16))
		ingot_finding(finding, "an identifier is missing");
}

int ingot_vdi_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err)
{
	struct table map = {.place = VDI_HEADER, .size = 4, .absent = VDI_ABSENT, .step = 1};
	unsigned char h[VDI_HEADER];
	uint64_t end, first;
	int rc = ingot_source_read(file, 0, h, sizeof(h), err);

	if (rc < 0)
		return rc;
	map.count = ingot_get_le32(h + 384);
	end = VDI_HEADER + 4 * map.count;
	first = ingot_round_up(end, VDI_BLOCK);
	check_vdi_header(h, first, finding);
	rc = *finding ? 0 : check_table(file, &map, finding, err);
	if (rc < 0)
		return rc;
	if (map.used != ingot_get_le32(h + 388))
		ingot_finding(finding, "it says that %u blocks are in it, but there are %llu",
			      ingot_get_le32(h + 388), (unsigned long long)map.used);
	check_size(file, first + map.used * VDI_BLOCK, finding);
	return *finding ? 0 : ingot_find_nonzero(file, end, first, "behind the map", finding, err);
}

/* --- VHD that grows ---------------------------------------------------- */

enum { VHD_BLOCK = 2 << 20, VHD_TABLE = VHD_FOOTER + VHD_HEADER, VHD_PAGE = 4096 };

static void check_vhd_header(const unsigned char *h, uint64_t disk, char *finding)
{
	if (memcmp(h, "cxsparse", 8) != 0 || ingot_get_be64(h + 8) != UINT64_MAX ||
	    ingot_get_be64(h + 16) != VHD_TABLE || ingot_get_be32(h + 24) != 0x00010000)
		ingot_finding(finding, "the header's cookie, version or table");
	if (ingot_get_be32(h + VHD_HEADER_SUM) != ingot_vhd_checksum(h, VHD_HEADER, VHD_HEADER_SUM))
		ingot_finding(finding, "the header's checksum is wrong");
	if (ingot_get_be32(h + 32) != VHD_BLOCK ||
	    ingot_get_be32(h + 28) != ingot_div_up(disk, VHD_BLOCK))
		ingot_finding(finding, "the header's blocks are not those of the disk");
	if (!ingot_bytes_are_zero(h + 40, VHD_HEADER - 40))
		ingot_finding(finding, "the header has a parent");
}

/* In front of each block all sectors are marked, and before that there is nothing. */
static int check_vhd_bits(struct ingot_source *file, uint64_t first, uint64_t used, char *finding,
			  struct ingot_error *err)
{
	unsigned char bits[VHD_SECTOR], all[VHD_SECTOR];
	uint64_t end = VHD_TABLE;
	int rc = 0;

	memset(all, 0xff, sizeof(all));
	for (uint64_t i = 0; rc == 0 && i < used && !*finding; i++) {
		uint64_t data = first + i * (VHD_BLOCK + VHD_PAGE);

		rc = ingot_source_read(file, data - VHD_SECTOR, bits, sizeof(bits), err);
		if (rc == 0 && memcmp(bits, all, sizeof(all)) != 0)
			ingot_finding(finding, "the bits of block %llu", (unsigned long long)i);
		if (rc == 0 && i > 0)
			rc = ingot_find_nonzero(file, end, data - VHD_SECTOR, "between blocks",
						finding, err);
		end = data + VHD_BLOCK;
	}
	return rc;
}

int ingot_vhd_dynamic_check(struct ingot_source *file, const unsigned char *footer, char *finding,
			    struct ingot_error *err)
{
	struct table bat = {.place = VHD_TABLE,
			    .size = 4,
			    .big_endian = true,
			    .absent = VHD_ABSENT,
			    .step = (VHD_BLOCK + VHD_PAGE) / VHD_SECTOR};
	unsigned char copy[VHD_FOOTER], h[VHD_HEADER];
	uint64_t disk = ingot_get_be64(footer + 48), end, first;
	int rc = ingot_source_read(file, 0, copy, sizeof(copy), err);

	if (rc == 0)
		rc = ingot_source_read(file, VHD_FOOTER, h, sizeof(h), err);
	if (rc < 0)
		return rc;
	if (memcmp(copy, footer, sizeof(copy)) != 0)
		ingot_finding(finding, "the copy of the footer at the start differs");
	check_vhd_header(h, disk, finding);
	bat.count = ingot_round_up(ingot_get_be32(h + 28), VHD_SECTOR / 4);
	end = VHD_TABLE + 4 * bat.count;
	first = ingot_round_up(end + VHD_SECTOR, VHD_PAGE);
	bat.first = (first - VHD_SECTOR) / VHD_SECTOR;
	rc = *finding ? 0 : check_table(file, &bat, finding, err);
	if (rc < 0 || *finding)
		return rc;
	check_size(file,
		   (bat.used ? first + bat.used * (VHD_BLOCK + VHD_PAGE) - VHD_PAGE : end) +
			   VHD_FOOTER,
		   finding);
	if (!*finding && bat.used)
		rc = ingot_find_nonzero(file, end, first - VHD_SECTOR, "behind the table", finding,
					err);
	return rc < 0 || *finding ? rc : check_vhd_bits(file, first, bat.used, finding, err);
}

/* --- VHDX -------------------------------------------------------------- */

enum {
	X_LOG = 1 * VHDX_MIB,
	X_METADATA = 2 * VHDX_MIB,
	X_BAT = 3 * VHDX_MIB,
	X_ITEMS = 5,
};

static bool is_guid(const unsigned char *raw, const char *text)
{
	struct ingot_guid guid;
	char found[INGOT_GUID_TEXT];

	ingot_guid_from_gpt(raw, &guid);
	return strcmp(ingot_guid_text(&guid, found), text) == 0;
}

static int check_x_headers(struct ingot_source *file, char *finding, struct ingot_error *err)
{
	static const unsigned char creator[] = "vhdxfilei\0n\0g\0o\0t";
	unsigned char start[sizeof(creator)], h[2][VHDX_HEADER_SIZE];
	int rc = ingot_source_read(file, 0, start, sizeof(start), err);

	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = ingot_source_read(file, (uint64_t)VHDX_HEADERS * (i + 1), h[i], sizeof(h[i]),
				       err);
	if (rc < 0)
		return rc;
	if (memcmp(start, creator, sizeof(creator)) != 0)
		ingot_finding(finding, "the identifier at its start is another");
	for (unsigned i = 0; i < 2; i++) {
		if (memcmp(h[i], "head", 4) != 0 ||
		    ingot_get_le32(h[i] + 4) != ingot_vhdx_checksum(h[i], VHDX_HEADER_SIZE))
			ingot_finding(finding, "the checksum of header %u is wrong", i + 1);
		if (ingot_get_le64(h[i] + 8) != i + 1 || !ingot_bytes_are_zero(h[i] + 48, 18) ||
		    ingot_get_le16(h[i] + 66) != 1 || ingot_get_le32(h[i] + 68) != VHDX_MIB ||
		    ingot_get_le64(h[i] + 72) != X_LOG ||
		    !ingot_bytes_are_zero(h[i] + 80, VHDX_HEADER_SIZE - 80))
			ingot_finding(finding, "header %u: sequence, version or log", i + 1);
	}
	if (memcmp(h[0] + 16, h[1] + 16, 32) != 0)
		ingot_finding(finding, "the headers have different identifiers");
	return 0;
}

/* Both region tables: two regions, zeros behind them. *bat_size: of the block table's. */
static int check_x_regions(struct ingot_source *file, uint64_t *bat_size, char *finding,
			   struct ingot_error *err)
{
	INGOT_FREE unsigned char *t = ingot_alloc(2, VHDX_TABLE_SIZE, err);
	const unsigned char *bat = t + 16, *metadata = bat + VHDX_ENTRY;
	int rc = t ? ingot_source_read(file, VHDX_REGIONS, t, 2 * (size_t)VHDX_TABLE_SIZE, err)
		   : -ENOMEM;

	if (rc < 0)
		return rc;
	*bat_size = ingot_get_le32(bat + 24);
	if (memcmp(t, t + VHDX_TABLE_SIZE, VHDX_TABLE_SIZE) != 0)
		ingot_finding(finding, "the region tables differ");
	if (memcmp(t, "regi", 4) != 0 ||
	    ingot_get_le32(t + 4) != ingot_vhdx_checksum(t, VHDX_TABLE_SIZE))
		ingot_finding(finding, "the checksum of the region table is wrong");
	if (ingot_get_le32(t + 8) != 2 || ingot_get_le32(t + 12) != 0 || !is_guid(bat, VHDX_BAT) ||
	    ingot_get_le64(bat + 16) != X_BAT || ingot_get_le32(bat + 28) != VHDX_REGION_REQUIRED ||
	    !is_guid(metadata, VHDX_METADATA) || ingot_get_le64(metadata + 16) != X_METADATA ||
	    ingot_get_le32(metadata + 24) != VHDX_MIB ||
	    ingot_get_le32(metadata + 28) != VHDX_REGION_REQUIRED ||
	    !ingot_bytes_are_zero(metadata + VHDX_ENTRY, VHDX_TABLE_SIZE - 16 - 2 * VHDX_ENTRY))
		ingot_finding(finding, "the regions are others");
	return 0;
}

/* The items, each in 16 bytes of its own behind the table. */
static int check_x_metadata(struct ingot_source *file, uint64_t *block, uint64_t *disk,
			    char *finding, struct ingot_error *err)
{
	static const struct {
		const char *guid;
		unsigned size, flags;
	} items[X_ITEMS] = {
		{VHDX_FILE, 8, 0},
		{VHDX_SIZE, 8, VHDX_ITEM_DISK},
		{VHDX_DISK_ID, 16, VHDX_ITEM_DISK},
		{VHDX_LOGICAL, 4, VHDX_ITEM_DISK},
		{VHDX_PHYSICAL, 4, VHDX_ITEM_DISK},
	};
	INGOT_FREE unsigned char *t = ingot_alloc(1, VHDX_MIB, err);
	const unsigned char *values = t + VHDX_TABLE_SIZE;
	int rc = t ? ingot_source_read(file, X_METADATA, t, VHDX_MIB, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	if (memcmp(t, "metadata\0", 10) != 0 || ingot_get_le16(t + 10) != X_ITEMS ||
	    !ingot_bytes_are_zero(t + 12, 20))
		ingot_finding(finding, "the head of the metadata");
	for (unsigned i = 0; i < X_ITEMS; i++) {
		const unsigned char *entry = t + (size_t)(i + 1) * VHDX_ENTRY;

		if (!is_guid(entry, items[i].guid) ||
		    ingot_get_le32(entry + 16) != VHDX_TABLE_SIZE + 16 * i ||
		    ingot_get_le32(entry + 20) != items[i].size ||
		    ingot_get_le32(entry + 24) != (items[i].flags | VHDX_ITEM_REQUIRED) ||
		    ingot_get_le32(entry + 28) != 0 ||
		    !ingot_bytes_are_zero(values + 16 * (size_t)i + items[i].size,
					  16 - items[i].size))
			ingot_finding(finding, "item %u of the metadata", i + 1);
	}
	*block = ingot_get_le32(values);
	*disk = ingot_get_le64(values + 16);
	if (ingot_get_le32(values + 4) != 0 || ingot_get_le32(values + 48) != 512 ||
	    ingot_get_le32(values + 64) != 4096 || ingot_bytes_are_zero(values + 32, 16))
		ingot_finding(finding, "flags, sectors or identifier in the metadata");
	if (!ingot_bytes_are_zero(t + (X_ITEMS + 1) * VHDX_ENTRY,
				  VHDX_TABLE_SIZE - (X_ITEMS + 1) * VHDX_ENTRY) ||
	    !ingot_bytes_are_zero(values + 16 * X_ITEMS, VHDX_MIB - VHDX_TABLE_SIZE - 16 * X_ITEMS))
		ingot_finding(finding, "there is something behind the metadata");
	return 0;
}

static int check_x_gaps(struct ingot_source *file, char *finding, struct ingot_error *err)
{
	static const struct {
		uint64_t from, to;
	} gaps[] = {
		{19, VHDX_HEADERS},
		{VHDX_HEADERS + VHDX_HEADER_SIZE, 2 * VHDX_HEADERS},
		{2 * VHDX_HEADERS + VHDX_HEADER_SIZE, VHDX_REGIONS},
		{VHDX_REGIONS + 2 * VHDX_TABLE_SIZE, X_METADATA},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(gaps) / sizeof(gaps[0]); i++)
		rc = ingot_find_nonzero(file, gaps[i].from, gaps[i].to, "between the structures",
					finding, err);
	return rc;
}

static int check_x_blocks(struct ingot_source *file, uint64_t block, uint64_t disk,
			  uint64_t bat_size, char *finding, struct ingot_error *err)
{
	struct table bat = {.place = X_BAT, .size = 8, .absent = VHDX_NOT_PRESENT, .step = block};
	uint64_t ratio = block ? (uint64_t)VHDX_BITMAP_SECTORS * 512 / block : 0;
	uint64_t blocks, first;
	int rc;

	if (!ingot_is_power_of_two(block) || block < VHDX_MIB || block > VHDX_BLOCK_MAX ||
	    disk == 0 || disk % 512 || disk > VHDX_SIZE_MAX) {
		ingot_finding(finding, "sizes of disk and block");
		return 0;
	}
	blocks = ingot_div_up(disk, block);
	bat.count = vhdx_entry_index(blocks - 1, ratio) + 1;
	bat.skip = ratio + 1;
	first = X_BAT + ingot_round_up(bat.count * 8, VHDX_MIB);
	bat.first = first | VHDX_PRESENT;
	if (bat_size != first - X_BAT)
		ingot_finding(finding, "the region of the block table has %llu bytes",
			      (unsigned long long)bat_size);
	rc = *finding ? 0 : check_table(file, &bat, finding, err);
	if (rc < 0)
		return rc;
	check_size(file, first + bat.used * block, finding);
	return ingot_find_nonzero(file, X_BAT + bat.count * 8, first, "behind the block table",
				  finding, err);
}

int ingot_vhdx_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err)
{
	uint64_t bat_size = 0, block = 0, disk = 0;
	int rc;

	if (file->size < X_BAT) {
		ingot_finding(finding, "it is cut off");
		return 0;
	}
	rc = check_x_headers(file, finding, err);
	if (rc == 0)
		rc = check_x_regions(file, &bat_size, finding, err);
	if (rc == 0)
		rc = check_x_metadata(file, &block, &disk, finding, err);
	if (rc == 0)
		rc = check_x_gaps(file, finding, err);
	return rc < 0 || *finding ? rc : check_x_blocks(file, block, disk, bat_size, finding, err);
}

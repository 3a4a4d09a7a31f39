/* VHDX (Microsoft, [MS-VHDX]; the sections named below are its). Little-endian. */
#include <string.h>

#include "base/bytes.h"
#include "image/check_internal.h"

#define MIB (UINT64_C(1) << 20)

enum {
	HEADER = 4096,
	TABLE = 64 * 1024,
	ENTRIES_MAX = 2047, /* 2.2.3.1 */
	ENTRY = 32,
	ITEMS_MAX = 2047, /* 2.6.1.1 */
};

/* GUIDs as they stand in the file. */
static const unsigned char BAT[16] = {0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
				      0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08};
static const unsigned char METADATA[16] = {0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
					   0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e};

struct item {
	const char *name;
	unsigned char guid[16];
	uint32_t size;
};

/* 2.6.2 */
enum { FILE_PARAMETERS, DISK_SIZE, DISK_ID, LOGICAL_SECTOR, PHYSICAL_SECTOR, ITEM_COUNT };
static const struct item ITEMS[ITEM_COUNT] = {
	{"file parameters",
	 {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7,
	  0x6b},
	 8},
	{"virtual disk size",
	 {0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4,
	  0xb8},
	 8},
	{"virtual disk id",
	 {0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7,
	  0x46},
	 16},
	{"logical sector size",
	 {0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab,
	  0x5f},
	 4},
	{"physical sector size",
	 {0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44, 0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5,
	  0x56},
	 4},
};

/* CRC-32C, bit by bit, with the four bytes at `at` taken as zero. */
static uint32_t crc32c(const unsigned char *data, size_t n, size_t at)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= i >= at && i < at + 4 ? 0 : data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

/* --- headers: 2.2.2 ---------------------------------------------------- */

static void check_header(struct checker *c, uint64_t offset, const char *name)
{
	unsigned char header[HEADER];
	uint64_t log;

	if (!check_read(c, c->file, offset, header, HEADER, name))
		return;
	if (memcmp(header, "head", 4) != 0) {
		check_add(c, name, false, "signature 'head'", "something else");
		return;
	}
	check_hex(c, SAY("%s, CRC-32C", name), crc32c(header, HEADER, 4),
		  ingot_get_le32(header + 4));
	check_number(c, SAY("%s, version", name), 1, ingot_get_le16(header + 66));
	check_add(c, SAY("%s, log", name), memcmp(header + 48, (unsigned char[16]){0}, 16) == 0,
		  "empty",
		  memcmp(header + 48, (unsigned char[16]){0}, 16) == 0 ? "empty"
								       : "to be replayed");
	log = ingot_get_le64(header + 72);
	check_add(c, SAY("%s, log's place", name),
		  log >= MIB && log % MIB == 0 && ingot_get_le32(header + 68) % MIB == 0 &&
			  ingot_in_range(log, ingot_get_le32(header + 68), c->file->size),
		  "whole MiB, in the file",
		  SAY("%u bytes at %llu", ingot_get_le32(header + 68), (unsigned long long)log));
}

/* --- region tables: 2.2.3 ---------------------------------------------- */

static void check_region(struct checker *c, const unsigned char *entry, const char *name,
			 uint64_t *ret)
{
	uint64_t offset = ingot_get_le64(entry + 16);
	uint32_t length = ingot_get_le32(entry + 24);
	bool ok = offset >= MIB && offset % MIB == 0 && length && length % MIB == 0 &&
		  ingot_in_range(offset, length, c->file->size);

	check_add(c, name, ok, "whole MiB, in the file",
		  SAY("%u bytes at %llu", length, (unsigned long long)offset));
	*ret = ok ? offset : 0;
}

/* Where the metadata lies; 0: nowhere that can be looked at. */
static uint64_t check_regions(struct checker *c, const unsigned char *table)
{
	uint32_t count = ingot_get_le32(table + 8);
	uint64_t metadata = 0, bat = 0;
	unsigned found = 0;

	check_add(c, "regions", count >= 2 && count <= ENTRIES_MAX, "2 to 2047", SAY("%u", count));
	for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
		const unsigned char *entry = table + 16 + (size_t)i * ENTRY;

		if (memcmp(entry, BAT, 16) == 0 && !(found & 1)) {
			check_region(c, entry, "block table", &bat);
			found |= 1;
		} else if (memcmp(entry, METADATA, 16) == 0 && !(found & 2)) {
			check_region(c, entry, "metadata", &metadata);
			found |= 2;
		} else if (ingot_get_le32(entry + 28) & 1) {
			check_add(c, "regions", false, "the block table and the metadata",
				  "a required region that is neither, or one twice");
			break;
		}
	}
	if (found != 3)
		check_add(c, "regions", false, "a block table and metadata", "one is missing");
	return metadata;
}

/* The bytes of the table; NULL after a line, or without memory. */
static unsigned char *load_table(struct checker *c, uint64_t offset, const char *name)
{
	INGOT_FREE unsigned char *table = ingot_alloc(1, TABLE, NULL);

	if (!table) {
		c->oom = true;
		return NULL;
	}
	if (!check_read(c, c->file, offset, table, TABLE, name))
		return NULL;
	if (memcmp(table, "regi", 4) != 0) {
		check_add(c, name, false, "signature 'regi'", "something else");
		return NULL;
	}
	check_hex(c, SAY("%s, CRC-32C", name), crc32c(table, TABLE, 4), ingot_get_le32(table + 4));
	return INGOT_TAKE(table);
}

/* --- metadata: 2.6 ----------------------------------------------------- */

static void check_values(struct checker *c, const unsigned char values[ITEM_COUNT][16])
{
	uint32_t block = ingot_get_le32(values[FILE_PARAMETERS]);
	uint32_t sector = ingot_get_le32(values[LOGICAL_SECTOR]);
	uint64_t size = ingot_get_le64(values[DISK_SIZE]);

	check_add(c, "block size",
		  ingot_is_power_of_two(block) && block >= MIB && block <= 256 * MIB,
		  "a power of two, 1 to 256 MiB", SAY("%u bytes", block));
	check_add(c, "parent", !(values[FILE_PARAMETERS][4] & 2), "none",
		  values[FILE_PARAMETERS][4] & 2 ? "the disk of another file" : "none");
	check_add(c, "logical sector size", sector == 512 || sector == 4096, "512 or 4096",
		  SAY("%u", sector));
	check_add(c, "disk size",
		  size && (sector == 512 || sector == 4096) && size % sector == 0 &&
			  size <= UINT64_C(64) << 40,
		  "whole sectors, at most 64 TiB", SAY("%llu bytes", (unsigned long long)size));
}

/* The item's bytes; false: it is not there. */
static bool find_item(struct checker *c, const unsigned char *table, uint64_t metadata,
		      const struct item *item, unsigned char value[16])
{
	uint32_t count = ingot_get_le16(table + 10);

	for (uint32_t i = 0; i < count && i < ITEMS_MAX; i++) {
		const unsigned char *entry = table + 32 + (size_t)i * ENTRY;
		uint32_t offset = ingot_get_le32(entry + 16);

		if (memcmp(entry, item->guid, 16) == 0)
			return offset >= TABLE && ingot_get_le32(entry + 20) == item->size &&
			       check_read(c, c->file, metadata + offset, value, item->size,
					  item->name);
	}
	return false;
}

static void check_metadata(struct checker *c, uint64_t metadata)
{
	INGOT_FREE unsigned char *table = ingot_alloc(1, TABLE, NULL);
	unsigned char values[ITEM_COUNT][16] = {{0}};

	if (!table) {
		c->oom = true;
		return;
	}
	if (!check_read(c, c->file, metadata, table, TABLE, "metadata"))
		return;
	if (memcmp(table, "metadata", 8) != 0) {
		check_add(c, "metadata", false, "signature 'metadata'", "something else");
		return;
	}
	for (unsigned i = 0; i < ITEM_COUNT; i++)
		if (!find_item(c, table, metadata, &ITEMS[i], values[i])) {
			check_add(c, ITEMS[i].name, false, "in the metadata",
				  "missing, or of another size");
			return;
		}
	check_values(c, (const unsigned char(*)[16])values);
}

void check_vhdx(struct checker *c, const struct ingot_check_rule *rule)
{
	INGOT_FREE unsigned char *first = NULL, *second = NULL;
	unsigned char magic[8];
	uint64_t metadata = 0;

	(void)rule;
	if (!check_read(c, c->file, 0, magic, sizeof(magic), "signature"))
		return;
	check_add(c, "signature", memcmp(magic, "vhdxfile", 8) == 0, "vhdxfile",
		  memcmp(magic, "vhdxfile", 8) == 0 ? "vhdxfile" : "something else");
	check_header(c, TABLE, "first header");
	check_header(c, 2 * TABLE, "second header");
	first = load_table(c, 3 * TABLE, "first region table");
	second = load_table(c, 4 * TABLE, "second region table");
	if (first && second)
		check_add(c, "region tables", memcmp(first, second, TABLE) == 0, "the same",
			  memcmp(first, second, TABLE) == 0 ? "the same" : "different");
	if (first)
		metadata = check_regions(c, first);
	if (metadata)
		check_metadata(c, metadata);
}

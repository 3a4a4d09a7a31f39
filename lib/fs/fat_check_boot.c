#include "fs/fat_check_internal.h"

#include <errno.h>
#include <string.h>

/* The reserved sectors (fatgen103, "Boot Sector and BPB", "FSInfo"). */

enum {
	CLUSTERS12_MAX = 4084,
	CLUSTERS16_MAX = 65524,
	CLUSTER_SIZE_MAX = 65536,
	INFO_OURS = 1,
	COPY_OURS = 6,
	RESERVED_HEAD_OURS = 8, /* sectors of FAT32 that hold something */
};

/* --- geometry ---------------------------------------------------------- */

static bool is_boot_sector(const unsigned char *b)
{
	uint16_t sector = ingot_get_le16(b + 11);

	return b[510] == 0x55 && b[511] == 0xaa && (b[0] == 0xeb || b[0] == 0xe9) &&
	       ingot_is_power_of_two(sector) && sector >= 512 && sector <= 4096 &&
	       ingot_is_power_of_two(b[13]) && b[16] >= 1 && b[16] <= 2 && b[21] >= 0xf0;
}

static void take_fields(struct fat_checker *c)
{
	const unsigned char *b = c->boot;

	c->sector_size = ingot_get_le16(b + 11);
	c->cluster_size = c->sector_size * b[13];
	c->reserved = ingot_get_le16(b + 14);
	c->tables = b[16];
	c->root_entries = ingot_get_le16(b + 17);
	c->sectors = ingot_get_le16(b + 19) ? ingot_get_le16(b + 19) : ingot_get_le32(b + 32);
	c->bits = ingot_get_le16(b + 22) ? 16 : 32;
	c->table_sectors = c->bits == 32 ? ingot_get_le32(b + 36) : ingot_get_le16(b + 22);
	c->table_size = (uint64_t)c->table_sectors * c->sector_size;
	c->table_at = (uint64_t)c->reserved * c->sector_size;
	c->root_at = c->table_at + c->tables * c->table_size;
	c->clusters_at =
		c->root_at + ingot_round_up((uint64_t)c->root_entries * FATC_ENTRY, c->sector_size);
	c->root_cluster = c->bits == 32 ? ingot_get_le32(b + 44) : 0;
}

/* NULL, or what makes no sense. */
static const char *bad_geometry(struct fat_checker *c)
{
	uint64_t front = c->clusters_at / c->sector_size, clusters;

	if (c->cluster_size > CLUSTER_SIZE_MAX)
		return "clusters larger than 64 KiB";
	if (c->reserved == 0 || c->table_sectors == 0 || front >= c->sectors)
		return "the tables leave no room for data";
	if ((uint64_t)c->sectors * c->sector_size > c->source->size)
		return "it is larger than its partition";
	if (ingot_get_le16(c->boot + 19) && ingot_get_le32(c->boot + 32) &&
	    ingot_get_le16(c->boot + 19) != ingot_get_le32(c->boot + 32))
		return "it has two sizes";
	if ((c->bits == 32) != (c->root_entries == 0))
		return "a root of the wrong kind";
	clusters = (c->sectors - front) / c->boot[13];
	if (clusters == 0)
		return "it has no clusters";
	if (c->bits == 16 && clusters <= CLUSTERS12_MAX)
		c->bits = 12;
	if (c->bits == 16 && clusters > CLUSTERS16_MAX)
		return "more clusters than FAT16 has";
	if (clusters > 0x0ffffff5)
		return "more clusters than FAT32 has";
	if (c->ours && c->bits == 32 && clusters <= CLUSTERS16_MAX)
		return "fewer clusters than FAT32 has";
	c->clusters = (uint32_t)clusters;
	if ((((uint64_t)c->clusters + 2) * c->bits + 7) / 8 > c->table_size)
		return "its table is too short for its clusters";
	return NULL;
}

/* --- values ------------------------------------------------------------ */

static void check_values(struct fat_checker *c)
{
	const unsigned char *b = c->boot;
	size_t extended = c->bits == 32 ? 64 : 36;

	if (b[extended + 1] & 3)
		fatc_problem(c, "boot sector: the volume was not unmounted cleanly");
	if (c->bits != 32)
		return;
	if (ingot_get_le16(b + 42))
		fatc_problem(c, "boot sector: version %u of FAT32", ingot_get_le16(b + 42));
	if (ingot_get_le16(b + 40) & 0x80)
		fatc_problem(c, "boot sector: only one table is in use");
	if (!fatc_is_cluster(c, c->root_cluster))
		fatc_problem(c, "boot sector: the root starts at a cluster that is not there");
}

static void copy(unsigned char *to, const unsigned char *from, size_t at, size_t n)
{
	memcpy(to + at, from + at, n);
}

/* What follows the geometry, at 36 or 64. */
static void expect_extended(const unsigned char *b, const char *type, size_t at, unsigned char *e)
{
	static const unsigned char code[] = {0xcd, 0x18, 0xf4, 0xeb, 0xfd};

	e[at] = 0x80;
	e[at + 2] = 0x29;
	copy(e, b, at + 3, 4);	/* volume identifier */
	copy(e, b, at + 7, 11); /* label */
	memcpy(e + at + 18, type, 8);
	memcpy(e + at + 26, code, sizeof(code));
}

/* The boot sector that our writer makes of the same numbers. */
static void expect(const struct fat_checker *c, unsigned char e[FATC_BOOT])
{
	const unsigned char *b = c->boot;

	memset(e, 0, FATC_BOOT);
	e[0] = 0xeb;
	e[1] = c->bits == 32 ? 0x58 : 0x3c;
	e[2] = 0x90;
	memcpy(e + 3, "INGOT   ", 8);
	copy(e, b, 11, 5); /* sector, cluster, reserved */
	e[16] = 2;
	if (c->bits != 32)
		ingot_put_le16(e + 17, 512);
	if (c->bits == 32 || c->sectors > UINT16_MAX)
		copy(e, b, 32, 4); /* sectors */
	else
		copy(e, b, 19, 2);
	e[21] = 0xf8;
	ingot_put_le16(e + 24, 63);
	ingot_put_le16(e + 26, 255);
	copy(e, b, 28, 4); /* hidden sectors */
	e[510] = 0x55;
	e[511] = 0xaa;
	if (c->bits != 32) {
		copy(e, b, 22, 2);
		expect_extended(b, "FAT16   ", 36, e);
		return;
	}
	copy(e, b, 36, 4);
	ingot_put_le32(e + 44, 2);
	ingot_put_le16(e + 48, INFO_OURS);
	ingot_put_le16(e + 50, COPY_OURS);
	expect_extended(b, "FAT32   ", 64, e);
}

static void check_ours(struct fat_checker *c)
{
	unsigned char e[FATC_BOOT];

	if ((uint64_t)c->sectors * c->sector_size != c->source->size)
		fatc_problem(c, "boot sector: %u sectors, and the partition has %llu", c->sectors,
			     (unsigned long long)(c->source->size / c->sector_size));
	if (c->bits == 12)
		fatc_problem(c, "boot sector: FAT12");
	expect(c, e);
	for (size_t i = 0; i < sizeof(e); i++) {
		if (e[i] == c->boot[i])
			continue;
		fatc_problem(c, "boot sector: byte %zu is 0x%02x, not 0x%02x", i, c->boot[i], e[i]);
		return;
	}
}

int fatc_check_boot(struct fat_checker *c, struct ingot_error *err)
{
	const char *bad;
	int rc;

	if (c->source->size < FATC_BOOT)
		return ingot_raise(err, -ENODATA, "'%s' is no FAT volume", c->source->name);
	rc = ingot_source_read(c->source, 0, c->boot, FATC_BOOT, err);
	if (rc < 0)
		return rc;
	if (!is_boot_sector(c->boot))
		return ingot_raise(err, -ENODATA, "'%s' is no FAT volume", c->source->name);
	take_fields(c);
	bad = bad_geometry(c);
	if (bad) {
		fatc_problem(c, "boot sector: %s", bad);
		return 1;
	}
	if (c->clusters > INGOT_FAT_CHECK_CLUSTERS_MAX)
		return ingot_raise(err, -EFBIG, "the FAT volume is too large to be checked");
	c->seen = (struct ingot_fat_check){.bits = c->bits,
					   .sector_size = c->sector_size,
					   .cluster_size = c->cluster_size,
					   .clusters = c->clusters};
	check_values(c);
	if (c->ours)
		check_ours(c);
	return 0;
}

/* --- FSInfo and copies ------------------------------------------------- */

static void check_info(struct fat_checker *c, const unsigned char *p)
{
	uint32_t free_clusters = ingot_get_le32(p + 488), next = ingot_get_le32(p + 492);
	uint32_t used = c->clusters - c->seen.free_clusters;

	if (ingot_get_le32(p) != 0x41615252 || ingot_get_le32(p + 484) != 0x61417272 ||
	    ingot_get_le32(p + 508) != 0xaa550000) {
		fatc_problem(c, "FSInfo: its signatures are not there");
		return;
	}
	if (free_clusters != c->seen.free_clusters && (free_clusters != UINT32_MAX || c->ours))
		fatc_problem(c, "FSInfo: it counts %u free clusters, there are %u", free_clusters,
			     c->seen.free_clusters);
	if (next != UINT32_MAX && !fatc_is_cluster(c, next))
		fatc_problem(c, "FSInfo: the next free cluster is not there");
	if (!c->ours)
		return;
	if (next != (c->seen.free_clusters ? 2 + used : UINT32_MAX))
		fatc_problem(c, "FSInfo: the next free cluster is %u", next);
	if (ingot_first_nonzero(p + 4, 480) != 480 || ingot_first_nonzero(p + 496, 12) != 12)
		fatc_problem(c, "FSInfo: unused bytes are not zero");
}

static int read_sector(struct fat_checker *c, uint32_t sector, unsigned char *p,
		       struct ingot_error *err)
{
	return ingot_source_read(c->source, (uint64_t)sector * c->sector_size, p, FATC_BOOT, err);
}

static int check_info_sector(struct fat_checker *c, uint32_t sector, struct ingot_error *err)
{
	unsigned char p[FATC_BOOT];
	int rc;

	if (sector == 0 || sector >= c->reserved) {
		if (sector != 0 && sector != UINT16_MAX)
			fatc_problem(c, "boot sector: FSInfo is not in the reserved sectors");
		return 0;
	}
	rc = read_sector(c, sector, p, err);
	if (rc == 0)
		check_info(c, p);
	return rc;
}

static int check_copy(struct fat_checker *c, struct ingot_error *err)
{
	uint32_t sector = ingot_get_le16(c->boot + 50);
	unsigned char p[FATC_BOOT];
	int rc;

	if (sector == 0 || sector >= c->reserved) {
		if (sector != 0 && sector != UINT16_MAX)
			fatc_problem(c, "boot sector: its copy is not in the reserved sectors");
		return 0;
	}
	rc = read_sector(c, sector, p, err);
	if (rc < 0)
		return rc;
	if (memcmp(p, c->boot, FATC_BOOT) != 0)
		fatc_problem(c, "boot sector: its copy in sector %u differs", sector);
	return c->ours ? check_info_sector(c, sector + 1, err) : 0;
}

/* Nothing stands anywhere else. */
static int check_unused(struct fat_checker *c, struct ingot_error *err)
{
	static const uint32_t heads[] = {0, INFO_OURS, COPY_OURS, COPY_OURS + 1};
	uint32_t first = c->bits == 32 ? RESERVED_HEAD_OURS : 1, size = c->sector_size;
	int rc = 0;

	for (size_t i = 0; i < 4 && rc == 0; i++)
		if (c->bits == 32 || i == 0)
			rc = fatc_zero(c, (uint64_t)heads[i] * size + FATC_BOOT, size - FATC_BOOT,
				       "a reserved sector", err);
	if (rc == 0 && c->bits == 32)
		rc = fatc_zero(c, (uint64_t)2 * size, (uint64_t)4 * size, "a reserved sector", err);
	if (rc == 0 && c->reserved > first)
		rc = fatc_zero(c, (uint64_t)first * size, (uint64_t)(c->reserved - first) * size,
			       "a reserved sector", err);
	return rc;
}

int fatc_check_reserved(struct fat_checker *c, struct ingot_error *err)
{
	int rc = 0;

	if (c->bits == 32)
		rc = check_info_sector(c, ingot_get_le16(c->boot + 48), err);
	if (rc == 0 && c->bits == 32)
		rc = check_copy(c, err);
	return rc == 0 && c->ours ? check_unused(c, err) : rc;
}

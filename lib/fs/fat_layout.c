#include "fs/fat_internal.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"

#define MIB (UINT64_C(1) << 20)

/*
 * The number of clusters decides: 4085 and more are FAT16, 65525 and more FAT32. The
 * specification asks to keep 16 away from both, because drivers have been off by that much.
 */
#define CLUSTERS16_MIN (4085 + 16)
#define CLUSTERS16_MAX (65524 - 16)
#define CLUSTERS32_MIN (65525 + 16)
#define CLUSTERS32_MAX 0x0ffffff5 /* 0x0ffffff7 marks a bad cluster; numbers start at 2 */

#define RESERVED16     1
#define RESERVED32     32
#define ROOT16_ENTRIES 512 /* what the specification recommends */

static int check_size(uint64_t size, uint32_t sector_size, struct ingot_error *err)
{
	if (sector_size != 512 && sector_size != 4096)
		return ingot_raise(err, -EINVAL, "FAT: sectors of %u bytes, not 512 or 4096",
				   sector_size);
	if (size % sector_size)
		return ingot_raise(err, -EINVAL,
				   "FAT: %" PRIu64
				   " bytes are not a multiple of the %u-byte sector",
				   size, sector_size);
	if (size / sector_size > UINT32_MAX)
		return ingot_raise(err, -EINVAL, "FAT: %" PRIu64 " bytes are more than %u sectors",
				   size, UINT32_MAX);
	return 0;
}

/* --- one attempt: bits, sector_size, cluster_size and sectors are given --- */

/*
 * F sectors of table hold F * sector_size / e numbers of e bytes, which must be enough for two
 * more than the (room - 2 F) / per_cluster clusters that are left: solved for F.
 */
static uint64_t table_sectors(uint64_t room, uint64_t per_cluster, uint64_t sector_size, uint64_t e)
{
	return ingot_div_up(e * room + 2 * e * per_cluster, per_cluster * sector_size + 2 * e);
}

/* Returns the number of clusters; 0: not even one. */
static uint64_t lay_out(struct fat_layout *layout)
{
	uint64_t sector_size = layout->sector_size;
	uint64_t per_cluster = layout->cluster_size / sector_size;
	uint64_t reserved = layout->bits == 32 ? RESERVED32 : RESERVED16;
	uint64_t root = layout->bits == 32 ? 0 : ROOT16_ENTRIES * FAT_ENTRY_SIZE / sector_size;
	uint64_t table, head;

	if (layout->sectors <= reserved + root)
		return 0;
	table = table_sectors(layout->sectors - reserved - root, per_cluster, sector_size,
			      layout->bits / 8);
	/* The first cluster starts at a multiple of its size. */
	head = ingot_round_up(reserved + 2 * table + root, per_cluster);
	if (layout->sectors < head)
		return 0;
	reserved = head - 2 * table - root;
	layout->reserved = (uint32_t)reserved;
	layout->table_sectors = (uint32_t)table;
	layout->table_size = table * sector_size;
	layout->tables_at[0] = reserved * sector_size;
	layout->tables_at[1] = layout->tables_at[0] + layout->table_size;
	layout->root_at = layout->tables_at[1] + layout->table_size;
	layout->root_size = (uint32_t)(root * sector_size);
	layout->clusters_at = head * sector_size;
	return (layout->sectors - head) / per_cluster;
}

/* --- FAT32, or FAT16 --------------------------------------------------- */

/* The specification's table for FAT32, which mkfs.fat uses too. */
static uint32_t cluster_size(uint64_t size, uint32_t sector_size)
{
	uint32_t bytes = 512;

	if (size >= 32 * 1024 * MIB)
		bytes = 32768;
	else if (size >= 16 * 1024 * MIB)
		bytes = 16384;
	else if (size >= 8 * 1024 * MIB)
		bytes = 8192;
	else if (size >= 260 * MIB)
		bytes = 4096;
	return bytes < sector_size ? sector_size : bytes;
}

static int lay_out_16(struct fat_layout *layout, struct ingot_error *err)
{
	uint64_t clusters;

	layout->bits = 16;
	clusters = lay_out(layout);
	if (clusters > CLUSTERS16_MAX) {
		layout->cluster_size *= 2;
		clusters = lay_out(layout);
	}
	if (clusters < CLUSTERS16_MIN)
		return ingot_raise(
			err, -EINVAL,
			"FAT16: %" PRIu64 " bytes give %" PRIu64
			" clusters, and FAT16 begins at %d: about %" PRIu64 " KiB too small",
			(uint64_t)layout->sectors * layout->sector_size, clusters, CLUSTERS16_MIN,
			(CLUSTERS16_MIN - clusters) * layout->cluster_size / 1024 + 1);
	layout->clusters = (uint32_t)clusters;
	return 0;
}

static int too_small_for_32(const struct fat_layout *layout, uint64_t clusters,
			    struct ingot_error *err)
{
	/* A cluster and its 4 bytes in each of the two tables. */
	uint64_t missing = (CLUSTERS32_MIN - clusters) * (layout->cluster_size + 8);

	return ingot_raise(err, -EINVAL,
			   "FAT32: %" PRIu64 " bytes give %" PRIu64
			   " clusters, and FAT32 begins at %d: about %" PRIu64 " KiB too small",
			   (uint64_t)layout->sectors * layout->sector_size, clusters,
			   CLUSTERS32_MIN, ingot_div_up(missing, 1024));
}

int ingot_fat_layout(uint64_t size, uint32_t sector_size, struct fat_layout *ret,
		     struct ingot_error *err)
{
	struct fat_layout layout = {.bits = 32, .sector_size = sector_size};
	uint64_t clusters;
	int rc = check_size(size, sector_size, err);

	if (rc < 0)
		return rc;
	layout.sectors = (uint32_t)(size / sector_size);
	layout.cluster_size = cluster_size(size, sector_size);
	clusters = lay_out(&layout);
	if (clusters > CLUSTERS32_MAX)
		return ingot_raise(err, -EINVAL, "FAT32: %" PRIu64 " clusters, more than %d",
				   clusters, CLUSTERS32_MAX);
	if (clusters < CLUSTERS32_MIN && sector_size == 512)
		return too_small_for_32(&layout, clusters, err);
	layout.clusters = (uint32_t)clusters;
	if (clusters < CLUSTERS32_MIN) {
		rc = lay_out_16(&layout, err);
		if (rc < 0)
			return rc;
	}
	*ret = layout;
	return 0;
}

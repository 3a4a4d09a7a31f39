#include "fs/fat_internal.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"

#define MIB (UINT64_C(1) << 20)

/*
 * 65525 clusters make it FAT32; the specification asks to keep 16 away from that number,
 * because drivers have been off by that much.
 */
#define CLUSTERS_MIN (65525 + 16)
#define CLUSTERS_MAX 0x0ffffff5 /* 0x0ffffff7 marks a bad cluster; numbers start at 2 */

#define RESERVED_MIN 32 /* sectors; "typically 32" on FAT32 */

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

/*
 * F sectors of table hold F * sector_size / 4 numbers, which must be enough for two more than
 * the (sectors - reserved - 2 F) / per_cluster clusters that are left: solved for F.
 */
static uint64_t table_sectors(uint64_t sectors, uint64_t reserved, uint64_t per_cluster,
			      uint64_t sector_size)
{
	return ingot_div_up(4 * (sectors - reserved) + 8 * per_cluster,
			    per_cluster * sector_size + 8);
}

static int check_size(uint64_t size, uint32_t sector_size, struct ingot_error *err)
{
	if (sector_size != 512 && sector_size != 4096)
		return ingot_raise(err, -EINVAL, "FAT32: sectors of %u bytes, not 512 or 4096",
				   sector_size);
	if (size % sector_size)
		return ingot_raise(err, -EINVAL,
				   "FAT32: %" PRIu64
				   " bytes are not a multiple of the %u-byte sector",
				   size, sector_size);
	if (size / sector_size > UINT32_MAX)
		return ingot_raise(err, -EINVAL,
				   "FAT32: %" PRIu64 " bytes are more than %u sectors", size,
				   UINT32_MAX);
	if (size / sector_size < 2 * RESERVED_MIN)
		return ingot_raise(err, -EINVAL, "FAT32: %" PRIu64 " bytes are too small for it",
				   size);
	return 0;
}

static int check_clusters(const struct fat_layout *layout, uint64_t clusters,
			  struct ingot_error *err)
{
	uint64_t missing;

	if (clusters > CLUSTERS_MAX)
		return ingot_raise(err, -EINVAL, "FAT32: %" PRIu64 " clusters, more than %u",
				   clusters, CLUSTERS_MAX);
	if (clusters == 0)
		return ingot_raise(err, -EINVAL, "FAT32: no room for a single cluster");
	if (layout->sector_size != 512 || clusters >= CLUSTERS_MIN)
		return 0;
	/* A cluster and its 4 bytes in each of the two tables. */
	missing = (CLUSTERS_MIN - clusters) * (layout->cluster_size + 8);
	return ingot_raise(err, -EINVAL,
			   "FAT32: %" PRIu64 " bytes give %" PRIu64
			   " clusters, and FAT32 begins at "
			   "%u: about %" PRIu64 " KiB too small",
			   (uint64_t)layout->sectors * layout->sector_size, clusters, CLUSTERS_MIN,
			   ingot_div_up(missing, 1024));
}

int ingot_fat_layout(uint64_t size, uint32_t sector_size, struct fat_layout *ret,
		     struct ingot_error *err)
{
	struct fat_layout layout = {.sector_size = sector_size};
	uint64_t reserved = RESERVED_MIN, per_cluster, table, clusters;
	int rc = check_size(size, sector_size, err);

	if (rc < 0)
		return rc;
	layout.sectors = (uint32_t)(size / sector_size);
	layout.cluster_size = cluster_size(size, sector_size);
	per_cluster = layout.cluster_size / sector_size;
	table = table_sectors(layout.sectors, reserved, per_cluster, sector_size);
	/* The first cluster starts at a multiple of its size. */
	reserved = ingot_round_up(reserved + 2 * table, per_cluster) - 2 * table;
	clusters = reserved + 2 * table < layout.sectors
			   ? (layout.sectors - reserved - 2 * table) / per_cluster
			   : 0;
	rc = check_clusters(&layout, clusters, err);
	if (rc < 0)
		return rc;
	layout.clusters = (uint32_t)clusters;
	layout.reserved = (uint32_t)reserved;
	layout.table_sectors = (uint32_t)table;
	layout.table_size = table * sector_size;
	layout.tables_at[0] = reserved * sector_size;
	layout.tables_at[1] = layout.tables_at[0] + layout.table_size;
	layout.clusters_at = layout.tables_at[1] + layout.table_size;
	*ret = layout;
	return 0;
}

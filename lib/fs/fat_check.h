/*
 * Whether a FAT12, FAT16 or FAT32 volume is whole. Reads only, believes nothing, and shares no code
 * with the writer. (Microsoft, FAT32 File System Specification 1.03, "fatgen103".)
 *
 * Checked: boot sector, FAT32's copy of it and FSInfo; both tables, equal and with their reserved
 * numbers; every folder from the root down ("." and "..", attributes, short names, long names with
 * their order and checksums, no name twice, nothing behind a folder's end); every chain (inside the
 * volume, no cluster twice, as long as its file says); lost clusters; the counts of FSInfo.
 *
 * With INGOT_FAT_OURS the volume must be one that ingot_fat_source makes. Then everything that has
 * only one possible value must have it: the fields that never differ, the unused bytes of reserved
 * sectors, tables, folders and the last cluster of a file, and free clusters, are zero; chains run
 * on without a gap; all times are one. What a checker of structure still cannot see there: volume
 * identifier, label and hidden sectors of FAT16, which has no copy of its boot sector; names, where
 * the long one still goes with the short one's checksum; the size of a file that grows inside its
 * last cluster; contents. A digest or a signature of the contents has to cover those.
 *
 * Memory: the table (64 MiB at most) and a bit for each cluster. Time is linear in the size of
 * tables and folders (INGOT_FAT_OURS: also in the space that is free and not a hole).
 */
#ifndef INGOT_FS_FAT_CHECK_H
#define INGOT_FS_FAT_CHECK_H

#include <stdbool.h>

#include "base/problems.h"
#include "io/source.h"

#define INGOT_FAT_CHECK_CLUSTERS_MAX (UINT32_C(1) << 24)
#define INGOT_FAT_CHECK_ENTRIES_MAX  (UINT32_C(1) << 20) /* of all folders */
#define INGOT_FAT_CHECK_DEPTH_MAX    64

enum ingot_fat_kind { INGOT_FAT_ANY, INGOT_FAT_OURS };

/* What was seen; complete only if no problem was found. */
struct ingot_fat_check {
	unsigned bits; /* 12, 16 or 32 */
	uint32_t sector_size, cluster_size;
	uint32_t clusters, free_clusters;
	uint32_t files, folders; /* the root is not counted */
};

/*
 * 0: it was checked, and `problems` says what is wrong, if anything (ask ingot_problems_any).
 * -ENODATA: no FAT volume; -EFBIG: too large to be checked.
 */
INGOT_API INGOT_MUST_USE int ingot_fat_check(struct ingot_source *source, enum ingot_fat_kind kind,
					     struct ingot_problems *problems,
					     struct ingot_fat_check *ret, struct ingot_error *err);

#endif

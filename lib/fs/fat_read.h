/*
 * Reading FAT16 and FAT32 volumes that anybody may have made: which files are there, and
 * each as a source. (Microsoft, FAT32 File System Specification 1.03, "fatgen103".)
 *
 * Nothing in the volume is believed: every cluster number is checked, a chain that ends early or
 * leaves the volume is an error, so is a folder in itself, folders are at most
 * INGOT_FAT_DEPTH_MAX deep, and a walk sees at most INGOT_FAT_ENTRIES_MAX entries.
 */
#ifndef INGOT_FS_FAT_READ_H
#define INGOT_FS_FAT_READ_H

#include <stdbool.h>

#include "io/source.h"

#define INGOT_FAT_DEPTH_MAX   64
#define INGOT_FAT_ENTRIES_MAX 65536 /* deleted ones and pieces of long names are counted, too */
#define INGOT_FAT_PATH_MAX    2048  /* bytes of a path in UTF-8 */

struct ingot_fat_volume {
	struct ingot_source *source;	    /* borrowed */
	unsigned bits;			    /* 16 or 32 */
	uint32_t sector_size, cluster_size; /* bytes */
	uint32_t cluster_count;		    /* numbers 2 .. cluster_count + 1 */
	uint64_t table;			    /* offset of the first FAT, bytes */
	uint64_t data;			    /* ... of cluster 2 */
	uint64_t root;			    /* FAT16: offset of the root folder */
	uint32_t root_size;		    /* FAT16: its bytes */
	uint32_t root_cluster;		    /* FAT32 */
	uint32_t volume_id;
	char label[12]; /* from the boot sector, blanks at the end cut off; any bytes */
};

struct ingot_fat_entry {
	const char *path; /* "EFI/BOOT/BOOTX64.EFI", UTF-8; no name in it is ".", ".." or has
			   * control characters */
	bool folder;
	uint32_t size;	  /* bytes */
	uint32_t cluster; /* the first; 0: empty */
};

/* -ENODATA: not a FAT16 or FAT32 volume; -EINVAL: one whose fields contradict each other. */
INGOT_API INGOT_MUST_USE int ingot_fat_open(struct ingot_source *source,
					    struct ingot_fat_volume *ret, struct ingot_error *err);

/* Called for each entry, a folder before what is in it; negative ends the walk. */
typedef int (*ingot_fat_visit)(void *context, const struct ingot_fat_entry *entry,
			       struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_fat_walk(const struct ingot_fat_volume *volume,
					    ingot_fat_visit visit, void *context,
					    struct ingot_error *err);

/*
 * The contents of an entry that a walk found; the volume's source is borrowed. This follows the
 * file's whole chain, one step a cluster, and keeps 8 bytes for each piece of it. Two files may
 * claim the same chain: who opens many of them should count the clusters.
 */
INGOT_API INGOT_MUST_USE int ingot_fat_file_source(const struct ingot_fat_volume *volume,
						   const struct ingot_fat_entry *entry,
						   struct ingot_source **ret,
						   struct ingot_error *err);

/*
 * Where a byte of such a source stands in the volume, and how many bytes of the file follow it
 * there. The offset is below the file's size.
 */
INGOT_API uint64_t ingot_fat_file_place(const struct ingot_source *file, uint64_t offset,
					uint64_t *ret_length);

#endif

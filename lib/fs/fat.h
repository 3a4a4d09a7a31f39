/*
 * FAT32, or FAT16 where it must be, as a source: boot sector, tables and folders are computed
 * when they are read, the contents of files are passed through, and what is free is a hole.
 * Nothing is written anywhere. (Microsoft, FAT32 File System Specification 1.03, "fatgen103".)
 *
 * The same options and files give the same bytes, in whatever order the files are listed:
 * folders are made from the paths, entries stand in byte order of their names, every file
 * and folder is one run of clusters, and all times are the epoch, in UTC.
 *
 * Names are UTF-8. One that is not an upper-case 8.3 name gets a long name, and a short one
 * by the usual rule (lowest free NAME~1.EXT; without a tail if only the case differs).
 *
 * The volume is FAT32, as the UEFI specification wants it for a system partition (2.10,
 * 13.3.1). FAT32 has at least 65525 clusters, none smaller than a sector: with sectors of 512
 * bytes that is 33 MiB, and less is refused. With sectors of 4096 bytes it is 257 MiB, too
 * much for many a disk, and a smaller volume becomes FAT16 (17 MiB at least). FAT32 with too
 * few clusters, which `mkfs.fat -F 32` writes, is no way out: Linux and fsck.fat take it, but
 * EDK2 and mtools do not. Both read FAT16.
 */
#ifndef INGOT_FS_FAT_H
#define INGOT_FS_FAT_H

#include "io/source.h"

#define INGOT_FAT_LABEL_MAX 11

struct ingot_fat_options {
	uint64_t size;	      /* bytes, a multiple of sector_size */
	uint32_t sector_size; /* 512 or 4096: that of the disk */
	uint32_t volume_id;
	const char *label;	 /* at most INGOT_FAT_LABEL_MAX of A-Z 0-9 and -_ etc., blanks
				  * inside; a-z is turned to A-Z. NULL: none */
	int64_t epoch;		 /* before 1980: the first second of 1980 */
	uint32_t hidden_sectors; /* the partition's first sector; 0: unknown, and good enough */
};

struct ingot_fat_file {
	const char *path;	      /* "EFI/BOOT/BOOTX64.EFI" */
	struct ingot_source *content; /* borrowed until the volume is freed */
};

/*
 * -EINVAL: a name that FAT cannot hold, two names that differ only in case (ASCII, Latin-1,
 * Greek and Cyrillic letters are compared), a size that FAT does not have. -EFBIG: a file of 4 GiB
 * or more. -ENOSPC: it does not fit; the sentence says by how much.
 */
INGOT_API INGOT_MUST_USE int ingot_fat_source(const struct ingot_fat_options *options,
					      const struct ingot_fat_file *files, size_t count,
					      struct ingot_source **ret, struct ingot_error *err);

#endif

/*
 * Where the partitions of a layout lie on a disk: arithmetic, no I/O.
 *
 * In numeric order each partition starts at the next multiple of the alignment behind
 * the one before it, or where its `start` says. In front is room for the partition
 * table: one sector of protective MBR, one of header, 16 KiB of entries; its copy is at
 * the disk's end (UEFI 2.10, section 5.3).
 */
#ifndef INGOT_DISK_PLACE_H
#define INGOT_DISK_PLACE_H

#include "disk/layout.h"

struct ingot_place_options {
	uint64_t disk_size;   /* bytes; 0: the layout's */
	unsigned sector_size; /* 512 or 4096; 0: the layout's */
};

struct ingot_placed {
	unsigned number;
	uint64_t start, size; /* bytes, multiples of the sector size */
	size_t index;	      /* of the entry in the layout */
};

struct ingot_placement {
	uint64_t disk_size; /* bytes */
	unsigned sector_size;
	size_t count;			  /* partitions that are written */
	struct ingot_placed partitions[]; /* by number */
};

/* The caller frees *ret with free(). */
INGOT_API INGOT_MUST_USE int ingot_layout_place(const struct ingot_layout *layout,
						const struct ingot_place_options *options,
						struct ingot_placement **ret,
						struct ingot_error *err);

/* Where the partition with that content lies, or NULL. */
INGOT_API const struct ingot_placed *ingot_placement_find_content(
	const struct ingot_placement *placement, const struct ingot_layout *layout,
	enum ingot_content content);

/* Sectors of a partition table's entries: 128 of 128 bytes. */
static inline unsigned ingot_gpt_entry_sectors(unsigned sector_size)
{
	return INGOT_LAYOUT_NUMBER_MAX * 128 / sector_size;
}

/* The first sector behind the primary table: 34, or 6 of 4096 bytes. */
static inline unsigned ingot_gpt_first_usable(unsigned sector_size)
{
	return 2 + ingot_gpt_entry_sectors(sector_size);
}

/* The first byte of the copy at the disk's end; partitions end here at the latest. */
static inline uint64_t ingot_gpt_usable_end(uint64_t disk_size, unsigned sector_size)
{
	return disk_size - (1 + ingot_gpt_entry_sectors(sector_size)) * (uint64_t)sector_size;
}

#endif

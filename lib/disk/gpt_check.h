/*
 * Is every byte of a partition table as it has to be? The reader in gpt.h is lenient and goes on
 * from the copy; here nothing is forgiven: what the specification reserves is zero, the MBR has
 * its one entry, table and copy agree (UEFI 2.10, sections 5.2.3 and 5.3).
 */
#ifndef INGOT_DISK_GPT_CHECK_H
#define INGOT_DISK_GPT_CHECK_H

#include "io/source.h"

#define INGOT_GPT_FINDING 192

/* Each is one sentence about the first thing that is wrong; empty: nothing is. */
struct ingot_gpt_findings {
	char mbr[INGOT_GPT_FINDING];	 /* the first sector */
	char primary[INGOT_GPT_FINDING]; /* its header and entries, each for itself */
	char backup[INGOT_GPT_FINDING];
	char agreement[INGOT_GPT_FINDING];  /* of both with each other, and with the disk's size */
	char partitions[INGOT_GPT_FINDING]; /* ranges, alignment, names, twins */
	uint64_t entries_end;		    /* first byte behind the primary's entries */
	uint64_t backup_start;		    /* first byte of the copy's entries */
};

/* Partitions start at multiples of this, so that no filesystem block straddles two of a disk's. */
#define INGOT_GPT_ALIGNMENT 4096

/* Negative: a read failed, or memory. */
INGOT_API INGOT_MUST_USE int ingot_gpt_check(struct ingot_source *disk, unsigned sector_size,
					     struct ingot_gpt_findings *ret,
					     struct ingot_error *err);

#endif

/*
 * GUID partition tables (UEFI 2.10, chapter 5): planned from a layout, written, read.
 */
#ifndef INGOT_DISK_GPT_H
#define INGOT_DISK_GPT_H

#include "base/derive.h"
#include "base/problems.h"
#include "disk/place.h"
#include "io/sink.h"
#include "io/source.h"

/* 36 UTF-16 units are at most 108 bytes of UTF-8. */
#define INGOT_GPT_NAME_MAX (3 * INGOT_LAYOUT_LABEL_UNITS + 1)

struct ingot_gpt_partition {
	unsigned number;      /* the entry, from 1 */
	uint64_t start, size; /* bytes */
	struct ingot_guid type, uuid;
	uint64_t attributes;
	char name[INGOT_GPT_NAME_MAX]; /* UTF-8 */
};

struct ingot_gpt {
	uint64_t disk_size; /* bytes */
	unsigned sector_size;
	struct ingot_guid uuid;
	size_t count;
	struct ingot_gpt_partition partitions[]; /* by number */
};

/* --- planning ---------------------------------------------------------- */

/* What turns a layout into one image's partitions. */
struct ingot_gpt_identity {
	const struct ingot_seed *seed; /* of every GUID that the layout leaves open */
	const char *name, *version;    /* for labels; NULL: no label wants them */
	const uint8_t *root_hash;      /* NULL: no partition is named after it */
	size_t root_hash_size;
};

/*
 * The table of a placed layout: the order of the partitions is the placement's. Pure; the caller
 * frees *ret with free(). -EINVAL: something that the layout wants is not in the identity, two
 * labels or GUIDs became equal.
 */
INGOT_API INGOT_MUST_USE int ingot_gpt_plan(const struct ingot_layout *layout,
					    const struct ingot_placement *placement,
					    const struct ingot_gpt_identity *identity,
					    struct ingot_gpt **ret, struct ingot_error *err);

enum ingot_dps_half {
	INGOT_DPS_FIRST, /* the data partition's UUID */
	INGOT_DPS_LAST,	 /* the hash partition's */
};

/*
 * The UUID that the Discoverable Partitions Specification (UAPI.2) gives a partition protected by
 * that root hash: its first or last 16 bytes, read as the text of a UUID. At least 16 bytes.
 */
INGOT_API INGOT_MUST_USE int ingot_dps_uuid_from_root_hash(const uint8_t *root_hash, size_t n,
							   enum ingot_dps_half half,
							   struct ingot_guid *ret,
							   struct ingot_error *err);

/* --- writing ----------------------------------------------------------- */

/*
 * Protective MBR, table and its copy into a disk of gpt->disk_size bytes: the first
 * ingot_gpt_first_usable sectors, and those from ingot_gpt_usable_end on. The rest of the disk is
 * not touched.
 */
INGOT_API INGOT_MUST_USE int ingot_gpt_write(const struct ingot_gpt *gpt, struct ingot_sink *disk,
					     struct ingot_error *err);

/* --- reading ----------------------------------------------------------- */

/*
 * The table of a disk that may be anything: sector size 512 or 4096, found by trying; from the copy
 * where the primary is damaged. What is wrong goes to `complaints` (the two disagree, partitions
 * overlap or leave the disk, ...) as long as there is a table to return; -ENODATA: there is none.
 * An entry that lies outside the disk is left out of *ret, so the partitions in it can be read. The
 * caller frees *ret with free().
 */
INGOT_API INGOT_MUST_USE int ingot_gpt_read(struct ingot_source *disk,
					    struct ingot_problems *complaints,
					    struct ingot_gpt **ret, struct ingot_error *err);

#endif

/*
 * The log of a VHDX ([MS-VHDX] 2.3): changes to its tables that were written here first. A file
 * that was not closed has some that are not in their place yet. The log is a ring of sectors of
 * 4096 bytes; an entry is a few of them in a row, first those with descriptors, then one of data
 * for each descriptor of data. Little-endian; offset, bytes, content.
 *
 *	entry, 2.3.1.1
 *	  0   4  "loge"
 *	  4   4  checksum, CRC-32C of the entry with zeros here
 *	  8   4  its length
 *	 12   4  place in the log of the first entry to replay
 *	 16   8  sequence number
 *	 24   4  number of descriptors
 *	 32  16  the header's identifier of the log
 *	 48   8  size that the file had
 *	 56   8  size that it has to have
 *	 64      descriptors
 *
 *	descriptor of data, 2.3.1.3		descriptor of zeros, 2.3.1.2
 *	  0   4  "desc"				  0   4  "zero"
 *	  4   4  the last 4 bytes		  8   8  length
 *	  8   8  the first 8 bytes
 *	 16   8  place in the file		 16   8  place in the file
 *	 24   8  sequence number		 24   8  sequence number
 *
 *	data sector, 2.3.1.4
 *	  0   4  "data"
 *	  4   4  sequence number, high half
 *	  8 4084 bytes 8 to 4091
 *	4092  4  sequence number, low half
 */
#ifndef INGOT_FORMATS_VHDX_LOG_INTERNAL_H
#define INGOT_FORMATS_VHDX_LOG_INTERNAL_H

#include "base/error.h"
#include "io/source.h"

enum {
	VHDX_LOG_SECTOR = 4096,
	VHDX_LOG_GUID = 16,
	VHDX_LOG_HEADER = 64,
	VHDX_LOG_DESCRIPTOR = 32,
	VHDX_LOG_UPDATES_MAX = 1 << 18, /* 1 GiB of data: what is kept of each is 40 bytes */
};

#define VHDX_LOG_ZEROS UINT64_MAX

/* What replaces a range of the file. */
struct vhdx_update {
	uint64_t offset, length; /* in the file, whole sectors */
	uint64_t data;		 /* the data sector's place in the file, or VHDX_LOG_ZEROS */
	unsigned char first[8], last[4];
};

/* In the order in which they were made: later ones go over earlier ones. */
struct vhdx_updates {
	struct vhdx_update *items;
	size_t count, room;
	uint64_t file_size; /* that the file has to have at least */
};

/*
 * The changes that wait in a log; none, if nothing was ever written to it. The header's guid is not
 * zero. items are the caller's to free, also after a failure.
 */
INGOT_MUST_USE int ingot_vhdx_log_read(struct ingot_source *file, const struct ingot_range *log,
				       const unsigned char guid[VHDX_LOG_GUID],
				       struct vhdx_updates *ret, struct ingot_error *err);

/*
 * The file as it will be when the changes are in their place, which are taken over. On success the
 * new source owns the file, too; on failure the file stays the caller's.
 */
INGOT_MUST_USE int ingot_vhdx_log_replay(struct ingot_source *file, struct vhdx_updates *updates,
					 struct ingot_source **ret, struct ingot_error *err);
/* Give the file back and free the rest: for when what follows fails. */
void ingot_vhdx_log_disown(struct ingot_source *replayed);

#endif

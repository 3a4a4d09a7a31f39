/*
 * The superblock of a hash area: 512 bytes at its start, little-endian. Only user space
 * reads it; the kernel is told everything in the device-mapper table.
 *
 * cryptsetup wiki, DMVerity, "Verity superblock format":
 *
 *	  0   8  "verity\0\0"
 *	  8   4  version, 1
 *	 12   4  hash type
 *	 16  16  UUID, in the byte order of RFC 4122
 *	 32  32  hash name, NUL padded
 *	 64   4  data block size, bytes
 *	 68   4  hash block size, bytes
 *	 72   8  data blocks
 *	 80   2  salt size, bytes
 *	 82   6  zero
 *	 88 256  salt, zero padded
 *	344 168  zero
 */
#ifndef INGOT_VERITY_SUPERBLOCK_H
#define INGOT_VERITY_SUPERBLOCK_H

#include "io/source.h"
#include "verity/params.h"

#define INGOT_VERITY_SUPERBLOCK_SIZE 512

struct ingot_verity_superblock {
	struct ingot_verity_params params;
	uint64_t data_blocks; /* at least 1 */
};

/* The parameters must be good (ingot_verity_geometry says so). */
INGOT_API void ingot_verity_superblock_encode(const struct ingot_verity_superblock *superblock,
					      uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE]);

/* -EINVAL: no superblock, or one with a value that no tree can have. */
INGOT_API INGOT_MUST_USE int ingot_verity_superblock_decode(
	const uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE], struct ingot_verity_superblock *ret,
	struct ingot_error *err);

INGOT_API INGOT_MUST_USE int ingot_verity_superblock_read(struct ingot_source *source,
							  uint64_t offset,
							  struct ingot_verity_superblock *ret,
							  struct ingot_error *err);

#endif

/*
 * Where everything in a hash area lies, computed before anything is read or written.
 *
 * Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree"; cryptsetup wiki,
 * DMVerity, "Verity superblock format".
 *
 * The hash area starts at hash_offset of the hash device: the superblock, the rest of its hash
 * block unused, then the tree: root level first, each level below it, the leaves last. The
 * tree starts at a multiple of the hash block size counted from the device's start.
 *
 *	1 GiB of 4096-byte blocks, sha256: superblock, 1, 16 and 2048 hash blocks
 *
 * Data of a single block has no tree: its digest is the root hash.
 */
#ifndef INGOT_VERITY_GEOMETRY_H
#define INGOT_VERITY_GEOMETRY_H

#include "verity/params.h"

/* 8 digests in a block, the fewest possible: 8^22 > 2^64 blocks. */
#define INGOT_VERITY_LEVELS_MAX 22

struct ingot_verity_level {
	uint64_t blocks; /* hash blocks */
	uint64_t offset; /* of the first one on the hash device, in bytes */
};

struct ingot_verity_geometry {
	uint32_t digest_size;	    /* bytes */
	uint32_t slot_size;	    /* bytes from one digest in a hash block to the next */
	uint32_t digests_per_block; /* a power of two */
	uint64_t data_blocks;
	uint64_t data_size;   /* bytes */
	uint64_t hash_offset; /* of the hash area on the hash device, in bytes */
	uint64_t tree_offset; /* of the root level on the hash device, in bytes */
	uint64_t hash_blocks; /* in all levels, without the superblock */
	uint64_t end;	      /* the first byte behind the tree on the hash device */
	unsigned level_count;
	struct ingot_verity_level levels[INGOT_VERITY_LEVELS_MAX]; /* 0: the leaves */
};

/*
 * hash_offset is a multiple of 512, or without a superblock of the hash block size.
 * -EINVAL: wrong parameters or offset, no data; -EFBIG: beyond what a file can hold.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_geometry(const struct ingot_verity_params *params,
						   uint64_t data_blocks, uint64_t hash_offset,
						   struct ingot_verity_geometry *ret,
						   struct ingot_error *err);

/*
 * The first place behind so much data, in the same file, where a hash area may start.
 * -EFBIG as above.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_append_offset(const struct ingot_verity_params *params,
							uint64_t data_blocks, uint64_t *ret_offset,
							struct ingot_error *err);

/*
 * The largest number of data blocks so that the data and the hash area appended to it fit
 * into so many bytes: 1 GiB, 4096-byte blocks, sha256 -> 260094. -ENOSPC: not even one.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_fit(const struct ingot_verity_params *params,
					      uint64_t bytes, uint64_t *ret_data_blocks,
					      struct ingot_error *err);

#endif

/*
 * Repair: blocks of data or hash tree that do not match the root hash are put right with the
 * parity, and believed only when they match.
 *
 * The hash tree says which blocks are wrong, so their bytes are erasures: in each group of 255
 * blocks that share codewords `roots` blocks can be lost. Where fewer are, some that the tree
 * cannot tell (of the parity, or of what lies behind the tree) may be wrong as well: 2 * errors +
 * erasures <= roots, in each codeword. A wrong block of the tree makes suspects of all blocks below
 * it whose digests it lost; they are looked at again when it is right.
 */
#ifndef INGOT_VERITY_FEC_REPAIR_H
#define INGOT_VERITY_FEC_REPAIR_H

#include "verity/fec.h"

#define INGOT_FEC_LISTED_MAX 32

struct ingot_fec_repair {
	struct ingot_sink *data; /* whole copies, to be read and put right in place; */
	struct ingot_sink *hash; /* one and the same where the tree is behind the data */
	struct ingot_source *parity;
	uint64_t parity_offset; /* of the parity in it, in bytes */
	const uint8_t *root;
	size_t root_size;
	unsigned jobs;			       /* at least 1 */
	const struct ingot_progress *progress; /* NULL, or told in bytes of data */
};

struct ingot_fec_block {
	int level;	 /* of the tree, or INGOT_VERITY_LEVEL_DATA */
	uint64_t block;	 /* in its level */
	uint64_t offset; /* on the data or hash device, in bytes */
};

struct ingot_fec_list {
	uint64_t count; /* the first INGOT_FEC_LISTED_MAX of them are listed */
	struct ingot_fec_block list[INGOT_FEC_LISTED_MAX];
};

struct ingot_fec_repaired {
	enum ingot_verity_verdict verdict; /* good: everything matches the root hash now */
	struct ingot_fec_list repaired, lost;
};

/*
 * The geometries are those of ingot_verity_geometry and ingot_fec_geometry. A verdict of
 * INGOT_VERITY_BAD says that some blocks are lost; what could be put right was. The parity itself
 * is not looked at: ingot_fec_build makes it anew. Negative: it could not be done.
 */
INGOT_API INGOT_MUST_USE int ingot_fec_repair(const struct ingot_verity_params *params,
					      const struct ingot_verity_geometry *tree,
					      const struct ingot_fec_geometry *geometry,
					      const struct ingot_fec_repair *repair,
					      struct ingot_fec_repaired *ret,
					      struct ingot_error *err);

#endif

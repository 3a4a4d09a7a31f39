/*
 * What the parts of repairing share. Blocks are numbered as in the message: the data, then the
 * hash device from the tree on, root level first.
 */
#ifndef INGOT_VERITY_FEC_REPAIR_INTERNAL_H
#define INGOT_VERITY_FEC_REPAIR_INTERNAL_H

#include "verity/fec_decode_internal.h"
#include "verity/fec_repair.h"
#include "verity/hash_internal.h"

struct repair {
	const struct ingot_verity_params *params;
	const struct ingot_verity_geometry *tree;
	const struct ingot_fec_geometry *fec;
	const struct ingot_fec_repair *job;
	struct ingot_fec_repaired *ret;

	struct ingot_source *data, *hash, *root; /* hash: the device, as it is by now */
	struct ingot_verity_hasher *hasher;
	uint64_t end;	   /* blocks of data and tree */
	uint8_t *suspects; /* a bit for each of them */
	uint64_t suspect_count;
	uint8_t *block; /* of look_again */
	uint8_t *tried; /* a bit for each group: decoded since its suspects have changed */

	/* fec_repair_group.c: one group of 255 blocks that share codewords. */
	uint8_t *blocks;    /* those that are lost, `roots` at most */
	uint8_t *row;	    /* one that is read */
	uint8_t *parity;    /* of the group, column by column */
	uint8_t *syndromes; /* roots rows of a block each */
};

/* The number of a block in its level, and back. */
uint64_t repair_number(const struct repair *r, int level, uint64_t block);
struct ingot_fec_block repair_place(const struct repair *r, uint64_t number);

int repair_read(struct repair *r, uint64_t number, uint8_t *bytes, struct ingot_error *err);
int repair_matches(struct repair *r, uint64_t number, const uint8_t *bytes, bool *ret,
		   struct ingot_error *err);
bool repair_is_certain(const struct repair *r, uint64_t number);
/* A suspect that is wrong, as far as its neighbours tell where the tree above it is lost. */
bool repair_is_likely(const struct repair *r, uint64_t number);

/* These bytes match: write them. */
int repair_accept(struct repair *r, uint64_t number, const uint8_t *bytes, struct ingot_error *err);

int repair_decode_init(struct repair *r, struct ingot_error *err);
void repair_decode_done(struct repair *r);
/* The group of a block that is lost: whatever matches then is accepted. */
int repair_decode(struct repair *r, uint64_t number, struct ingot_error *err);

#endif

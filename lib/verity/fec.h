/*
 * Forward error correction: parity by which dm-verity repairs blocks that do not match
 * the hash tree. The same bytes as those of `veritysetup format --fec-device`.
 *
 * Linux, Documentation/admin-guide/device-mapper/verity.rst, options use_fec_from_device,
 * fec_roots, fec_blocks and fec_start.
 *
 * The message is what is protected:
 *
 *	data blocks || hash device from the tree on || zeros
 *
 * The superblock is not in it. Whatever lies behind the tree is, up to the end of the hash
 * device, or up to the parity where that is on the hash device too. With R roots the
 * message is cut into K = 255 - R rows of L bytes each, L the fewest whole blocks that do,
 * and zeros fill the last rows. Column i of the rows is a codeword of a Reed-Solomon code
 * over GF(2^8), and its R bytes of parity are at R * i. Bytes of one block are in as many
 * different codewords: R whole rows out of 255 may be lost.
 *
 *	1 GiB of data, 2065 hash blocks, 2 roots: L = 1045 blocks, 8560640 bytes of parity
 */
#ifndef INGOT_VERITY_FEC_H
#define INGOT_VERITY_FEC_H

#include "io/copy.h"
#include "verity/check.h"
#include "verity/geometry.h"

#define INGOT_FEC_ROOTS_MIN 2
#define INGOT_FEC_ROOTS_MAX 24

struct ingot_fec_geometry {
	uint32_t roots; /* bytes of parity in a codeword */
	uint32_t rows;	/* bytes of message in a codeword */
	uint32_t block_size;
	uint64_t data_size;   /* the message: this much of the data, in bytes, */
	uint64_t hash_start;  /* then the hash device from here on, */
	uint64_t hash_size;   /* so many bytes of it */
	uint64_t blocks;      /* in the message, as the kernel's fec_blocks */
	uint64_t codewords;   /* L */
	uint64_t parity_size; /* bytes */
};

/*
 * What is protected up to hash_end on the hash device: its size, or where the parity starts
 * on it. Part of a block at that end is not protected. -EINVAL: data and hash blocks of
 * different sizes, wrong roots, hash_end inside the tree; -EFBIG.
 */
INGOT_API INGOT_MUST_USE int ingot_fec_geometry(const struct ingot_verity_params *params,
						const struct ingot_verity_geometry *tree,
						uint32_t roots, uint64_t hash_end,
						struct ingot_fec_geometry *ret,
						struct ingot_error *err);

/*
 * The largest number of data blocks so that the data, the hash area appended to it and the parity
 * behind that fit into so many bytes. Errors as above; -ENOSPC: not even one.
 */
INGOT_API INGOT_MUST_USE int ingot_fec_fit(const struct ingot_verity_params *params, uint32_t roots,
					   uint64_t bytes, uint64_t *ret_data_blocks,
					   struct ingot_error *err);

struct ingot_fec_job {
	struct ingot_source *data;
	struct ingot_source *hash;	       /* the hash device, the finished tree on it */
	uint64_t parity_offset;		       /* of the parity on its device, in bytes */
	unsigned jobs;			       /* at least 1 */
	const struct ingot_progress *progress; /* NULL, or told in bytes of parity */
};

/*
 * Both read the message once, in stripes of many codewords. Holes are not read, memory
 * depends on the number of jobs only, and the bytes are the same for any number of jobs.
 */

INGOT_API INGOT_MUST_USE int ingot_fec_build(const struct ingot_fec_geometry *geometry,
					     const struct ingot_fec_job *job,
					     struct ingot_sink *parity, struct ingot_error *err);

struct ingot_fec_result {
	enum ingot_verity_verdict verdict; /* good: every byte of the parity is right */
	/* Of the first wrong byte, where the verdict is bad: */
	uint64_t codeword;
	uint64_t offset; /* on the parity's device */
};

/*
 * Is this the parity of these data and this tree? It is computed again and compared.
 * Negative: that could not be done, and the verdict stays INGOT_VERITY_NOT_CHECKED.
 */
INGOT_API INGOT_MUST_USE int ingot_fec_check(const struct ingot_fec_geometry *geometry,
					     const struct ingot_fec_job *job,
					     struct ingot_source *parity,
					     struct ingot_fec_result *ret, struct ingot_error *err);

#endif

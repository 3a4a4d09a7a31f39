/*
 * Does the data belong to this root hash? Everything is read and hashed again, from the
 * root level down to the data, on several cores; the first block that does not match the
 * level above it is named.
 */
#ifndef INGOT_VERITY_CHECK_H
#define INGOT_VERITY_CHECK_H

#include "io/copy.h"
#include "verity/geometry.h"

enum ingot_verity_verdict {
	INGOT_VERITY_NOT_CHECKED = 0, /* nothing is known: treat as bad */
	INGOT_VERITY_GOOD,	      /* every block of data and tree matches the root hash */
	INGOT_VERITY_BAD,
};

#define INGOT_VERITY_LEVEL_DATA (-1)

struct ingot_verity_result {
	enum ingot_verity_verdict verdict;
	/* Of the first bad block, where the verdict is bad: */
	int level;	 /* hash level, 0: the leaves; or INGOT_VERITY_LEVEL_DATA */
	uint64_t block;	 /* its number in the level, from 0 */
	uint64_t offset; /* its first byte on the hash or data device */
};

struct ingot_verity_check {
	struct ingot_source *data;
	uint64_t data_blocks; /* from the superblock, or given */
	struct ingot_source *hash;
	uint64_t hash_offset; /* of the hash area on the hash device, in bytes */
	const uint8_t *root;
	size_t root_size;
	unsigned jobs;			       /* at least 1 */
	const struct ingot_progress *progress; /* NULL, or told in bytes of data */
};

/*
 * Negative: it could not be checked (wrong parameters, a device too short, a read that
 * failed), and the verdict stays INGOT_VERITY_NOT_CHECKED.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_check(const struct ingot_verity_params *params,
						const struct ingot_verity_check *check,
						struct ingot_verity_result *ret,
						struct ingot_error *err);

/*
 * The digest of the tree's top block (or of the only data block): the root hash, if nobody changed
 * that block. Nothing below it is looked at.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_top_digest(const struct ingot_verity_params *params,
						     const struct ingot_verity_geometry *geometry,
						     struct ingot_source *data,
						     struct ingot_source *hash,
						     uint8_t digest[INGOT_VERITY_DIGEST_MAX],
						     struct ingot_error *err);

/*
 * The second opinion: libcryptsetup, which shares no code with us, reads the superblock
 * (if there is one) and checks the tree on plain files, in user space, without root.
 * Single-threaded. Its words go into `ret_words` (may be empty) where the verdict is bad.
 */
#define INGOT_VERITY_WORDS 256

INGOT_API INGOT_MUST_USE int ingot_verity_check_cryptsetup(
	const struct ingot_verity_params *params, uint64_t data_blocks, const char *data_path,
	const char *hash_path, uint64_t hash_offset, const uint8_t *root, size_t root_size,
	enum ingot_verity_verdict *ret, char ret_words[INGOT_VERITY_WORDS],
	struct ingot_error *err);

/*
 * The same opinion about sources of any kind, on several cores. libcryptsetup takes files, from
 * their start, and one thread; so it is asked about one subtree at a time: a stretch of data and
 * the hash blocks above it, which are a hash tree of their own, put into memory that has a path
 * (memfd_create(2)). The root of each is the digest that the level above has of it, and the levels
 * above are asked about in the same way, up to the root hash. A stretch of zeros with the same
 * digests as one before is the same question and is asked once.
 *
 * As with ingot_verity_check the verdict stays INGOT_VERITY_NOT_CHECKED where it cannot be told.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_check_second(const struct ingot_verity_params *params,
						       const struct ingot_verity_check *check,
						       enum ingot_verity_verdict *ret,
						       char ret_words[INGOT_VERITY_WORDS],
						       struct ingot_error *err);

#endif

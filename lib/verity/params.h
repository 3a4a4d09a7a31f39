/*
 * What a hash tree is made with. The same parameters and the same data give the same
 * tree, byte for byte, as `veritysetup format`.
 *
 * Linux, Documentation/admin-guide/device-mapper/verity.rst, "Construction Parameters".
 */
#ifndef INGOT_VERITY_PARAMS_H
#define INGOT_VERITY_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/guid.h"

#define INGOT_VERITY_SALT_MAX	256
#define INGOT_VERITY_DIGEST_MAX 64

/* Block sizes are powers of two; the kernel takes data blocks up to its page size. */
#define INGOT_VERITY_BLOCK_MIN	    512
#define INGOT_VERITY_DATA_BLOCK_MAX 4096
#define INGOT_VERITY_HASH_BLOCK_MAX (512 * 1024)

struct ingot_verity_params {
	const char *hash; /* "sha224", "sha256", "sha384", "sha512" */
	uint32_t data_block_size;
	uint32_t hash_block_size;
	uint32_t hash_type; /* 1: normal; 0: ChromeOS (salt after the block, digests packed) */
	uint8_t salt[INGOT_VERITY_SALT_MAX];
	size_t salt_size;
	struct ingot_guid uuid; /* for the superblock only */
	bool no_superblock;
};

/* sha256, blocks of 4096 bytes, type 1, no salt, no UUID. */
INGOT_API struct ingot_verity_params ingot_verity_defaults(void);

/* -EINVAL with the parameter that is wrong. */
INGOT_API INGOT_MUST_USE int ingot_verity_params_check(const struct ingot_verity_params *params,
						       struct ingot_error *err);

/* The library's own copy of the name, or NULL: not a hash that a tree is made with. */
INGOT_API const char *ingot_verity_hash_name(const char *name);

/* Bytes in a digest of that hash; 0: unknown. */
INGOT_API size_t ingot_verity_digest_size(const char *hash);

/*
 * Parse a root hash given as hex for these parameters. -EINVAL: not hex, or not as long
 * as a digest of params->hash.
 */
INGOT_API INGOT_MUST_USE int ingot_verity_parse_root(const struct ingot_verity_params *params,
						     const char *hex,
						     uint8_t root[INGOT_VERITY_DIGEST_MAX],
						     size_t *ret_size, struct ingot_error *err);

#endif

/* The options that say where a hash area and its parity are and what they were made with. */
#ifndef INGOT_TOOLS_VERITY_OPTIONS_H
#define INGOT_TOOLS_VERITY_OPTIONS_H

#include "cli.h"
#include "io/source.h"
#include "verity/geometry.h"

struct verity_options {
	const char *hash_file;
	struct cli_u64 hash_offset;
	struct cli_u64 data_blocks;
	const char *salt;
	const char *hash;
	struct cli_u64 data_block_size;
	struct cli_u64 hash_block_size;
	bool no_superblock;
	const char *fec_file;
	struct cli_u64 fec_offset;
	struct cli_u64 fec_roots;
};

/* Rows of an option table, for a `struct type` with a member `verity`. */
#define VERITY_AT(type, member) offsetof(struct type, verity.member)
/* clang-format off */
#define VERITY_OPTION_ROWS(type)                                                                   \
	{"hash-file", "FILE", "the hash area is in a file of its own",                             \
	 VERITY_AT(type, hash_file), CLI_TEXT, false},                                             \
	{"hash-offset", "BYTES", "where the hash area starts, in DATA or in --hash-file",          \
	 VERITY_AT(type, hash_offset), CLI_SIZE, false},                                           \
	{"data-blocks", "N", "how much of DATA is data; all of it without",                        \
	 VERITY_AT(type, data_blocks), CLI_U64, false},                                            \
	{"hash", "NAME", "sha224, sha256 (without this option), sha384 or sha512",                 \
	 VERITY_AT(type, hash), CLI_TEXT, false},                                                  \
	{"data-block-size", "BYTES", "512, 1024, 2048 or 4096, which it is without",               \
	 VERITY_AT(type, data_block_size), CLI_SIZE, false},                                       \
	{"hash-block-size", "BYTES", "a power of two from 512 to 512K; 4096 without",              \
	 VERITY_AT(type, hash_block_size), CLI_SIZE, false},                                       \
	{"no-superblock", NULL, "nothing but the tree; whoever uses it must know the rest",        \
	 VERITY_AT(type, no_superblock), CLI_FLAG, false},                                         \
	{"fec-file", "FILE", "the parity is in a file of its own",                                 \
	 VERITY_AT(type, fec_file), CLI_TEXT, false},                                              \
	{"fec-offset", "BYTES", "where the parity starts, behind the hash tree or in --fec-file",  \
	 VERITY_AT(type, fec_offset), CLI_SIZE, false},                                            \
	{"fec-roots", "N", "bytes of parity to each 255 - N bytes: 2 (without this option) to 24", \
	 VERITY_AT(type, fec_roots), CLI_U64, false}
/* clang-format on */

/*
 * Neither --hash-file nor --hash-offset, or --fec-roots alone: a usage error that says which
 * to give.
 */
INGOT_MUST_USE int verity_check_placement(const struct cli *cli,
					  const struct verity_options *options,
					  struct ingot_error *err);

/* The defaults, changed by what was given; the salt too, none if it was not. */
INGOT_MUST_USE int verity_params(const struct verity_options *options,
				 struct ingot_verity_params *ret, struct ingot_error *err);

/*
 * The number of data blocks: given, or all of DATA, which then must end before a hash area
 * in the same file. -EINVAL: DATA is shorter, or the rest of it is no whole block.
 */
INGOT_MUST_USE int verity_data_blocks(const struct verity_options *options,
				      const struct ingot_verity_params *params,
				      const struct ingot_source *file, uint64_t *ret,
				      struct ingot_error *err);

/* In one file, the hash area must not start inside the data. */
INGOT_MUST_USE int verity_check_overlap(const struct verity_options *options,
					const struct ingot_verity_geometry *geometry,
					struct ingot_error *err);

#endif

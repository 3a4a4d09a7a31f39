/*
 * What containers of equal blocks have in common: VHD that grows, VHDX, VDI. A table says where in
 * the file each block of the disk is; blocks of zeros are nowhere.
 */
#ifndef INGOT_FORMATS_BLOCKS_INTERNAL_H
#define INGOT_FORMATS_BLOCKS_INTERNAL_H

#include "formats/edit_internal.h"
#include "formats/format_internal.h"

/* --- reading ----------------------------------------------------------- */

#define INGOT_BLOCK_HOLE UINT64_MAX

enum { INGOT_BLOCK_RUN = 128 /* table entries at a time */ };

struct ingot_block_source;

struct ingot_block_ops {
	const char *format; /* for errors */
	/*
	 * The places in the file of n blocks from that one on, n <= INGOT_BLOCK_RUN:
	 * INGOT_BLOCK_HOLE for zeros. By any thread. What a place must not be is looked at
	 * by ingot_blocks_check.
	 */
	int (*locate)(struct ingot_block_source *blocks, uint64_t first, size_t n, uint64_t *places,
		      struct ingot_error *err);
	/* n bytes of one block from `inside` on. NULL: they are at place + inside. */
	int (*read)(struct ingot_block_source *blocks, uint64_t place, uint64_t inside, void *data,
		    size_t n, struct ingot_error *err);
};

/* Implementations put this first in a struct of their own, which free() releases. */
struct ingot_block_source {
	struct ingot_source source;
	struct ingot_source *file; /* owned once it is open */
	const struct ingot_block_ops *ops;
	uint64_t block;	 /* disk bytes */
	uint64_t count;	 /* blocks of the disk */
	uint64_t before; /* bytes of the file that belong to a block in front of its place */
	struct ingot_range tables[4]; /* no block may lie on these */
};

/*
 * A source of that many disk bytes; ops, block, before and tables are set, block and size are not
 * 0. To call before the next one.
 */
void ingot_blocks_init(struct ingot_block_source *blocks, struct ingot_source *file, uint64_t size);

/*
 * Every block lies in the file, on no table and on no other block. Only the part of the last one
 * that the disk has needs to be there. Memory is 8 bytes for each block that is in the file.
 */
INGOT_MUST_USE int ingot_blocks_check(struct ingot_block_source *blocks, struct ingot_error *err);

/* Of struct ingot_edit_ops. */
INGOT_MUST_USE int ingot_blocks_place(struct ingot_source *source, uint64_t offset,
				      struct ingot_place *ret, struct ingot_error *err);

/* --- writing ----------------------------------------------------------- */

/* Blocks get their places in the order of the disk, all at the same distance. */
struct ingot_block_file {
	struct ingot_sink *sink; /* growing */
	uint64_t block;		 /* disk bytes, whole chunks */
	uint64_t first;		 /* the place of the first block in the file */
	uint64_t stride;	 /* from one place to the next */
	size_t count;		 /* blocks of the disk */
	uint32_t *numbers;	 /* of each block: 0 is absent, 1 the first in the file */
	uint32_t used;		 /* blocks in the file */
};

/* block, first and stride are set. Zeroed can be done, and so can one that failed. */
INGOT_MUST_USE int ingot_block_file_init(struct ingot_block_file *file,
					 const struct ingot_output *output, uint64_t size,
					 struct ingot_error *err);
void ingot_block_file_done(struct ingot_block_file *file);

/* The block's place in the file; false: it has none. */
bool ingot_block_file_find(const struct ingot_block_file *file, size_t block, uint64_t *ret);

/* The two steps of a chunk, see struct ingot_writer_ops. */
void ingot_block_file_append(struct ingot_block_file *file, const struct ingot_chunk *chunk);
INGOT_MUST_USE int ingot_block_file_place(const struct ingot_block_file *file,
					  const struct ingot_chunk *chunk, struct ingot_error *err);

/* Where the next block would be. */
uint64_t ingot_block_file_end(const struct ingot_block_file *file);

/* A table of `count` entries of 4 or 8 bytes at a place of the file; entry() makes each. */
struct ingot_block_table {
	uint64_t place;
	size_t count, size;
	void (*entry)(const struct ingot_block_file *file, size_t index, unsigned char *entry);
};
INGOT_MUST_USE int ingot_block_file_table(const struct ingot_block_file *file,
					  const struct ingot_block_table *table,
					  struct ingot_error *err);

#endif

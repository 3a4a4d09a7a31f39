#include "verity/fec.h"

#include <errno.h>

#include "base/alloc.h"

/* A codeword has as many bytes as GF(2^8) has elements other than 0. */
enum { CODEWORD = 255 };

static int check(const struct ingot_verity_params *params, uint32_t roots, struct ingot_error *err)
{
	if (params->data_block_size != params->hash_block_size)
		return ingot_raise(err, -EINVAL,
				   "forward error correction wants data and hash blocks of one "
				   "size, not %u and %u bytes",
				   params->data_block_size, params->hash_block_size);
	if (roots < INGOT_FEC_ROOTS_MIN || roots > INGOT_FEC_ROOTS_MAX)
		return ingot_raise(err, -EINVAL, "%u FEC roots, but there can be %d to %d", roots,
				   INGOT_FEC_ROOTS_MIN, INGOT_FEC_ROOTS_MAX);
	return 0;
}

/* Data of one block has no tree, and then the hash device may end with its superblock. */
static bool ends_in_tree(const struct ingot_verity_geometry *tree, uint64_t hash_end)
{
	return tree->level_count > 0 && hash_end < tree->end;
}

int ingot_fec_geometry(const struct ingot_verity_params *params,
		       const struct ingot_verity_geometry *tree, uint32_t roots, uint64_t hash_end,
		       struct ingot_fec_geometry *ret, struct ingot_error *err)
{
	struct ingot_fec_geometry g = {
		.roots = roots,
		.rows = CODEWORD - roots,
		.block_size = params->data_block_size,
		.data_size = tree->data_size,
		.hash_start = tree->tree_offset,
	};
	int rc = check(params, roots, err);

	if (rc < 0)
		return rc;
	if (ends_in_tree(tree, hash_end))
		return ingot_raise(err, -EINVAL,
				   "the hash tree ends at %llu, what FEC protects already at %llu",
				   (unsigned long long)tree->end, (unsigned long long)hash_end);
	if (hash_end > g.hash_start)
		g.hash_size = (hash_end - g.hash_start) / g.block_size * g.block_size;
	if (g.data_size > INT64_MAX || g.hash_size > INT64_MAX - g.data_size)
		return ingot_raise(err, -EFBIG, "%llu + %llu bytes are too much for FEC",
				   (unsigned long long)g.data_size,
				   (unsigned long long)g.hash_size);
	g.blocks = (g.data_size + g.hash_size) / g.block_size;
	/* At most 24/231 of the message and a block for each root: far from an overflow. */
	g.codewords = ingot_div_up(g.blocks, g.rows) * g.block_size;
	g.parity_size = g.codewords * g.roots;
	*ret = g;
	return 0;
}

/* Whether all three fit; more data never needs less room. */
static bool fits(const struct ingot_verity_params *params, uint32_t roots, uint64_t data_blocks,
		 uint64_t bytes)
{
	struct ingot_verity_geometry tree;
	struct ingot_fec_geometry fec;
	uint64_t offset;

	return ingot_verity_append_offset(params, data_blocks, &offset, NULL) == 0 &&
	       ingot_verity_geometry(params, data_blocks, offset, &tree, NULL) == 0 &&
	       ingot_fec_geometry(params, &tree, roots, tree.end, &fec, NULL) == 0 &&
	       ingot_in_range(tree.end, fec.parity_size, bytes);
}

int ingot_fec_fit(const struct ingot_verity_params *params, uint32_t roots, uint64_t bytes,
		  uint64_t *ret_data_blocks, struct ingot_error *err)
{
	uint64_t low = 0, high; /* low fits, high does not */
	int rc = ingot_verity_params_check(params, err);

	if (rc == 0)
		rc = check(params, roots, err);
	if (rc < 0)
		return rc;
	high = bytes / params->data_block_size + 1;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (fits(params, roots, middle, bytes))
			low = middle;
		else
			high = middle;
	}
	if (low == 0)
		return ingot_raise(err, -ENOSPC,
				   "%llu bytes hold no data block, its hash area and its parity",
				   (unsigned long long)bytes);
	*ret_data_blocks = low;
	return 0;
}

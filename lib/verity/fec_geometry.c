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

#include "verity/geometry.h"

#include <assert.h>
#include <errno.h>

#include "base/alloc.h"
#include "verity/superblock.h"

static uint32_t power_of_two_above(uint32_t a)
{
	uint32_t power = 1;

	while (power < a)
		power *= 2;
	return power;
}

static uint32_t power_of_two_below(uint32_t a)
{
	uint32_t power = 1;

	while (power <= a / 2)
		power *= 2;
	return power;
}

static int too_large(uint64_t data_blocks, struct ingot_error *err)
{
	return ingot_raise(err, -EFBIG, "%llu data blocks and their hash tree are too large",
			   (unsigned long long)data_blocks);
}

/* How digests lie in a hash block. */
static void place_digests(const struct ingot_verity_params *params, struct ingot_verity_geometry *g)
{
	g->digest_size = (uint32_t)ingot_verity_digest_size(params->hash);
	g->slot_size = params->hash_type == 0 ? g->digest_size : power_of_two_above(g->digest_size);
	g->digests_per_block = power_of_two_below(params->hash_block_size / g->slot_size);
}

static void count_levels(struct ingot_verity_geometry *g)
{
	for (uint64_t below = g->data_blocks; below > 1;) {
		assert(g->level_count < INGOT_VERITY_LEVELS_MAX);
		below = ingot_div_up(below, g->digests_per_block);
		g->levels[g->level_count++].blocks = below;
		g->hash_blocks += below; /* less than data_blocks in all */
	}
}

/* false: overflow */
static bool place_levels(const struct ingot_verity_params *params, struct ingot_verity_geometry *g)
{
	uint64_t hbs = params->hash_block_size;
	uint64_t start = g->hash_offset;

	if (!params->no_superblock && !ingot_add(start, INGOT_VERITY_SUPERBLOCK_SIZE, &start))
		return false;
	if (!ingot_mul(ingot_div_up(start, hbs), hbs, &g->tree_offset))
		return false;
	g->end = g->tree_offset;
	for (unsigned i = g->level_count; i-- > 0;) {
		uint64_t bytes;

		g->levels[i].offset = g->end;
		if (!ingot_mul(g->levels[i].blocks, hbs, &bytes) ||
		    !ingot_add(g->end, bytes, &g->end))
			return false;
	}
	return true;
}

int ingot_verity_geometry(const struct ingot_verity_params *params, uint64_t data_blocks,
			  uint64_t hash_offset, struct ingot_verity_geometry *ret,
			  struct ingot_error *err)
{
	struct ingot_verity_geometry g = {.data_blocks = data_blocks, .hash_offset = hash_offset};
	uint64_t unit =
		params->no_superblock ? params->hash_block_size : INGOT_VERITY_SUPERBLOCK_SIZE;
	int rc = ingot_verity_params_check(params, err);

	if (rc < 0)
		return rc;
	if (data_blocks == 0)
		return ingot_raise(err, -EINVAL, "no data block to make a hash tree for");
	if (hash_offset % unit != 0)
		return ingot_raise(err, -EINVAL, "hash offset %llu is not a multiple of %llu",
				   (unsigned long long)hash_offset, (unsigned long long)unit);
	if (!ingot_mul(data_blocks, params->data_block_size, &g.data_size))
		return too_large(data_blocks, err);
	place_digests(params, &g);
	count_levels(&g);
	if (!place_levels(params, &g) || g.end > INT64_MAX || g.data_size > INT64_MAX)
		return too_large(data_blocks, err);
	*ret = g;
	return 0;
}

int ingot_verity_append_offset(const struct ingot_verity_params *params, uint64_t data_blocks,
			       uint64_t *ret_offset, struct ingot_error *err)
{
	uint64_t unit =
		params->no_superblock ? params->hash_block_size : INGOT_VERITY_SUPERBLOCK_SIZE;
	uint64_t offset;
	int rc = ingot_verity_params_check(params, err);

	if (rc < 0)
		return rc;
	if (!ingot_mul(data_blocks, params->data_block_size, &offset) ||
	    !ingot_mul(ingot_div_up(offset, unit), unit, &offset))
		return too_large(data_blocks, err);
	*ret_offset = offset;
	return 0;
}

/* Whether so much data and its hash area fit; more data never needs less room. */
static bool fits(const struct ingot_verity_params *params, uint64_t data_blocks, uint64_t bytes)
{
	struct ingot_verity_geometry g;
	uint64_t offset;

	return ingot_verity_append_offset(params, data_blocks, &offset, NULL) == 0 &&
	       ingot_verity_geometry(params, data_blocks, offset, &g, NULL) == 0 && g.end <= bytes;
}

int ingot_verity_fit(const struct ingot_verity_params *params, uint64_t bytes,
		     uint64_t *ret_data_blocks, struct ingot_error *err)
{
	uint64_t low, high; /* low fits, high does not */
	int rc = ingot_verity_params_check(params, err);

	if (rc < 0)
		return rc;
	low = 0;
	high = bytes / params->data_block_size + 1;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (fits(params, middle, bytes))
			low = middle;
		else
			high = middle;
	}
	if (low == 0)
		return ingot_raise(err, -ENOSPC, "%llu bytes hold no data block and its hash area",
				   (unsigned long long)bytes);
	*ret_data_blocks = low;
	return 0;
}

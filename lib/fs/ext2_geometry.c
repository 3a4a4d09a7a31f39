#include "fs/ext2_internal.h"

#include <errno.h>

#include "base/text.h"

/*
 * How large, and how many groups and inodes. The number of blocks that the content takes
 * does not depend on where they lie, so the smallest filesystem is computed, not searched.
 */

/* Sets everything that follows from the number of blocks; false: the inodes do not fit so. */
static bool set_geometry(struct ext2 *fs, uint64_t blocks)
{
	uint64_t inodes = entry_inode(fs->entry_count - 1);
	uint64_t per_group;

	fs->groups = (uint32_t)ingot_div_up(blocks, GROUP_BLOCKS);
	per_group = ingot_round_up(ingot_div_up(inodes, fs->groups), INODES_PER_BLOCK);
	if (per_group > GROUP_INODES_MAX)
		return false;
	fs->group_inodes = (uint32_t)per_group;
	fs->table_blocks = fs->group_inodes / INODES_PER_BLOCK;
	fs->descriptor_blocks =
		(uint32_t)ingot_div_up((uint64_t)fs->groups * DESCRIPTOR_SIZE, BLOCK);
	fs->blocks = (uint32_t)blocks;
	return fs->descriptor_blocks + 3 + fs->table_blocks < GROUP_BLOCKS;
}

/* Blocks that all headers take. */
static uint64_t headers(const struct ext2 *fs)
{
	uint64_t sum = 0;

	for (uint32_t g = 0; g < fs->groups; g++)
		sum += ext2_group_header(fs, g);
	return sum;
}

static bool last_group_holds_something(const struct ext2 *fs)
{
	return ext2_group_size(fs, fs->groups - 1) > ext2_group_header(fs, fs->groups - 1);
}

/*
 * All `blocks`, or without the last group where that is too small for its header and a block, or
 * costs the others more (one more block of descriptors each) than it has.
 */
static bool set_size(struct ext2 *fs, uint64_t blocks, uint64_t wanted)
{
	if (!set_geometry(fs, blocks))
		return false;
	if (last_group_holds_something(fs) && wanted + headers(fs) <= fs->blocks)
		return true;
	return fs->groups > 1 && set_geometry(fs, (uint64_t)(fs->groups - 1) * GROUP_BLOCKS) &&
	       wanted + headers(fs) <= fs->blocks;
}

/* The smallest number of blocks that holds `wanted` blocks of content. */
static bool smallest(struct ext2 *fs, uint64_t wanted)
{
	uint32_t groups = 1;

	for (;; groups++) {
		uint64_t blocks;

		if (!set_geometry(fs, (uint64_t)groups * GROUP_BLOCKS)) {
			if (groups == UINT32_MAX / GROUP_BLOCKS)
				return false;
			continue;
		}
		blocks = wanted + headers(fs);
		if (blocks > (uint64_t)groups * GROUP_BLOCKS) {
			if (blocks > UINT32_MAX - GROUP_BLOCKS)
				return false;
			/* As many groups as these blocks need, at the least: more than now. */
			groups = (uint32_t)ingot_div_up(blocks, GROUP_BLOCKS) - 1;
			continue;
		}
		blocks = ingot_max(blocks, (uint64_t)(groups - 1) * GROUP_BLOCKS +
						   ext2_group_header(fs, groups - 1) + 1);
		return set_geometry(fs, blocks) && fs->groups == groups;
	}
}

static int does_not_fit(const struct ext2 *fs, uint64_t need, uint64_t have,
			struct ingot_error *err)
{
	char a[INGOT_SIZE_TEXT], b[INGOT_SIZE_TEXT], c[INGOT_SIZE_TEXT], heavy[512];

	ext2_heaviest(fs, heavy, sizeof(heavy));
	return ingot_raise(err, -ENOSPC,
			   "the tree does not fit: it needs %s, there are %s, so %s must go; "
			   "the heaviest folders are %s",
			   ingot_size_text(need * BLOCK, a), ingot_size_text(have * BLOCK, b),
			   ingot_size_text((need - have) * BLOCK, c), heavy);
}

int ext2_choose_geometry(struct ext2 *fs, struct ingot_error *err)
{
	uint64_t have = fs->options.size / BLOCK, wanted = 0, need;

	for (size_t i = 0; i < fs->run_count; i++)
		wanted += fs->runs[i].count;
	if (!smallest(fs, wanted))
		return ingot_raise(err, -EFBIG, "the tree is too large for ext2");
	need = fs->blocks;
	if (fs->options.size == 0)
		return 0;
	if (have > UINT32_MAX - GROUP_BLOCKS)
		return ingot_raise(err, -EFBIG, "%llu bytes are too many for ext2",
				   (unsigned long long)fs->options.size);
	if (!set_size(fs, have, wanted))
		return does_not_fit(fs, ingot_max(need, have + 1), have, err);
	return 0;
}

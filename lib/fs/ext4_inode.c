#include <errno.h>
#include <string.h>

#include "fs/ext4_internal.h"

/* Inodes: 32-bit seconds, then two more bits of them and 30 of nanoseconds in `extra`. */
static void set_times(struct ext2_inode_large *inode, int64_t seconds)
{
	int64_t clamped = seconds < INT32_MIN ? INT32_MIN : seconds;
	uint32_t low, extra;

	if (clamped > INT64_C(0x37fffffff)) /* 2446-05-10, the last one */
		clamped = INT64_C(0x37fffffff);
	low = (uint32_t)(clamped & 0xffffffff);
	extra = (uint32_t)(((clamped - (int32_t)low) >> 32) & 3);
	inode->i_atime = inode->i_ctime = inode->i_mtime = inode->i_crtime = low;
	inode->i_atime_extra = inode->i_ctime_extra = extra;
	inode->i_mtime_extra = inode->i_crtime_extra = extra;
}

/* "1" stands for more folders in a folder than can be counted (dir_nlink). */
static uint16_t link_count(const struct ext4 *e, const struct ingot_node *node)
{
	uint32_t links = e->plan->links[node->scratch];

	return links >= EXT4_LINKS_MAX && S_ISDIR(node->mode) ? 1 : (uint16_t)links;
}

void ext4_inode_begin(struct ext4 *e, const struct ingot_node *node, struct ext4_inode *inode)
{
	struct ext2_inode_large *large = &inode->large;

	*inode = (struct ext4_inode){.number = node->scratch};
	large->i_mode = (uint16_t)node->mode;
	large->i_uid = (uint16_t)node->uid;
	large->i_gid = (uint16_t)node->gid;
	large->osd2.linux2.l_i_uid_high = (uint16_t)(node->uid >> 16);
	large->osd2.linux2.l_i_gid_high = (uint16_t)(node->gid >> 16);
	large->i_links_count = link_count(e, node);
	large->i_extra_isize = sizeof(*large) - EXT2_GOOD_OLD_INODE_SIZE;
	set_times(large, node->mtime);
	ext2fs_inode_alloc_stats2(e->fs, inode->number, 1, S_ISDIR(node->mode));
}

int ext4_inode_open(struct ext4 *e, struct ext4_inode *inode, struct ingot_error *err)
{
	errcode_t code = ext2fs_extent_open2(e->fs, inode->number, EXT2_INODE(&inode->large),
					     &inode->extents);

	if (code)
		return ext4_raise(e->device, code, err, "inode %u", inode->number);
	inode->large.i_flags |= EXT4_EXTENTS_FL;
	return 0;
}

int ext4_inode_map(struct ext4 *e, struct ext4_inode *inode, uint64_t block, uint64_t count,
		   blk64_t *ret_at, uint64_t *ret_count, struct ingot_error *err)
{
	struct ext2_inode *small = EXT2_INODE(&inode->large);
	struct ext2fs_extent extent = {.e_lblk = block};
	blk64_t at = 0, length = 0;
	errcode_t code = ext2fs_new_range(e->fs, 0, e->next, ingot_min(count, EXT_INIT_MAX_LEN),
					  NULL, &at, &length);

	if (code)
		return ext4_raise(e->device, code, err, "space for %llu blocks",
				  (unsigned long long)count);
	ext2fs_block_alloc_stats_range(e->fs, at, (blk_t)length, 1);
	e->next = at + length;
	extent.e_pblk = at;
	extent.e_len = (uint32_t)length;
	code = ext2fs_extent_insert(inode->extents, EXT2_EXTENT_INSERT_AFTER, &extent);
	if (!code)
		code = ext2fs_iblk_add_blocks(e->fs, small, length);
	if (code)
		return ext4_raise(e->device, code, err, "extent of %llu blocks",
				  (unsigned long long)length);
	*ret_at = at;
	*ret_count = length;
	return 0;
}

int ext4_inode_end(struct ext4 *e, struct ext4_inode *inode, struct ingot_error *err)
{
	errcode_t code = ext2fs_write_inode_full(e->fs, inode->number, EXT2_INODE(&inode->large),
						 sizeof(inode->large));

	if (code)
		return ext4_raise(e->device, code, err, "inode %u", inode->number);
	return 0;
}

void ext4_inode_done(struct ext4_inode *inode)
{
	if (inode->extents)
		ext2fs_extent_free(inode->extents);
	inode->extents = NULL;
}

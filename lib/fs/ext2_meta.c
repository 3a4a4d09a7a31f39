#include "fs/ext2_internal.h"

#include <string.h>

#include "base/bytes.h"

enum {
	COMPAT_EXT_ATTR = 0x0008,
	INCOMPAT_FILETYPE = 0x0002,
	RO_COMPAT_SPARSE_SUPER = 0x0001,
	RO_COMPAT_LARGE_FILE = 0x0002,
	RO_COMPAT_DIR_NLINK = 0x0020,
	RO_COMPAT_READONLY = 0x1000,
};

static bool is_power_of(uint32_t n, uint32_t base)
{
	while (n % base == 0)
		n /= base;
	return n == 1;
}

bool ext2_group_has_super(uint32_t group)
{
	return group <= 1 || is_power_of(group, 3) || is_power_of(group, 5) ||
	       is_power_of(group, 7);
}

uint32_t ext2_group_header(const struct ext2 *fs, uint32_t group)
{
	uint32_t copies = ext2_group_has_super(group) ? 1 + fs->descriptor_blocks : 0;

	return copies + 2 + fs->table_blocks;
}

uint32_t ext2_group_size(const struct ext2 *fs, uint32_t group)
{
	uint32_t start = group * GROUP_BLOCKS;

	return (uint32_t)ingot_min(GROUP_BLOCKS, fs->blocks - start);
}

/* Blocks of a group in use, its header included: blocks are handed out in ascending order. */
static uint32_t group_used(const struct ext2 *fs, uint32_t group)
{
	uint32_t start = group * GROUP_BLOCKS, header = ext2_group_header(fs, group);
	uint32_t filled = fs->end > start ? fs->end - start : 0;

	return (uint32_t)ingot_min(ingot_max(filled, header), ext2_group_size(fs, group));
}

/* Inodes of a group in use: numbers are handed out in ascending order, too. */
static uint32_t group_inodes_used(const struct ext2 *fs, uint32_t group)
{
	uint32_t last = entry_inode(fs->entry_count - 1), before = group * fs->group_inodes;

	return last > before ? (uint32_t)ingot_min(last - before, fs->group_inodes) : 0;
}

static uint32_t free_blocks(const struct ext2 *fs)
{
	uint32_t sum = 0;

	for (uint32_t g = 0; g < fs->groups; g++)
		sum += ext2_group_size(fs, g) - group_used(fs, g);
	return sum;
}

/* Superblock, 1024 bytes: offsets as in the kernel's document, "The Super Block". */
void ext2_super_fill(const struct ext2 *fs, uint32_t group, unsigned char s[1024])
{
	uint32_t inodes = fs->groups * fs->group_inodes;
	uint32_t ro_compat = RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE | RO_COMPAT_READONLY;
	uint32_t epoch = (uint32_t)fs->options.epoch;
	unsigned char epoch_high = (unsigned char)(fs->options.epoch >> 32);

	if (fs->many_folders)
		ro_compat |= RO_COMPAT_DIR_NLINK;
	memset(s, 0, 1024);
	ingot_put_le32(s + 0, inodes);
	ingot_put_le32(s + 4, fs->blocks);
	ingot_put_le32(s + 12, free_blocks(fs));
	ingot_put_le32(s + 16, inodes - entry_inode(fs->entry_count - 1));
	ingot_put_le32(s + 24, 2); /* block size 1024 << 2 */
	ingot_put_le32(s + 28, 2);
	ingot_put_le32(s + 32, GROUP_BLOCKS);
	ingot_put_le32(s + 36, GROUP_BLOCKS);
	ingot_put_le32(s + 40, fs->group_inodes);
	ingot_put_le32(s + 48, epoch);	/* written */
	ingot_put_le16(s + 54, 0xffff); /* never checked for its mount count */
	ingot_put_le16(s + 56, 0xef53);
	ingot_put_le16(s + 58, 1);     /* clean */
	ingot_put_le16(s + 60, 1);     /* on errors: go on, dm-verity is the guard */
	ingot_put_le32(s + 64, epoch); /* checked */
	ingot_put_le32(s + 76, 1);     /* revision */
	ingot_put_le32(s + 84, LOST_FOUND_INODE);
	ingot_put_le16(s + 88, INODE_SIZE);
	ingot_put_le16(s + 90, (uint16_t)group);
	ingot_put_le32(s + 92, COMPAT_EXT_ATTR);
	ingot_put_le32(s + 96, INCOMPAT_FILETYPE);
	ingot_put_le32(s + 100, ro_compat);
	memcpy(s + 104, fs->options.uuid.bytes, 16);
	memcpy(s + 120, fs->label, sizeof(fs->label));
	memcpy(s + 236, fs->options.hash_seed.bytes, 16);
	s[252] = 1;			/* half-MD4, unused without dir_index */
	ingot_put_le32(s + 264, epoch); /* made */
	ingot_put_le16(s + 348, 32);	/* inodes keep 32 bytes of extra fields */
	ingot_put_le16(s + 350, 32);
	ingot_put_le32(s + 352, 1); /* signed directory hash, as on x86 */
	s[628] = epoch_high;	    /* written, made and checked beyond 2106 */
	s[630] = epoch_high;
	s[631] = epoch_high;
}

static void descriptor(const struct ext2 *fs, uint32_t group, unsigned char *d)
{
	uint32_t table = group * GROUP_BLOCKS + ext2_group_header(fs, group) - fs->table_blocks;

	ingot_put_le32(d + 0, table - 2); /* block bitmap */
	ingot_put_le32(d + 4, table - 1); /* inode bitmap */
	ingot_put_le32(d + 8, table);
	ingot_put_le16(d + 12, (uint16_t)(ext2_group_size(fs, group) - group_used(fs, group)));
	ingot_put_le16(d + 14, (uint16_t)(fs->group_inodes - group_inodes_used(fs, group)));
	ingot_put_le16(d + 16, fs->group_dirs[group]);
}

void ext2_descriptors_fill(const struct ext2 *fs, uint32_t block, unsigned char *data)
{
	uint32_t per_block = BLOCK / DESCRIPTOR_SIZE;

	memset(data, 0, BLOCK);
	for (uint32_t i = 0; i < per_block; i++)
		if (block * per_block + i < fs->groups)
			descriptor(fs, block * per_block + i, data + i * DESCRIPTOR_SIZE);
}

/* Bits 0 .. used - 1 and everything from `valid` on are set. */
static void fill_bitmap(uint32_t used, uint32_t valid, unsigned char *data)
{
	memset(data, 0, BLOCK);
	for (uint32_t i = 0; i < 8 * BLOCK; i++)
		if (i < used || i >= valid)
			data[i / 8] = (unsigned char)(data[i / 8] | 1U << (i % 8));
}

void ext2_block_bitmap_fill(const struct ext2 *fs, uint32_t group, unsigned char *data)
{
	fill_bitmap(group_used(fs, group), ext2_group_size(fs, group), data);
}

void ext2_inode_bitmap_fill(const struct ext2 *fs, uint32_t group, unsigned char *data)
{
	fill_bitmap(group_inodes_used(fs, group), fs->group_inodes, data);
}

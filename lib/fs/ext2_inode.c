#include "fs/ext2_internal.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum { MAJOR_MAX = 0xfff, MINOR_MAX = 0xfffff, EXTRA_SIZE = 32 };

/* Times are 34 bits wide: 32 signed ones and two more in the extra fields. */
static const int64_t TIME_MIN = INT32_MIN;
static const int64_t TIME_MAX = (INT64_C(1) << 34) + INT32_MIN - 1;

/* Files end where the block count, in units of 512 bytes, no longer fits 32 bits. */
static const uint64_t FILE_MAX = (UINT64_C(1) << 41) - (UINT64_C(4) << 30);

static bool is_device(uint32_t mode)
{
	return S_ISBLK(mode) || S_ISCHR(mode);
}

int ext2_inode_check(const struct ingot_node *node, struct ingot_error *err)
{
	if (is_device(node->mode) &&
	    (node->device.major > MAJOR_MAX || node->device.minor > MINOR_MAX))
		return ingot_raise(err, -EINVAL, "device number %u:%u is too large",
				   node->device.major, node->device.minor);
	if (S_ISLNK(node->mode) && node->size >= BLOCK)
		return ingot_raise(err, -ENAMETOOLONG, "the symbolic link's target has %llu bytes",
				   (unsigned long long)node->size);
	if (S_ISREG(node->mode) && node->size > FILE_MAX)
		return ingot_raise(err, -EFBIG, "%llu bytes are more than ext2 can hold in a file",
				   (unsigned long long)node->size);
	return 0;
}

static void put_time(unsigned char *low, unsigned char *extra, int64_t seconds)
{
	int64_t t = seconds < TIME_MIN ? TIME_MIN : seconds > TIME_MAX ? TIME_MAX : seconds;

	ingot_put_le32(low, (uint32_t)t);
	ingot_put_le32(extra, (uint32_t)((t - (int32_t)(uint32_t)t) >> 32) & 3);
}

static void put_times(unsigned char *i, int64_t seconds)
{
	put_time(i + 8, i + 140, seconds);   /* accessed */
	put_time(i + 12, i + 132, seconds);  /* changed */
	put_time(i + 16, i + 136, seconds);  /* modified */
	put_time(i + 144, i + 148, seconds); /* created */
}

static void put_device(unsigned char *i, const struct ingot_node *node)
{
	uint32_t major = node->device.major, minor = node->device.minor;

	if (major < 256 && minor < 256)
		ingot_put_le32(i + 40, major << 8 | minor);
	else
		ingot_put_le32(i + 44, (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12);
}

/* A short link's target stands where the block map would, a long one's has a block. */
static void put_symlink(const struct ext2 *fs, const struct entry *e, unsigned char *i)
{
	if (e->node->size < INLINE_LINK)
		memcpy(i + 40, e->node->target, e->node->size);
	else
		ingot_put_le32(i + 40, fs->runs[e->first_run].block);
}

static void put_content(const struct ext2 *fs, size_t entry, unsigned char *i)
{
	const struct entry *e = &fs->entries[entry];
	struct ext2_map map = ext2_entry_map(fs, entry);

	if (!e->node || S_ISDIR(e->node->mode) || S_ISREG(e->node->mode))
		ext2_map_inode(&map, i + 40);
	else if (S_ISLNK(e->node->mode))
		put_symlink(fs, e, i);
	else if (is_device(e->node->mode))
		put_device(i, e->node);
}

static uint64_t size_of(const struct ext2 *fs, size_t entry)
{
	const struct entry *e = &fs->entries[entry];
	struct ext2_map map = ext2_entry_map(fs, entry);
	uint64_t blocks = 0;

	if (e->node && (S_ISREG(e->node->mode) || S_ISLNK(e->node->mode)))
		return e->node->size;
	if (e->node && !S_ISDIR(e->node->mode))
		return 0;
	for (size_t r = 0; r < map.count; r++)
		blocks += map.runs[r].kind == RUN_DATA ? map.runs[r].count : 0;
	return blocks * BLOCK;
}

/* Offsets as in the kernel's document, "Index Nodes". */
static void fill(const struct ext2 *fs, size_t entry, unsigned char *i)
{
	static const struct ingot_node lost_found = {.mode = S_IFDIR | 0700};
	const struct entry *e = &fs->entries[entry];
	const struct ingot_node *node = e->node ? e->node : &lost_found;
	uint64_t size = size_of(fs, entry);
	uint32_t blocks = e->blocks + (e->xattr != NO_XATTR);

	ingot_put_le16(i + 0, (uint16_t)node->mode);
	ingot_put_le16(i + 2, (uint16_t)node->uid);
	ingot_put_le32(i + 4, (uint32_t)size);
	put_times(i, e->node ? node->mtime : fs->options.epoch);
	ingot_put_le16(i + 24, (uint16_t)node->gid);
	ingot_put_le16(i + 26, (uint16_t)e->links);
	ingot_put_le32(i + 28, blocks * (BLOCK / 512));
	put_content(fs, entry, i);
	if (e->xattr != NO_XATTR)
		ingot_put_le32(i + 104, fs->xattrs[e->xattr].block);
	ingot_put_le32(i + 108, (uint32_t)(size >> 32));
	ingot_put_le16(i + 120, (uint16_t)(node->uid >> 16));
	ingot_put_le16(i + 122, (uint16_t)(node->gid >> 16));
	ingot_put_le16(i + 128, EXTRA_SIZE);
}

void ext2_inodes_fill(const struct ext2 *fs, uint32_t first_inode, uint32_t count,
		      unsigned char *data)
{
	memset(data, 0, (size_t)count * INODE_SIZE);
	for (uint32_t k = 0; k < count; k++) {
		size_t entry = inode_entry(first_inode + k);

		if (entry != SIZE_MAX && entry < fs->entry_count)
			fill(fs, entry, data + (size_t)k * INODE_SIZE);
	}
}

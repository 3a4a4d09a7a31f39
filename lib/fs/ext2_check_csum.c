#include "fs/ext2_check_internal.h"

#include <ext2fs/ext2fs.h>
#include <string.h>

/*
 * Checksums (kernel's document, "Checksums"): CRC-32C that begins with the filesystem's UUID and
 * goes on with the number of what is checked, so that a block in the wrong place is seen as well.
 * Folders are in ext2_check_folder.c.
 */

uint32_t ext_crc32c(uint32_t crc, const void *data, size_t n)
{
	return ext2fs_crc32c_le(crc, data, n);
}

static uint32_t crc_number(uint32_t crc, uint64_t number, size_t bytes)
{
	unsigned char raw[8];

	ingot_put_le64(raw, number);
	return ext_crc32c(crc, raw, bytes);
}

void ext_csum_super(struct ext_checker *c, const unsigned char *super, uint32_t group)
{
	if (c->metadata_csum && ext_crc32c(UINT32_MAX, super, 1020) != ingot_get_le32(super + 1020))
		ext_problem(c, "superblock of group %u: the checksum is wrong", group);
}

/* CRC-16 with the polynomial 0x8005, bits reversed: what uninit_bg had. */
static uint16_t crc16(uint16_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (; n > 0; n--, p++) {
		crc = crc ^ *p;
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

static uint16_t descriptor_crc16(const struct ext_checker *c, uint32_t group,
				 const unsigned char *d)
{
	unsigned char number[4];
	uint16_t crc = crc16(0xffff, c->super + 104, 16);

	ingot_put_le32(number, group);
	crc = crc16(crc, number, sizeof(number));
	crc = crc16(crc, d, 30);
	return crc16(crc, d + 32, c->descriptor_size - 32);
}

void ext_csum_descriptor(struct ext_checker *c, uint32_t group)
{
	static const unsigned char zero[2];
	const unsigned char *d = ext_descriptor(c, group);
	uint32_t crc;

	if (c->metadata_csum) {
		crc = ext_crc32c(crc_number(c->seed, group, 4), d, 30);
		crc = ext_crc32c(crc, zero, sizeof(zero));
		crc = ext_crc32c(crc, d + 32, c->descriptor_size - 32) & 0xffff;
	} else if (c->ro_compat & RO_COMPAT_GDT_CSUM) {
		crc = descriptor_crc16(c, group, d);
	} else {
		return;
	}
	if (crc != ingot_get_le16(d + 30))
		ext_problem(c, "descriptor of group %u: the checksum is wrong", group);
}

void ext_csum_bitmap(struct ext_checker *c, uint32_t group, const unsigned char *bitmap,
		     bool blocks)
{
	const unsigned char *d = ext_descriptor(c, group) + (blocks ? 0 : 2);
	uint32_t crc, said = ingot_get_le16(d + 24);

	if (!c->metadata_csum)
		return;
	crc = ext_crc32c(c->seed, bitmap, (blocks ? c->group_blocks : c->group_inodes) / 8);
	if (c->descriptor_size >= 64)
		said |= (uint32_t)ingot_get_le16(d + 56) << 16;
	else
		crc &= 0xffff;
	if (crc != said)
		ext_problem(c, "%s bitmap of group %u: the checksum is wrong",
			    blocks ? "block" : "inode", group);
}

void ext_csum_inode(struct ext_checker *c, struct ext_inode *inode)
{
	static const unsigned char zero[2];
	const unsigned char *i = inode->raw;
	bool high = c->inode_size > 128 && ingot_get_le16(i + 128) >= 4;
	uint32_t crc, said = ingot_get_le16(i + 124);

	if (!c->metadata_csum)
		return;
	inode->seed = crc_number(crc_number(c->seed, inode->number, 4), inode->generation, 4);
	crc = ext_crc32c(inode->seed, i, 124);
	crc = ext_crc32c(crc, zero, 2);
	crc = ext_crc32c(crc, i + 126, 2);
	if (c->inode_size > 128) {
		crc = ext_crc32c(crc, i + 128, 2);
		crc = ext_crc32c(crc, high ? zero : i + 130, 2);
		crc = ext_crc32c(crc, i + 132, c->inode_size - 132);
	}
	if (high)
		said |= (uint32_t)ingot_get_le16(i + 130) << 16;
	else
		crc &= 0xffff;
	/* A reserved inode that nobody ever wrote is all zero, and e2fsck takes it so. */
	if (crc != said && !(i[0] == 0 && memcmp(i, i + 1, c->inode_size - 1) == 0))
		ext_problem(c, "inode %u: the checksum is wrong", inode->number);
}

void ext_csum_extents(struct ext_checker *c, const struct ext_inode *inode, uint64_t block,
		      const unsigned char *data)
{
	size_t tail = 12 + 12 * (size_t)ingot_get_le16(data + 4);

	if (!c->metadata_csum)
		return;
	if (tail + 4 > c->block_size ||
	    ext_crc32c(inode->seed, data, tail) != ingot_get_le32(data + tail))
		ext_problem(c, "inode %u: the checksum of its extents in block %llu is wrong",
			    inode->number, (unsigned long long)block);
}

void ext_csum_xattr(struct ext_checker *c, uint64_t block, const unsigned char *data)
{
	static const unsigned char zero[4];
	uint32_t crc;

	if (!c->metadata_csum)
		return;
	crc = ext_crc32c(crc_number(c->seed, block, 8), data, 16);
	crc = ext_crc32c(crc, zero, sizeof(zero));
	crc = ext_crc32c(crc, data + 20, c->block_size - 20);
	if (crc != ingot_get_le32(data + 16))
		ext_problem(c, "attribute block %llu: the checksum is wrong",
			    (unsigned long long)block);
}

/* --- folders ----------------------------------------------------------- */

enum {
	TAIL = 12,
	TAIL_TYPE = 0xde,
	INDEX_ENTRY = 8,
	INDEX_ROOT = 32,
	INDEX_NODE = 8,
	INDEX_TAIL = 8
};

/* Where the numbers of an index stand in the block; 0: it holds entries. */
static size_t index_at(const struct ext_checker *c, const struct ext_folder_block *at,
		       const unsigned char *data)
{
	if (!c->states[at->inode - 1].indexed)
		return 0;
	if (at->logical == 0)
		return INDEX_ROOT;
	return ingot_get_le32(data) == 0 && ingot_get_le16(data + 4) == (c->block_size & 0xffff)
		       ? INDEX_NODE
		       : 0;
}

static bool index_is_right(const struct ext_checker *c, const unsigned char *data, size_t at,
			   uint32_t seed)
{
	static const unsigned char zero[4];
	size_t limit = ingot_get_le16(data + at), count = ingot_get_le16(data + at + 2);
	size_t tail = at + limit * INDEX_ENTRY, behind = c->metadata_csum ? INDEX_TAIL : 0;
	uint32_t crc;

	if (count == 0 || count > limit || tail + behind > c->block_size)
		return false;
	if (!c->metadata_csum)
		return true;
	crc = ext_crc32c(seed, data, at + count * INDEX_ENTRY);
	crc = ext_crc32c(crc, data + tail, 4);
	crc = ext_crc32c(crc, zero, sizeof(zero));
	return crc == ingot_get_le32(data + tail + 4);
}

size_t ext_csum_folder(struct ext_checker *c, const struct ext_folder_block *at,
		       const unsigned char *data)
{
	size_t index = index_at(c, at, data), end = c->block_size - TAIL;
	const unsigned char *tail = data + end;
	uint32_t seed = crc_number(crc_number(c->seed, at->inode, 4), at->generation, 4);
	bool good;

	if (index) {
		good = index_is_right(c, data, index, seed);
		end = c->block_size;
	} else if (c->metadata_csum) {
		good = ingot_get_le32(tail) == 0 && ingot_get_le16(tail + 4) == TAIL &&
		       tail[6] == 0 && tail[7] == TAIL_TYPE &&
		       ingot_get_le32(tail + 8) == ext_crc32c(seed, data, end);
	} else {
		return c->block_size;
	}
	if (!good)
		ext_problem(c, "folder %u: the %s block %u is wrong", at->inode,
			    index && !c->metadata_csum ? "index in" : "checksum of", at->logical);
	return end;
}

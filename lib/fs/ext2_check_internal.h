/* What the parts of the ext checker share. */
#ifndef INGOT_FS_EXT2_CHECK_INTERNAL_H
#define INGOT_FS_EXT2_CHECK_INTERNAL_H

#include "base/bytes.h"
#include "fs/ext2_check.h"
#include "io/nonzero.h"

enum {
	EXT_BLOCK_MAX = 65536,
	EXT_SUPER = 1024, /* its offset and its size */

	EXT_ROOT = 2,
	EXT_RESIZE = 7,
	EXT_JOURNAL = 8,

	COMPAT_JOURNAL = 0x0004,
	COMPAT_RESIZE_INODE = 0x0010,
	COMPAT_ORPHAN_FILE = 0x1000,
	INCOMPAT_FILETYPE = 0x0002,
	INCOMPAT_RECOVER = 0x0004,
	INCOMPAT_EXTENTS = 0x0040,
	INCOMPAT_64BIT = 0x0080,
	INCOMPAT_FLEX_BG = 0x0200,
	INCOMPAT_CSUM_SEED = 0x2000,
	RO_COMPAT_SPARSE_SUPER = 0x0001,
	RO_COMPAT_LARGE_FILE = 0x0002,
	RO_COMPAT_HUGE_FILE = 0x0008,
	RO_COMPAT_GDT_CSUM = 0x0010,
	RO_COMPAT_DIR_NLINK = 0x0020,
	RO_COMPAT_METADATA_CSUM = 0x0400,
	RO_COMPAT_READONLY = 0x1000,

	GROUP_INODE_UNINIT = 1, /* flags of a descriptor */
	GROUP_BLOCK_UNINIT = 2,

	INODE_INDEX = 0x1000, /* flags of an inode */
	INODE_HUGE = 0x40000,
	INODE_EXTENTS = 0x80000,
};

/* What is known of an inode in use. */
struct ext_state {
	uint32_t parent; /* of a folder: the one that names it; 0: none so far */
	uint32_t dotdot; /* of a folder: what ".." says */
	uint32_t found;	 /* names, "." and ".." of the folders inside */
	uint16_t links;	 /* as the inode says */
	uint8_t type;	 /* mode >> 12; 0: not in use */
	uint8_t trace;	 /* ext2_check_links.c */
	bool hidden;	 /* needs no name */
	bool indexed;	 /* a folder with an index */
};

struct ext_folder_block {
	uint32_t inode, logical, block, generation;
};

struct ext_xattr_ref {
	uint32_t block, inode;
};

struct ext_checker {
	struct ingot_source *source;
	struct ingot_problems *problems;
	bool ours;

	unsigned char super[EXT_SUPER];
	uint32_t compat, incompat, ro_compat;
	uint32_t block_size, first_block, blocks, groups, group_blocks;
	uint32_t inodes, group_inodes, inode_size, first_inode;
	uint32_t descriptor_size, descriptor_blocks, reserved_blocks;
	bool metadata_csum;
	uint32_t seed; /* of the checksums */

	unsigned char *descriptors; /* as on disk, whole blocks */
	unsigned char *used;	    /* a bit for a block, from first_block on */
	struct ext_state *states;   /* [inode - 1] */
	uint32_t *group_folders;

	struct ext_folder_block *folder_blocks;
	size_t folder_block_count, folder_block_room;
	struct ext_xattr_ref *xattrs;
	size_t xattr_count, xattr_room;

	struct ingot_ext_check seen;
};

/* An inode as it is looked at. */
struct ext_inode {
	const unsigned char *raw; /* inode_size bytes */
	uint32_t number, generation, flags, seed;
	uint8_t type; /* mode >> 12 */
	uint64_t size;
	uint64_t mapped;   /* blocks of data and map seen */
	uint64_t end;	   /* behind the last block of data, in blocks of the file */
	uint64_t last;	   /* its place on disk; 0: none */
	bool preallocated; /* some blocks were never written: they may lie behind the end */
};

enum {
	EXT_FIFO = 1,
	EXT_CHAR = 2,
	EXT_DIR = 4,
	EXT_BLK = 6,
	EXT_REG = 8,
	EXT_LNK = 10,
	EXT_SOCK = 12
};

/* --- ext2_check.c ------------------------------------------------------ */

#define ext_problem(c, ...) ingot_problem_say((c)->problems, __VA_ARGS__)
int ext_read_block(struct ext_checker *c, uint64_t block, void *data, struct ingot_error *err);

/* The block is in use from now on; false, and a problem, if it is outside or was in use. */
bool ext_claim(struct ext_checker *c, uint64_t block, const char *what, uint32_t number);

/* A range of the source is zero, or a problem. Holes are not read. */
int ext_check_zero(struct ext_checker *c, uint64_t offset, uint64_t n, const char *what,
		   struct ingot_error *err);

static inline bool ext_is_zero(const unsigned char *p, size_t n)
{
	return ingot_first_nonzero(p, n) == n;
}

static inline bool ext_bit(const unsigned char *map, uint32_t i)
{
	return map[i / 8] >> (i % 8) & 1;
}

/* --- ext2_check_super.c ------------------------------------------------ */

/* 1: the geometry makes no sense, nothing else can be checked. */
int ext_check_super(struct ext_checker *c, struct ingot_error *err);
bool ext_has_super(const struct ext_checker *c, uint32_t group);

/* --- ext2_check_groups.c ----------------------------------------------- */

struct ext_group {
	uint64_t block_bitmap, inode_bitmap, table;
	uint32_t free_blocks, free_inodes, folders, unused_inodes;
	uint16_t flags;
};

static inline unsigned char *ext_descriptor(const struct ext_checker *c, uint32_t group)
{
	return c->descriptors + (size_t)group * c->descriptor_size;
}

void ext_get_group(const struct ext_checker *c, uint32_t group, struct ext_group *ret);
uint32_t ext_group_start(const struct ext_checker *c, uint32_t group);
uint32_t ext_group_size(const struct ext_checker *c, uint32_t group);

int ext_load_groups(struct ext_checker *c, struct ingot_error *err);
/* Copies of superblock and descriptors. */
int ext_check_copies(struct ext_checker *c, struct ingot_error *err);
/* Block bitmaps and counts, when everything in use is known. */
int ext_check_bitmaps(struct ext_checker *c, struct ingot_error *err);

/* --- ext2_check_inode.c, ext2_check_map.c ------------------------------ */

int ext_check_inodes(struct ext_checker *c, struct ingot_error *err);
int ext_check_map(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err);
int ext_check_resize_inode(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err);
/* One block of an inode's data, at `logical` of it. */
int ext_add_data(struct ext_checker *c, struct ext_inode *inode, uint64_t logical, uint64_t block,
		 bool *ret_good, struct ingot_error *err);

/* --- ext2_check_extent.c ----------------------------------------------- */

int ext_check_extents(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err);

/* --- ext2_check_folder.c, ext2_check_links.c --------------------------- */

int ext_check_folders(struct ext_checker *c, struct ingot_error *err);
void ext_check_links(struct ext_checker *c);

/* --- ext2_check_xattr.c ------------------------------------------------ */

int ext_check_xattr_blocks(struct ext_checker *c, struct ingot_error *err);
/* Attributes behind the fields of a large inode. */
void ext_check_inode_xattrs(struct ext_checker *c, const struct ext_inode *inode);

/* --- ext2_check_csum.c: with metadata_csum (or uninit_bg) only --------- */

uint32_t ext_crc32c(uint32_t crc, const void *data, size_t n);
void ext_csum_super(struct ext_checker *c, const unsigned char *super, uint32_t group);
void ext_csum_descriptor(struct ext_checker *c, uint32_t group);
void ext_csum_bitmap(struct ext_checker *c, uint32_t group, const unsigned char *bitmap,
		     bool blocks);
void ext_csum_inode(struct ext_checker *c, struct ext_inode *inode);
void ext_csum_extents(struct ext_checker *c, const struct ext_inode *inode, uint64_t block,
		      const unsigned char *data);
/* Behind the last entry of a folder's block, and whether the block is right. */
size_t ext_csum_folder(struct ext_checker *c, const struct ext_folder_block *at,
		       const unsigned char *data);
void ext_csum_xattr(struct ext_checker *c, uint64_t block, const unsigned char *data);

#endif

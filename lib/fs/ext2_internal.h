/* What the parts of the ext2 writer share. */
#ifndef INGOT_FS_EXT2_INTERNAL_H
#define INGOT_FS_EXT2_INTERNAL_H

#include <pthread.h>

#include "fs/ext2.h"

enum {
	BLOCK = INGOT_EXT2_BLOCK,
	INODE_SIZE = 256,
	INODES_PER_BLOCK = BLOCK / INODE_SIZE,
	GROUP_BLOCKS = 8 * BLOCK, /* one bitmap block's worth */
	GROUP_INODES_MAX = 8 * BLOCK,
	DESCRIPTOR_SIZE = 32,
	ROOT_INODE = 2,
	LOST_FOUND_INODE = 11,
	FIRST_INODE = 12,
	DIRECT = 12,		/* block pointers in an inode */
	POINTERS = BLOCK / 4,	/* ... and in an indirect block */
	LINK_MAX_EXT2 = 65000,	/* names of one inode */
	INLINE_LINK = 60,	/* a symbolic link shorter than this lives in its inode */
	XATTR_SHARE_MAX = 1024, /* inodes that may share an attribute block */
};

/* A stretch of blocks with one purpose, in ascending order of blocks. */
enum run_kind { RUN_DATA, RUN_INDIRECT, RUN_XATTR, RUN_SYMLINK };

struct run {
	uint32_t block; /* on disk */
	uint32_t count;
	uint32_t owner;	  /* entry number; RUN_XATTR: number of the attribute block */
	uint32_t logical; /* first block of the file in it; RUN_INDIRECT: that it covers */
	uint8_t kind;	  /* enum run_kind */
	uint8_t level;	  /* RUN_INDIRECT: 1 points at data, 2 at level 1, 3 at level 2 */
};

/* One inode in use. Entry i has inode i + LOST_FOUND_INODE, but for the root. */
struct entry {
	struct ingot_node *node; /* NULL: lost+found made by us */
	uint32_t first_run;	 /* of its blocks; NO_RUN: none */
	uint32_t run_count;
	uint32_t blocks; /* data and indirect */
	uint32_t links;	 /* names */
	uint32_t xattr;	 /* attribute block number, NO_XATTR: none */
};

#define NO_RUN	 UINT32_MAX
#define NO_XATTR UINT32_MAX

/* An attribute block: one set of attributes, `shared` inodes. */
struct xattr_block {
	const struct ingot_xattrs *set;
	uint32_t block;
	uint32_t shared;
};

struct ext2 {
	struct ingot_source source;
	struct ingot_tree *tree;
	struct ingot_node *root;
	struct ingot_ext2_options options;
	char label[INGOT_EXT2_LABEL_MAX];
	bool own_lost_found; /* the tree has none */
	bool many_folders;   /* dir_nlink is needed */

	struct entry *entries; /* entry 0 is the root */
	size_t entry_count, entry_room;
	struct run *runs;
	size_t run_count, run_room;
	struct xattr_block *xattrs;
	size_t xattr_count, xattr_room;

	/* Geometry. */
	uint32_t blocks, groups, group_inodes, table_blocks, descriptor_blocks;
	uint32_t end;	      /* every block below it is in use, group headers apart */
	uint16_t *group_dirs; /* folders per group */

	/* Readers that no thread is using. */
	pthread_mutex_t lock;
	struct ingot_tree_reader **readers;
	size_t reader_count, reader_room;
};

/* --- numbers ----------------------------------------------------------- */

/* Entry 0 is the root (inode 2), entry 1 lost+found (inode 11), entry 2 inode 12, ... */
static inline uint32_t entry_inode(size_t entry)
{
	return entry == 0 ? ROOT_INODE : (uint32_t)entry + LOST_FOUND_INODE - 1;
}

/* The entry with this inode number, or SIZE_MAX for a reserved one. */
static inline size_t inode_entry(uint32_t inode)
{
	if (inode == ROOT_INODE)
		return 0;
	return inode < LOST_FOUND_INODE ? SIZE_MAX : inode - LOST_FOUND_INODE + 1;
}

/* The inode that a name stands for. */
static inline uint32_t node_inode(const struct ingot_node *node)
{
	return entry_inode(node->is_link ? node->link->scratch : node->scratch);
}

/* Whether a group has a copy of the superblock: 0, 1 and powers of 3, 5 and 7. */
bool ext2_group_has_super(uint32_t group);
/* Blocks in front of a group's data: superblock, descriptors, bitmaps, inode table. */
uint32_t ext2_group_header(const struct ext2 *fs, uint32_t group);
uint32_t ext2_group_size(const struct ext2 *fs, uint32_t group);

/* --- parts ------------------------------------------------------------- */

/* plan.c: numbers every inode and block. */
int ext2_plan(struct ext2 *fs, struct ingot_error *err);
int ext2_add_run(struct ext2 *fs, struct run run, struct ingot_error *err);

/* share.c: attribute blocks for every entry that has attributes. */
int ext2_share_xattrs(struct ext2 *fs, struct ingot_error *err);

/* geometry.c: how large, from the runs wanted; says so if they do not fit. */
int ext2_choose_geometry(struct ext2 *fs, struct ingot_error *err);

/* weight.c: "usr/lib/modules 341 MiB, ..." of the heaviest folders, for people. */
void ext2_heaviest(const struct ext2 *fs, char *text, size_t size);

/* directory.c */
uint32_t ext2_directory_blocks(const struct ext2 *fs, const struct ingot_node *dir);
void ext2_directory_fill(const struct ext2 *fs, const struct ingot_node *dir, uint32_t first,
			 uint32_t count, unsigned char *data);

/* map.c: block maps. While planning, the blocks first .. end - 1 of a file are added in
 * ascending order, and the indirect blocks that they need with them. */
struct ext2_mapper {
	uint32_t owner;
	uint64_t base[4]; /* of the newest indirect block of each level; 0: none yet */
};
int ext2_map_add(struct ext2 *fs, struct ext2_mapper *mapper, uint64_t first, uint64_t end,
		 struct ingot_error *err);

/* The runs of one file, in the order of the file. */
struct ext2_map {
	const struct run *runs;
	size_t count;
};
struct ext2_map ext2_entry_map(const struct ext2 *fs, size_t entry);
void ext2_map_inode(const struct ext2_map *map, unsigned char pointers[60]);
void ext2_map_indirect(const struct ext2_map *map, const struct run *run, unsigned char *data);

/* xattr.c */
int ext2_xattr_check(const struct ingot_node *node, struct ingot_error *err);
void ext2_xattr_fill(const struct xattr_block *block, unsigned char *data);

/* meta.c */
void ext2_super_fill(const struct ext2 *fs, uint32_t group, unsigned char data[1024]);
void ext2_descriptors_fill(const struct ext2 *fs, uint32_t block, unsigned char *data);
void ext2_block_bitmap_fill(const struct ext2 *fs, uint32_t group, unsigned char *data);
void ext2_inode_bitmap_fill(const struct ext2 *fs, uint32_t group, unsigned char *data);

/* inode.c */
int ext2_inode_check(const struct ingot_node *node, struct ingot_error *err);
void ext2_inodes_fill(const struct ext2 *fs, uint32_t first_inode, uint32_t count,
		      unsigned char *data);

#endif

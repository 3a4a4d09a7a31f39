/*
 * Read-only ext2, computed and never mounted: a tree becomes a source whose bytes are an
 * ext2 filesystem. Planning decides every inode and block number; reading then makes any
 * block on the fly, by any thread, so that a filesystem can be hashed, copied and wrapped
 * in one pass.
 *
 * On disk: revision 1, blocks of 4096 bytes, inodes of 256, features ext_attr, filetype,
 * sparse_super, large_file and read-only (RO_COMPAT_READONLY, which makes every kernel
 * refuse to mount it for writing); dir_nlink where a folder has more than 64,998 others
 * in it. No journal, no clock, nothing random.
 *
 * Inodes: 2 the root, 11 lost+found, then from 12 on every entry in the tree's order, a
 * folder before its children, children in byte order of their names. Blocks, in this
 * order and without gaps: folders, attribute blocks, long symbolic links, files, each
 * in inode order; an indirect block stands directly before the data it points at, and
 * only the group headers that ext2 puts every 128 MiB interrupt a file. A file that has
 * holes is sparse at whole blocks.
 *
 * Extended attributes stand in blocks shared by up to 1024 files with equal ones.
 *
 * Specification: https://www.kernel.org/doc/html/latest/filesystems/ext4/ (the ext2 part).
 */
#ifndef INGOT_FS_EXT2_H
#define INGOT_FS_EXT2_H

#include "base/guid.h"
#include "io/source.h"
#include "tree/tree.h"

#define INGOT_EXT2_BLOCK     4096
#define INGOT_EXT2_LABEL_MAX 16

struct ingot_ext2_options {
	struct ingot_guid uuid;
	struct ingot_guid hash_seed;
	const char *label; /* at most INGOT_EXT2_LABEL_MAX bytes; NULL: none */
	int64_t epoch;	   /* the time of everything that has none in the tree */
	uint64_t size;	   /* bytes, a multiple of 4096; 0: as small as the tree allows */
};

struct ingot_ext2_stats {
	uint64_t blocks, free_blocks;	/* of the filesystem */
	uint64_t inodes;		/* in use, the reserved ones not counted */
	uint64_t files, folders, links; /* links: symbolic */
};

/*
 * The filesystem of everything under root, which becomes its root folder. Tree and node
 * are borrowed and stay unchanged (but for node->scratch) as long as the source lives.
 * -ENOSPC: it does not fit; the sentence says what is missing and what weighs most.
 */
INGOT_API INGOT_MUST_USE int ingot_ext2_source(struct ingot_tree *tree, struct ingot_node *root,
					       const struct ingot_ext2_options *options,
					       struct ingot_source **ret,
					       struct ingot_ext2_stats *ret_stats,
					       struct ingot_error *err);

#endif

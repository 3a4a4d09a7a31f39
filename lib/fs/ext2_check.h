/*
 * Whether an ext2 filesystem (or ext3, ext4) is whole. Reads only, believes nothing, and shares no
 * code with the writer: what one of them gets wrong the other one sees.
 *
 * Checked: superblock and its copies; group descriptors and their copies; both bitmaps against
 * what is really used; free counts; every inode in use (type, size, blocks, flags, block map or
 * extents: no block outside, none twice); folders ("." and "..", entries, names, file types);
 * every inode has a name, every folder one, none is in itself; link counts; attribute blocks
 * (entries, hashes, how many share them); symbolic links; and, with metadata_csum or uninit_bg,
 * the checksums of superblock, descriptors, bitmaps, inodes, extents, folders and attributes.
 *
 * Features beyond those of `mke2fs -t ext4` (inline_data, bigalloc, quota, encrypt, ea_inode,
 * casefold, meta_bg, ...) cannot be checked, which is an error and not a clean bill. The content
 * of the journal is not looked at.
 *
 * With INGOT_EXT_OURS the filesystem must be one that ingot_ext2_source makes. Then everything
 * that has only one possible value must have it: unused bytes of superblock, descriptors, inodes,
 * folders and attribute blocks, unused inodes, free blocks and what follows the end of a file in
 * its last block are zero; the four times of an inode are one; names stand in order. What a
 * checker of structure still cannot see there, because every value is a good one: UUID, label,
 * hash seed and times of a filesystem of one group (with more groups the copies tell); of an
 * inode the permission bits, owner and group, and a size that grows inside the last block or by a
 * hole; device numbers; names that keep their order; the kind of an extended attribute and a length
 * of its value that differs in zeros only; targets of symbolic links; file contents. The hash tree
 * covers all of them.
 *
 * Time is linear in the size of the metadata (INGOT_EXT_OURS: also in the space that is free and
 * not a hole); memory is one bit for a block and 16 bytes for an inode, plus 16 for each block of
 * a folder and inode with an attribute block.
 */
#ifndef INGOT_FS_EXT2_CHECK_H
#define INGOT_FS_EXT2_CHECK_H

#include <stdbool.h>

#include "base/problems.h"
#include "io/source.h"

#define INGOT_EXT_CHECK_BLOCKS_MAX	  (UINT64_C(1) << 28) /* 1 TiB of 4 KiB */
#define INGOT_EXT_CHECK_INODES_MAX	  (UINT32_C(1) << 24)
#define INGOT_EXT_CHECK_GROUPS_MAX	  (UINT32_C(1) << 17)
#define INGOT_EXT_CHECK_FOLDER_BLOCKS_MAX (UINT32_C(1) << 22)

enum ingot_ext_kind { INGOT_EXT_ANY, INGOT_EXT_OURS };

/* What was seen; complete only if no problem was found. */
struct ingot_ext_check {
	bool read_only; /* RO_COMPAT_READONLY: kernels refuse to mount it for writing */
	bool checksums; /* metadata_csum */
	bool journal;
	uint32_t block_size, groups;
	uint64_t blocks, free_blocks;
	uint32_t inodes, free_inodes;
	uint32_t files, folders, links, others; /* links: symbolic */
};

/*
 * 0: it was checked, and `problems` says what is wrong, if anything (ask ingot_problems_any).
 * -ENODATA: no ext filesystem; -EOPNOTSUPP: features, or -EFBIG: sizes, that cannot be checked.
 */
INGOT_API INGOT_MUST_USE int ingot_ext_check(struct ingot_source *source, enum ingot_ext_kind kind,
					     struct ingot_problems *problems,
					     struct ingot_ext_check *ret, struct ingot_error *err);

#endif

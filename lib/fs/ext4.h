/*
 * Read-write ext4, for the partitions that a machine writes to (ROOT, OEM), made by
 * libext2fs into a sink: no mount, no loop device, no child process, and the same bytes
 * for the same tree on any day.
 *
 * What comes out is what `mke2fs -t ext4` of e2fsprogs 1.47 makes, less orphan_file:
 * has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg sparse_super
 * large_file huge_file dir_nlink extra_isize metadata_csum; blocks of 4096 bytes, inodes
 * of 256, errors=remount-ro, room to grow to 1024 times its size while mounted. One inode
 * for every 16 KiB (4 KiB below 512 MiB), or more where the tree has more files.
 *
 * Inodes: 2 the root, 11 lost+found, then from 12 on every entry in the tree's order, a
 * folder before its children, children in byte order of their names; blocks in the same
 * order. Folders are linear and get an index when the kernel fills them further. All four
 * times of a file are its modification time.
 *
 * Specification: https://www.kernel.org/doc/html/latest/filesystems/ext4/
 */
#ifndef INGOT_FS_EXT4_H
#define INGOT_FS_EXT4_H

#include "base/guid.h"
#include "io/sink.h"
#include "tree/tree.h"

#define INGOT_EXT4_BLOCK     4096
#define INGOT_EXT4_SIZE_MIN  (8U << 20) /* below it there is no room for a journal */
#define INGOT_EXT4_LABEL_MAX 16

struct ingot_ext4_options {
	uint64_t size; /* bytes, rounded down to blocks; 0: the whole sink */
	struct ingot_guid uuid;
	struct ingot_guid hash_seed;
	const char *label;	   /* at most INGOT_EXT4_LABEL_MAX bytes; NULL: none */
	int64_t epoch;		   /* the time of everything that has none in the tree */
	unsigned reserved_percent; /* blocks that only root may use, 0 .. 50; mke2fs: 5 */
};

/*
 * Write a filesystem with everything under root, which becomes its root folder; root NULL
 * makes an empty one (tree may be NULL then). The sink is new: what was not written reads
 * as zero, so inode tables and journal are not written. The tree is as before afterwards
 * (but for node->scratch).
 *
 * -ENOSPC: it does not fit, said before any file is read; -EINVAL: the size or the label
 * is bad, or an entry is one that ext4 cannot hold.
 */
INGOT_API INGOT_MUST_USE int ingot_ext4_write(struct ingot_sink *sink,
					      const struct ingot_ext4_options *options,
					      struct ingot_tree *tree, struct ingot_node *root,
					      struct ingot_error *err);

#endif

/* What the files of the ext4 writer share. */
#ifndef INGOT_FS_EXT4_INTERNAL_H
#define INGOT_FS_EXT4_INTERNAL_H

#include <ext2fs/ext2fs.h>

#include "fs/ext4.h"

enum {
	EXT4_BLOCK = INGOT_EXT4_BLOCK,
	EXT4_INODE_SIZE = 256,
	EXT4_ROOT_INODE = 2,
	EXT4_LOST_FOUND_INODE = 11,
	EXT4_FIRST_INODE = 12,	    /* of the tree's entries */
	EXT4_LOST_FOUND_BLOCKS = 4, /* so that fsck can use it on a full filesystem */
	EXT4_LINKS_MAX = 65000,
};

/* --- ext4_io.c: libext2fs's view of the sink --------------------------- */

/* A sink with a small write-back cache of blocks in front. */
struct ext4_device;

int ext4_device_new(struct ingot_sink *sink, struct ext4_device **ret, struct ingot_error *err);
void ext4_device_free(struct ext4_device *device); /* what is not flushed is lost */
INGOT_DEFINE_CLEANUP(struct ext4_device, ext4_device, ext4_device_free)

/* The manager, and the name under which it opens the device. */
extern struct struct_io_manager ext4_io_manager;
#define EXT4_DEVICE_NAME 32
void ext4_device_name(const struct ext4_device *device, char name[EXT4_DEVICE_NAME]);

/*
 * The sentence for libext2fs's code: the sink's own if it was the sink that failed. Returns a
 * negative errno.
 */
int ext4_raise(struct ext4_device *device, errcode_t code, struct ingot_error *err,
	       const char *format, ...) INGOT_PRINTF(4, 5) INGOT_MUST_USE;

/* --- ext4_plan.c: numbers before bytes --------------------------------- */

/* What the tree will need. */
struct ext4_plan {
	uint32_t inodes; /* root and lost+found included */
	uint64_t blocks; /* of data, folders, links and attributes */
	uint32_t *links; /* of every inode number below EXT4_FIRST_INODE + inodes */
};

/* Number every entry in node->scratch. The links are the caller's to free. */
int ext4_plan(struct ingot_node *root, struct ext4_plan *ret,
	      struct ingot_error *err) INGOT_MUST_USE;

/* Whole blocks first, then count of them; runs that share a block or touch are one. */
struct ext4_span {
	uint64_t block, count;
};

/* The next span of a file at or after *run; false: no more. Start with *run = 0. */
bool ext4_next_span(const struct ingot_node *file, size_t *run, struct ext4_span *ret);

/* Bytes of a directory entry. */
static inline uint32_t ext4_entry_size(size_t name_length)
{
	return (uint32_t)((8 + name_length + 3) & ~(size_t)3);
}

/* Of a directory block, without its checksum. */
enum { EXT4_DIR_BLOCK = EXT4_BLOCK - 12, EXT4_DOTS = 24 };

uint64_t ext4_directory_blocks(const struct ingot_node *dir);

/* A hard link's node, or the node itself. */
static inline const struct ingot_node *ext4_target(const struct ingot_node *node)
{
	return node->is_link ? node->link : node;
}

/* --- ext4_populate.c --------------------------------------------------- */

/* A filesystem being filled. */
struct ext4 {
	ext2_filsys fs;
	struct ext4_device *device;
	struct ingot_sink *sink;
	struct ingot_node *root;
	const struct ext4_plan *plan;
	struct ingot_tree_reader *reader; /* NULL: there are no files */
	blk64_t next;			  /* where the next block should be */
	struct ext4_stream *stream;
};

int ext4_populate(struct ext4 *e, struct ingot_error *err) INGOT_MUST_USE;

/* --- ext4_stream.c: file contents, in large writes --------------------- */

struct ext4_stream;

int ext4_stream_new(struct ext4_stream **ret, struct ingot_error *err) INGOT_MUST_USE;
void ext4_stream_free(struct ext4_stream *stream);
INGOT_DEFINE_CLEANUP(struct ext4_stream, ext4_stream, ext4_stream_free)

/* n bytes at offset of the file go to `to` in the sink. */
int ext4_stream_copy(struct ext4 *e, const struct ingot_node *file, uint64_t offset, uint64_t n,
		     uint64_t to, struct ingot_error *err) INGOT_MUST_USE;
int ext4_stream_flush(struct ext4 *e, struct ingot_error *err) INGOT_MUST_USE;

/* --- ext4_directory.c, ext4_inode.c, ext4_xattr.c ---------------------- */

/* An inode on its way to the disk. */
struct ext4_inode {
	ext2_ino_t number;
	struct ext2_inode_large large;
	ext2_extent_handle_t extents;
};

void ext4_inode_begin(struct ext4 *e, const struct ingot_node *node, struct ext4_inode *inode);

/* Its i_block becomes an extent tree, empty for now. */
int ext4_inode_open(struct ext4 *e, struct ext4_inode *inode,
		    struct ingot_error *err) INGOT_MUST_USE;

/* Blocks for `count` blocks of the file from `block` on: one run, as long as there is one. */
int ext4_inode_map(struct ext4 *e, struct ext4_inode *inode, uint64_t block, uint64_t count,
		   blk64_t *ret_at, uint64_t *ret_count, struct ingot_error *err) INGOT_MUST_USE;

int ext4_inode_end(struct ext4 *e, struct ext4_inode *inode,
		   struct ingot_error *err) INGOT_MUST_USE;
void ext4_inode_done(struct ext4_inode *inode);

int ext4_write_directory(struct ext4 *e, const struct ingot_node *dir, struct ext4_inode *inode,
			 struct ingot_error *err) INGOT_MUST_USE;

int ext4_write_xattrs(struct ext4 *e, const struct ingot_node *node, ext2_ino_t number,
		      struct ingot_error *err) INGOT_MUST_USE;

/* Whether the attributes need a block beside the inode. */
bool ext4_xattrs_need_block(const struct ingot_xattrs *xattrs);

#endif

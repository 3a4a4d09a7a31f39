#include <errno.h>
#include <string.h>

#include "fs/ext4_internal.h"

static int write_span(struct ext4 *e, const struct ingot_node *file, struct ext4_inode *inode,
		      struct ext4_span span, struct ingot_error *err)
{
	while (span.count > 0) {
		uint64_t offset = span.block * EXT4_BLOCK, count, n;
		blk64_t at;
		int rc = ext4_inode_map(e, inode, span.block, span.count, &at, &count, err);

		if (rc < 0)
			return rc;
		n = ingot_min(count * EXT4_BLOCK, file->size - offset);
		rc = ext4_stream_copy(e, file, offset, n, at * EXT4_BLOCK, err);
		if (rc < 0)
			return rc;
		span.block += count;
		span.count -= count;
	}
	return 0;
}

static int write_file(struct ext4 *e, const struct ingot_node *file, struct ext4_inode *inode,
		      struct ingot_error *err)
{
	struct ext4_span span;
	size_t run = 0;
	int rc;

	if (file->size > (UINT64_C(1) << 32) * EXT4_BLOCK - EXT4_BLOCK)
		return ingot_raise(err, -EFBIG, "ext4 has no files larger than 16 TiB");
	rc = ext4_inode_open(e, inode, err);
	while (rc == 0 && ext4_next_span(file, &run, &span))
		rc = write_span(e, file, inode, span, err);
	if (rc < 0)
		return rc;
	(void)ext2fs_inode_size_set(e->fs, EXT2_INODE(&inode->large), (ext2_off64_t)file->size);
	return 0;
}

/* Short targets stand in the inode, in place of the block map. */
static int write_symlink(struct ext4 *e, const struct ingot_node *link, struct ext4_inode *inode,
			 struct ingot_error *err)
{
	char data[EXT4_BLOCK] = "";
	uint64_t count;
	errcode_t code;
	blk64_t at;
	int rc;

	if (link->size >= sizeof(data))
		return ingot_raise(err, -ENAMETOOLONG,
				   "the link's target has %llu bytes, ext4 has room for %d",
				   (unsigned long long)link->size, EXT4_BLOCK - 1);
	inode->large.i_size = (uint32_t)link->size;
	if (link->size < sizeof(inode->large.i_block)) {
		memcpy(inode->large.i_block, link->target, link->size);
		return 0;
	}
	memcpy(data, link->target, link->size);
	rc = ext4_inode_open(e, inode, err);
	if (rc == 0)
		rc = ext4_inode_map(e, inode, 0, 1, &at, &count, err);
	if (rc < 0)
		return rc;
	code = io_channel_write_blk64(e->fs->io, at, 1, data);
	if (code)
		return ext4_raise(e->device, code, err, "the link's target");
	return 0;
}

/* The kernel's old form of a device number where it fits, else the new one. */
static int write_device(const struct ingot_node *node, struct ext4_inode *inode,
			struct ingot_error *err)
{
	uint32_t major = node->device.major, minor = node->device.minor;

	if (major >= 1U << 12 || minor >= 1U << 20)
		return ingot_raise(err, -EINVAL, "device %u:%u: ext4 has 12 and 20 bits for it",
				   major, minor);
	if (major < 256 && minor < 256)
		inode->large.i_block[0] = major << 8 | minor;
	else
		inode->large.i_block[1] = (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
	return 0;
}

static int write_contents(struct ext4 *e, const struct ingot_node *node, struct ext4_inode *inode,
			  struct ingot_error *err)
{
	switch (node->mode & S_IFMT) {
	case S_IFREG:
		return write_file(e, node, inode, err);
	case S_IFDIR:
		return ext4_write_directory(e, node, inode, err);
	case S_IFLNK:
		return write_symlink(e, node, inode, err);
	case S_IFCHR:
	case S_IFBLK:
		return write_device(node, inode, err);
	default: /* FIFOs and sockets are their inode */
		return 0;
	}
}

static int write_node(struct ext4 *e, const struct ingot_node *node, struct ingot_error *err)
{
	struct ext4_inode inode;
	int rc;

	ext4_inode_begin(e, node, &inode);
	rc = write_contents(e, node, &inode, err);
	ext4_inode_done(&inode);
	if (rc == 0)
		rc = ext4_inode_end(e, &inode, err);
	if (rc == 0)
		rc = ext4_write_xattrs(e, node, inode.number, err);
	return rc;
}

int ext4_populate(struct ext4 *e, struct ingot_error *err)
{
	char path[256];

	for (struct ingot_node *n = e->root; n; n = ingot_node_next(e->root, n)) {
		int rc = n->is_link ? 0 : write_node(e, n, err);

		if (rc < 0)
			return ingot_wrap(err, rc, "'%s'", ingot_node_path(n, path, sizeof(path)));
	}
	return ext4_stream_flush(e, err);
}

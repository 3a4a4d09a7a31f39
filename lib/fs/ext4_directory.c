#include <errno.h>
#include <string.h>

#include "fs/ext4_internal.h"

/*
 * Folders are built whole, in one pass over the children. (ext2fs_link looks for room from
 * the first block on for every entry.) The last entry of a block reaches to the checksum
 * at the block's end.
 */
struct packer {
	struct ext4 *e;
	struct ext4_inode *inode;
	uint64_t block, blocks;	     /* the next one; all of them */
	blk64_t at;		     /* where the block goes */
	uint64_t run;		     /* blocks of the run that are left from there */
	uint32_t used;		     /* bytes of the block */
	struct ext2_dir_entry *last; /* entry in it */
	_Alignas(struct ext2_dir_entry) char data[EXT4_BLOCK];
};

static int file_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EXT2_FT_REG_FILE;
	case S_IFDIR:
		return EXT2_FT_DIR;
	case S_IFCHR:
		return EXT2_FT_CHRDEV;
	case S_IFBLK:
		return EXT2_FT_BLKDEV;
	case S_IFIFO:
		return EXT2_FT_FIFO;
	case S_IFSOCK:
		return EXT2_FT_SOCK;
	default:
		return EXT2_FT_SYMLINK;
	}
}

/* Write the block and start the next one. */
static int finish_block(struct packer *p, struct ingot_error *err)
{
	ext2_filsys fs = p->e->fs;
	errcode_t code;
	int rc;

	if (p->last)
		p->last->rec_len = (uint16_t)(p->last->rec_len + EXT4_DIR_BLOCK - p->used);
	else /* nothing in it: one free entry */
		((struct ext2_dir_entry *)p->data)->rec_len = EXT4_DIR_BLOCK;
	ext2fs_initialize_dirent_tail(fs, EXT2_DIRENT_TAIL(p->data, EXT4_BLOCK));
	if (p->run == 0) {
		rc = ext4_inode_map(p->e, p->inode, p->block, p->blocks - p->block, &p->at, &p->run,
				    err);
		if (rc < 0)
			return rc;
	}
	code = ext2fs_write_dir_block4(fs, p->at, p->data, 0, p->inode->number);
	if (code)
		return ext4_raise(p->e->device, code, err, "folder block %llu",
				  (unsigned long long)p->block);
	memset(p->data, 0, sizeof(p->data));
	p->last = NULL;
	p->used = 0;
	p->at++;
	p->run--;
	p->block++;
	return 0;
}

static int add(struct packer *p, uint32_t number, const char *name, size_t length, int type,
	       struct ingot_error *err)
{
	uint32_t size = ext4_entry_size(length);
	int rc = p->used + size > EXT4_DIR_BLOCK ? finish_block(p, err) : 0;
	struct ext2_dir_entry *entry;

	if (rc < 0)
		return rc;
	entry = (struct ext2_dir_entry *)(void *)(p->data + p->used);
	entry->inode = number;
	entry->rec_len = (uint16_t)size;
	ext2fs_dirent_set_name_len(entry, (int)length);
	ext2fs_dirent_set_file_type(entry, type);
	memcpy(entry->name, name, length);
	p->last = entry;
	p->used += size;
	return 0;
}

int ext4_write_directory(struct ext4 *e, const struct ingot_node *dir, struct ext4_inode *inode,
			 struct ingot_error *err)
{
	uint32_t parent = dir == e->root ? EXT4_ROOT_INODE : dir->parent->scratch;
	struct packer p = {.e = e, .inode = inode, .blocks = ext4_directory_blocks(dir)};
	int rc = ext4_inode_open(e, inode, err);

	if (rc == 0)
		rc = add(&p, inode->number, ".", 1, EXT2_FT_DIR, err);
	if (rc == 0)
		rc = add(&p, parent, "..", 2, EXT2_FT_DIR, err);
	for (const struct ingot_node *c = dir->children; c && rc == 0; c = c->next)
		rc = add(&p, ext4_target(c)->scratch, c->name, c->name_length,
			 file_type(ext4_target(c)->mode), err);
	while (rc == 0 && p.block < p.blocks)
		rc = finish_block(&p, err);
	if (rc < 0)
		return rc;
	(void)ext2fs_inode_size_set(e->fs, EXT2_INODE(&inode->large),
				    (ext2_off64_t)(p.blocks * EXT4_BLOCK));
	return 0;
}

#include "fs/ext2_internal.h"

#include <string.h>

#include "base/bytes.h"

/*
 * Folders are linear: "." and "..", then the names in byte order. An entry never crosses
 * a block; the last of a block reaches to the block's end.
 *
 *	0 inode  4 entry length  6 name length  7 file type  8 name, padded to 4
 */

enum { ENTRY_HEAD = 8 };

struct packer {
	uint32_t block;	       /* the one being filled */
	uint32_t used;	       /* bytes of it */
	uint32_t last;	       /* offset of its last entry */
	uint32_t first, count; /* blocks wanted */
	unsigned char *data;   /* NULL: nothing is */
};

static unsigned char *place(const struct packer *p)
{
	if (!p->data || p->block < p->first || p->block - p->first >= p->count)
		return NULL;
	return p->data + (size_t)(p->block - p->first) * BLOCK;
}

static void finish_block(const struct packer *p)
{
	unsigned char *data = place(p);

	if (data)
		ingot_put_le16(data + p->last + 4, (uint16_t)(BLOCK - p->last));
}

static void add(struct packer *p, uint32_t inode, const char *name, size_t length, unsigned type)
{
	uint32_t size = (uint32_t)((ENTRY_HEAD + length + 3) & ~(size_t)3);
	unsigned char *data;

	if (p->used + size > BLOCK) {
		finish_block(p);
		p->block++;
		p->used = 0;
	}
	data = place(p);
	if (data) {
		data += p->used;
		ingot_put_le32(data, inode);
		ingot_put_le16(data + 4, (uint16_t)size);
		data[6] = (unsigned char)length;
		data[7] = (unsigned char)type;
		memcpy(data + ENTRY_HEAD, name, length);
	}
	p->last = p->used;
	p->used += size;
}

/* EXT2_FT_*: 1 file, 2 folder, 3 character, 4 block device, 5 FIFO, 6 socket, 7 symbolic link */
static unsigned file_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 1;
	case S_IFDIR:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	case S_IFSOCK:
		return 6;
	case S_IFLNK:
		return 7;
	default:
		return 0;
	}
}

static void pack(const struct ext2 *fs, const struct ingot_node *dir, struct packer *p)
{
	static const char lost_found[] = "lost+found";
	uint32_t self = dir ? node_inode(dir) : LOST_FOUND_INODE;
	uint32_t parent = dir && dir != fs->root ? node_inode(dir->parent) : ROOT_INODE;

	add(p, self, ".", 1, 2);
	add(p, parent, "..", 2, 2);
	if (dir == fs->root && fs->own_lost_found)
		add(p, LOST_FOUND_INODE, lost_found, sizeof(lost_found) - 1, 2);
	for (const struct ingot_node *c = dir ? dir->children : NULL; c; c = c->next)
		add(p, node_inode(c), c->name, c->name_length,
		    file_type(c->is_link ? c->link->mode : c->mode));
	finish_block(p);
}

uint32_t ext2_directory_blocks(const struct ext2 *fs, const struct ingot_node *dir)
{
	struct packer p = {0};

	pack(fs, dir, &p);
	return p.block + 1;
}

void ext2_directory_fill(const struct ext2 *fs, const struct ingot_node *dir, uint32_t first,
			 uint32_t count, unsigned char *data)
{
	struct packer p = {.first = first, .count = count, .data = data};

	memset(data, 0, (size_t)count * BLOCK);
	pack(fs, dir, &p);
}

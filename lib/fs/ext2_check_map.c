#include "fs/ext2_check_internal.h"

#include <errno.h>
#include <string.h>

/*
 * Block maps: twelve direct pointers, then a single, a double and a triple indirect tree. Every
 * block of a map is claimed before it is read, so one that is in its own tree ends the walk.
 */

enum { DIRECT = 12 };

int ext_add_data(struct ext_checker *c, struct ext_inode *inode, uint64_t logical, uint64_t block,
		 bool *ret_good, struct ingot_error *err)
{
	int rc;

	*ret_good = ext_claim(c, block, "inode", inode->number);
	if (!*ret_good)
		return 0;
	inode->mapped++;
	if (inode->type == EXT_DIR && logical != inode->end)
		ext_problem(c, "inode %u: a folder with a hole", inode->number);
	inode->end = logical + 1;
	inode->last = block;
	if (inode->type != EXT_DIR)
		return 0;
	if (c->folder_block_count == INGOT_EXT_CHECK_FOLDER_BLOCKS_MAX)
		return ingot_raise(err, -EFBIG, "the folders are too large to be checked");
	rc = ingot_grow((void **)&c->folder_blocks, &c->folder_block_room,
			c->folder_block_count + 1, sizeof(*c->folder_blocks), err);
	if (rc < 0)
		return rc;
	c->folder_blocks[c->folder_block_count++] = (struct ext_folder_block){
		inode->number, (uint32_t)logical, (uint32_t)block, inode->generation};
	return 0;
}

/* One of the three trees, from the top down. */
struct tree {
	struct ext_inode *inode;
	unsigned char *blocks; /* one for each level */
	bool bad;	       /* one pointer was: the others would only repeat it */
};

static int check_pointer(struct ext_checker *c, struct tree *t, unsigned level, uint64_t logical,
			 uint64_t span, uint32_t block, struct ingot_error *err);

static int check_indirect(struct ext_checker *c, struct tree *t, unsigned level, uint64_t logical,
			  uint64_t span, struct ingot_error *err)
{
	const unsigned char *data = t->blocks + (size_t)(level - 1) * c->block_size;
	uint32_t pointers = c->block_size / 4;
	bool any = false;
	int rc = 0;

	for (uint32_t i = 0; i < pointers && rc == 0 && !t->bad; i++) {
		uint32_t next = ingot_get_le32(data + (size_t)i * 4);

		if (next == 0)
			continue;
		any = true;
		rc = check_pointer(c, t, level - 1, logical + i * span, span / pointers, next, err);
	}
	if (rc == 0 && !any && !t->bad && c->ours)
		ext_problem(c, "inode %u: an indirect block without a pointer", t->inode->number);
	return rc;
}

/* level 0: data. `span`: blocks of the file below one pointer of the next level. */
static int check_pointer(struct ext_checker *c, struct tree *t, unsigned level, uint64_t logical,
			 uint64_t span, uint32_t block, struct ingot_error *err)
{
	bool good = true;
	int rc = 0;

	if (level == 0) {
		rc = ext_add_data(c, t->inode, logical, block, &good, err);
		t->bad |= !good;
		return rc;
	}
	if (!ext_claim(c, block, "inode", t->inode->number)) {
		t->bad = true;
		return 0;
	}
	t->inode->mapped++;
	rc = ext_read_block(c, block, t->blocks + (size_t)(level - 1) * c->block_size, err);
	return rc == 0 ? check_indirect(c, t, level, logical, span, err) : rc;
}

static int check_block_map(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	INGOT_FREE unsigned char *blocks = NULL;
	const unsigned char *p = inode->raw + 40;
	struct tree t = {.inode = inode};
	uint64_t pointers = c->block_size / 4, logical = DIRECT, span = 1;
	int rc = 0;

	for (uint32_t i = 0; i < DIRECT && rc == 0 && !t.bad; i++)
		if (ingot_get_le32(p + (size_t)i * 4))
			rc = check_pointer(c, &t, 0, i, 0, ingot_get_le32(p + (size_t)i * 4), err);
	if (rc < 0 || ext_is_zero(p + 48, 12))
		return rc;
	blocks = ingot_alloc(3, c->block_size, err);
	if (!blocks)
		return -ENOMEM;
	t.blocks = blocks;
	for (unsigned level = 1; level <= 3 && rc == 0 && !t.bad; level++) {
		uint32_t block = ingot_get_le32(p + (size_t)(DIRECT + level - 1) * 4);

		if (block)
			rc = check_pointer(c, &t, level, logical, span, block, err);
		span *= pointers;
		logical += span;
	}
	return rc;
}

int ext_check_map(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	if (!(inode->flags & INODE_EXTENTS))
		return check_block_map(c, inode, err);
	if (c->incompat & INCOMPAT_EXTENTS)
		return ext_check_extents(c, inode, err);
	ext_problem(c, "inode %u: extents, and the filesystem has none", inode->number);
	return 0;
}

/* --- the inode that keeps room for descriptors -------------------------- */

/* The next group after `group` that has copies; c->groups: none. */
static uint32_t next_super(const struct ext_checker *c, uint32_t group)
{
	do
		group++;
	while (group < c->groups && !ext_has_super(c, group));
	return group;
}

/*
 * Reserved block i of the first group lists those of the other groups. They are claimed with their
 * headers already.
 */
static int check_reserved_block(struct ext_checker *c, uint32_t i, unsigned char *data,
				uint64_t *copies, struct ingot_error *err)
{
	uint32_t at = 1 + c->descriptor_blocks + i, group = 0, listed = 0;
	int rc = ext_read_block(c, (uint64_t)c->first_block + at, data, err);

	if (rc < 0)
		return rc;
	while ((group = next_super(c, group)) < c->groups && listed < c->block_size / 4)
		if (ingot_get_le32(data + (size_t)listed++ * 4) != ext_group_start(c, group) + at)
			break;
	*copies += listed;
	if (group < c->groups ||
	    !ext_is_zero(data + (size_t)listed * 4, c->block_size - (size_t)listed * 4))
		ext_problem(c, "inode %u: it does not list the reserved blocks", EXT_RESIZE);
	return 0;
}

int ext_check_resize_inode(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	INGOT_FREE unsigned char *list = ingot_alloc(c->block_size, 2, err);
	uint32_t block = ingot_get_le32(inode->raw + 40 + (size_t)4 * (DIRECT + 1));
	uint32_t first = c->first_block + 1 + c->descriptor_blocks, n = c->block_size / 4;
	uint64_t blocks = 1;
	int rc;

	if (!list)
		return -ENOMEM;
	ext_csum_inode(c, inode);
	c->states[inode->number - 1].type = inode->type;
	c->states[inode->number - 1].hidden = true;
	if (!ext_claim(c, block, "inode", inode->number))
		return 0;
	rc = ext_read_block(c, block, list, err);
	for (uint32_t i = 0; i < c->reserved_blocks && rc == 0; i++) {
		/* As if the descriptors in use stood before it in the list. */
		uint32_t said = ingot_get_le32(list + (size_t)((c->descriptor_blocks + i) % n) * 4);

		blocks++;
		if (said != first + i)
			ext_problem(c, "inode %u: reserved block %u is not in it", inode->number,
				    first + i);
		rc = check_reserved_block(c, i, list + c->block_size, &blocks, err);
	}
	if (rc == 0 && ingot_get_le32(inode->raw + 28) != blocks * (c->block_size / 512))
		ext_problem(c, "inode %u: its count of blocks is wrong", inode->number);
	return rc;
}

#include "fs/ext2_check.h"

#include <errno.h>

#include "fs/ext2_check_internal.h"

/*
 * The order: superblock, groups and their copies; every inode, which claims its blocks; folders;
 * names and links; attribute blocks; at last the bitmaps against what was claimed.
 */

/* --- what everyone needs ----------------------------------------------- */

int ext_read_block(struct ext_checker *c, uint64_t block, void *data, struct ingot_error *err)
{
	return ingot_source_read(c->source, block * c->block_size, data, c->block_size, err);
}

bool ext_claim(struct ext_checker *c, uint64_t block, const char *what, uint32_t number)
{
	uint32_t bit;

	if (block < c->first_block || block >= c->blocks) {
		ext_problem(c, "%s %u: block %llu is outside the filesystem", what, number,
			    (unsigned long long)block);
		return false;
	}
	bit = (uint32_t)block - c->first_block;
	if (ext_bit(c->used, bit)) {
		ext_problem(c, "%s %u: block %llu is used twice", what, number,
			    (unsigned long long)block);
		return false;
	}
	c->used[bit / 8] = (unsigned char)(c->used[bit / 8] | 1U << (bit % 8));
	return true;
}

int ext_check_zero(struct ext_checker *c, uint64_t offset, uint64_t n, const char *what,
		   struct ingot_error *err)
{
	return ingot_source_check_zero(c->source, offset, n, what, c->problems, err);
}

/* --- the whole --------------------------------------------------------- */

static void done(struct ext_checker *c)
{
	free(c->descriptors);
	free(c->used);
	free(c->states);
	free(c->group_folders);
	free(c->folder_blocks);
	free(c->xattrs);
}

static int allocate(struct ext_checker *c, struct ingot_error *err)
{
	c->used = ingot_alloc(c->blocks / 8 + 1, 1, err);
	c->states = ingot_alloc(c->inodes, sizeof(*c->states), err);
	c->group_folders = ingot_alloc(c->groups, sizeof(*c->group_folders), err);
	return c->used && c->states && c->group_folders ? 0 : -ENOMEM;
}

/* Where nothing has to be, nothing is. */
static int check_rest(struct ext_checker *c, struct ingot_error *err)
{
	uint64_t end = (uint64_t)c->blocks * c->block_size;
	int rc = ext_check_zero(c, 0, EXT_SUPER, "the first 1024 bytes", err);

	if (rc == 0 && c->block_size > 2 * EXT_SUPER)
		rc = ext_check_zero(c, (uint64_t)2 * EXT_SUPER, c->block_size - 2 * EXT_SUPER,
				    "behind the superblock", err);
	if (rc == 0)
		rc = ext_check_zero(c, end, c->source->size - end, "behind the filesystem", err);
	return rc;
}

static int check_all(struct ext_checker *c, struct ingot_error *err)
{
	int rc = ext_check_super(c, err);

	if (rc != 0)
		return rc;
	rc = allocate(c, err);
	if (rc == 0)
		rc = ext_load_groups(c, err);
	if (rc == 0)
		rc = ext_check_copies(c, err);
	if (rc == 0)
		rc = ext_check_inodes(c, err);
	if (rc == 0)
		rc = ext_check_folders(c, err);
	if (rc == 0) {
		ext_check_links(c);
		rc = ext_check_xattr_blocks(c, err);
	}
	if (rc == 0)
		rc = ext_check_bitmaps(c, err);
	if (rc == 0 && c->ours)
		rc = check_rest(c, err);
	return rc;
}

int ingot_ext_check(struct ingot_source *source, enum ingot_ext_kind kind,
		    struct ingot_problems *problems, struct ingot_ext_check *ret,
		    struct ingot_error *err)
{
	struct ext_checker c = {
		.source = source, .problems = problems, .ours = kind == INGOT_EXT_OURS};
	int rc = check_all(&c, err);

	done(&c);
	if (rc < 0)
		return rc;
	if (problems->oom)
		return ingot_raise_oom(err, 0);
	if (ret)
		*ret = c.seen;
	return 0;
}

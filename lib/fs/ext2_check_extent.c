#include "fs/ext2_check_internal.h"

#include <errno.h>

/* Extents (kernel's document, "Extent Tree"): a small tree, every block of it claimed once. */

enum { MAGIC = 0xf30a, HEAD = 12, ENTRY = 12, DEPTH_MAX = 5, WRITTEN_MAX = 32768 };

struct walk {
	struct ext_inode *inode;
	uint64_t next; /* first block of the file that may come */
};

static int bad(struct ext_checker *c, const struct walk *w, const char *what)
{
	ext_problem(c, "inode %u: extents: %s", w->inode->number, what);
	return 0;
}

static int add_extent(struct ext_checker *c, struct walk *w, const unsigned char *e,
		      struct ingot_error *err)
{
	uint64_t logical = ingot_get_le32(e), n = ingot_get_le16(e + 4);
	uint64_t block = ingot_get_le32(e + 8) | (uint64_t)ingot_get_le16(e + 6) << 32;
	bool good = true;
	int rc = 0;

	if (n > WRITTEN_MAX) {
		n -= WRITTEN_MAX;
		w->inode->preallocated = true;
	}
	if (n == 0 || logical < w->next)
		return bad(c, w, "one is empty, or out of order");
	w->next = logical + n;
	for (uint64_t i = 0; i < n && good && rc == 0; i++)
		rc = ext_add_data(c, w->inode, logical + i, block + i, &good, err);
	return rc;
}

static int walk(struct ext_checker *c, struct walk *w, const unsigned char *node, size_t size,
		unsigned depth, struct ingot_error *err);

static int follow(struct ext_checker *c, struct walk *w, const unsigned char *e, unsigned depth,
		  struct ingot_error *err)
{
	uint64_t block = ingot_get_le32(e + 4) | (uint64_t)ingot_get_le16(e + 8) << 32;
	INGOT_FREE unsigned char *node = NULL;
	int rc;

	if (ingot_get_le32(e) < w->next)
		return bad(c, w, "an index is out of order");
	if (!ext_claim(c, block, "inode", w->inode->number))
		return 0;
	w->inode->mapped++;
	node = ingot_alloc(c->block_size, 1, err);
	if (!node)
		return -ENOMEM;
	rc = ext_read_block(c, block, node, err);
	if (rc < 0)
		return rc;
	ext_csum_extents(c, w->inode, block, node);
	return walk(c, w, node, c->block_size, depth - 1, err);
}

static int walk(struct ext_checker *c, struct walk *w, const unsigned char *node, size_t size,
		unsigned depth, struct ingot_error *err)
{
	size_t entries = ingot_get_le16(node + 2), room = ingot_get_le16(node + 4);
	int rc = 0;

	if (ingot_get_le16(node) != MAGIC || ingot_get_le16(node + 6) != depth || entries > room ||
	    HEAD + room * ENTRY > size)
		return bad(c, w, "a header cannot be true");
	if (entries == 0 && depth > 0)
		return bad(c, w, "an index of nothing");
	for (size_t i = 0; i < entries && rc == 0; i++) {
		const unsigned char *e = node + HEAD + i * ENTRY;

		rc = depth == 0 ? add_extent(c, w, e, err) : follow(c, w, e, depth, err);
	}
	return rc;
}

int ext_check_extents(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	const unsigned char *root = inode->raw + 40;
	unsigned depth = ingot_get_le16(root + 6);
	struct walk w = {.inode = inode};

	if (depth > DEPTH_MAX)
		return bad(c, &w, "too deep");
	return walk(c, &w, root, 60, depth, err);
}

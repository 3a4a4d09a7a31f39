#include <errno.h>
#include <string.h>

#include "fs/ext4_internal.h"

/* --- spans ------------------------------------------------------------- */

static struct ext4_span whole_blocks(uint64_t offset, uint64_t length)
{
	uint64_t first = offset / EXT4_BLOCK;

	return (struct ext4_span){first, ingot_div_up(offset + length, EXT4_BLOCK) - first};
}

bool ext4_next_span(const struct ingot_node *file, size_t *run, struct ext4_span *ret)
{
	const struct ingot_runs *runs = file->runs;

	if (!runs) {
		*ret = whole_blocks(0, file->size);
		return (*run)++ == 0 && file->size > 0;
	}
	if (*run >= runs->count)
		return false;
	*ret = whole_blocks(runs->list[*run].offset, runs->list[*run].length);
	while (++*run < runs->count) {
		struct ext4_span more =
			whole_blocks(runs->list[*run].offset, runs->list[*run].length);

		if (more.block > ret->block + ret->count)
			break;
		ret->count = more.block + more.count - ret->block;
	}
	return true;
}

/* --- blocks ------------------------------------------------------------ */

uint64_t ext4_directory_blocks(const struct ingot_node *dir)
{
	uint64_t blocks = 1;
	uint32_t used = EXT4_DOTS;

	for (const struct ingot_node *c = dir->children; c; c = c->next) {
		uint32_t size = ext4_entry_size(c->name_length);

		if (used + size > EXT4_DIR_BLOCK) {
			blocks++;
			used = 0;
		}
		used += size;
	}
	if (dir->scratch == EXT4_LOST_FOUND_INODE)
		return ingot_max(blocks, EXT4_LOST_FOUND_BLOCKS);
	return blocks;
}

/* An inode holds four extents, a block of the extent tree 340; one extent is 32768 blocks. */
static uint64_t file_blocks(const struct ingot_node *file)
{
	uint64_t blocks = 0, extents = 0;
	struct ext4_span span;
	size_t run = 0;

	while (ext4_next_span(file, &run, &span)) {
		blocks += span.count;
		extents += ingot_div_up(span.count, 32768);
	}
	return blocks + (extents > 4 ? ingot_div_up(extents, 340) : 0) + (extents > 1360);
}

static uint64_t node_blocks(const struct ingot_node *node)
{
	uint64_t blocks = ext4_xattrs_need_block(node->xattrs) ? 1 : 0;

	if (S_ISDIR(node->mode))
		return blocks + ext4_directory_blocks(node);
	if (S_ISREG(node->mode))
		return blocks + file_blocks(node);
	if (S_ISLNK(node->mode) && node->size >= sizeof(((struct ext2_inode *)0)->i_block))
		return blocks + 1;
	return blocks;
}

/* --- numbers ----------------------------------------------------------- */

static bool is_lost_found(const struct ingot_node *root, const struct ingot_node *node)
{
	return node->parent == root && !node->is_link && strcmp(node->name, "lost+found") == 0;
}

static int number(struct ingot_node *root, struct ext4_plan *plan, struct ingot_error *err)
{
	uint32_t next = EXT4_FIRST_INODE;

	for (struct ingot_node *n = root; n; n = ingot_node_next(root, n)) {
		if (n->is_link)
			continue;
		if (next == UINT32_MAX - 1)
			return ingot_raise(err, -EINVAL, "the tree has more files than inodes");
		if (n == root)
			n->scratch = EXT4_ROOT_INODE;
		else if (is_lost_found(root, n))
			n->scratch = EXT4_LOST_FOUND_INODE;
		else
			n->scratch = next++;
		plan->blocks += node_blocks(n);
	}
	plan->inodes = next - EXT4_FIRST_INODE + 2;
	return 0;
}

static int too_many_links(const struct ingot_node *node, struct ingot_error *err)
{
	char path[256];

	return ingot_raise(err, -EMLINK, "'%s' has more than %d names",
			   ingot_node_path(node, path, sizeof(path)), EXT4_LINKS_MAX);
}

static int count_links(struct ingot_node *root, uint32_t *links, struct ingot_error *err)
{
	for (struct ingot_node *n = root; n; n = ingot_node_next(root, n)) {
		const struct ingot_node *target = ext4_target(n);
		uint32_t *count = &links[target->scratch];

		++*count;
		if (!S_ISDIR(n->mode) && *count > EXT4_LINKS_MAX)
			return too_many_links(target, err);
		if (S_ISDIR(n->mode)) {
			++*count; /* its own "." */
			if (n != root)
				++links[n->parent->scratch]; /* its ".." */
		}
	}
	return 0;
}

int ext4_plan(struct ingot_node *root, struct ext4_plan *ret, struct ingot_error *err)
{
	struct ext4_plan plan = {0};
	int rc = number(root, &plan, err);

	if (rc < 0)
		return rc;
	plan.links = ingot_alloc((size_t)plan.inodes + EXT4_FIRST_INODE, sizeof(*plan.links), err);
	if (!plan.links)
		return -ENOMEM;
	rc = count_links(root, plan.links, err);
	if (rc < 0) {
		free(plan.links);
		return rc;
	}
	*ret = plan;
	return 0;
}

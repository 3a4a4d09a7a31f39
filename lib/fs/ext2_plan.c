#include "fs/ext2_internal.h"

#include <errno.h>
#include <string.h>

/*
 * Planning: number the inodes, count the blocks that each needs, choose the geometry
 * (ext2_geometry.c), then hand out the blocks in ascending order.
 */

/* --- step 1: inodes ---------------------------------------------------- */

static int add_entry(struct ext2 *fs, struct ingot_node *node, struct ingot_error *err)
{
	int rc = ingot_grow((void **)&fs->entries, &fs->entry_room, fs->entry_count + 1,
			    sizeof(*fs->entries), err);

	if (rc < 0)
		return rc;
	if (node)
		node->scratch = (uint32_t)fs->entry_count;
	fs->entries[fs->entry_count++] =
		(struct entry){.node = node, .first_run = NO_RUN, .xattr = NO_XATTR};
	return 0;
}

static struct ingot_node *lost_found_of(const struct ingot_node *root)
{
	for (struct ingot_node *c = root->children; c; c = c->next)
		if (strcmp(c->name, "lost+found") == 0)
			return c;
	return NULL;
}

static int check_node(const struct ingot_node *node, struct ingot_error *err)
{
	int rc = ext2_inode_check(node, err);

	if (rc == 0 && node->xattrs)
		rc = ext2_xattr_check(node, err);
	return rc;
}

/* Entry 0 is the root, entry 1 lost+found (the tree's own, where it has one), then the walk. */
static int number_inodes(struct ext2 *fs, struct ingot_error *err)
{
	struct ingot_node *lost_found = lost_found_of(fs->root), *n;
	char path[512];
	int rc = 0;

	if (lost_found && (lost_found->is_link || !S_ISDIR(lost_found->mode)))
		return ingot_raise(err, -ENOTDIR, "'lost+found' in the tree is not a folder");
	fs->own_lost_found = !lost_found;
	rc = add_entry(fs, fs->root, err);
	if (rc == 0)
		rc = add_entry(fs, lost_found, err);
	for (n = fs->root; n && rc == 0; n = ingot_node_next(fs->root, n)) {
		if (n->is_link)
			continue;
		rc = check_node(n, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "'%s'", ingot_node_path(n, path, sizeof(path)));
		if (n != fs->root && n != lost_found)
			rc = add_entry(fs, n, err);
		if (rc == 0 && fs->entry_count > UINT32_MAX - FIRST_INODE)
			return ingot_raise(err, -E2BIG, "the tree has too many files for ext2");
	}
	return rc;
}

/* A name each, "." for folders, ".." for the folders inside. */
static int count_links(struct ext2 *fs, struct ingot_error *err)
{
	struct ingot_node *n;
	char path[512];

	for (n = fs->root; n; n = ingot_node_next(fs->root, n)) {
		const struct ingot_node *file = n->is_link ? n->link : n;

		fs->entries[file->scratch].links++;
		if (S_ISDIR(file->mode)) {
			fs->entries[file->scratch].links++;
			if (n != fs->root)
				fs->entries[n->parent->scratch].links++;
		}
	}
	if (fs->own_lost_found) {
		fs->entries[1].links = 2;
		fs->entries[0].links++;
	}
	for (size_t i = 0; i < fs->entry_count; i++) {
		struct entry *e = &fs->entries[i];

		if (e->links <= LINK_MAX_EXT2)
			continue;
		if (!S_ISDIR(e->node->mode))
			return ingot_raise(err, -EMLINK, "'%s' has %u names, ext2 allows %d",
					   ingot_node_path(e->node, path, sizeof(path)), e->links,
					   LINK_MAX_EXT2);
		e->links = 1; /* "more than can be counted" */
		fs->many_folders = true;
	}
	return 0;
}

/* --- step 2: what each needs ------------------------------------------- */

int ext2_add_run(struct ext2 *fs, struct run run, struct ingot_error *err)
{
	int rc;

	if (run.count == 0)
		return 0;
	rc = ingot_grow((void **)&fs->runs, &fs->run_room, fs->run_count + 1, sizeof(*fs->runs),
			err);
	if (rc < 0)
		return rc;
	fs->runs[fs->run_count++] = run;
	return 0;
}

/* The data of a file in whole blocks; two stretches in one block are one. */
static int map_file(struct ext2 *fs, uint32_t owner, struct ingot_error *err)
{
	const struct ingot_node *node = fs->entries[owner].node;
	struct ext2_mapper mapper = {.owner = owner};
	uint64_t next = 0; /* the first block not covered yet */
	int rc = 0;

	if (!node->runs)
		return ext2_map_add(fs, &mapper, 0, ingot_div_up(node->size, BLOCK), err);
	for (size_t i = 0; i < node->runs->count && rc == 0; i++) {
		const struct ingot_run *r = &node->runs->list[i];
		uint64_t first = ingot_max(r->offset / BLOCK, next);
		uint64_t end = ingot_div_up(r->offset + r->length, BLOCK);

		rc = ext2_map_add(fs, &mapper, first, end, err);
		next = ingot_max(next, end);
	}
	return rc;
}

static int add_content(struct ext2 *fs, uint32_t owner, struct ingot_error *err)
{
	const struct ingot_node *node = fs->entries[owner].node;
	struct ext2_mapper mapper = {.owner = owner};
	size_t first = fs->run_count;
	int rc;

	if (node && S_ISREG(node->mode))
		rc = map_file(fs, owner, err);
	else
		rc = ext2_map_add(fs, &mapper, 0, ext2_directory_blocks(fs, node), err);
	for (size_t i = first; i < fs->run_count; i++)
		fs->entries[owner].blocks += fs->runs[i].count;
	return rc;
}

static bool is_folder(const struct entry *e)
{
	return !e->node || S_ISDIR(e->node->mode);
}

static int add_folders(struct ext2 *fs, struct ingot_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < fs->entry_count && rc == 0; i++)
		if (is_folder(&fs->entries[i]))
			rc = add_content(fs, i, err);
	return rc;
}

static int add_files(struct ext2 *fs, struct ingot_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < fs->entry_count && rc == 0; i++)
		if (!is_folder(&fs->entries[i]) && S_ISREG(fs->entries[i].node->mode))
			rc = add_content(fs, i, err);
	return rc;
}

static int add_symlinks(struct ext2 *fs, struct ingot_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < fs->entry_count && rc == 0; i++) {
		struct entry *e = &fs->entries[i];

		if (is_folder(e) || !S_ISLNK(e->node->mode) || e->node->size < INLINE_LINK)
			continue;
		e->blocks = 1;
		rc = ext2_add_run(fs, (struct run){.owner = i, .count = 1, .kind = RUN_SYMLINK},
				  err);
	}
	return rc;
}

static int add_all(struct ext2 *fs, struct ingot_error *err)
{
	int rc = add_folders(fs, err);

	if (rc == 0)
		rc = ext2_share_xattrs(fs, err);
	if (rc == 0)
		rc = add_symlinks(fs, err);
	if (rc == 0)
		rc = add_files(fs, err);
	return rc;
}

/* --- step 3: blocks ---------------------------------------------------- */

/* The next free block at or after the cursor, behind the header of its group. */
static uint32_t skip_header(const struct ext2 *fs, uint32_t cursor)
{
	uint32_t group = cursor / GROUP_BLOCKS;
	uint32_t data = group * GROUP_BLOCKS + ext2_group_header(fs, group);

	return cursor < data ? data : cursor;
}

/* Every run gets its blocks, cut in two wherever a group ends. */
static int hand_out_blocks(struct ext2 *fs, struct ingot_error *err)
{
	struct run *wanted = INGOT_TAKE(fs->runs);
	size_t count = fs->run_count;
	uint32_t cursor = 0;
	int rc = 0;

	fs->run_count = fs->run_room = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct run run = wanted[i], part;
		struct entry *e = run.kind == RUN_XATTR ? NULL : &fs->entries[run.owner];

		if (e && e->first_run == NO_RUN)
			e->first_run = (uint32_t)fs->run_count;
		while (run.count > 0 && rc == 0) {
			cursor = skip_header(fs, cursor);
			part = run;
			part.block = cursor;
			part.count = (uint32_t)ingot_min(run.count,
							 GROUP_BLOCKS - cursor % GROUP_BLOCKS);
			rc = ext2_add_run(fs, part, err);
			if (e)
				e->run_count++;
			cursor += part.count;
			run.logical += part.count;
			run.count -= part.count;
			if (run.kind == RUN_XATTR)
				fs->xattrs[run.owner].block = part.block;
		}
	}
	free(wanted);
	fs->end = cursor;
	return rc;
}

static int count_group_folders(struct ext2 *fs, struct ingot_error *err)
{
	fs->group_dirs = ingot_alloc(fs->groups, sizeof(*fs->group_dirs), err);
	if (!fs->group_dirs)
		return -ENOMEM;
	for (size_t i = 0; i < fs->entry_count; i++)
		if (is_folder(&fs->entries[i]))
			fs->group_dirs[(entry_inode(i) - 1) / fs->group_inodes]++;
	return 0;
}

int ext2_plan(struct ext2 *fs, struct ingot_error *err)
{
	int rc = number_inodes(fs, err);

	if (rc == 0)
		rc = count_links(fs, err);
	if (rc == 0)
		rc = add_all(fs, err);
	if (rc == 0)
		rc = ext2_choose_geometry(fs, err);
	if (rc == 0)
		rc = hand_out_blocks(fs, err);
	if (rc == 0)
		rc = count_group_folders(fs, err);
	return rc;
}

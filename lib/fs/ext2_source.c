#include "fs/ext2_internal.h"

#include <errno.h>
#include <string.h>

/* Reading: any range of blocks of a planned filesystem, by any thread. */

/* --- readers, one per thread at work ----------------------------------- */

static int take_reader(struct ext2 *fs, struct ingot_tree_reader **ret, struct ingot_error *err)
{
	struct ingot_tree_reader *reader = NULL;

	pthread_mutex_lock(&fs->lock);
	if (fs->reader_count > 0)
		reader = fs->readers[--fs->reader_count];
	pthread_mutex_unlock(&fs->lock);
	if (!reader)
		return ingot_tree_reader_new(fs->tree, ret, err);
	*ret = reader;
	return 0;
}

static void give_reader(struct ext2 *fs, struct ingot_tree_reader *reader)
{
	int rc;

	pthread_mutex_lock(&fs->lock);
	rc = ingot_grow((void **)&fs->readers, &fs->reader_room, fs->reader_count + 1,
			sizeof(struct ingot_tree_reader *), NULL);
	if (rc == 0)
		fs->readers[fs->reader_count++] = reader;
	pthread_mutex_unlock(&fs->lock);
	if (rc < 0)
		ingot_tree_reader_free(reader);
}

/* --- blocks ------------------------------------------------------------ */

struct request {
	struct ext2 *fs;
	struct ingot_tree_reader *reader;
	uint32_t block, count;
	unsigned char *data;
};

static void advance(struct request *r, uint32_t n)
{
	r->block += n;
	r->count -= n;
	r->data += (size_t)n * BLOCK;
}

/* One block of a group's header. */
static void fill_header(const struct ext2 *fs, uint32_t group, uint32_t index, unsigned char *data)
{
	uint32_t copies = ext2_group_has_super(group) ? 1 + fs->descriptor_blocks : 0;

	if (index < copies) {
		if (index > 0) {
			ext2_descriptors_fill(fs, index - 1, data);
			return;
		}
		/* The first copy stands behind the 1024 bytes that boot loaders may use. */
		memset(data, 0, BLOCK);
		ext2_super_fill(fs, group, data + (group == 0 ? 1024 : 0));
	} else if (index == copies) {
		ext2_block_bitmap_fill(fs, group, data);
	} else if (index == copies + 1) {
		ext2_inode_bitmap_fill(fs, group, data);
	} else {
		uint32_t table = index - copies - 2;

		ext2_inodes_fill(fs, group * fs->group_inodes + table * INODES_PER_BLOCK + 1,
				 INODES_PER_BLOCK, data);
	}
}

static const struct run *run_at(const struct ext2 *fs, uint32_t block)
{
	size_t low = 0, high = fs->run_count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (fs->runs[middle].block <= block)
			low = middle;
		else
			high = middle;
	}
	return &fs->runs[low];
}

static int read_file(struct request *r, const struct ingot_node *node, uint32_t logical,
		     uint32_t count, struct ingot_error *err)
{
	uint64_t offset = (uint64_t)logical * BLOCK;
	size_t n = (size_t)ingot_min((uint64_t)count * BLOCK, node->size - offset);
	int rc = ingot_tree_read(r->reader, node, offset, r->data, n, err);

	if (rc < 0)
		return rc;
	memset(r->data + n, 0, (size_t)count * BLOCK - n);
	return 0;
}

static int fill_run(struct request *r, const struct run *run, uint32_t count,
		    struct ingot_error *err)
{
	const struct ext2 *fs = r->fs;
	uint32_t logical = run->logical + (r->block - run->block);
	const struct ingot_node *node;
	struct ext2_map map;

	if (run->kind == RUN_XATTR) {
		ext2_xattr_fill(&fs->xattrs[run->owner], r->data);
		return 0;
	}
	node = fs->entries[run->owner].node;
	if (run->kind == RUN_SYMLINK) {
		memset(r->data, 0, BLOCK);
		memcpy(r->data, node->target, node->size);
		return 0;
	}
	if (run->kind == RUN_INDIRECT) {
		map = ext2_entry_map(fs, run->owner);
		ext2_map_indirect(&map, run, r->data);
		return 0;
	}
	if (node && S_ISREG(node->mode))
		return read_file(r, node, logical, count, err);
	ext2_directory_fill(fs, node, logical, count, r->data);
	return 0;
}

/* As many blocks as have one purpose. */
static int fill_some(struct request *r, struct ingot_error *err)
{
	const struct ext2 *fs = r->fs;
	uint32_t group = r->block / GROUP_BLOCKS, index = r->block % GROUP_BLOCKS;
	uint32_t n = (uint32_t)ingot_min(r->count, GROUP_BLOCKS - index);
	const struct run *run;
	int rc;

	if (group < fs->groups && index < ext2_group_header(fs, group)) {
		fill_header(fs, group, index, r->data);
		advance(r, 1);
		return 0;
	}
	if (r->block >= fs->end) {
		memset(r->data, 0, (size_t)n * BLOCK);
		advance(r, n);
		return 0;
	}
	run = run_at(fs, r->block);
	n = (uint32_t)ingot_min(n, run->block + run->count - r->block);
	rc = fill_run(r, run, n, err);
	if (rc < 0)
		return rc;
	advance(r, n);
	return 0;
}

static int read_blocks(struct ext2 *fs, uint32_t block, uint32_t count, unsigned char *data,
		       struct ingot_error *err)
{
	struct request r = {.fs = fs, .block = block, .count = count, .data = data};
	int rc = take_reader(fs, &r.reader, err);

	if (rc < 0)
		return rc;
	while (rc == 0 && r.count > 0)
		rc = fill_some(&r, err);
	give_reader(fs, r.reader);
	return rc;
}

/* A piece of one block. */
static int read_piece(struct ext2 *fs, uint64_t offset, void *data, size_t n,
		      struct ingot_error *err)
{
	unsigned char block[BLOCK];
	int rc = read_blocks(fs, (uint32_t)(offset / BLOCK), 1, block, err);

	if (rc < 0)
		return rc;
	memcpy(data, block + offset % BLOCK, n);
	return 0;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct ext2 *fs = (struct ext2 *)source;
	unsigned char *p = data;

	while (n > 0) {
		size_t part = n - n % BLOCK;
		int rc;

		if (offset % BLOCK || part == 0) {
			part = (size_t)ingot_min(n, BLOCK - offset % BLOCK);
			rc = read_piece(fs, offset, p, part, err);
		} else {
			rc = read_blocks(fs, (uint32_t)(offset / BLOCK), (uint32_t)(part / BLOCK),
					 p, err);
		}
		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

/* Blocks behind the last one in use are a hole, but for the headers of the groups there. */
static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	const struct ext2 *fs = (const struct ext2 *)source;
	uint32_t block = (uint32_t)(offset / BLOCK), group = block / GROUP_BLOCKS;
	uint64_t end = (uint64_t)fs->end * BLOCK;
	uint64_t header;

	(void)err;
	if (offset < end) {
		*ret = (struct ingot_extent){.length = end - offset};
		return 0;
	}
	header = group < fs->groups
			 ? ((uint64_t)group * GROUP_BLOCKS + ext2_group_header(fs, group)) * BLOCK
			 : 0;
	if (offset < header) {
		*ret = (struct ingot_extent){.length = ingot_min(header, source->size) - offset};
		return 0;
	}
	end = group + 1 < fs->groups ? ((uint64_t)group + 1) * GROUP_BLOCKS * BLOCK : source->size;
	*ret = (struct ingot_extent){.length = end - offset, .hole = true};
	return 0;
}

static void free_ext2(struct ingot_source *source)
{
	struct ext2 *fs = (struct ext2 *)source;

	for (size_t i = 0; i < fs->reader_count; i++)
		ingot_tree_reader_free(fs->readers[i]);
	free(fs->readers);
	(void)pthread_mutex_destroy(&fs->lock);
	free(fs->entries);
	free(fs->runs);
	free(fs->xattrs);
	free(fs->group_dirs);
	free(fs);
}

static const struct ingot_source_ops OPS = {read_at, extent_at, free_ext2};

/* --- making ------------------------------------------------------------ */

static int check_options(const struct ingot_ext2_options *options, struct ingot_error *err)
{
	if (options->label && strlen(options->label) > INGOT_EXT2_LABEL_MAX)
		return ingot_raise(err, -EINVAL, "label '%.40s' is longer than %d bytes",
				   options->label, INGOT_EXT2_LABEL_MAX);
	if (options->size % BLOCK)
		return ingot_raise(err, -EINVAL, "size %llu is not a multiple of %d",
				   (unsigned long long)options->size, BLOCK);
	return 0;
}

static void count_up(const struct ext2 *fs, struct ingot_ext2_stats *ret)
{
	struct ingot_ext2_stats stats = {.blocks = fs->blocks, .inodes = fs->entry_count};
	uint64_t used = 0;

	for (uint32_t g = 0; g < fs->groups; g++)
		used += ext2_group_header(fs, g);
	for (size_t i = 0; i < fs->run_count; i++)
		used += fs->runs[i].count;
	stats.free_blocks = fs->blocks - used;
	for (size_t i = 0; i < fs->entry_count; i++) {
		const struct ingot_node *node = fs->entries[i].node;

		stats.folders += !node || S_ISDIR(node->mode);
		stats.files += node && S_ISREG(node->mode);
		stats.links += node && S_ISLNK(node->mode);
	}
	*ret = stats;
}

int ingot_ext2_source(struct ingot_tree *tree, struct ingot_node *root,
		      const struct ingot_ext2_options *options, struct ingot_source **ret,
		      struct ingot_ext2_stats *ret_stats, struct ingot_error *err)
{
	struct ext2 *fs;
	int rc = check_options(options, err);

	if (rc < 0)
		return rc;
	fs = ingot_alloc(1, sizeof(*fs), err);
	if (!fs)
		return -ENOMEM;
	(void)pthread_mutex_init(&fs->lock, NULL);
	fs->tree = tree;
	fs->root = root;
	fs->options = *options;
	if (options->label)
		memcpy(fs->label, options->label, strlen(options->label));
	rc = ext2_plan(fs, err);
	if (rc < 0) {
		free_ext2(&fs->source);
		return rc;
	}
	/* Blocks that the last group could not use stay behind the filesystem, zero. */
	fs->source = (struct ingot_source){
		&OPS, "ext2", options->size ? options->size : (uint64_t)fs->blocks * BLOCK};
	if (ret_stats)
		count_up(fs, ret_stats);
	*ret = &fs->source;
	return 0;
}

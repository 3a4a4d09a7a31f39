#include "fs/ext4.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "fs/ext4_internal.h"

/*
 * The order of mke2fs: superblock and groups, their tables, the inodes that the format
 * reserves, the resize inode, the journal; then the tree.
 */

static const char LOST_FOUND[] = "lost+found";

/* --- the superblock's wishes ------------------------------------------- */

static int check_options(const struct ingot_sink *sink, const struct ingot_ext4_options *options,
			 uint64_t *ret_blocks, struct ingot_error *err)
{
	uint64_t size = options->size ? options->size : sink->size;

	if (size > sink->size)
		return ingot_raise(err, -EINVAL, "%llu bytes are more than '%s' has",
				   (unsigned long long)size, sink->name);
	if (size < INGOT_EXT4_SIZE_MIN)
		return ingot_raise(err, -EINVAL, "%llu bytes: ext4 needs 8 MiB at least",
				   (unsigned long long)size);
	if (options->label && strlen(options->label) > INGOT_EXT4_LABEL_MAX)
		return ingot_raise(err, -EINVAL, "label '%.80s' is longer than %d bytes",
				   options->label, INGOT_EXT4_LABEL_MAX);
	if (options->reserved_percent > 50)
		return ingot_raise(err, -EINVAL, "%u %% reserved is more than 50 %%",
				   options->reserved_percent);
	if (options->epoch < 0 || options->epoch > UINT32_MAX)
		return ingot_raise(err, -EINVAL, "epoch %lld is not between 1970 and 2106",
				   (long long)options->epoch);
	*ret_blocks = size / EXT4_BLOCK;
	return 0;
}

/* mke2fs's ratio, or a tenth more than the tree has. */
static uint64_t wanted_inodes(uint64_t blocks, const struct ext4_plan *plan)
{
	uint64_t size = blocks * EXT4_BLOCK;
	uint64_t ratio = size < (UINT64_C(512) << 20) ? 4096 : 16384;
	uint64_t needed = (uint64_t)plan->inodes + EXT4_FIRST_INODE;

	return ingot_min(ingot_max(size / ratio, needed + needed / 10), UINT32_MAX);
}

static int fill_parameters(const struct ingot_ext4_options *options, uint64_t blocks,
			   const struct ext4_plan *plan, struct ext2_super_block *param,
			   struct ingot_error *err)
{
	uint64_t inodes = wanted_inodes(blocks, plan);

	if (blocks > UINT32_MAX)
		return ingot_raise(err, -EFBIG, "more than 16 TiB");
	*param = (struct ext2_super_block){
		.s_rev_level = EXT2_DYNAMIC_REV,
		.s_log_block_size = 2, /* 1024 << 2 */
		.s_log_cluster_size = 2,
		.s_inode_size = EXT4_INODE_SIZE,
		.s_log_groups_per_flex = 4,
		.s_errors = EXT2_ERRORS_RO,
		.s_feature_compat = EXT2_FEATURE_COMPAT_EXT_ATTR |
				    EXT2_FEATURE_COMPAT_RESIZE_INODE |
				    EXT2_FEATURE_COMPAT_DIR_INDEX,
		.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE |
				      EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT |
				      EXT4_FEATURE_INCOMPAT_FLEX_BG,
		.s_feature_ro_compat =
			EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
			EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
			EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM,
		.s_inodes_count = (uint32_t)inodes,
		.s_blocks_count = (uint32_t)blocks,
		.s_r_blocks_count = (uint32_t)(blocks * options->reserved_percent / 100),
	};
	return 0;
}

/* What libext2fs took from the clock or left to its caller. */
static void fix_superblock(ext2_filsys fs, const struct ingot_ext4_options *options)
{
	struct ext2_super_block *super = fs->super;

	/* 0 would mean: ask the clock. */
	fs->now = options->epoch ? (time_t)options->epoch : 1;
	super->s_mkfs_time = super->s_lastcheck = super->s_wtime = (uint32_t)options->epoch;
	super->s_mkfs_time_hi = super->s_lastcheck_hi = super->s_wtime_hi = 0;
	super->s_max_mnt_count = -1; /* no check by number of mounts, */
	super->s_checkinterval = 0;  /* none by time */
	super->s_creator_os = EXT2_OS_LINUX;
	super->s_checksum_type = EXT2_CRC32C_CHKSUM;
	super->s_def_hash_version = EXT2_HASH_HALF_MD4;
	/* libext2fs asks the compiler whether char is signed; an image must not. */
	super->s_flags =
		(super->s_flags & ~(uint32_t)EXT2_FLAGS_UNSIGNED_HASH) | EXT2_FLAGS_SIGNED_HASH;
	super->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
	memcpy(super->s_uuid, options->uuid.bytes, sizeof(super->s_uuid));
	memcpy(super->s_hash_seed, options->hash_seed.bytes, sizeof(super->s_hash_seed));
	if (options->label)
		memcpy(super->s_volume_name, options->label, strlen(options->label));
	ext2fs_init_csum_seed(fs);
}

/* --- what the format reserves ------------------------------------------ */

/*
 * The tables are zero in the sink: nothing is left for the kernel to do lazily. Groups with a copy
 * of the superblock have a bitmap of blocks, as e2fsprogs 1.47.2 has it; 1.47.0 leaves it to the
 * kernel, and an image would depend on the machine that it was built on.
 */
static void mark_tables_zeroed(ext2_filsys fs)
{
	for (dgrp_t i = 0; i < fs->group_desc_count; i++) {
		ext2fs_bg_flags_set(fs, i, EXT2_BG_INODE_ZEROED);
		if (ext2fs_bg_has_super(fs, i))
			ext2fs_bg_flags_clear(fs, i, EXT2_BG_BLOCK_UNINIT);
		ext2fs_group_desc_csum_set(fs, i);
	}
}

/* Inodes 1 and 3 to 10; the root's and lost+found's come with the tree. */
static errcode_t reserve_inodes(ext2_filsys fs)
{
	for (ext2_ino_t i = EXT2_BAD_INO; i < EXT2_FIRST_INODE(fs->super); i++)
		if (i != EXT2_ROOT_INO)
			ext2fs_inode_alloc_stats2(fs, i, 1, 0);
	return ext2fs_update_bb_inode(fs, NULL);
}

static int make_empty(struct ext4 *e, struct ingot_error *err)
{
	errcode_t code = ext2fs_allocate_tables(e->fs);
	int journal = ext2fs_default_journal_size(ext2fs_blocks_count(e->fs->super));

	if (code)
		return ext4_raise(e->device, code, err, "inode tables");
	mark_tables_zeroed(e->fs);
	/* What df must not count: the kernel would otherwise walk all groups at every mount. */
	e->fs->super->s_overhead_clusters =
		(uint32_t)(ext2fs_blocks_count(e->fs->super) -
			   ext2fs_free_blocks_count(e->fs->super) + (blk64_t)journal);
	code = reserve_inodes(e->fs);
	if (code)
		return ext4_raise(e->device, code, err, "reserved inodes");
	code = ext2fs_create_resize_inode(e->fs);
	if (code)
		return ext4_raise(e->device, code, err, "resize inode");
	/* "Lazily": its blocks are zero in the sink already. */
	code = ext2fs_add_journal_inode2(e->fs, (blk_t)journal, ~UINT64_C(0),
					 EXT2_MKJOURNAL_NO_MNT_CHECK | EXT2_MKJOURNAL_LAZYINIT);
	if (code)
		return ext4_raise(e->device, code, err, "journal");
	return 0;
}

/* --- the tree ---------------------------------------------------------- */

static int no_space(uint64_t needed, uint64_t available, uint64_t total, struct ingot_error *err)
{
	char needed_text[INGOT_SIZE_TEXT], available_text[INGOT_SIZE_TEXT];
	char total_text[INGOT_SIZE_TEXT];

	return ingot_raise(err, -ENOSPC,
			   "the files need %s (%llu blocks), but of %s the filesystem has %s "
			   "(%llu blocks) left for them",
			   ingot_size_text(needed * EXT4_BLOCK, needed_text),
			   (unsigned long long)needed,
			   ingot_size_text(total * EXT4_BLOCK, total_text),
			   ingot_size_text(available * EXT4_BLOCK, available_text),
			   (unsigned long long)available);
}

/* Before libext2fs finds no room for its tables, and says so in other words. */
static int check_tables(uint64_t blocks, const struct ext4_plan *plan, struct ingot_error *err)
{
	uint64_t tables = ingot_div_up((uint64_t)plan->inodes * EXT4_INODE_SIZE, EXT4_BLOCK) +
			  (uint64_t)ext2fs_default_journal_size(blocks);
	uint64_t available = blocks > tables ? blocks - tables : 0;

	return plan->blocks > available ? no_space(plan->blocks, available, blocks, err) : 0;
}

static int check_space(const struct ext4 *e, struct ingot_error *err)
{
	uint64_t available = ext2fs_free_blocks_count(e->fs->super);
	uint64_t needed = e->plan->blocks;

	if (needed <= available)
		return 0;
	return no_space(needed, available, ext2fs_blocks_count(e->fs->super), err);
}

/* Fill and close e->fs, which is gone afterwards in any case. */
static int fill(struct ext4 *e, struct ingot_error *err)
{
	errcode_t code;
	int rc = make_empty(e, err);

	if (rc == 0)
		rc = check_space(e, err);
	if (rc == 0)
		rc = ext4_populate(e, err);
	if (rc < 0) {
		ext2fs_free(e->fs);
		return rc;
	}
	code = ext2fs_close_free(&e->fs);
	if (code) {
		if (e->fs)
			ext2fs_free(e->fs);
		return ext4_raise(e->device, code, err, "superblock and bitmaps");
	}
	return 0;
}

static int open_and_fill(struct ext4 *e, const struct ingot_ext4_options *options, uint64_t blocks,
			 struct ingot_error *err)
{
	struct ext2_super_block param;
	char name[EXT4_DEVICE_NAME];
	errcode_t code;
	int rc = check_tables(blocks, e->plan, err);

	if (rc == 0)
		rc = fill_parameters(options, blocks, e->plan, &param, err);
	if (rc < 0)
		return rc;
	ext4_device_name(e->device, name);
	code = ext2fs_initialize(name, EXT2_FLAG_64BITS, &param, &ext4_io_manager, &e->fs);
	if (code)
		return ext4_raise(e->device, code, err, "superblock");
	fix_superblock(e->fs, options);
	return fill(e, err);
}

static int write_tree(struct ingot_sink *sink, const struct ingot_ext4_options *options,
		      uint64_t blocks, struct ingot_tree_reader *reader, struct ingot_node *root,
		      struct ingot_error *err)
{
	INGOT_CLEANUP(ext4_device_cleanup) struct ext4_device *device = NULL;
	INGOT_CLEANUP(ext4_stream_cleanup) struct ext4_stream *stream = NULL;
	INGOT_FREE uint32_t *links = NULL;
	struct ext4_plan plan;
	int rc = ext4_device_new(sink, &device, err);

	if (rc == 0)
		rc = ext4_stream_new(&stream, err);
	if (rc == 0)
		rc = ext4_plan(root, &plan, err);
	if (rc < 0)
		return rc;
	links = plan.links;
	return open_and_fill(&(struct ext4){.device = device,
					    .sink = sink,
					    .root = root,
					    .plan = &plan,
					    .reader = reader,
					    .stream = stream},
			     options, blocks, err);
}

/*
 * lost+found is an entry like all others: one that the tree lacks is lent to it, at its place
 * in the order. Returns the link to take it out by; NULL: the tree has one.
 */
static struct ingot_node **lend(struct ingot_node *root, struct ingot_node *lost)
{
	struct ingot_node **at = &root->children;

	while (*at && strcmp((*at)->name, LOST_FOUND) < 0)
		at = &(*at)->next;
	if (*at && strcmp((*at)->name, LOST_FOUND) == 0)
		return NULL;
	lost->next = *at;
	*at = lost;
	return at;
}

static int check_lost_found(const struct ingot_node *root, struct ingot_error *err)
{
	for (const struct ingot_node *c = root->children; c; c = c->next)
		if (strcmp(c->name, LOST_FOUND) == 0 && !S_ISDIR(c->mode))
			return ingot_raise(err, -EINVAL, "'%s' is not a folder", LOST_FOUND);
	return 0;
}

int ingot_ext4_write(struct ingot_sink *sink, const struct ingot_ext4_options *options,
		     struct ingot_tree *tree, struct ingot_node *root, struct ingot_error *err)
{
	struct ingot_node empty = {.name = "", .mode = S_IFDIR | 0755, .mtime = options->epoch};
	struct ingot_node lost = {.name = LOST_FOUND,
				  .name_length = sizeof(LOST_FOUND) - 1,
				  .mode = S_IFDIR | 0700,
				  .mtime = options->epoch};
	struct ingot_tree_reader *reader = NULL;
	struct ingot_node **lent;
	uint64_t blocks = 0;
	int rc = check_options(sink, options, &blocks, err);

	if (!root)
		root = &empty;
	if (rc == 0)
		rc = check_lost_found(root, err);
	if (rc == 0 && tree)
		rc = ingot_tree_reader_new(tree, &reader, err);
	if (rc == 0) {
		lost.parent = root;
		lent = lend(root, &lost);
		rc = write_tree(sink, options, blocks, reader, root, err);
		if (lent)
			*lent = lost.next;
	}
	ingot_tree_reader_free(reader);
	return rc < 0 ? ingot_wrap(err, rc, "ext4 filesystem on '%s'", sink->name) : 0;
}

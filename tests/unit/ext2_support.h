/*
 * For the tests of ext2: trees made by hand, images written to files, and a second reading of the
 * format, straight from the kernel's document, that shares nothing with the writer.
 */
#ifndef INGOT_TESTS_EXT2_SUPPORT_H
#define INGOT_TESTS_EXT2_SUPPORT_H

#include "tree_support.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bytes.h"
#include "fs/ext2.h"

#define MIB (UINT64_C(1) << 20)

enum { B = 4096, GROUP = 32768, ROOT = 2 };

static const struct ingot_ext2_options EXT2_OPTIONS = {
	.uuid = {{0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	.hash_seed = {{0x43, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	.label = "USR-A",
	.epoch = SUPPORT_EPOCH,
};

/* --- a tree by hand: what an ordinary user cannot make in a folder ----- */

struct hand {
	struct ingot_arena arena;
	struct ingot_node root;
	struct ingot_node *parent, *last; /* the newest node and its folder */
};

static inline void hand_make(struct hand *h)
{
	*h = (struct hand){.root = {.name = "", .mode = S_IFDIR | 0755, .mtime = 1600000000}};
}

static inline void hand_done(struct hand *h)
{
	ingot_arena_done(&h->arena);
}

/* Children have to be added in byte order. */
static inline struct ingot_node *hand_add(struct hand *h, struct ingot_node *parent,
					  const char *name, uint32_t mode)
{
	struct ingot_error err = {0};
	struct ingot_node *node = ingot_arena_alloc(&h->arena, sizeof(*node), 8, &err);
	size_t n = strlen(name);

	assert_non_null(node);
	*node = (struct ingot_node){.parent = parent,
				    .name = ingot_arena_copy(&h->arena, name, n + 1, 1, &err),
				    .name_length = (uint16_t)n,
				    .mode = mode,
				    .mtime = 1600000000};
	if (h->parent != parent)
		for (h->last = parent->children; h->last && h->last->next; h->last = h->last->next)
			;
	*(h->last ? &h->last->next : &parent->children) = node;
	h->parent = parent;
	h->last = node;
	return node;
}

static inline void hand_fill(struct hand *h, struct ingot_node *parent, size_t count, uint32_t mode)
{
	char name[24];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%07zu", i);
		(void)hand_add(h, parent, name, mode);
	}
}

static inline struct ingot_node *hand_symlink(struct hand *h, const char *name, size_t length)
{
	struct ingot_node *node = hand_add(h, &h->root, name, S_IFLNK | 0777);
	char *target = ingot_arena_alloc(&h->arena, length + 1, 1, NULL);

	assert_non_null(target);
	memset(target, 't', length);
	node->target = target;
	node->size = length;
	return node;
}

/* --- filesystems ------------------------------------------------------- */

struct filesystem {
	struct ingot_tree *tree;
	struct ingot_source *source;
	struct ingot_ext2_stats stats;
};

static inline void filesystem_done(struct filesystem *fs)
{
	ingot_source_free(fs->source);
	ingot_tree_free(fs->tree);
	*fs = (struct filesystem){0};
}

/* From a folder of the playground. */
static inline void from_folder(struct playground *p, const char *name, uint64_t size,
			       struct filesystem *ret)
{
	struct ingot_tree_options tree_options = {.epoch = SUPPORT_EPOCH};
	struct ingot_ext2_options options = EXT2_OPTIONS;
	struct ingot_error err = {0};
	char path[128];

	*ret = (struct filesystem){0};
	options.size = size;
	snprintf(path, sizeof(path), "%s/%s", p->path, name);
	assert_ok(ingot_tree_open(path, &tree_options, &ret->tree, &err));
	assert_ok(ingot_ext2_source(ret->tree, ingot_tree_root(ret->tree), &options, &ret->source,
				    &ret->stats, &err));
}

/* From a tree by hand; files in it have no data of their own. */
static inline int try_hand(struct playground *p, struct hand *h,
			   const struct ingot_ext2_options *options, struct filesystem *ret,
			   struct ingot_error *err)
{
	struct ingot_tree_options tree_options = {.epoch = SUPPORT_EPOCH};
	char path[128];

	*ret = (struct filesystem){0};
	snprintf(path, sizeof(path), "%s/none", p->path);
	(void)mkdir(path, 0755);
	assert_int_equal(ingot_tree_open(path, &tree_options, &ret->tree, err), 0);
	return ingot_ext2_source(ret->tree, &h->root, options, &ret->source, &ret->stats, err);
}

static inline void from_hand(struct playground *p, struct hand *h, uint64_t size,
			     struct filesystem *ret)
{
	struct ingot_ext2_options options = EXT2_OPTIONS;
	struct ingot_error err = {0};

	options.size = size;
	assert_ok(try_hand(p, h, &options, ret, &err));
}

/* --- reading them ------------------------------------------------------ */

static inline void read_source(struct ingot_source *source, uint64_t offset, void *data, size_t n)
{
	struct ingot_error err = {0};

	assert_ok(ingot_source_read(source, offset, data, n, &err));
}

static inline void read_inode(struct ingot_source *source, uint32_t inode, unsigned char out[256])
{
	unsigned char super[1024], descriptor[32];
	uint32_t per_group;

	read_source(source, 1024, super, sizeof(super));
	per_group = ingot_get_le32(super + 40);
	read_source(source, B + (uint64_t)((inode - 1) / per_group) * 32, descriptor, 32);
	read_source(source,
		    (uint64_t)ingot_get_le32(descriptor + 8) * B +
			    (uint64_t)((inode - 1) % per_group) * 256,
		    out, 256);
}

static inline uint32_t pointer_in(struct ingot_source *source, uint32_t block, uint64_t i)
{
	unsigned char p[4];

	if (block == 0)
		return 0;
	read_source(source, (uint64_t)block * B + i * 4, p, 4);
	return ingot_get_le32(p);
}

/* The block on the disk that holds a block of a file; 0: a hole. */
static inline uint32_t map_block(struct ingot_source *source, const unsigned char inode[256],
				 uint64_t n)
{
	const uint64_t k = 1024;
	const unsigned char *p = inode + 40;
	uint32_t at;

	if (n < 12)
		return ingot_get_le32(p + n * 4);
	n -= 12;
	if (n < k)
		return pointer_in(source, ingot_get_le32(p + 48), n);
	n -= k;
	if (n < k * k) {
		at = pointer_in(source, ingot_get_le32(p + 52), n / k);
		return pointer_in(source, at, n % k);
	}
	n -= k * k;
	at = pointer_in(source, ingot_get_le32(p + 56), n / (k * k));
	at = pointer_in(source, at, n / k % k);
	return pointer_in(source, at, n % k);
}

/* The inode of a name in a folder; 0: not there. */
static inline uint32_t find_name(struct ingot_source *source, uint32_t folder, const char *name)
{
	unsigned char inode[256], data[B];

	read_inode(source, folder, inode);
	for (uint64_t n = 0; n < ingot_get_le32(inode + 4) / B; n++) {
		read_source(source, (uint64_t)map_block(source, inode, n) * B, data, B);
		for (size_t at = 0; at < B; at += ingot_get_le16(data + at + 4)) {
			assert_true(ingot_get_le16(data + at + 4) >= 8);
			if (data[at + 6] == strlen(name) &&
			    memcmp(data + at + 8, name, data[at + 6]) == 0)
				return ingot_get_le32(data + at);
		}
	}
	return 0;
}

/* The inode of a path. */
static inline void find_inode(struct ingot_source *source, const char *path, unsigned char out[256])
{
	INGOT_FREE char *copy = strdup(path);
	uint32_t inode = ROOT;
	char *rest = NULL;

	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		inode = find_name(source, inode, name);
		if (!inode)
			fail_msg("'%s' of '%s' is not there", name, path);
	}
	read_inode(source, inode, out);
}

static inline bool all_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Writes what is not zero. */
static inline void write_image(struct playground *p, const char *name, struct ingot_source *source)
{
	enum { STEP = 256 * 1024 };
	INGOT_CLOSE int fd = openat(p->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	INGOT_FREE unsigned char *data = malloc(STEP);
	struct ingot_extent extent;
	struct ingot_error err = {0};

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)source->size), 0);
	for (uint64_t at = 0; at < source->size;) {
		size_t n;

		assert_ok(ingot_source_extent(source, at, &extent, &err));
		n = (size_t)ingot_min(extent.length, STEP);
		if (extent.hole) {
			at += extent.length;
			continue;
		}
		read_source(source, at, data, n);
		for (size_t i = 0; i < n; i += B)
			if (!all_zero(data + i, B))
				assert_int_equal(pwrite(fd, data + i, B, (off_t)(at + i)), B);
		at += n;
	}
}

/* e2fsck -fn finds nothing. */
static inline void check_clean(struct playground *p, struct ingot_source *source)
{
	char command[256], text[4096] = "";
	int status;
	FILE *log;

	write_image(p, "image", source);
	snprintf(command, sizeof(command), "cd '%s' && LC_ALL=C e2fsck -fn image 2>&1", p->path);
	log = popen(command, "r");
	assert_non_null(log);
	text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
	status = pclose(log);
	if (status != 0)
		fail_msg("e2fsck: status %d: %s", status, text);
	assert_int_equal(unlinkat(p->fd, "image", 0), 0);
}

static inline void hand_clean(struct playground *p, struct hand *h, uint64_t size)
{
	struct filesystem fs;

	from_hand(p, h, size, &fs);
	check_clean(p, fs.source);
	filesystem_done(&fs);
}

/* --- setup and teardown ------------------------------------------------ */

static inline int ext2_setup(void **state)
{
	struct playground *p = calloc(1, sizeof(*p));

	playground_make(p);
	*state = p;
	return 0;
}

static inline int ext2_teardown(void **state)
{
	playground_remove(*state);
	free(*state);
	return 0;
}

#endif

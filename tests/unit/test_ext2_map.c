/* Where ext2 puts the blocks of files, how large it becomes, and how its bytes are read. */
#include "ext2_support.h"

#include <pthread.h>

#include "fs/ext2_internal.h"

/* --- block maps -------------------------------------------------------- */

/* The first and the last block behind each kind of pointer, and their neighbours. */
static const uint64_t BORDERS[] = {
	0,    1,       11,	12,	 13,	  1035,	   1036,    1037,    2059,    2060,
	2061, 1049611, 1049612, 1049613, 1050635, 1050636, 2098187, 2098188, 2098189,
};
enum { BORDER_COUNT = sizeof(BORDERS) / sizeof(BORDERS[0]) };

/* Blocks of indirection that a file with this block alone needs. */
static uint32_t indirection(uint64_t n)
{
	return n < 12 ? 0 : n < 1036 ? 1 : n < 1049612 ? 2 : 3;
}

static void fill_block(unsigned char data[B], uint64_t n)
{
	for (size_t i = 0; i < B; i += 8) {
		ingot_put_le32(data + i, (uint32_t)n + 1);
		ingot_put_le32(data + i + 4, (uint32_t)i);
	}
}

static void put_block(int fd, const char *path, uint64_t n)
{
	INGOT_CLOSE int file = openat(fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	unsigned char data[B];

	assert_true(file >= 0);
	fill_block(data, n);
	assert_int_equal(pwrite(file, data, B, (off_t)(n * B)), B);
}

static void check_block(struct ingot_source *source, const unsigned char inode[256], uint64_t n)
{
	uint32_t block = map_block(source, inode, n);
	unsigned char want[B], found[B];

	if (block == 0)
		fail_msg("block %" PRIu64 " is a hole", n);
	fill_block(want, n);
	read_source(source, (uint64_t)block * B, found, B);
	assert_memory_equal(want, found, B);
}

static bool is_border(uint64_t n)
{
	for (size_t i = 0; i < BORDER_COUNT; i++)
		if (BORDERS[i] == n)
			return true;
	return false;
}

/* One file with all of them, and one file for each. */
static void borders(void **state)
{
	struct playground *p = *state;
	unsigned char inode[256];
	struct filesystem fs;
	char name[32];

	make_folder(p->fd, "borders");
	for (size_t i = 0; i < BORDER_COUNT; i++) {
		snprintf(name, sizeof(name), "borders/%" PRIu64, BORDERS[i]);
		put_block(p->fd, name, BORDERS[i]);
		put_block(p->fd, "borders/all", BORDERS[i]);
	}
	from_folder(p, "borders", 0, &fs);
	for (size_t i = 0; i < BORDER_COUNT; i++) {
		uint64_t n = BORDERS[i];

		snprintf(name, sizeof(name), "%" PRIu64, n);
		find_inode(fs.source, name, inode);
		check_block(fs.source, inode, n);
		assert_int_equal(map_block(fs.source, inode, n + 1), 0);
		if (n > 0)
			assert_int_equal(map_block(fs.source, inode, n - 1), 0);
		assert_int_equal(ingot_get_le32(inode + 28), 8 * (1 + indirection(n)));
		assert_int_equal(ingot_get_le32(inode + 4), (uint32_t)((n + 1) * B));
		assert_int_equal(ingot_get_le32(inode + 108), (n + 1) * B >> 32);
	}
	find_inode(fs.source, "all", inode);
	for (size_t i = 0; i < BORDER_COUNT; i++) {
		uint64_t n = BORDERS[i];

		check_block(fs.source, inode, n);
		for (uint64_t k = n > 2 ? n - 2 : 0; k < n + 3; k++)
			if (!is_border(k))
				assert_int_equal(map_block(fs.source, inode, k), 0);
	}
	/* 1 single; 1 double with 3 below; 1 triple with 2 below, and 4 below those */
	assert_int_equal(ingot_get_le32(inode + 28), 8 * (BORDER_COUNT + 1 + 1 + 3 + 1 + 2 + 4));
	check_clean(p, fs.source);
	filesystem_done(&fs);
}

/* Every other block, over two indirect blocks: as many runs as blocks. */
static void comb(void **state)
{
	struct playground *p = *state;
	unsigned char inode[256];
	struct filesystem fs;

	make_folder(p->fd, "comb");
	for (uint64_t n = 0; n < 1200; n++)
		put_block(p->fd, "comb/file", 2 * n + 1);
	from_folder(p, "comb", 0, &fs);
	find_inode(fs.source, "file", inode);
	for (uint64_t n = 0; n < 1200; n++) {
		check_block(fs.source, inode, 2 * n + 1);
		assert_int_equal(map_block(fs.source, inode, 2 * n), 0);
	}
	/* 12 + 1024 blocks, then the double one with two below */
	assert_int_equal(ingot_get_le32(inode + 28), 8 * (1200 + 1 + 1 + 2));
	check_clean(p, fs.source);
	filesystem_done(&fs);
}

/* A file without holes is one run of blocks, its indirect blocks in front of what they point at. */
static void contiguous(void **state)
{
	struct playground *p = *state;
	unsigned char inode[256];
	struct filesystem fs;
	uint32_t first;

	make_folder(p->fd, "contiguous");
	for (uint64_t n = 0; n < 3000; n++)
		put_block(p->fd, "contiguous/file", n);
	from_folder(p, "contiguous", 0, &fs);
	find_inode(fs.source, "file", inode);
	first = map_block(fs.source, inode, 0);
	for (uint64_t n = 0; n < 3000; n++) {
		uint32_t between = n < 12 ? 0 : n < 1036 ? 1 : n < 2060 ? 3 : 4;

		assert_int_equal(map_block(fs.source, inode, n), first + n + between);
	}
	check_block(fs.source, inode, 2999);
	assert_int_equal(ingot_get_le32(inode + 88), first + 12);
	check_clean(p, fs.source);
	filesystem_done(&fs);
}

/* Sizes around a block, with and without a hole at the end. */
static void ends(void **state)
{
	static const unsigned sizes[] = {0, 1, 4095, 4096, 4097, 8192};
	struct playground *p = *state;
	unsigned char inode[256], data[8192];
	struct filesystem fs;
	char name[32];

	memset(data, 'e', sizeof(data));
	make_folder(p->fd, "ends");
	for (unsigned i = 0; i < 6; i++) {
		int fd;

		snprintf(name, sizeof(name), "ends/%u", sizes[i]);
		make_file_of(p->fd, name, data, sizes[i]);
		snprintf(name, sizeof(name), "ends/%u+", sizes[i]);
		make_file_of(p->fd, name, data, sizes[i]);
		fd = openat(p->fd, name, O_WRONLY | O_CLOEXEC);
		assert_int_equal(ftruncate(fd, 1000001), 0);
		close(fd);
	}
	from_folder(p, "ends", 0, &fs);
	for (unsigned i = 0; i < 12; i++) {
		unsigned size = sizes[i / 2], blocks = (size + B - 1) / B;
		unsigned char found[B];

		snprintf(name, sizeof(name), "%u%s", size, i % 2 ? "+" : "");
		find_inode(fs.source, name, inode);
		assert_int_equal(ingot_get_le32(inode + 4), i % 2 ? 1000001 : size);
		assert_int_equal(ingot_get_le32(inode + 28), blocks * 8);
		if (blocks == 0)
			continue;
		read_source(fs.source, (uint64_t)map_block(fs.source, inode, blocks - 1) * B, found,
			    B);
		size -= (blocks - 1) * B;
		assert_memory_equal(found, data, size);
		assert_true(all_zero(found + size, B - size));
	}
	check_clean(p, fs.source);
	filesystem_done(&fs);
}

/* --- how large --------------------------------------------------------- */

/* Blocks that `groups` groups use for themselves, by the specification alone; 0: not possible. */
static uint64_t header_blocks(uint64_t groups, uint64_t inodes)
{
	uint64_t table = ((inodes + groups - 1) / groups + 15) / 16;
	uint64_t descriptors = (groups * 32 + B - 1) / B, sum = 0;

	if (table > GROUP / 16)
		return 0;
	for (uint64_t g = 0; g < groups; g++)
		sum += 2 + table + (ext2_group_has_super((uint32_t)g) ? 1 + descriptors : 0);
	return sum;
}

/* The smallest number of blocks, found by trying. */
static uint64_t smallest_by_trial(uint64_t wanted, uint64_t inodes)
{
	for (uint64_t groups = 1;; groups++) {
		uint64_t headers = header_blocks(groups, inodes), last, least;

		if (headers == 0 || headers + wanted > groups * GROUP)
			continue;
		last = groups > 1 ? 2 + ((inodes + groups - 1) / groups + 15) / 16 : 0;
		if (groups > 1 && ext2_group_has_super((uint32_t)groups - 1))
			last += 1 + (groups * 32 + B - 1) / B;
		least = (groups - 1) * GROUP + last + 1;
		return headers + wanted > least ? headers + wanted : least;
	}
}

/* A filesystem that wants so many blocks and inodes, without a tree. */
static int choose(uint64_t wanted, uint64_t inodes, uint64_t blocks, struct ext2 *fs)
{
	static struct run runs[64];
	struct ingot_error err = {0};
	size_t n = 0;

	for (uint64_t left = wanted; left > 0; left -= runs[n++].count)
		runs[n] = (struct run){.count = (uint32_t)ingot_min(left, 1U << 31)};
	*fs = (struct ext2){.runs = runs, .run_count = n, .entry_count = inodes - 9};
	fs->options.size = blocks * B;
	/* What does not fit would look for folders. */
	fs->entries = NULL;
	return ext2_choose_geometry(fs, &err);
}

static void smallest_is_smallest(void **state)
{
	static const uint64_t inodes[] = {11, 12, 16, 17, 33, 1000, 32768, 32769, 65537, 1000000};
	struct ext2 fs;

	(void)state;
	for (size_t i = 0; i < sizeof(inodes) / sizeof(inodes[0]); i++)
		for (uint64_t base = 0; base < 20 * GROUP; base += GROUP / 2)
			for (uint64_t near = 0; near < 60; near += 3) {
				uint64_t wanted = base > near ? base - near : base + near + 1;
				uint64_t want = smallest_by_trial(wanted, inodes[i]);

				assert_int_equal(choose(wanted, inodes[i], 0, &fs), 0);
				if (fs.blocks != want)
					fail_msg("%" PRIu64 " blocks, %" PRIu64 " inodes: %" PRIu32
						 ", not %" PRIu64,
						 wanted, inodes[i], fs.blocks, want);
			}
}

/* Groups enough for several blocks of descriptors. */
static void large_sizes(void **state)
{
	struct ext2 fs;

	(void)state;
	for (uint64_t wanted = 100 * GROUP; wanted < 4000 * (uint64_t)GROUP;
	     wanted += 37 * GROUP + 12345) {
		assert_int_equal(choose(wanted, 500000, 0, &fs), 0);
		assert_int_equal(fs.blocks, smallest_by_trial(wanted, 500000));
	}
	assert_int_equal(choose(UINT64_C(1) << 32, 12, 0, &fs), -EFBIG);
}

/* What fits, fits with every block more, too: a group more may cost others a block of descriptors.
 */
static void more_room_is_enough(void **state)
{
	static const uint64_t groups[] = {1, 2, 3, 7, 9, 127, 128, 129, 256, 384};
	struct ext2 fs;

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (uint64_t spare = 0; spare < 40; spare++) {
			uint64_t room = groups[i] * GROUP - header_blocks(groups[i], 5000);

			for (uint64_t more = 0; more < 100; more++)
				assert_int_equal(choose(room - spare, 5000,
							groups[i] * GROUP - spare + more, &fs),
						 0);
		}
}

static void check_stats(struct filesystem *fs, uint64_t size)
{
	unsigned char super[1024];

	read_source(fs->source, 1024, super, sizeof(super));
	assert_int_equal(fs->source->size, size);
	assert_int_equal(ingot_get_le32(super + 4), fs->stats.blocks);
	assert_int_equal(ingot_get_le32(super + 12), fs->stats.free_blocks);
	assert_true(fs->stats.blocks * B <= size);
}

/* A file of `mib` zeros that are all stored. */
static struct ingot_node *heavy_file(struct filesystem *fs, const char *path, uint64_t size)
{
	struct ingot_node *node = ingot_tree_find(fs->tree, path);

	assert_non_null(node);
	assert_int_equal(node->size, size);
	node->runs = NULL;
	return node;
}

/* The playground's folder "heavy", its sparse files as if they were full. */
static int try_heavy(struct playground *p, uint64_t blocks, struct filesystem *ret,
		     struct ingot_error *err)
{
	struct ingot_tree_options tree_options = {.epoch = SUPPORT_EPOCH};
	struct ingot_ext2_options options = EXT2_OPTIONS;
	char path[128];

	*ret = (struct filesystem){0};
	options.size = blocks * B;
	snprintf(path, sizeof(path), "%s/heavy", p->path);
	assert_int_equal(ingot_tree_open(path, &tree_options, &ret->tree, err), 0);
	(void)heavy_file(ret, "large/deep/file", 130 * MIB);
	(void)heavy_file(ret, "small/file", 20 * MIB);
	return ingot_ext2_source(ret->tree, ingot_tree_root(ret->tree), &options, &ret->source,
				 &ret->stats, err);
}

static void make_heavy(struct playground *p)
{
	static const char *const folders[] = {"heavy", "heavy/large", "heavy/large/deep",
					      "heavy/small"};
	int fd;

	for (unsigned i = 0; i < 4; i++)
		make_folder(p->fd, folders[i]);
	fd = openat(p->fd, "heavy/large/deep/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, 130 * MIB), 0);
	close(fd);
	fd = openat(p->fd, "heavy/small/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, 20 * MIB), 0);
	close(fd);
}

static void fit(void **state)
{
	struct playground *p = *state;
	struct ingot_error err = {0};
	struct filesystem fs;
	uint64_t least;

	make_heavy(p);
	assert_ok(try_heavy(p, 0, &fs, &err));
	least = fs.stats.blocks;
	assert_int_equal(fs.stats.free_blocks, 0);
	check_stats(&fs, least * B);
	check_clean(p, fs.source);
	filesystem_done(&fs);
	/* exactly full */
	assert_ok(try_heavy(p, least, &fs, &err));
	assert_int_equal(fs.stats.blocks, least);
	assert_int_equal(fs.stats.free_blocks, 0);
	filesystem_done(&fs);
	/* one too few */
	assert_fails(
		try_heavy(p, least - 1, &fs, &err), -ENOSPC,
		"the tree does not fit: it needs 150 MiB, there are 150 MiB, so 4 KiB must go; "
		"the heaviest folders are large/deep (130 MiB), small (20");
	filesystem_done(&fs);
	assert_fails(try_heavy(p, 1, &fs, &err), -ENOSPC, "so 150 MiB must go");
	filesystem_done(&fs);
	/* one too many */
	assert_ok(try_heavy(p, least + 1, &fs, &err));
	assert_int_equal(fs.stats.free_blocks, 1);
	check_stats(&fs, (least + 1) * B);
	check_clean(p, fs.source);
	filesystem_done(&fs);
}

/* The last group has room for its header and one block, or it is left out. */
static void last_group(void **state)
{
	static const unsigned more[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		uint64_t blocks = 2 * GROUP + more[i];

		from_hand(*state, &h, blocks * B, &fs);
		/* Group 2 has no superblock: two bitmaps and a block of inodes. */
		assert_int_equal(fs.stats.blocks, more[i] > 3 ? blocks : 2 * GROUP);
		check_stats(&fs, blocks * B);
		check_clean(*state, fs.source);
		filesystem_done(&fs);
		blocks = GROUP + more[i];
		from_hand(*state, &h, blocks * B, &fs);
		/* Group 1 has one: superblock and descriptors, too. */
		assert_int_equal(fs.stats.blocks, more[i] > 5 ? blocks : GROUP);
		check_clean(*state, fs.source);
		filesystem_done(&fs);
	}
	hand_done(&h);
}

/* 32768 inodes are as many as a group can have. */
static void inode_counts(void **state)
{
	static const struct {
		size_t files;
		uint32_t groups, inodes;
	} cases[] = {
		{4, 1, 16}, {5, 1, 16}, {6, 1, 32}, {32768 - 11, 1, 32768}, {32768 - 10, 2, 32800},
	};
	unsigned char super[1024];
	struct filesystem fs;
	struct hand h;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hand_make(&h);
		hand_fill(&h, &h.root, cases[i].files, S_IFREG | 0644);
		from_hand(*state, &h, 0, &fs);
		read_source(fs.source, 1024, super, sizeof(super));
		assert_int_equal(ingot_get_le32(super), cases[i].inodes);
		assert_int_equal(ingot_get_le32(super + 40), cases[i].inodes / cases[i].groups);
		assert_int_equal(ingot_get_le32(super + 16), cases[i].inodes - 11 - cases[i].files);
		check_clean(*state, fs.source);
		filesystem_done(&fs);
		hand_done(&h);
	}
}

/* Files and folders in the second group, the second group's folders counted there. */
static void inodes_over_groups(void **state)
{
	struct hand h;

	hand_make(&h);
	hand_fill(&h, &h.root, 1000, S_IFDIR | 0755);
	hand_clean(*state, &h, 400 * MIB);
	hand_clean(*state, &h, 1200 * MIB + 8 * B);
	hand_done(&h);
}

/* --- reading ----------------------------------------------------------- */

/* Something of everything; the image is a little over one group. */
static void make_mixture(struct playground *p, struct filesystem *ret)
{
	static unsigned char data[300000];
	char name[64];

	make_folder(p->fd, "mixture");
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 2654435761U >> 24);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "mixture/file %u", i);
		make_file_of(p->fd, name, data + i, i * 911);
	}
	put_block(p->fd, "mixture/sparse", 2000);
	put_block(p->fd, "mixture/sparse", 5000);
	memset(data, 't', 500);
	data[500] = '\0';
	assert_int_equal(symlinkat((const char *)data, p->fd, "mixture/long"), 0);
	from_folder(p, "mixture", 140 * MIB, ret);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

struct reading {
	struct ingot_source *source;
	const unsigned char *whole;
	uint32_t seed;
	unsigned rounds;
	size_t wrong;
};

/* Pieces at any offset, of any length, against the whole read once. */
static void *read_pieces(void *argument)
{
	struct reading *r = argument;
	INGOT_FREE unsigned char *piece = malloc(100000);
	struct ingot_error err = {0};

	for (unsigned i = 0; i < r->rounds; i++) {
		/* Most of the data lies in front. */
		uint64_t limit = i % 4 ? 48 * MIB : r->source->size;
		uint64_t offset = (uint64_t)next_random(&r->seed) * 16 % limit;
		size_t n = next_random(&r->seed) % (i % 8 ? 9000 : 100000);

		if (i % 3 == 0)
			offset = offset / B * B;
		n = (size_t)ingot_min(n, r->source->size - offset);
		if (ingot_source_read(r->source, offset, piece, n, &err) < 0 ||
		    memcmp(piece, r->whole + offset, n) != 0)
			r->wrong++;
	}
	return NULL;
}

static void unaligned_and_threads(void **state)
{
	enum { THREADS = 4 };
	struct playground *p = *state;
	struct reading readings[THREADS];
	pthread_t threads[THREADS];
	INGOT_FREE unsigned char *whole = NULL;
	struct filesystem fs;

	make_mixture(p, &fs);
	whole = malloc(fs.source->size);
	for (uint64_t at = 0; at < fs.source->size; at += MIB)
		read_source(fs.source, at, whole + at, MIB);
	for (unsigned i = 0; i < THREADS; i++)
		readings[i] = (struct reading){fs.source, whole, i, 300, 0};
	read_pieces(&readings[0]);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_pieces, &readings[i]), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(readings[i].wrong, 0);
	}
	check_clean(p, fs.source);
	filesystem_done(&fs);
}

/* Holes read as zero; what they leave is read and checked by e2fsck elsewhere. */
static uint64_t check_extents(struct ingot_source *source)
{
	INGOT_FREE unsigned char *data = malloc(MIB);
	struct ingot_extent extent;
	struct ingot_error err = {0};
	uint64_t holes = 0;

	for (uint64_t at = 0; at < source->size; at += extent.length) {
		assert_ok(ingot_source_extent(source, at, &extent, &err));
		assert_true(extent.length > 0 && extent.length <= source->size - at);
		for (uint64_t i = 0; extent.hole && i < extent.length; i += MIB) {
			size_t n = (size_t)ingot_min(MIB, extent.length - i);

			read_source(source, at + i, data, n);
			assert_true(all_zero(data, n));
		}
		holes += extent.hole ? extent.length : 0;
	}
	return holes;
}

static void extents(void **state)
{
	static const uint64_t sizes[] = {0, GROUP * B, 2 * GROUP * B + 2 * B,
					 9 * GROUP * B + 100 * B};
	struct ingot_extent extent;
	struct ingot_error err = {0};
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	hand_fill(&h, &h.root, 100, S_IFREG | 0644);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t free_bytes;

		from_hand(*state, &h, sizes[i], &fs);
		free_bytes = fs.stats.free_blocks * B + fs.source->size - fs.stats.blocks * B;
		assert_int_equal(check_extents(fs.source), free_bytes);
		/* From anywhere in a hole or in data, to its end. */
		for (uint64_t at = B / 2; at < fs.source->size; at += 999 * B)
			assert_ok(ingot_source_extent(fs.source, at, &extent, &err));
		filesystem_done(&fs);
	}
	hand_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(borders),
		cmocka_unit_test(comb),
		cmocka_unit_test(contiguous),
		cmocka_unit_test(ends),
		cmocka_unit_test(smallest_is_smallest),
		cmocka_unit_test(large_sizes),
		cmocka_unit_test(more_room_is_enough),
		cmocka_unit_test(fit),
		cmocka_unit_test(last_group),
		cmocka_unit_test(inode_counts),
		cmocka_unit_test(inodes_over_groups),
		cmocka_unit_test(unaligned_and_threads),
		cmocka_unit_test(extents),
	};

	return cmocka_run_group_tests(tests, ext2_setup, ext2_teardown);
}

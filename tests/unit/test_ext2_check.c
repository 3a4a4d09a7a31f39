/* The checker of ext2: quiet about what is whole, and no byte of metadata changes unnoticed. */
#include "ext2_support.h"
#include "flip_support.h"

#include "fs/ext2_check.h"
#include "io/sink.h"

/* --- an image in memory ------------------------------------------------- */

/* Bytes that can be changed, and which bits of them no checker of structure can miss. */
struct image {
	struct filesystem fs;
	struct ingot_sink *sink;
	struct ingot_source *source;
	unsigned char *bytes;
	struct ingot_xattrs *attributes;
	unsigned char *free_bits; /* any value is a good one */
};

static const struct ingot_xattr ATTRIBUTES[] = {{"user.a", "value", 5},
						{"user.bc", "another value", 13}};

static struct ingot_node *child(struct ingot_node *parent, const char *name)
{
	for (struct ingot_node *n = parent->children; n; n = n->next)
		if (strcmp(n->name, name) == 0)
			return n;
	fail_msg("no '%s'", name);
	return NULL;
}

static void link_to(struct playground *p, const char *path, size_t length)
{
	char target[256] = "";

	memset(target, 't', length);
	assert_int_equal(symlinkat(target, p->fd, path), 0);
	set_time(p->fd, path, 1600000000);
}

/* A little of everything. */
static void make_tree(struct playground *p)
{
	static const char data[60000] = "indirect";
	int fd;

	make_folder(p->fd, "tree");
	make_folder(p->fd, "tree/d");
	make_folder(p->fd, "tree/d/e");
	make_file(p->fd, "tree/a", "some text");
	make_file(p->fd, "tree/d/b", "");
	make_file_of(p->fd, "tree/d/large", data, sizeof(data));
	link_to(p, "tree/long", 200);
	link_to(p, "tree/short", 20);
	assert_int_equal(mkfifoat(p->fd, "tree/pipe", 0600), 0);
	assert_int_equal(linkat(p->fd, "tree/a", p->fd, "tree/z", 0), 0);
	fd = openat(p->fd, "tree/sparse", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(pwrite(fd, "end", 3, 5000000), 3);
	close(fd);
}

static void image_make(struct playground *p, struct image *ret)
{
	struct ingot_tree_options tree_options = {.epoch = SUPPORT_EPOCH};
	struct ingot_ext2_options options = EXT2_OPTIONS;
	struct ingot_error err = {0};
	char path[128];

	*ret = (struct image){0};
	make_tree(p);
	ret->attributes = calloc(1, sizeof(*ret->attributes) + sizeof(ATTRIBUTES));
	ret->attributes->count = 2;
	memcpy(ret->attributes->list, ATTRIBUTES, sizeof(ATTRIBUTES));
	snprintf(path, sizeof(path), "%s/tree", p->path);
	assert_ok(ingot_tree_open(path, &tree_options, &ret->fs.tree, &err));
	child(ingot_tree_root(ret->fs.tree), "a")->xattrs = ret->attributes;
	child(child(ingot_tree_root(ret->fs.tree), "d"), "b")->xattrs = ret->attributes;
	options.size = UINT64_C(36) * B;
	assert_ok(ingot_ext2_source(ret->fs.tree, ingot_tree_root(ret->fs.tree), &options,
				    &ret->fs.source, NULL, &err));
	assert_ok(ingot_sink_memory(ret->fs.source->size, &ret->sink, &ret->bytes, &err));
	assert_ok(ingot_source_read(ret->fs.source, 0, ret->bytes, ret->sink->size, &err));
	assert_ok(ingot_sink_source(ret->sink, &ret->source, &err));
	ret->free_bits = calloc(1, ret->sink->size);
	assert_non_null(ret->free_bits);
}

static void image_done(struct image *image)
{
	free(image->attributes);
	free(image->free_bits);
	ingot_source_free(image->source);
	ingot_sink_free(image->sink);
	filesystem_done(&image->fs);
}

/* --- checking ---------------------------------------------------------- */

static int check(struct ingot_source *source, enum whose whose, struct ingot_problems *problems,
		 struct ingot_error *err)
{
	struct ingot_ext_check seen;

	return ingot_ext_check(source, whose == OURS ? INGOT_EXT_OURS : INGOT_EXT_ANY, problems,
			       &seen, err);
}

static void a_whole_one_passes(void **state)
{
	struct ingot_problems problems = {0};
	struct ingot_ext_check seen;
	struct ingot_error err = {0};
	struct image image;

	image_make(*state, &image);
	assert_whole(image.source);
	assert_ok(ingot_ext_check(image.source, INGOT_EXT_OURS, &problems, &seen, &err));
	assert_true(seen.read_only);
	assert_false(seen.checksums);
	assert_false(seen.journal);
	assert_int_equal(seen.block_size, B);
	assert_int_equal(seen.blocks, 36);
	assert_int_equal(seen.files, 4);
	assert_int_equal(seen.folders, 4);
	assert_int_equal(seen.links, 2);
	assert_int_equal(seen.others, 1);
	assert_int_equal(seen.free_blocks, ingot_get_le32(image.bytes + 1024 + 12));
	assert_int_equal(seen.free_inodes, ingot_get_le32(image.bytes + 1024 + 16));
	image_done(&image);
}

/* --- every byte --------------------------------------------------------- */

static void set_free(struct image *image, uint64_t at, size_t n)
{
	memset(image->free_bits + at, 0xff, n);
}

static void free_names(struct image *image, uint64_t block)
{
	unsigned char *data = image->bytes + block * B;

	for (size_t at = 0; at < B; at += ingot_get_le16(data + at + 4))
		if (data[at + 8] != '.')
			set_free(image, block * B + at + 8, data[at + 6]);
}

/* Contents of files, names, targets of links. */
static void free_content(struct image *image, const unsigned char *inode, uint64_t at)
{
	uint32_t type = ingot_get_le16(inode) & S_IFMT, size = ingot_get_le32(inode + 4);

	if (type == S_IFLNK && size < 60) {
		set_free(image, at + 40, size);
		return;
	}
	for (uint64_t n = 0; n < ingot_div_up(size, B); n++) {
		uint64_t block = map_block(image->source, inode, n);

		if (block && type == S_IFDIR)
			free_names(image, block);
		else if (block)
			set_free(image, block * B, (size_t)ingot_min(B, size - n * B));
	}
}

/* The hash takes values in whole words: up to three zeros more are the same. */
static void free_attributes(struct image *image, uint64_t block)
{
	for (uint64_t at = block + 32; image->bytes[at];
	     at += 16 + ingot_round_up(image->bytes[at], 4))
		image->free_bits[at + 8] = 3;
}

static void free_inode(struct image *image, uint64_t at)
{
	const unsigned char *inode = image->bytes + at;
	uint32_t type = ingot_get_le16(inode) & S_IFMT;

	image->free_bits[at] = 0xff; /* permissions */
	image->free_bits[at + 1] = 0x0f;
	set_free(image, at + 2, 2); /* owner and group */
	set_free(image, at + 24, 2);
	set_free(image, at + 120, 4);
	if (ingot_get_le32(inode + 104))
		free_attributes(image, (uint64_t)ingot_get_le32(inode + 104) * B);
	if (type == S_IFREG) { /* it may end in a hole */
		set_free(image, at + 4, 4);
		set_free(image, at + 108, 4);
	}
	free_content(image, inode, at);
}

static void free_all(struct image *image)
{
	uint64_t table = (uint64_t)ingot_get_le32(image->bytes + B + 8) * B;

	set_free(image, 1024 + 104, 16); /* UUID */
	set_free(image, 1024 + 120, 6);	 /* label and the end of it */
	set_free(image, 1024 + 236, 16); /* hash seed */
	for (uint64_t i = 0; i < ingot_get_le32(image->bytes + 1024); i++)
		if (ingot_get_le16(image->bytes + table + i * 256))
			free_inode(image, table + i * 256);
}

static struct flips flips_of(const struct image *image)
{
	return (struct flips){
		.source = image->source, .bytes = image->bytes, .free_bits = image->free_bits};
}

static void no_byte_changes_unnoticed(void **state)
{
	struct image image;
	struct flips flips;

	image_make(*state, &image);
	free_all(&image);
	flips = flips_of(&image);
	for (size_t at = 0; at < image.sink->size; at++)
		flip_byte(&flips, at);
	assert_none_missed(&flips);
	assert_true(flips.changed > image.sink->size / 2);
	image_done(&image);
}

/* --- said in words ------------------------------------------------------ */

static uint64_t inode_at(const struct image *image, uint32_t number)
{
	return (uint64_t)ingot_get_le32(image->bytes + B + 8) * B + (number - 1) * UINT64_C(256);
}

static uint64_t content_of(const struct image *image, const char *path)
{
	unsigned char inode[256];

	find_inode(image->source, path, inode);
	return (uint64_t)ingot_get_le32(inode + 40) * B;
}

static void mistakes_have_names(void **state)
{
	uint64_t root, d, a;
	uint32_t number;
	struct image image;
	struct flips flips;

	image_make(*state, &image);
	flips = flips_of(&image);
	root = (uint64_t)ingot_get_le32(image.bytes + inode_at(&image, ROOT) + 40) * B;
	d = content_of(&image, "d");
	number = find_name(image.source, ROOT, "a");
	a = inode_at(&image, number);
	assert_says(&flips, 1024 + 24, 9, "block size cannot be true");
	assert_says(&flips, 1024 + 40, 0, "inodes of a group cannot be true");
	assert_says(&flips, 1024 + 12, 1, "it counts 1 free blocks, there are");
	assert_says(&flips, 1024 + 16, 77, "it counts 77 free inodes, there are");
	assert_says(&flips, 1024 + 92, 0x200, "features that cannot be checked (0x200, 0x0, 0x0)");
	assert_says(&flips, B, 1, "block 1 is used twice");
	assert_says(&flips, B + 4, 99, "block 99 is outside the filesystem");
	assert_says(&flips, B + 12, 0, "free blocks, there are");
	assert_says(&flips, a + 40, 2, "block 2 is used twice");
	assert_says(&flips, a + 40, 36, "block 36 is outside");
	assert_says(&flips, a + 40, 0, "it counts 16 blocks of 512 bytes, it has 8");
	assert_says(&flips, a + 40, 35, "block 35 is in use, not free");
	assert_says(&flips, a + 26, 3, "it counts 3 links, there are 2");
	assert_says(&flips, a + 104, 0, "attribute block");
	assert_says(&flips, root, 12, "'.' leads to inode 12");
	assert_says(&flips, d + 12, 12, "'..' leads to inode 12, not to 2");
	assert_says(&flips, d + 24, 9, "leads to inode 9");
	assert_says(&flips, d + 4, 0xfffc, "cannot be true");
	assert_says(&flips, d + 28, 0x0201000c, "says file type 2 of inode");
	assert_whole(image.source);
	image_done(&image);
}

/* A table of inodes of another size than ours, all of them in use: nothing behind it is read. */
static void other_inode_sizes_are_told(void **state)
{
	unsigned char inode[128];
	struct image image;
	uint64_t table;
	char text[65536];

	image_make(*state, &image);
	table = inode_at(&image, 1);
	memcpy(inode, image.bytes + inode_at(&image, ROOT), sizeof(inode));
	memset(image.bytes + (uint64_t)ingot_get_le32(image.bytes + B + 4) * B, 0xff, B);
	for (size_t at = 0; at < B; at += sizeof(inode))
		memcpy(image.bytes + table + at, inode, sizeof(inode));
	for (unsigned size = 128; size <= B; size *= 2) {
		ingot_put_le16(image.bytes + 1024 + 88, (uint16_t)size);
		assert_false(is_whole(image.source, OURS, text, sizeof(text)));
		assert_int_equal(!strstr(text, "superblock: "), size == 256);
	}
	image_done(&image);
}

/*
 * An empty folder with an index, which fills its block, as without checksums there is nothing
 * behind it: 32 limit, 34 count, 8 bytes each.
 */
static void an_index_may_fill_its_block(void **state)
{
	struct image image;
	uint64_t inode, e;
	char text[1024];

	image_make(*state, &image);
	e = content_of(&image, "d/e");
	inode = inode_at(&image, ingot_get_le32(image.bytes + e));
	ingot_put_le32(image.bytes + inode + 32, 0x1000);
	ingot_put_le16(image.bytes + e + 32, (B - 32) / 8);
	ingot_put_le16(image.bytes + e + 34, 1);
	if (!is_whole(image.source, ANYBODYS, text, sizeof(text)))
		fail_msg("%s", text);
	ingot_put_le16(image.bytes + e + 32, (B - 32) / 8 + 1);
	assert_false(is_whole(image.source, ANYBODYS, text, sizeof(text)));
	assert_non_null(strstr(text, "the index in block 0 is wrong"));
	image_done(&image);
}

/* --- copies ------------------------------------------------------------- */

/* One byte of another source changed. */
struct flipped {
	struct ingot_source source;
	struct ingot_source *whole;
	uint64_t at;
};

static int flipped_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	const struct flipped *f = (const struct flipped *)source;
	int rc = ingot_source_read(f->whole, offset, data, n, err);

	if (f->at >= offset && f->at - offset < n)
		((unsigned char *)data)[f->at - offset] ^= 0x10;
	return rc;
}

static int flipped_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			  struct ingot_error *err)
{
	const struct flipped *f = (const struct flipped *)source;
	int rc = ingot_source_extent(f->whole, offset, ret, err);

	if (f->at >= offset && f->at - offset < ret->length)
		*ret = (struct ingot_extent){f->at - offset + 1, false};
	return rc;
}

static void copies_are_compared(void **state)
{
	static const struct ingot_source_ops ops = {flipped_read, flipped_extent, NULL};
	/* Four groups: copies in 1 and 3. UUID, label, hash seed: alone they cannot be told. */
	static const uint64_t places[] = {1024 + 104, 1024 + 121, 1024 + 240};
	struct filesystem fs;
	struct flipped f;
	struct hand h;
	char text[1024];

	hand_make(&h);
	hand_fill(&h, &h.root, 50, S_IFREG | 0644);
	from_hand(*state, &h, 500 * MIB, &fs);
	assert_whole(fs.source);
	f = (struct flipped){{&ops, "flipped", fs.source->size}, fs.source, 0};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		f.at = places[i];
		assert_false(is_whole(&f.source, OURS, text, sizeof(text)));
		assert_non_null(strstr(text, "differs from the first"));
	}
	for (uint64_t group = 1; group <= 3; group += 2)
		for (uint64_t at = 0; at < UINT64_C(2) * B; at += 7) {
			f.at = group * GROUP * B + at;
			assert_false(is_whole(&f.source, OURS, text, sizeof(text)));
		}
	filesystem_done(&fs);
	hand_done(&h);
}

/* Folders of several blocks, a folder of many others, many files with attributes. */
static void large_ones_pass(void **state)
{
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	hand_fill(&h, &h.root, 66000, S_IFDIR | 0755);
	from_hand(*state, &h, 0, &fs);
	assert_whole(fs.source);
	filesystem_done(&fs);
	hand_done(&h);
}

/* Two folders that are in each other, and nowhere else. */
static void circles_are_found(void **state)
{
	struct ingot_node *one, *two;
	struct filesystem fs;
	struct ingot_sink *sink;
	struct ingot_source *source;
	struct ingot_error err = {0};
	unsigned char *bytes, inode[256];
	uint32_t a, b;
	uint64_t in_a, in_b, in_root;
	struct hand h;
	char text[4096];

	hand_make(&h);
	one = hand_add(&h, &h.root, "one", S_IFDIR | 0755);
	two = hand_add(&h, one, "two", S_IFDIR | 0755);
	(void)hand_add(&h, two, "x", S_IFREG | 0644);
	from_hand(*state, &h, 0, &fs);
	assert_ok(ingot_sink_memory(fs.source->size, &sink, &bytes, &err));
	assert_ok(ingot_source_read(fs.source, 0, bytes, sink->size, &err));
	assert_ok(ingot_sink_source(sink, &source, &err));
	a = find_name(source, ROOT, "one");
	b = find_name(source, a, "two");
	read_inode(source, a, inode);
	in_a = (uint64_t)ingot_get_le32(inode + 40) * B;
	read_inode(source, b, inode);
	in_b = (uint64_t)ingot_get_le32(inode + 40) * B;
	read_inode(source, ROOT, inode);
	in_root = (uint64_t)ingot_get_le32(inode + 40) * B;
	/* root: . .. lost+found one */
	ingot_put_le32(bytes + in_root + 44, b + 1); /* one is now x's other name */
	ingot_put_le32(bytes + in_b + 24, a);	     /* x is now one */
	bytes[in_b + 31] = 2;
	bytes[in_root + 51] = 1;
	ingot_put_le32(bytes + in_a + 12, b);
	assert_false(is_whole(source, ANYBODYS, text, sizeof(text)));
	assert_non_null(strstr(text, "it is not below the root"));
	ingot_source_free(source);
	ingot_sink_free(sink);
	filesystem_done(&fs);
	hand_done(&h);
}

static void other_things_are_none(void **state)
{
	static const unsigned char zeros[4096];
	struct ingot_problems problems = {0};
	struct ingot_source *source;
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_source_memory("zeros", zeros, sizeof(zeros), &source, &err));
	assert_fails(ingot_ext_check(source, INGOT_EXT_ANY, &problems, NULL, &err), -ENODATA,
		     "'zeros' is no ext filesystem");
	ingot_source_free(source);
	assert_ok(ingot_source_memory("short", zeros, 2047, &source, &err));
	assert_fails(ingot_ext_check(source, INGOT_EXT_ANY, &problems, NULL, &err), -ENODATA,
		     "'short' is no ext filesystem");
	ingot_source_free(source);
	assert_false(ingot_problems_any(&problems));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_one_passes, ext2_setup, ext2_teardown),
		cmocka_unit_test_setup_teardown(no_byte_changes_unnoticed, ext2_setup,
						ext2_teardown),
		cmocka_unit_test_setup_teardown(mistakes_have_names, ext2_setup, ext2_teardown),
		cmocka_unit_test_setup_teardown(other_inode_sizes_are_told, ext2_setup,
						ext2_teardown),
		cmocka_unit_test_setup_teardown(an_index_may_fill_its_block, ext2_setup,
						ext2_teardown),
		cmocka_unit_test_setup_teardown(copies_are_compared, ext2_setup, ext2_teardown),
		cmocka_unit_test_setup_teardown(large_ones_pass, ext2_setup, ext2_teardown),
		cmocka_unit_test_setup_teardown(circles_are_found, ext2_setup, ext2_teardown),
		cmocka_unit_test(other_things_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

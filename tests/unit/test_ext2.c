/* What an ext2 filesystem says about a tree: superblock, inodes, folders, attributes. */
#include "ext2_support.h"

/* --- the whole --------------------------------------------------------- */

/* Offsets and values from the kernel's document, "The Super Block". */
static const struct {
	uint16_t offset, size;
	uint32_t value;
	const char *what;
} SUPER[] = {
	{0, 4, 16, "inodes"},
	{4, 4, 7, "blocks"},
	{8, 4, 0, "reserved blocks"},
	{12, 4, 0, "free blocks"},
	{16, 4, 4, "free inodes"},
	{20, 4, 0, "first data block"},
	{24, 4, 2, "block size"},
	{28, 4, 2, "cluster size"},
	{32, 4, GROUP, "blocks per group"},
	{36, 4, GROUP, "clusters per group"},
	{40, 4, 16, "inodes per group"},
	{44, 4, 0, "mounted"},
	{48, 4, SUPPORT_EPOCH, "written"},
	{52, 2, 0, "mounts"},
	{54, 2, 0xffff, "mounts before a check"},
	{56, 2, 0xef53, "magic"},
	{58, 2, 1, "clean"},
	{60, 2, 1, "on errors"},
	{64, 4, SUPPORT_EPOCH, "checked"},
	{68, 4, 0, "seconds between checks"},
	{72, 4, 0, "creator"},
	{76, 4, 1, "revision"},
	{84, 4, 11, "first inode"},
	{88, 2, 256, "inode size"},
	{90, 2, 0, "group"},
	{92, 4, 0x8, "features: ext_attr"},
	{96, 4, 0x2, "features: filetype"},
	{100, 4, 0x1003, "features: sparse_super, large_file, read-only"},
	{264, 4, SUPPORT_EPOCH, "made"},
	{348, 2, 32, "extra bytes of an inode"},
	{352, 4, 1, "flags"},
};

static void superblock(void **state)
{
	unsigned char super[1024];
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	(void)hand_add(&h, &h.root, "file", S_IFREG | 0644);
	from_hand(*state, &h, 0, &fs);
	read_source(fs.source, 1024, super, sizeof(super));
	for (size_t i = 0; i < sizeof(SUPER) / sizeof(SUPER[0]); i++) {
		const unsigned char *p = super + SUPER[i].offset;
		uint32_t found = SUPER[i].size == 2 ? ingot_get_le16(p) : ingot_get_le32(p);

		if (found != SUPER[i].value)
			fail_msg("%s: %" PRIu32 ", not %" PRIu32, SUPER[i].what, found,
				 SUPER[i].value);
	}
	assert_memory_equal(super + 104, EXT2_OPTIONS.uuid.bytes, 16);
	assert_memory_equal(super + 120, "USR-A\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(super + 236, EXT2_OPTIONS.hash_seed.bytes, 16);
	assert_int_equal(fs.stats.blocks, 7);
	assert_int_equal(fs.stats.free_blocks, 0);
	assert_int_equal(fs.stats.inodes, 3);
	assert_int_equal(fs.stats.files, 1);
	assert_int_equal(fs.stats.folders, 2);
	assert_int_equal(fs.stats.links, 0);
	filesystem_done(&fs);
	hand_done(&h);
}

static void options_are_checked(void **state)
{
	struct ingot_ext2_options options = EXT2_OPTIONS;
	unsigned char super[1024];
	struct ingot_error err = {0};
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	options.label = "0123456789abcdef";
	assert_ok(try_hand(*state, &h, &options, &fs, &err));
	read_source(fs.source, 1024, super, sizeof(super));
	assert_memory_equal(super + 120, "0123456789abcdef", 16);
	filesystem_done(&fs);
	options.label = "0123456789abcdefg";
	assert_fails(try_hand(*state, &h, &options, &fs, &err), -EINVAL,
		     "'0123456789abcdefg' is longer than 16");
	filesystem_done(&fs);
	options.label = NULL;
	options.size = 1000 * B + 512;
	assert_fails(try_hand(*state, &h, &options, &fs, &err), -EINVAL, "not a multiple");
	filesystem_done(&fs);
	options.size = UINT64_MAX / B * B;
	assert_fails(try_hand(*state, &h, &options, &fs, &err), -EFBIG, "too many for ext2");
	filesystem_done(&fs);
	hand_done(&h);
}

static void an_empty_tree(void **state)
{
	struct hand h;

	hand_make(&h);
	hand_clean(*state, &h, 0);
	hand_clean(*state, &h, 3 * MIB);
	hand_done(&h);
}

/* Every field of every structure, once: a change of one byte has to be meant. */
static void golden(void **state)
{
	uint8_t digest[32];
	char text[65];
	struct ingot_error err = {0};
	struct ingot_node *folder;
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	folder = hand_add(&h, &h.root, "folder", S_IFDIR | 01777);
	(void)hand_add(&h, folder, "inside", S_IFREG | 04755);
	(void)hand_symlink(&h, "long", 1000);
	hand_add(&h, &h.root, "null", S_IFCHR | 0666)->device.major = 1;
	(void)hand_symlink(&h, "short", 10);
	from_hand(*state, &h, 160 * MIB, &fs);
	assert_ok(ingot_source_sha256(fs.source, digest, &err));
	ingot_hex(digest, 32, text);
	assert_string_equal(text,
			    "6ef64fd2bb9a322bcb387471e57553de104ce908230f2b114d87226c6029ea42");
	filesystem_done(&fs);
	hand_done(&h);
}

/* --- inodes ------------------------------------------------------------ */

static void modes_and_owners(void **state)
{
	static const uint32_t modes[] = {S_IFREG | 04755, S_IFREG | 0, S_IFREG | 07777,
					 S_IFIFO | 0600, S_IFSOCK | 0666};
	unsigned char inode[256];
	struct filesystem fs;
	struct ingot_node *node;
	struct hand h;
	char name[8];

	hand_make(&h);
	h.root.mode = S_IFDIR | 02750;
	h.root.uid = 7;
	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%u", i);
		node = hand_add(&h, &h.root, name, modes[i]);
		node->uid = 70000 * i;
		node->gid = UINT32_MAX - 2 - i;
	}
	from_hand(*state, &h, 0, &fs);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%u", i);
		find_inode(fs.source, name, inode);
		assert_int_equal(ingot_get_le16(inode), modes[i]);
		assert_int_equal(ingot_get_le16(inode + 2), 70000 * i & 0xffff);
		assert_int_equal(ingot_get_le16(inode + 120), 70000 * i >> 16);
		assert_int_equal(ingot_get_le16(inode + 24), (UINT32_MAX - 2 - i) & 0xffff);
		assert_int_equal(ingot_get_le16(inode + 122), 0xffff);
		assert_int_equal(ingot_get_le16(inode + 26), 1);
	}
	read_inode(fs.source, ROOT, inode);
	assert_int_equal(ingot_get_le16(inode), S_IFDIR | 02750);
	assert_int_equal(ingot_get_le16(inode + 2), 7);
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	hand_done(&h);
}

/* A time is 32 bits, and two more in a second field ("Inode Timestamps"). */
static void times(void **state)
{
	static const struct {
		int64_t time;
		uint32_t low, extra;
	} cases[] = {
		{0, 0, 0},
		{-1, 0xffffffff, 0},
		{INT32_MIN, 0x80000000, 0},
		{INT64_MIN, 0x80000000, 0}, /* as early as it gets */
		{INT32_MAX, 0x7fffffff, 0},
		{INT64_C(0x80000000), 0x80000000, 1}, /* 2038 */
		{INT64_C(0xffffffff), 0xffffffff, 1},
		{INT64_C(0x100000000), 0, 1}, /* 2106 */
		{INT64_C(0x180000000), 0x80000000, 2},
		{INT64_C(0x37fffffff), 0x7fffffff, 3}, /* 2446, the last */
		{INT64_C(0x380000000), 0x7fffffff, 3},
		{INT64_MAX, 0x7fffffff, 3},
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	unsigned char inode[256];
	struct filesystem fs;
	struct hand h;
	char name[8];

	hand_make(&h);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%02u", i);
		hand_add(&h, &h.root, name, S_IFREG | 0644)->mtime = cases[i].time;
	}
	from_hand(*state, &h, 0, &fs);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%02u", i);
		find_inode(fs.source, name, inode);
		/* accessed, changed, modified, created */
		assert_int_equal(ingot_get_le32(inode + 8), cases[i].low);
		assert_int_equal(ingot_get_le32(inode + 140), cases[i].extra);
		assert_int_equal(ingot_get_le32(inode + 12), cases[i].low);
		assert_int_equal(ingot_get_le32(inode + 132), cases[i].extra);
		assert_int_equal(ingot_get_le32(inode + 16), cases[i].low);
		assert_int_equal(ingot_get_le32(inode + 136), cases[i].extra);
		assert_int_equal(ingot_get_le32(inode + 144), cases[i].low);
		assert_int_equal(ingot_get_le32(inode + 148), cases[i].extra);
		assert_int_equal(ingot_get_le32(inode + 20), 0); /* not deleted */
	}
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	hand_done(&h);
}

/* The superblock's times have eight more bits ("s_wtime_hi" and those after it). */
static void late_epoch(void **state)
{
	struct ingot_ext2_options options = EXT2_OPTIONS;
	unsigned char super[1024], inode[256];
	struct ingot_error err = {0};
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	options.epoch = INT64_C(0x123456789);
	assert_ok(try_hand(*state, &h, &options, &fs, &err));
	read_source(fs.source, 1024, super, sizeof(super));
	assert_int_equal(ingot_get_le32(super + 48), 0x23456789);
	assert_int_equal(super[628], 1); /* written */
	assert_int_equal(super[630], 1); /* made */
	assert_int_equal(super[631], 1); /* checked */
	find_inode(fs.source, "lost+found", inode);
	assert_int_equal(ingot_get_le32(inode + 16), 0x23456789);
	assert_int_equal(ingot_get_le32(inode + 136), 1);
	filesystem_done(&fs);
	hand_done(&h);
}

static struct ingot_node *add_device(struct hand *h, const char *name, uint32_t type,
				     uint32_t major, uint32_t minor)
{
	struct ingot_node *node = hand_add(h, &h->root, name, type | 0600);

	node->device.major = major;
	node->device.minor = minor;
	return node;
}

/* Small numbers are 16 bits in the first pointer, others 32 in the second (init_special_inode). */
static void device_numbers(void **state)
{
	static const struct {
		uint32_t major, minor, old, new;
	} cases[] = {
		{0, 0, 0, 0},
		{1, 3, 0x103, 0},
		{255, 255, 0xffff, 0},
		{255, 256, 0, 0x10ff00},
		{256, 0, 0, 0x10000},
		{259, 1048000, 0, (1048000 & 0xff) | 259 << 8 | (1048000U & ~0xffU) << 12},
		{4095, 1048575, 0, 0xffffffff},
	};
	unsigned char inode[256];
	struct ingot_error err = {0};
	struct filesystem fs;
	struct hand h;
	char name[8];

	hand_make(&h);
	for (unsigned i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "%u", i);
		(void)add_device(&h, name, i % 2 ? S_IFCHR : S_IFBLK, cases[i].major,
				 cases[i].minor);
	}
	from_hand(*state, &h, 0, &fs);
	for (unsigned i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "%u", i);
		find_inode(fs.source, name, inode);
		assert_int_equal(ingot_get_le32(inode + 40), cases[i].old);
		assert_int_equal(ingot_get_le32(inode + 44), cases[i].new);
		assert_int_equal(ingot_get_le32(inode + 4), 0);
	}
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	(void)add_device(&h, "8", S_IFCHR, 4096, 0);
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -EINVAL,
		     "'8': device number 4096:0 is too large");
	filesystem_done(&fs);
	h.last->device.major = 0;
	h.last->device.minor = 1 << 20;
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -EINVAL, "0:1048576");
	filesystem_done(&fs);
	hand_done(&h);
}

static void symbolic_links(void **state)
{
	static const size_t lengths[] = {1, 59, 60, 61, 4095};
	unsigned char inode[256], data[B];
	struct ingot_error err = {0};
	struct filesystem fs;
	struct hand h;
	char name[8];

	hand_make(&h);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%u", i);
		(void)hand_symlink(&h, name, lengths[i]);
	}
	from_hand(*state, &h, 0, &fs);
	assert_int_equal(fs.stats.links, 5);
	for (unsigned i = 0; i < 5; i++) {
		bool inside = lengths[i] < 60;

		snprintf(name, sizeof(name), "%u", i);
		find_inode(fs.source, name, inode);
		assert_int_equal(ingot_get_le32(inode + 4), lengths[i]);
		assert_int_equal(ingot_get_le32(inode + 28), inside ? 0 : 8);
		if (inside)
			memcpy(data, inode + 40, 60);
		else
			read_source(fs.source, (uint64_t)ingot_get_le32(inode + 40) * B, data, B);
		assert_true(data[0] == 't' && memcmp(data, data + 1, lengths[i] - 1) == 0);
		assert_true(all_zero(data + lengths[i], (inside ? 60 : B) - lengths[i]));
	}
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	(void)hand_symlink(&h, "5", 4096);
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -ENAMETOOLONG, "4096 bytes");
	filesystem_done(&fs);
	hand_done(&h);
}

/* --- names ------------------------------------------------------------- */

/* A file with `count` names in a folder of its own. */
static void hand_names(struct hand *h, size_t count)
{
	struct ingot_node *folder = hand_add(h, &h->root, "names", S_IFDIR | 0755);
	struct ingot_node *file;

	hand_fill(h, folder, count, S_IFREG | 0644);
	file = folder->children;
	for (struct ingot_node *n = file->next; n; n = n->next) {
		n->is_link = true;
		n->link = file;
	}
}

static void hard_links(void **state)
{
	unsigned char inode[256];
	struct ingot_error err = {0};
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	hand_names(&h, 65000);
	from_hand(*state, &h, 0, &fs);
	find_inode(fs.source, "names/n0000000", inode);
	assert_int_equal(ingot_get_le16(inode + 26), 65000);
	assert_int_equal(fs.stats.inodes, 4);
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	hand_done(&h);
	hand_make(&h);
	hand_names(&h, 65001);
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -EMLINK,
		     "'names/n0000000' has 65001 names, ext2 allows 65000");
	filesystem_done(&fs);
	hand_done(&h);
}

/* Two names for itself, one for each folder inside; 1 is "more than 65000" (dir_nlink). */
static void many_subfolders(void **state)
{
	static const struct {
		size_t count;
		unsigned links;
		uint32_t feature;
	} cases[] = {{64998, 65000, 0}, {64999, 1, 0x20}};
	unsigned char super[1024], inode[256];
	struct filesystem fs;
	struct hand h;

	for (unsigned i = 0; i < 2; i++) {
		hand_make(&h);
		hand_fill(&h, hand_add(&h, &h.root, "many", S_IFDIR | 0755), cases[i].count,
			  S_IFDIR | 0755);
		from_hand(*state, &h, 0, &fs);
		find_inode(fs.source, "many", inode);
		assert_int_equal(ingot_get_le16(inode + 26), cases[i].links);
		read_source(fs.source, 1024, super, sizeof(super));
		assert_int_equal(ingot_get_le32(super + 100) & 0x20, cases[i].feature);
		filesystem_done(&fs);
		hand_done(&h);
	}
}

static void many_names(void **state)
{
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	hand_fill(&h, hand_add(&h, &h.root, "many", S_IFDIR | 0755), 100000, S_IFREG | 0644);
	from_hand(*state, &h, 0, &fs);
	assert_int_equal(fs.stats.files, 100000);
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	hand_done(&h);
}

/* Blocks of a folder with 253 names of 8 bytes and one of `last`. */
static uint32_t folder_blocks(struct playground *p, size_t last)
{
	char name[256] = {0};
	unsigned char inode[256];
	struct ingot_node *folder;
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	folder = hand_add(&h, &h.root, "folder", S_IFDIR | 0755);
	hand_fill(&h, folder, 253, S_IFREG | 0644);
	(void)hand_add(&h, folder, memset(name, 'z', last), S_IFREG | 0644);
	from_hand(p, &h, 0, &fs);
	find_inode(fs.source, "folder", inode);
	assert_int_equal(find_name(fs.source, find_name(fs.source, ROOT, "folder"), name),
			 12 + 1 + 253);
	check_clean(p, fs.source);
	filesystem_done(&fs);
	hand_done(&h);
	return ingot_get_le32(inode + 4) / B;
}

/* "." and ".." take 24 bytes, 253 names 4048: 24 are left, 8 of them for the head of an entry. */
static void a_full_block(void **state)
{
	assert_int_equal(folder_blocks(*state, 12), 1);
	assert_int_equal(folder_blocks(*state, 13), 1);
	assert_int_equal(folder_blocks(*state, 16), 1);
	assert_int_equal(folder_blocks(*state, 17), 2);
	assert_int_equal(folder_blocks(*state, 255), 2);
}

static void strange_names(void **state)
{
	static const char *const names[] = {" ", "\x01", "\xff\xfe", "\xff\xff\xff", "lost+found~"};
	struct filesystem fs;
	struct hand h;
	char name[256] = {0};

	hand_make(&h);
	(void)hand_add(&h, &h.root, names[1], S_IFREG | 0644);
	(void)hand_add(&h, &h.root, names[0], S_IFREG | 0644);
	(void)hand_add(&h, &h.root, names[4], S_IFREG | 0644);
	(void)hand_add(&h, &h.root, memset(name, 0xc3, 255), S_IFDIR | 0755);
	(void)hand_add(&h, &h.root, names[2], S_IFREG | 0644);
	(void)hand_add(&h, &h.root, names[3], S_IFREG | 0644);
	from_hand(*state, &h, 0, &fs);
	for (unsigned i = 0; i < 5; i++)
		assert_true(find_name(fs.source, ROOT, names[i]) > 11);
	assert_true(find_name(fs.source, ROOT, name) > 11);
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	hand_done(&h);
}

static void lost_and_found(void **state)
{
	unsigned char inode[256];
	struct ingot_error err = {0};
	struct ingot_node *own;
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	from_hand(*state, &h, 0, &fs);
	assert_int_equal(find_name(fs.source, ROOT, "lost+found"), 11);
	read_inode(fs.source, 11, inode);
	assert_int_equal(ingot_get_le16(inode), S_IFDIR | 0700);
	assert_int_equal(ingot_get_le32(inode + 16), SUPPORT_EPOCH);
	filesystem_done(&fs);
	/* The tree's own keeps what it is. */
	own = hand_add(&h, &h.root, "lost+found", S_IFDIR | 0750);
	(void)hand_add(&h, own, "something", S_IFREG | 0644);
	from_hand(*state, &h, 0, &fs);
	assert_int_equal(find_name(fs.source, ROOT, "lost+found"), 11);
	read_inode(fs.source, 11, inode);
	assert_int_equal(ingot_get_le16(inode), S_IFDIR | 0750);
	assert_int_equal(find_name(fs.source, 11, "something"), 12);
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	own->mode = S_IFREG | 0644;
	own->children = NULL;
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -ENOTDIR,
		     "'lost+found' in the tree is not a folder");
	filesystem_done(&fs);
	hand_done(&h);
}

/* --- attributes -------------------------------------------------------- */

static const struct ingot_xattrs *hand_xattrs(struct hand *h, const struct ingot_xattr *list,
					      size_t count)
{
	struct ingot_xattrs *set =
		ingot_arena_alloc(&h->arena, sizeof(*set) + count * sizeof(*list), 8, NULL);

	assert_non_null(set);
	set->count = count;
	memcpy(set->list, list, count * sizeof(*list));
	return set;
}

static uint32_t xattr_block_of(struct ingot_source *source, const char *path)
{
	unsigned char inode[256];

	find_inode(source, path, inode);
	assert_int_equal(ingot_get_le32(inode + 28) / 8, 1);
	return ingot_get_le32(inode + 104);
}

static unsigned shared_by(struct ingot_source *source, uint32_t block)
{
	unsigned char data[32];

	read_source(source, (uint64_t)block * B, data, sizeof(data));
	assert_int_equal(ingot_get_le32(data), 0xea020000);
	return ingot_get_le32(data + 4);
}

/* A block serves 1024 files at most. */
static void attributes_are_shared(void **state)
{
	const struct ingot_xattrs *set, *other;
	struct ingot_node *n;
	struct filesystem fs;
	struct hand h;

	hand_make(&h);
	set = hand_xattrs(&h, &(struct ingot_xattr){"user.x", "value", 5}, 1);
	other = hand_xattrs(&h, &(struct ingot_xattr){"user.y", "value", 5}, 1);
	hand_fill(&h, &h.root, 2050, S_IFREG | 0644);
	for (n = h.root.children; n; n = n->next)
		n->xattrs = set;
	h.last->xattrs = other;
	from_hand(*state, &h, 0, &fs);
	assert_int_equal(shared_by(fs.source, xattr_block_of(fs.source, "n0000000")), 1024);
	assert_int_equal(xattr_block_of(fs.source, "n0000000"),
			 xattr_block_of(fs.source, "n0001023"));
	assert_int_equal(shared_by(fs.source, xattr_block_of(fs.source, "n0001024")), 1024);
	assert_int_equal(xattr_block_of(fs.source, "n0001024"),
			 xattr_block_of(fs.source, "n0002047"));
	assert_int_equal(shared_by(fs.source, xattr_block_of(fs.source, "n0002048")), 1);
	assert_int_equal(shared_by(fs.source, xattr_block_of(fs.source, "n0002049")), 1);
	assert_int_not_equal(xattr_block_of(fs.source, "n0002048"),
			     xattr_block_of(fs.source, "n0002049"));
	check_clean(*state, fs.source);
	filesystem_done(&fs);
	hand_done(&h);
}

static void add_with(struct hand *h, const char *name, uint32_t mode, const char *attribute,
		     const void *value, size_t n)
{
	hand_add(h, &h->root, name, mode)->xattrs =
		hand_xattrs(h, &(struct ingot_xattr){attribute, value, n}, 1);
}

/* POSIX ACL as getxattr(2) gives it: user::rw-, user:1000:r--, group::r--, mask::r--, other::--- */
static const uint8_t ACL[] = {2,    0,	  0,	0,    1,    0,	  6,  0,    0xff, 0xff, 0xff,
			      0xff, 2,	  0,	4,    0,    0xe8, 3,  0,    0,	  4,	0,
			      4,    0,	  0xff, 0xff, 0xff, 0xff, 16, 0,    4,	  0,	0xff,
			      0xff, 0xff, 0xff, 32,   0,    0,	  0,  0xff, 0xff, 0xff, 0xff};

/* e2fsck computes every hash again. */
static void attribute_hashes(void **state)
{
	static const struct ingot_xattr several[] = {
		{"security.capability", "\x01\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20},
		{"security.selinux", "system_u:object_r:bin_t:s0", 27},
		{"system.posix_acl_access", ACL, sizeof(ACL)},
		{"trusted.overlay.opaque", "y", 1},
		{"user.a", "\xff\xff\xff\xff", 4},
		{"user.aa", "", 0},
		{"user.b", "abc", 3},
	};
	char name[264] = "user.";
	struct ingot_node *node;
	struct hand h;

	hand_make(&h);
	add_with(&h, "a", S_IFREG | 0644, "user.empty", "", 0);
	add_with(&h, "b", S_IFDIR | 0755, "system.posix_acl_default", ACL, sizeof(ACL));
	add_with(&h, "c", S_IFREG | 0644, "user.\xc3\xa4\xff", "not ASCII", 9);
	add_with(&h, "d", S_IFLNK | 0777, "security.selinux", "x", 1);
	h.last->target = "target";
	h.last->size = 6;
	memset(name + 5, 'n', 255);
	add_with(&h, "e", S_IFIFO | 0644, name, "long name", 9);
	node = hand_symlink(&h, "f", 100);
	node->xattrs = hand_xattrs(&h, several, 2);
	hand_add(&h, &h.root, "g", S_IFREG | 0644)->xattrs = hand_xattrs(&h, several, 7);
	h.root.xattrs = hand_xattrs(&h, several + 1, 1);
	hand_clean(*state, &h, 0);
	hand_done(&h);
}

/* A header of 32 bytes, 4 behind the last entry, 20 for an entry with a short name. */
static void attributes_fill_a_block(void **state)
{
	static char value[5000];
	struct ingot_error err = {0};
	struct filesystem fs;
	struct hand h;

	memset(value, 'v', sizeof(value));
	hand_make(&h);
	add_with(&h, "a", S_IFREG | 0644, "user.name", value, B - 32 - 4 - 20);
	hand_clean(*state, &h, 0);
	add_with(&h, "b", S_IFREG | 0644, "user.name", value, B - 32 - 4 - 20 + 1);
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -E2BIG,
		     "'b': the extended attributes take 4100 bytes, ext2 has 4096");
	filesystem_done(&fs);
	hand_done(&h);
	hand_make(&h);
	add_with(&h, "a", S_IFREG | 0644, "user.name", value, sizeof(value));
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -E2BIG, "5000 bytes");
	filesystem_done(&fs);
	h.root.children->xattrs = hand_xattrs(&h, &(struct ingot_xattr){"btrfs.x", "", 0}, 1);
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -EINVAL,
		     "cannot store the attribute 'btrfs.x'");
	filesystem_done(&fs);
	h.root.children->xattrs =
		hand_xattrs(&h, &(struct ingot_xattr){"system.posix_acl_access", "\1\0\0\0", 4}, 1);
	assert_fails(try_hand(*state, &h, &EXT2_OPTIONS, &fs, &err), -EINVAL, "malformed");
	filesystem_done(&fs);
	hand_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(superblock),	    cmocka_unit_test(options_are_checked),
		cmocka_unit_test(an_empty_tree),    cmocka_unit_test(golden),
		cmocka_unit_test(modes_and_owners), cmocka_unit_test(times),
		cmocka_unit_test(late_epoch),	    cmocka_unit_test(device_numbers),
		cmocka_unit_test(symbolic_links),   cmocka_unit_test(hard_links),
		cmocka_unit_test(many_subfolders),  cmocka_unit_test(many_names),
		cmocka_unit_test(a_full_block),	    cmocka_unit_test(strange_names),
		cmocka_unit_test(lost_and_found),   cmocka_unit_test(attributes_are_shared),
		cmocka_unit_test(attribute_hashes), cmocka_unit_test(attributes_fill_a_block),
	};

	return cmocka_run_group_tests(tests, ext2_setup, ext2_teardown);
}

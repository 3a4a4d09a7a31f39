/* Filesystems that e2fsck finds nothing wrong with and debugfs reads back. */
#include "tree_support.h"

#include <errno.h>
#include <stdarg.h>

#include "fs/ext4.h"
#include "fs/ext4_internal.h"

#define MIB (UINT64_C(1) << 20)

static const struct ingot_ext4_options OPTIONS = {
	.uuid = {{0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	.hash_seed = {{0x43, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	.label = "ROOT",
	.epoch = SUPPORT_EPOCH,
	.reserved_percent = 5,
};

/* --- a tree made by hand: what an ordinary user cannot make in a folder --- */

enum { NODES_MAX = 21000 };

struct hand {
	struct ingot_node nodes[NODES_MAX];
	char names[NODES_MAX][16];
	size_t count;
};

static struct ingot_node *hand_root(struct hand *h)
{
	h->nodes[0] = (struct ingot_node){.name = "", .mode = S_IFDIR | 0755, .mtime = 1};
	h->count = 1;
	return &h->nodes[0];
}

/* Children have to be added in order. */
static struct ingot_node *hand_add(struct hand *h, struct ingot_node *parent, const char *name,
				   uint32_t mode)
{
	struct ingot_node **at = &parent->children;
	struct ingot_node *node = &h->nodes[h->count];

	assert_true(h->count < NODES_MAX && strlen(name) < sizeof(h->names[0]));
	strcpy(h->names[h->count++], name);
	*node = (struct ingot_node){.parent = parent,
				    .name = h->names[h->count - 1],
				    .name_length = (uint16_t)strlen(name),
				    .mode = mode,
				    .mtime = 1600000000};
	while (*at)
		at = &(*at)->next;
	*at = node;
	return node;
}

/* --- images ------------------------------------------------------------ */

static int write_image(struct playground *p, const char *name, uint64_t size,
		       const struct ingot_ext4_options *options, struct ingot_tree *tree,
		       struct ingot_node *root, struct ingot_error *err)
{
	INGOT_CLOSE int fd = openat(p->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	INGOT_SINK struct ingot_sink *sink = NULL;

	assert_true(fd >= 0);
	assert_int_equal(ingot_sink_fd(fd, name, size, &sink, err), 0);
	return ingot_ext4_write(sink, options, tree, root, err);
}

/* The output of a command in the playground; it has to succeed. The caller frees it. */
static char *output_of(struct playground *p, const char *format, ...) INGOT_PRINTF(2, 3);

static char *output_of(struct playground *p, const char *format, ...)
{
	char *command, *line, *text = NULL;
	size_t size, n;
	va_list args;
	char piece[4096];
	FILE *in, *out = open_memstream(&text, &size);
	int status;

	va_start(args, format);
	assert_true(vasprintf(&command, format, args) > 0);
	va_end(args);
	assert_true(asprintf(&line, "cd '%s' && { %s; } 2>&1", p->path, command) > 0);
	in = popen(line, "r");
	assert_non_null(in);
	while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
		assert_int_equal(fwrite(piece, 1, n, out), n);
	fclose(out);
	status = pclose(in);
	if (status != 0)
		fail_msg("%s: status %d: %s", command, status, text);
	free(line);
	free(command);
	return text;
}

static void expect(struct playground *p, const char *command, const char *words)
{
	char *text = output_of(p, "%s", command);

	if (!strstr(text, words))
		fail_msg("'%s' not in the output of %s: %s", words, command, text);
	free(text);
}

static void check_clean(struct playground *p, const char *name)
{
	free(output_of(p, "e2fsck -fn %s", name));
}

static int setup(void **state)
{
	struct playground *p = calloc(1, sizeof(*p));

	playground_make(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	playground_remove(*state);
	free(*state);
	return 0;
}

/* --- pure parts -------------------------------------------------------- */

static void spans(void **state)
{
	struct ingot_runs *runs = calloc(1, sizeof(*runs) + 5 * sizeof(runs->list[0]));
	struct ingot_node file = {.mode = S_IFREG, .size = 4097};
	struct ext4_span span;
	size_t run = 0;

	(void)state;
	assert_true(ext4_next_span(&file, &run, &span));
	assert_true(span.block == 0 && span.count == 2);
	assert_false(ext4_next_span(&file, &run, &span));

	/* The first two share a block, the third touches it, the fourth is alone. */
	runs->count = 5;
	runs->list[0] = (struct ingot_run){.offset = 4096, .length = 1};
	runs->list[1] = (struct ingot_run){.offset = 8000, .length = 100};
	runs->list[2] = (struct ingot_run){.offset = 8192, .length = 8192};
	runs->list[3] = (struct ingot_run){.offset = 40960, .length = 4096};
	runs->list[4] = (struct ingot_run){.offset = 81920 + 4095, .length = 2};
	file.size = 100000;
	file.runs = runs;
	run = 0;
	assert_true(ext4_next_span(&file, &run, &span));
	assert_true(span.block == 1 && span.count == 3);
	assert_true(ext4_next_span(&file, &run, &span));
	assert_true(span.block == 10 && span.count == 1);
	assert_true(ext4_next_span(&file, &run, &span));
	assert_true(span.block == 20 && span.count == 2);
	assert_false(ext4_next_span(&file, &run, &span));

	runs->count = 0; /* one hole */
	run = 0;
	assert_false(ext4_next_span(&file, &run, &span));
	free(runs);
}

/* --- filesystems ------------------------------------------------------- */

static void empty(void **state)
{
	static const uint64_t sizes[] = {8 * MIB,   64 * MIB,	    100 * MIB + 12288,
					 128 * MIB, 129 * MIB + 99, 520 * MIB};
	struct ingot_error err = {0};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_ok(write_image(*state, "a", sizes[i], &OPTIONS, NULL, NULL, &err));
		check_clean(*state, "a");
		assert_ok(write_image(*state, "b", sizes[i], &OPTIONS, NULL, NULL, &err));
		free(output_of(*state, "cmp a b"));
	}
}

/* Of some versions of libext2fs they have none, of others they have: not of ours. */
static void groups_with_copies_have_bitmaps(void **state)
{
	struct ingot_error err = {0};

	assert_ok(write_image(*state, "a", 520 * MIB, &OPTIONS, NULL, NULL, &err));
	expect(*state, "dumpe2fs a | sed -n '/^Group [13]:/s/.*csum 0x[0-9a-f]* //p'",
	       "[INODE_UNINIT, ITABLE_ZEROED]\n[INODE_UNINIT, ITABLE_ZEROED]\n");
}

static void superblock(void **state)
{
	struct ingot_error err = {0};

	assert_ok(write_image(*state, "a", 128 * MIB, &OPTIONS, NULL, NULL, &err));
	expect(*state, "dumpe2fs -h a",
	       "Filesystem features:      has_journal ext_attr resize_inode dir_index filetype "
	       "extent 64bit flex_bg sparse_super large_file huge_file dir_nlink extra_isize "
	       "metadata_csum\n");
	expect(*state, "dumpe2fs -h a",
	       "Filesystem UUID:          42010203-0405-0607-0809-0a0b0c0d0e0f");
	expect(*state, "dumpe2fs -h a",
	       "Directory Hash Seed:      43010203-0405-0607-0809-0a0b0c0d0e0f");
	expect(*state, "dumpe2fs -h a", "Filesystem volume name:   ROOT\n");
	expect(*state, "dumpe2fs -h a", "Errors behavior:          Remount read-only");
	expect(*state, "TZ=UTC dumpe2fs -h a",
	       "Filesystem created:       Tue Nov 14 22:13:20 2023");
	expect(*state, "TZ=UTC dumpe2fs -h a",
	       "Last write time:          Tue Nov 14 22:13:20 2023");
	expect(*state, "TZ=UTC dumpe2fs -h a",
	       "Last checked:             Tue Nov 14 22:13:20 2023");
	expect(*state, "dumpe2fs -h a", "Reserved block count:     1638\n"); /* of 32768 */
	expect(*state, "dumpe2fs a", "ITABLE_ZEROED");
}

/* Where libext2fs would ask the clock. */
static void epoch_zero(void **state)
{
	struct ingot_ext4_options options = OPTIONS;
	struct ingot_error err = {0};

	options.epoch = 0;
	assert_ok(write_image(*state, "a", 64 * MIB, &options, NULL, NULL, &err));
	usleep(1100000);
	assert_ok(write_image(*state, "b", 64 * MIB, &options, NULL, NULL, &err));
	free(output_of(*state, "cmp a b"));
	check_clean(*state, "a");
}

static void kinds(void **state)
{
	static const uint8_t acl[] = {
		2,   0,	  0,   0,   1,	  0,   6,   0,	 255, 255, 255, 255, /* user::rw- */
		2,   0,	  4,   0,   0xe8, 3,   0,   0,			     /* user:1000:r-- */
		4,   0,	  4,   0,   255,  255, 255, 255, 16,  0,   4,	0,
		255, 255, 255, 255, 32,	  0,   4,   0,	 255, 255, 255, 255};
	char big[3000], target[301];
	struct ingot_xattrs *xattrs = calloc(1, sizeof(*xattrs) + 4 * sizeof(xattrs->list[0]));
	struct hand *h = calloc(1, sizeof(*h));
	struct ingot_node *root = hand_root(h), *first, *node;
	struct ingot_error err = {0};

	memset(big, 'b', sizeof(big));
	memset(target, 't', 300);
	target[300] = '\0';
	xattrs->count = 4;
	xattrs->list[0] =
		(struct ingot_xattr){"security.selinux", "system_u:object_r:etc_t:s0", 27};
	xattrs->list[1] = (struct ingot_xattr){"system.posix_acl_access", acl, sizeof(acl)};
	xattrs->list[2] = (struct ingot_xattr){"trusted.empty", "", 0};
	xattrs->list[3] = (struct ingot_xattr){"user.big", big, sizeof(big)};

	node = hand_add(h, root, "block", S_IFBLK | 0660);
	node->device.major = 259;
	node->device.minor = 70000;
	node = hand_add(h, root, "char", S_IFCHR | 0666);
	node->device.major = 1;
	node->device.minor = 3;
	hand_add(h, root, "fifo", S_IFIFO | 0600);
	first = hand_add(h, root, "file", S_IFREG | 04755);
	first->uid = 100000;
	first->gid = 65537;
	first->mtime = -5;
	first->xattrs = xattrs;
	hand_add(h, root, "folder", S_IFDIR | 01777);
	node = hand_add(h, root, "link", S_IFREG | 04755);
	node->is_link = true;
	node->link = first;
	node = hand_add(h, root, "long", S_IFLNK | 0777);
	node->target = target;
	node->size = 300;
	node = hand_add(h, root, "short", S_IFLNK | 0777);
	node->target = "file";
	node->size = 4;
	node = hand_add(h, root, "socket", S_IFSOCK | 0700);
	node->mtime = INT64_C(5000000000); /* beyond 32 bits */

	assert_ok(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err));
	check_clean(*state, "a");
	expect(*state, "debugfs -R 'stat block' a", "Device major/minor number: 259:70000");
	expect(*state, "debugfs -R 'stat char' a", "Device major/minor number: 01:03");
	expect(*state, "debugfs -R 'stat fifo' a", "Type: FIFO    Mode:  0600");
	expect(*state, "debugfs -R 'stat file' a", "Mode:  04755");
	expect(*state, "debugfs -R 'stat link' a", "User: 100000   Group: 65537");
	expect(*state, "debugfs -R 'stat link' a", "Links: 2");
	/* Five seconds before 1970. (In words, debugfs 1.47.2 takes it for a time in 2106.) */
	expect(*state, "debugfs -R 'stat link' a", " mtime: 0xfffffffb:00000000 -- ");
	expect(*state, "debugfs -R 'stat folder' a", "Type: directory    Mode:  01777");
	expect(*state, "debugfs -R 'stat folder' a", "Links: 2");
	expect(*state, "debugfs -R 'stat long' a", "Size: 300");
	expect(*state, "debugfs -R 'cat long' a", target);
	expect(*state, "debugfs -R 'stat short' a", "Fast link dest: \"file\"");
	expect(*state, "debugfs -R 'stat socket' a", "Type: socket    Mode:  0700");
	expect(*state, "TZ=UTC debugfs -R 'stat socket' a",
	       "crtime: 0x2a05f200:00000001 -- Fri Jun 11 08:53:20 2128");
	expect(*state, "debugfs -R 'ea_get file security.selinux' a", "system_u:object_r:etc_t:s0");
	expect(*state, "debugfs -R 'ea_list file' a", "trusted.empty (0)");
	expect(*state, "debugfs -R 'ea_list file' a", "user.big (3000)");
	expect(*state, "debugfs -R 'ea_list file' a",
	       "system.posix_acl_access (28) = 01 00 00 00 01 00 06 00 02 00 04 00 e8 03 00 00 "
	       "04 00 04 00 10 00 04 00 20 00 04 00 ");
	free(xattrs);
	free(h);
}

static void holes(int fd, const char *name)
{
	int file = openat(fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(file >= 0);
	for (off_t i = 0; i < 2000; i++)
		assert_int_equal(pwrite(file, "data", 4, i * 12288 + 4094), 4);
	assert_int_equal(ftruncate(file, 2000 * 12288 + 100000), 0);
	close(file);
}

static void contents(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 1048575, 1048577, 5000000};
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH};
	struct playground *p = *state;
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	char name[16], path[128], *data = malloc(5000000);

	for (size_t i = 0; i < 5000000; i++)
		data[i] = (char)(i * 2654435761 >> 13);
	make_folder(p->fd, "tree");
	make_folder(p->fd, "tree/sub");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "tree/%s%zu", i % 2 ? "" : "sub/", i);
		make_file_of(p->fd, name, data, sizes[i]);
	}
	holes(p->fd, "tree/holes");
	free(output_of(p, "cp --sparse=always tree/holes tree/holes2; ln -s target tree/sub/link"));
	assert_int_equal(linkat(p->fd, "tree/1", p->fd, "tree/another", 0), 0);
	free(data);

	snprintf(path, sizeof(path), "%s/tree", p->path);
	assert_ok(ingot_tree_open(path, &options, &tree, &err));
	assert_ok(write_image(p, "a", 64 * MIB, &OPTIONS, tree, ingot_tree_root(tree), &err));
	assert_ok(write_image(p, "b", 64 * MIB, &OPTIONS, tree, ingot_tree_root(tree), &err));
	ingot_tree_free(tree);
	check_clean(p, "a");
	free(output_of(
		p,
		"cmp a b && mkdir back && debugfs -R 'rdump / back' a && rmdir back/lost+found && "
		"diff -r --no-dereference tree back"));
	/* 2001 blocks of data at the most, and their extents, of 6000. */
	expect(p, "debugfs -R 'stat holes' a", "Blockcount: 32");
}

static void large_folder(void **state)
{
	struct hand *h = calloc(1, sizeof(*h));
	struct ingot_node *root = hand_root(h), *dir = hand_add(h, root, "dir", S_IFDIR | 0755);
	struct ingot_node *last = NULL;
	struct ingot_error err = {0};
	char name[16];

	for (unsigned i = 0; i < 20000; i++) {
		struct ingot_node *node = &h->nodes[h->count];

		snprintf(name, sizeof(name), "entry%06u", i);
		if (!last) {
			last = hand_add(h, dir, name, S_IFREG | 0644);
			continue;
		}
		*node = *last;
		node->name = strcpy(h->names[h->count++], name);
		last->next = node;
		last = node;
	}
	assert_ok(write_image(*state, "a", 128 * MIB, &OPTIONS, NULL, root, &err));
	check_clean(*state, "a");
	expect(*state, "debugfs -R 'ls -p dir' a | grep -c entry", "20000\n");
	/* One for every 4 KiB would be 16384. */
	assert_ok(write_image(*state, "b", 64 * MIB, &OPTIONS, NULL, root, &err));
	check_clean(*state, "b");
	free(h);
}

static void many_folders(void **state)
{
	struct hand *h = calloc(1, sizeof(*h));
	struct ingot_node *root = hand_root(h), *at = root;
	struct ingot_error err = {0};

	for (int i = 0; i < 300; i++)
		at = hand_add(h, at, "d", S_IFDIR | 0755);
	assert_ok(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err));
	check_clean(*state, "a");
	expect(*state, "debugfs -R 'stat d/d/d' a", "Links: 3");
	free(h);
}

/* --- lost+found -------------------------------------------------------- */

static void lost_found(void **state)
{
	struct hand *h = calloc(1, sizeof(*h));
	struct ingot_node *root = hand_root(h), *z, *own;
	struct ingot_error err = {0};

	z = hand_add(h, root, "z", S_IFREG | 0644);
	assert_ok(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err));
	assert_ptr_equal(root->children, z); /* what was lent is gone */
	assert_null(z->next);
	expect(*state, "debugfs -R 'stat lost+found' a", "Inode: 11");
	expect(*state, "debugfs -R 'stat lost+found' a", "Size: 16384");

	hand_root(h);
	root->children = NULL;
	own = hand_add(h, root, "lost+found", S_IFDIR | 0711);
	hand_add(h, own, "found", S_IFREG | 0644);
	assert_ok(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err));
	check_clean(*state, "a");
	expect(*state, "debugfs -R 'stat lost+found' a",
	       "Inode: 11   Type: directory    Mode:  0711");
	expect(*state, "debugfs -R 'stat lost+found/found' a", "Type: regular");

	own->mode = S_IFREG | 0644;
	own->children = NULL;
	assert_fails(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err), -EINVAL,
		     "ext4 filesystem on 'a': 'lost+found' is not a folder");
	free(h);
}

/* --- what does not work ------------------------------------------------ */

static void too_small(void **state)
{
	struct hand *h = calloc(1, sizeof(*h));
	struct ingot_node *root = hand_root(h), *large;
	struct ingot_error err = {0};

	/* There is no reader: the sentence comes before anything is read. */
	large = hand_add(h, root, "large", S_IFREG | 0644);
	large->size = 200 * MIB;
	assert_fails(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err), -ENOSPC,
		     "ext4 filesystem on 'a': the files need 200 MiB (51205 blocks), but of 64 MiB "
		     "the filesystem has 59.9 MiB (15359 blocks) left");
	/* What groups and inodes take counts too. */
	large->size = 58 * MIB;
	assert_fails(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err), -ENOSPC,
		     "the files need 58.0 MiB (14853 blocks), but of 64 MiB the filesystem has "
		     "55.9 MiB (14324 blocks) left");
	free(h);
}

static void bad_options(void **state)
{
	struct ingot_ext4_options options = OPTIONS;
	struct ingot_error err = {0};

	assert_fails(write_image(*state, "a", 8 * MIB - 1, &OPTIONS, NULL, NULL, &err), -EINVAL,
		     "ext4 needs 8 MiB at least");
	options.size = 65 * MIB;
	assert_fails(write_image(*state, "a", 64 * MIB, &options, NULL, NULL, &err), -EINVAL,
		     "more than 'a' has");
	options = OPTIONS;
	options.label = "seventeen letters";
	assert_fails(write_image(*state, "a", 64 * MIB, &options, NULL, NULL, &err), -EINVAL,
		     "longer than 16 bytes");
	options = OPTIONS;
	options.reserved_percent = 51;
	assert_fails(write_image(*state, "a", 64 * MIB, &options, NULL, NULL, &err), -EINVAL,
		     "51 % reserved");
	options = OPTIONS;
	options.epoch = -1;
	assert_fails(write_image(*state, "a", 64 * MIB, &options, NULL, NULL, &err), -EINVAL,
		     "epoch -1");
}

static void bad_attribute(void **state, const char *name, const char *value, size_t size, int rc,
			  const char *words)
{
	struct ingot_xattrs *xattrs = calloc(1, sizeof(*xattrs) + sizeof(xattrs->list[0]));
	struct hand *h = calloc(1, sizeof(*h));
	struct ingot_node *root = hand_root(h);
	struct ingot_error err = {0};

	xattrs->count = 1;
	xattrs->list[0] = (struct ingot_xattr){name, value, size};
	hand_add(h, root, "file", S_IFREG | 0644)->xattrs = xattrs;
	assert_fails(write_image(*state, "a", 64 * MIB, &OPTIONS, NULL, root, &err), rc, words);
	free(xattrs);
	free(h);
}

static void bad_attributes(void **state)
{
	static const char large[5000];

	bad_attribute(
		state, "user.large", large, sizeof(large), -ENOSPC,
		"'file': attribute 'user.large': all attributes together do not fit into 4096");
	bad_attribute(state, "system.other", "x", 1, -EOPNOTSUPP, "attribute 'system.other'");
	bad_attribute(state, "system.posix_acl_default", "\2\0\0\0\1", 5, -EINVAL, "malformed");
}

/* A sink that fails from its nth call on. */
struct failing {
	struct ingot_sink sink;
	struct ingot_sink *whole;
	int left;
};

static int failing_write(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
			 struct ingot_error *err)
{
	struct failing *f = (struct failing *)sink;

	if (f->left-- <= 0)
		return ingot_raise_errno(err, ENOSPC, "write to 'failing'");
	return ingot_sink_write(f->whole, offset, data, n, err);
}

static int failing_read(struct ingot_sink *sink, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	struct failing *f = (struct failing *)sink;

	if (f->left-- <= 0)
		return ingot_raise_errno(err, EIO, "read from 'failing'");
	return ingot_sink_read(f->whole, offset, data, n, err);
}

static void failing_sink(void **state)
{
	static const struct ingot_sink_ops ops = {failing_write, failing_read, NULL};
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH};
	struct playground *p = *state;
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	int rc = -1;

	make_file(p->fd, "file", "text");
	assert_ok(ingot_tree_open(p->path, &options, &tree, &err));
	for (int n = 0; rc < 0; n++) {
		struct failing f = {{&ops, "failing", 8 * MIB}, NULL, n};

		assert_ok(ingot_sink_memory(8 * MIB, &f.whole, NULL, &err));
		rc = ingot_ext4_write(&f.sink, &OPTIONS, tree, ingot_tree_root(tree), &err);
		ingot_sink_free(f.whole);
		if (rc < 0 && !strstr(err.text, "'failing': No space left") &&
		    !strstr(err.text, "'failing': Input/output error"))
			fail_msg("call %d: %s", n, err.text);
		assert_true(n < 1000);
	}
	ingot_tree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test_setup_teardown(empty, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_with_copies_have_bitmaps, setup, teardown),
		cmocka_unit_test_setup_teardown(superblock, setup, teardown),
		cmocka_unit_test_setup_teardown(epoch_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(contents, setup, teardown),
		cmocka_unit_test_setup_teardown(large_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(many_folders, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_found, setup, teardown),
		cmocka_unit_test_setup_teardown(too_small, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_options, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(failing_sink, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

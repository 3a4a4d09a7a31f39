/* A tree from a directory: every kind of file, names, order, links, holes, depth. */
#include "tree_support.h"

#include <errno.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static const struct ingot_tree_options OPTIONS = {.epoch = SUPPORT_EPOCH};

static struct ingot_tree *open_tree(const char *path, const struct ingot_tree_options *options)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};

	assert_ok(ingot_tree_open(path, options, &tree, &err));
	return tree;
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

static void kinds(void **state)
{
	struct playground *p = *state;
	struct ingot_tree *tree;
	struct ingot_node *n;
	char target[4000];

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	make_folder(p->fd, "etc");
	make_file(p->fd, "etc/hostname", "box\n");
	make_file(p->fd, "empty", "");
	assert_int_equal(symlinkat("etc/hostname", p->fd, "short"), 0);
	assert_int_equal(symlinkat(target, p->fd, "long"), 0);
	assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
	assert_int_equal(mknodat(p->fd, "socket", S_IFSOCK | 0700, 0), 0);
	set_time(p->fd, "etc/hostname", 1600000000);
	set_time(p->fd, "empty", SUPPORT_EPOCH + 100);
	set_time(p->fd, "fifo", -5);
	tree = open_tree(p->path, &OPTIONS);

	n = ingot_tree_find(tree, "etc/hostname");
	assert_non_null(n);
	assert_true(S_ISREG(n->mode));
	assert_int_equal(n->size, 4);
	assert_int_equal(n->mtime, 1600000000);
	assert_null(n->runs);
	assert_int_equal(ingot_tree_find(tree, "empty")->mtime, SUPPORT_EPOCH);
	assert_int_equal(ingot_tree_find(tree, "fifo")->mtime, -5);
	assert_true(S_ISFIFO(ingot_tree_find(tree, "fifo")->mode));
	assert_true(S_ISSOCK(ingot_tree_find(tree, "socket")->mode));
	assert_string_equal(ingot_tree_find(tree, "short")->target, "etc/hostname");
	assert_string_equal(ingot_tree_find(tree, "long")->target, target);
	assert_int_equal(ingot_tree_find(tree, "long")->size, sizeof(target) - 1);
	assert_null(ingot_tree_find(tree, "etc/nothing"));
	assert_null(ingot_tree_find(tree, "etc/hostname/x"));
	assert_ptr_equal(ingot_tree_find(tree, "/etc//"), ingot_tree_find(tree, "etc"));
	ingot_tree_free(tree);
}

static void devices(void **state)
{
	struct playground *p = *state;
	struct ingot_tree *tree;

	if (mknodat(p->fd, "null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		skip();
	assert_int_equal(mknodat(p->fd, "loop300", S_IFBLK | 0660, makedev(7, 300)), 0);
	tree = open_tree(p->path, &OPTIONS);
	assert_int_equal(ingot_tree_find(tree, "null")->device.major, 1);
	assert_int_equal(ingot_tree_find(tree, "null")->device.minor, 3);
	assert_int_equal(ingot_tree_find(tree, "loop300")->device.minor, 300);
	ingot_tree_free(tree);
}

static void order_is_bytes(void **state)
{
	static const char *const sorted[] = {"A", "a", "a b", "a-b", "a.b", "ab", "b", "\xff"};
	struct playground *p = *state;
	struct ingot_node *n;
	struct ingot_tree *tree;

	for (size_t i = 8; i > 0; i--)
		make_file(p->fd, sorted[i - 1], "");
	tree = open_tree(p->path, &OPTIONS);
	n = ingot_tree_root(tree)->children;
	for (size_t i = 0; i < 8; i++, n = n->next)
		assert_string_equal(n->name, sorted[i]);
	assert_null(n);
	ingot_tree_free(tree);
}

/* The first name in order is the file, whichever was made first. */
static void hard_links(void **state)
{
	struct playground *p = *state;
	struct ingot_node *a, *m, *z;
	struct ingot_tree *tree;

	make_folder(p->fd, "d");
	make_file(p->fd, "z", "data");
	assert_int_equal(linkat(p->fd, "z", p->fd, "m", 0), 0);
	assert_int_equal(linkat(p->fd, "z", p->fd, "d/a", 0), 0);
	assert_int_equal(symlinkat("x", p->fd, "s1"), 0);
	assert_int_equal(linkat(p->fd, "s1", p->fd, "s2", 0), 0);
	tree = open_tree(p->path, &OPTIONS);
	a = ingot_tree_find(tree, "d/a");
	m = ingot_tree_find(tree, "m");
	z = ingot_tree_find(tree, "z");
	assert_false(a->is_link);
	assert_int_equal(a->size, 4);
	assert_true(m->is_link && z->is_link);
	assert_ptr_equal(m->link, a);
	assert_ptr_equal(z->link, a);
	assert_false(ingot_tree_find(tree, "s1")->is_link);
	assert_string_equal(ingot_tree_find(tree, "s1")->target, "x");
	assert_true(ingot_tree_find(tree, "s2")->is_link);
	ingot_tree_free(tree);
}

static void excluded(void **state)
{
	static const char *const patterns[] = {"d", "**/*.pyc", "nothing"};
	bool used[3] = {false};
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH,
					     .excludes = patterns,
					     .exclude_count = 3,
					     .excludes_used = used};
	struct playground *p = *state;
	struct ingot_tree *tree;

	make_folder(p->fd, "d");
	make_folder(p->fd, "e");
	make_file(p->fd, "d/a", "data");
	make_file(p->fd, "e/a.pyc", "");
	make_file(p->fd, "e/a.py", "");
	assert_int_equal(linkat(p->fd, "d/a", p->fd, "m", 0), 0);
	tree = open_tree(p->path, &options);
	assert_null(ingot_tree_find(tree, "d"));
	assert_null(ingot_tree_find(tree, "e/a.pyc"));
	assert_non_null(ingot_tree_find(tree, "e/a.py"));
	assert_false(ingot_tree_find(tree, "m")->is_link);
	assert_int_equal(ingot_tree_find(tree, "m")->size, 4);
	assert_true(used[0] && used[1] && !used[2]);
	ingot_tree_free(tree);
}

static void attributes(void **state)
{
	struct playground *p = *state;
	const struct ingot_xattrs *x;
	struct ingot_tree *tree;
	char path[128];

	make_file(p->fd, "a", "");
	make_file(p->fd, "b", "");
	make_file(p->fd, "c", "");
	for (const char *name = "ab"; *name; name++) {
		snprintf(path, sizeof(path), "%s/%c", p->path, *name);
		if (setxattr(path, "user.second", "2\0", 2, 0) < 0)
			skip();
		assert_int_equal(setxattr(path, "user.first", "", 0, 0), 0);
	}
	tree = open_tree(p->path, &OPTIONS);
	x = ingot_tree_find(tree, "a")->xattrs;
	assert_int_equal(x->count, 2);
	assert_string_equal(x->list[0].name, "user.first");
	assert_int_equal(x->list[0].size, 0);
	assert_string_equal(x->list[1].name, "user.second");
	assert_memory_equal(x->list[1].value, "2\0", 2);
	assert_ptr_equal(x, ingot_tree_find(tree, "b")->xattrs);
	assert_null(ingot_tree_find(tree, "c")->xattrs);
	ingot_tree_free(tree);
}

/* 16 blocks: the third and the last have data, the fifth is written but zero. */
static void holes(void **state)
{
	struct playground *p = *state;
	const struct ingot_runs *runs;
	struct ingot_tree *tree;
	static const char zeros[8192];
	int fd = openat(p->fd, "sparse", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_int_equal(pwrite(fd, "x", 1, 8192 + 4095), 1);
	assert_int_equal(pwrite(fd, zeros, 4096, 16384), 4096);
	assert_int_equal(pwrite(fd, "x", 1, 65000), 1);
	assert_int_equal(ftruncate(fd, 65001), 0);
	close(fd);
	make_file_of(p->fd, "dense", zeros, sizeof(zeros));
	fd = openat(p->fd, "hole", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, (off_t)5 << 30), 0);
	close(fd);
	tree = open_tree(p->path, &OPTIONS);
	runs = ingot_tree_find(tree, "sparse")->runs;
	assert_non_null(runs);
	assert_int_equal(runs->count, 2);
	assert_int_equal(runs->list[0].offset, 8192);
	assert_int_equal(runs->list[0].length, 4096);
	assert_int_equal(runs->list[1].offset, 61440);
	assert_int_equal(runs->list[1].length, 65001 - 61440);
	assert_null(ingot_tree_find(tree, "dense")->runs);
	assert_int_equal(ingot_tree_find(tree, "hole")->runs->count, 0);
	ingot_tree_free(tree);
}

static void reading(void **state)
{
	struct playground *p = *state;
	struct ingot_tree_reader *reader;
	struct ingot_error err = {0};
	struct ingot_tree *tree;
	char data[8] = "";

	make_folder(p->fd, "d");
	make_file(p->fd, "d/a", "hello");
	make_file(p->fd, "d/b", "world");
	make_file(p->fd, "d/c", "gone");
	tree = open_tree(p->path, &OPTIONS);
	assert_ok(ingot_tree_reader_new(tree, &reader, &err));
	assert_ok(ingot_tree_read(reader, ingot_tree_find(tree, "d/a"), 1, data, 3, &err));
	assert_string_equal(data, "ell");
	assert_fails(ingot_tree_read(reader, ingot_tree_find(tree, "d/a"), 3, data, 3, &err),
		     -EINVAL, "'d/a'");
	set_time(p->fd, "d/b", 1600000001);
	assert_fails(ingot_tree_read(reader, ingot_tree_find(tree, "d/b"), 0, data, 5, &err),
		     -ESTALE, "'d/b': it changed while it was read");
	assert_int_equal(unlinkat(p->fd, "d/c", 0), 0);
	assert_fails(ingot_tree_read(reader, ingot_tree_find(tree, "d/c"), 0, data, 4, &err),
		     -ENOENT, "'d/c': open: No such file");
	assert_int_equal(symlinkat("a", p->fd, "d/c"), 0);
	assert_fails(ingot_tree_read(reader, ingot_tree_find(tree, "d/c"), 0, data, 4, &err),
		     -ELOOP, "'d/c'");
	ingot_tree_reader_free(reader);
	ingot_tree_free(tree);
}

/* 60 folders with names of 200 bytes: a path of 12 KB, and more than are kept open. */
static void deep(void **state)
{
	struct playground *p = *state;
	struct ingot_node *n;
	struct ingot_tree *tree;
	char name[201], *dump;
	int fd = dup(p->fd);

	memset(name, 'n', 200);
	name[200] = '\0';
	for (int i = 0; i < 60; i++) {
		int next;

		make_file(fd, "file", "deep");
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	make_file(fd, "bottom", "deep");
	close(fd);
	tree = open_tree(p->path, &OPTIONS);
	n = ingot_tree_root(tree);
	for (int i = 0; i < 60; i++)
		n = n->children->next;
	assert_string_equal(n->children->name, "bottom");
	dump = dump_tree(tree);
	assert_non_null(strstr(dump, "/bottom' 100644"));
	free(dump);
	ingot_tree_free(tree);
}

/* In memory where there is some, or making them takes longer than the test. */
static void many(void **state)
{
	enum { COUNT = 100000 };
	struct playground p;
	struct ingot_node *n;
	struct ingot_tree *tree;
	char name[32];

	(void)state;
	playground_make_in(&p, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	for (int i = COUNT; i > 0; i--) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(mknodat(p.fd, name, S_IFREG | 0644, 0), 0);
	}
	tree = open_tree(p.path, &OPTIONS);
	n = ingot_tree_root(tree)->children;
	assert_string_equal(n->name, "f1");
	assert_string_equal(n->next->name, "f10");
	for (int i = 1; i < COUNT; i++) {
		assert_true(strcmp(n->name, n->next->name) < 0);
		n = n->next;
	}
	ingot_tree_free(tree);
	playground_remove(&p);
}

static void split(void **state)
{
	struct playground *p = *state;
	struct ingot_error err = {0};
	struct ingot_node *usr = NULL, *stub;
	struct ingot_tree *tree;
	char *dump;

	make_folder(p->fd, "etc");
	make_folder(p->fd, "usr");
	make_folder(p->fd, "usr/bin");
	make_file(p->fd, "etc/conf", "shared");
	assert_int_equal(linkat(p->fd, "etc/conf", p->fd, "usr/bin/x", 0), 0);
	assert_int_equal(linkat(p->fd, "etc/conf", p->fd, "usr/bin/y", 0), 0);
	make_file(p->fd, "usr/bin/tool", "tool");
	assert_int_equal(linkat(p->fd, "usr/bin/tool", p->fd, "etc/zz", 0), 0);
	tree = open_tree(p->path, &OPTIONS);
	assert_true(ingot_tree_find(tree, "usr/bin/tool")->is_link);
	assert_fails(ingot_tree_split(tree, "nix", &usr, &err), -ENOENT, "no 'nix'");
	assert_fails(ingot_tree_split(tree, "etc/conf", &usr, &err), -ENOTDIR, "'etc/conf'");
	assert_ok(ingot_tree_split(tree, "usr", &usr, &err));

	stub = ingot_tree_find(tree, "usr");
	assert_ptr_not_equal(stub, usr);
	assert_null(stub->children);
	assert_int_equal(stub->mode, usr->mode);
	assert_null(ingot_tree_find(tree, "usr/bin"));
	assert_false(ingot_tree_find(tree, "etc/conf")->is_link);
	assert_false(ingot_tree_find(tree, "etc/zz")->is_link);
	assert_int_equal(ingot_tree_find(tree, "etc/zz")->size, 4);
	dump = dump_from(tree, usr);
	assert_non_null(strstr(dump, "'usr/bin/tool' 100644 "));
	assert_non_null(strstr(dump, "'usr/bin/x' 100644 "));
	assert_non_null(strstr(dump, "'usr/bin/y' 100000 link='usr/bin/x'\n"));
	assert_null(strstr(dump, "etc"));
	free(dump);
	dump = dump_tree(tree);
	assert_non_null(strstr(dump, "'etc/zz' 100644 "));
	assert_null(strstr(dump, "link="));
	free(dump);
	ingot_tree_free(tree);
}

static void cannot_open(void **state)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};

	(void)state;
	assert_fails(ingot_tree_open("/nonexistent/tree", &OPTIONS, &tree, &err), -ENOENT,
		     "open '/nonexistent/tree'");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(kinds),	      TEST(devices),
		TEST(order_is_bytes), TEST(hard_links),
		TEST(excluded),	      TEST(holes),
		TEST(attributes),     TEST(reading),
		TEST(deep),	      cmocka_unit_test(many),
		TEST(split),	      TEST(cannot_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

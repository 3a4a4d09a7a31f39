/* A tree from an archive: what each format carries, and the same tree as from a directory. */
#include "tar_support.h"

#include <errno.h>
#include <locale.h>

static const struct ingot_tree_options OPTIONS = {.epoch = SUPPORT_EPOCH};

/* Ends the archive and reads it. */
static struct ingot_tree *tree_of(struct tar *tar, const struct ingot_tree_options *options)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};

	tar_end(tar);
	assert_ok(open_bytes(tar->data, tar->size, options, &tree, &err));
	tar_done(tar);
	return tree;
}

static void assert_dump(struct ingot_tree *tree, const char *words)
{
	char *dump = dump_tree(tree);

	if (!strstr(dump, words))
		fail_msg("'%s' not in:\n%s", words, dump);
	free(dump);
}

static void assert_contents(struct ingot_tree *tree, const char *path, const char *want)
{
	struct ingot_node *node = ingot_tree_find(tree, path);
	struct ingot_tree_reader *reader;
	struct ingot_error err = {0};
	char data[256] = "";

	assert_non_null(node);
	assert_int_equal(node->size, strlen(want));
	assert_ok(ingot_tree_reader_new(tree, &reader, &err));
	assert_ok(ingot_tree_read(reader, node, 0, data, node->size, &err));
	assert_string_equal(data, want);
	ingot_tree_reader_free(reader);
}

static void kinds(void **state)
{
	struct ingot_tree *tree;
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "./", .type = '5', .mode = 0700, .uid = 7);
	TAR(&tar, .name = "./f", .data = "hello", .mode = 04755, .uid = 1, .gid = 2);
	TAR(&tar, .name = "d/", .type = '5', .mode = 01777, .mtime = SUPPORT_EPOCH + 9);
	TAR(&tar, .name = ".//d///./l", .type = '2', .link = "../f", .mode = 0755);
	TAR(&tar, .name = "d/null", .type = '3', .mode = 0666, .major = 1, .minor = 3);
	TAR(&tar, .name = "d/sda", .type = '4', .mode = 0660, .major = 8, .minor = 300);
	TAR(&tar, .name = "d/pipe", .type = '6', .mtime = -7, .gnu = true);
	TAR(&tar, .name = "empty", .uid = 4294967294U, .gnu = true);
	tree = tree_of(&tar, &OPTIONS);
	assert_dump(tree, "'' 40700 7:0 1600000000 0\n'd' 41777 0:0 1700000000 0\n"
			  "'d/l' 120777 0:0 1600000000 4 -> '../f'\n"
			  "'d/null' 20666 0:0 1600000000 0 1,3\n"
			  "'d/pipe' 10644 0:0 -7 0\n"
			  "'d/sda' 60660 0:0 1600000000 0 8,300\n"
			  "'empty' 100644 4294967294:0 1600000000 0");
	assert_dump(tree, "'f' 104755 1:2 1600000000 5 ");
	assert_contents(tree, "f", "hello");
	ingot_tree_free(tree);
}

static void missing_parents(void **state)
{
	struct ingot_tree *tree;
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a/b/c", .data = "x");
	TAR(&tar, .name = "a", .type = '5', .mode = 0711, .uid = 5);
	TAR(&tar, .name = "a", .type = '5', .mode = 0700, .uid = 6);
	tree = tree_of(&tar, &OPTIONS);
	assert_dump(tree, "'' 40755 0:0 1700000000 0\n'a' 40700 6:0 1600000000 0\n"
			  "'a/b' 40755 0:0 1700000000 0\n'a/b/c' 100644");
	ingot_tree_free(tree);
}

static void hard_links(void **state)
{
	struct ingot_tree *tree;
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "early", .type = '1', .link = "./z");
	TAR(&tar, .name = "z", .data = "hello", .uid = 3);
	TAR(&tar, .name = "late", .type = '1', .link = "z");
	TAR(&tar, .name = "chain", .type = '1', .link = "early");
	TAR(&tar, .name = "s", .type = '2', .link = "x");
	TAR(&tar, .name = "r", .type = '1', .link = "s");
	tree = tree_of(&tar, &OPTIONS);
	assert_dump(tree, "'chain' 100644 3:0 1600000000 5 sha=2cf24dba5fb0a30e\n"
			  "'early' 100000 link='chain'\n'late' 100000 link='chain'\n"
			  "'r' 120777 0:0 1600000000 1 -> 'x'\n's' 120000 link='r'\n"
			  "'z' 100000 link='chain'\n");
	ingot_tree_free(tree);
}

static void excluded(void **state)
{
	static const char *const patterns[] = {"d", "nothing", "d/f"};
	bool used[3] = {false};
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH,
					     .excludes = patterns,
					     .exclude_count = 3,
					     .excludes_used = used};
	struct ingot_tree *tree;
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "d/f", .data = "hello");
	TAR(&tar, .name = "kept", .type = '1', .link = "d/f");
	TAR(&tar, .name = "d/g", .type = '1', .link = "d/f");
	tree = tree_of(&tar, &options);
	assert_null(ingot_tree_find(tree, "d"));
	assert_contents(tree, "kept", "hello");
	assert_false(ingot_tree_find(tree, "kept")->is_link);
	assert_true(used[0] && !used[1] && !used[2]);
	ingot_tree_free(tree);
}

static void pax(void **state)
{
	struct tar tar = {0}, attributes = {0};
	struct ingot_tree *tree;
	char name[256] = "";

	(void)state;
	memset(name, 'n', 255);
	tar_pax(&tar, "path", name);
	TAR(&tar, .name = "x", .data = "long");
	pax_add(&attributes, "path", "caf\xc3\xa9");
	pax_add(&attributes, "mtime", "-1.5");
	pax_add(&attributes, "uid", "3000000000");
	tar_put_pax(&tar, &attributes);
	TAR(&tar, .name = "x");
	tar_pax(&tar, "path", "cafe\xcc\x81"); /* the same for Unicode, another name for us */
	TAR(&tar, .name = "x");
	pax_add(&attributes, "path", "latin\xe9");
	pax_add(&attributes, "linkpath", "\xff\xfe");
	tar_put_pax(&tar, &attributes);
	TAR(&tar, .name = "x", .type = '2', .link = "x");
	pax_add(&attributes, "hdrcharset", "BINARY");
	pax_add(&attributes, "path", "binary\xe9");
	tar_put_pax(&tar, &attributes);
	TAR(&tar, .name = "x");
	TAR(&tar, .name = "ustar\xe9", .data = "u");
	tree = tree_of(&tar, &OPTIONS);
	assert_contents(tree, name, "long");
	assert_int_equal(ingot_tree_find(tree, "caf\xc3\xa9")->mtime, -2);
	assert_int_equal(ingot_tree_find(tree, "caf\xc3\xa9")->uid, 3000000000U);
	assert_non_null(ingot_tree_find(tree, "cafe\xcc\x81"));
	assert_string_equal(ingot_tree_find(tree, "latin\xe9")->target, "\xff\xfe");
	assert_non_null(ingot_tree_find(tree, "binary\xe9"));
	assert_non_null(ingot_tree_find(tree, "ustar\xe9"));
	ingot_tree_free(tree);
}

/* Names are bytes in a locale that has characters, too. */
static void pax_in_utf8(void **state)
{
	if (!setlocale(LC_ALL, "C.UTF-8"))
		skip();
	pax(state);
	setlocale(LC_ALL, "C");
}

static void attributes(void **state)
{
	struct tar tar = {0}, list = {0};
	struct ingot_tree *tree;

	(void)state;
	pax_add_bytes(&list, "SCHILY.xattr.user.raw", "a\0b", 3);
	pax_add(&list, "LIBARCHIVE.xattr.user.coded", "YWI=");
	pax_add(&list, "RHT.security.selinux", "u:r:t");
	pax_add_bytes(&list, "SCHILY.xattr.security.selinux", "u:r:t", 6);
	pax_add(&list, "SCHILY.xattr.btrfs.compression", "zstd");
	tar_put_pax(&tar, &list);
	TAR(&tar, .name = "a");
	pax_add(&list, "SCHILY.acl.access",
		"user::rw-,user:1000:rw-,user:5:r--,group::r--,mask::rw-,other::---");
	pax_add(&list, "SCHILY.acl.default", "user::rwx,group::r-x,other::---");
	tar_put_pax(&tar, &list);
	TAR(&tar, .name = "d", .type = '5', .mode = 0660);
	tar_pax(&tar, "SCHILY.acl.access", "user::rw-,group::r--,other::---");
	TAR(&tar, .name = "e", .mode = 0640);
	tree = tree_of(&tar, &OPTIONS);
	assert_dump(tree, "'a' 100644 0:0 1600000000 0 security.selinux=753a723a7400 "
			  "user.coded=6162 user.raw=610062 sha");
	assert_dump(tree, "'d' 40660 0:0 1600000000 0 system.posix_acl_access=02000000"
			  "01000600ffffffff0200040005000000"
			  "02000600e8030000"
			  "04000400ffffffff10000600ffffffff20000000ffffffff"
			  " system.posix_acl_default=02000000"
			  "01000700ffffffff04000500ffffffff20000000ffffffff\n");
	assert_dump(tree, "'e' 100640 0:0 1600000000 0 sha");
	ingot_tree_free(tree);
}

/* 512-byte pieces in one block of 4096, and one block that is stored but zero. */
static void holes(void **state)
{
	struct tar tar = {0}, list = {0};
	struct ingot_tree_reader *reader;
	struct ingot_error err = {0};
	struct ingot_tree *tree;
	char block[4096] = "", want[1024] = "", got[1024];

	(void)state;
	pax_add(&list, "GNU.sparse.map", "4608,512,5632,512,8192,4096,20000,0");
	pax_add(&list, "GNU.sparse.size", "20000");
	tar_put_pax(&tar, &list);
	TAR(&tar, .name = "a", .size = 1024 + 4096);
	memset(block, '1', 512);
	memset(block + 512, '2', 512);
	tar_put(&tar, block, 1024);
	memset(block, 0, 4096);
	tar_put(&tar, block, 4096);
	TAR(&tar, .name = "behind", .data = "x");
	tree = tree_of(&tar, &OPTIONS);
	assert_dump(tree, "runs=4096+4096,\n");
	assert_ok(ingot_tree_reader_new(tree, &reader, &err));
	assert_ok(ingot_tree_read(reader, ingot_tree_find(tree, "a"), 4700, got, 1024, &err));
	memset(want, '1', 5120 - 4700);
	memset(want + 5632 - 4700, '2', 4700 + 1024 - 5632);
	assert_memory_equal(got, want, 1024);
	ingot_tree_reader_free(reader);
	assert_contents(tree, "behind", "x");
	ingot_tree_free(tree);
}

static void concatenated(void **state)
{
	struct ingot_tree *tree;
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a", .data = "first");
	tar_end(&tar);
	TAR(&tar, .name = "b", .data = "second");
	tree = tree_of(&tar, &OPTIONS);
	assert_contents(tree, "a", "first");
	assert_contents(tree, "b", "second");
	ingot_tree_free(tree);
}

/* --- other people's archives ------------------------------------------- */

static void shell(const struct playground *p, const char *format, ...)
{
	char command[1024];
	int n = snprintf(command, sizeof(command), "cd '%s' && ", p->path);
	va_list args;

	va_start(args, format);
	vsnprintf(command + n, sizeof(command) - (size_t)n, format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static char *dump_path(const struct playground *p, const char *name)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	char path[128], *dump;

	snprintf(path, sizeof(path), "%s/%s", p->path, name);
	assert_ok(ingot_tree_open(path, &OPTIONS, &tree, &err));
	dump = dump_tree(tree);
	ingot_tree_free(tree);
	return dump;
}

static void make_zoo(const struct playground *p)
{
	shell(p,
	      "mkdir -p t/d/e t/'sp ace' && echo one >t/a && ln t/a t/d/z && ln t/a t/B && "
	      "ln -s a t/link && mkfifo t/pipe && : >t/empty && chmod 4711 t/empty && "
	      "printf x >\"t/$(printf 'bad\\377name')\" && mkdir t/$(printf 'n%%.0s' $(seq 200)) "
	      "&& echo deep >t/$(printf 'n%%.0s' $(seq 200))/$(printf 'm%%.0s' $(seq 200)) && "
	      "truncate -s 1M t/holes && "
	      "printf data | dd of=t/holes bs=1 seek=500000 conv=notrunc 2>/dev/null && "
	      "head -c 100000 /dev/zero >t/zeros && "
	      "setfattr -n user.colour -v red t/a 2>/dev/null; "
	      "setfacl -m u:1234:rw t/zeros 2>/dev/null; "
	      "find t -exec touch -h -d @1600000000.5 {} +");
}

static void same_as_directory(void **state)
{
	static const char *const archives[] = {
		"tar -C t -S --numeric-owner --xattrs --acls --format=pax -cf x .",
		"tar -C t -S --numeric-owner --xattrs --acls --format=pax -cf - . | gzip -1 >x",
		"tar -C t -S --numeric-owner --xattrs --acls --sparse-version=0.1 --format=pax "
		"-cf x .",
		"tar -C t -S --numeric-owner --xattrs --acls --sparse-version=0.0 --format=pax "
		"--exclude=./d -cf x d .",
	};
	struct playground p;
	char *want, *got;

	(void)state;
	playground_make(&p);
	make_zoo(&p);
	want = dump_path(&p, "t");
	assert_non_null(strstr(want, "runs=499712+4096,\n"));
	for (size_t i = 0; i < 4; i++) {
		shell(&p, "%s", archives[i]);
		got = dump_path(&p, "x");
		assert_string_equal(got, want);
		free(got);
	}
	free(want);
	playground_remove(&p);
}

/* GNU's own format has neither attributes nor ACLs. */
static void same_in_gnu_format(void **state)
{
	struct playground p;
	char *want, *got;

	(void)state;
	playground_make(&p);
	make_zoo(&p);
	shell(&p, "setfattr -x user.colour t/a 2>/dev/null; setfacl -b t/zeros 2>/dev/null; "
		  "tar -C t -S --format=gnu -cf x .");
	want = dump_path(&p, "t");
	got = dump_path(&p, "x");
	assert_string_equal(got, want);
	free(got);
	free(want);
	playground_remove(&p);
}

static void from_a_pipe(void **state)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	struct tar tar = {0};
	int ends[2];

	(void)state;
	TAR(&tar, .name = "a", .data = "hello");
	tar_end(&tar);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], tar.data, tar.size), (ssize_t)tar.size);
	close(ends[1]);
	assert_ok(ingot_tree_from_archive(ends[0], "standard input", &OPTIONS, &tree, &err));
	assert_contents(tree, "a", "hello");
	ingot_tree_free(tree);
	tar_done(&tar);
}

static void changed(void **state)
{
	struct ingot_tree_reader *reader;
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	struct tar tar = {0};
	char data[8];
	int fd;

	(void)state;
	TAR(&tar, .name = "a", .data = "hello");
	tar_end(&tar);
	fd = bytes_fd(tar.data, tar.size);
	assert_ok(ingot_tree_from_archive(dup(fd), "x.tar", &OPTIONS, &tree, &err));
	assert_ok(ingot_tree_reader_new(tree, &reader, &err));
	assert_int_equal(ftruncate(fd, 515), 0);
	assert_fails(ingot_tree_read(reader, ingot_tree_find(tree, "a"), 0, data, 5, &err),
		     -ENODATA, "'a': contents of 'x.tar': it has become shorter");
	assert_fails(ingot_tree_read(reader, ingot_tree_find(tree, "a"), 0, data, 2, &err), -ESTALE,
		     "it changed while it was read");
	ingot_tree_reader_free(reader);
	ingot_tree_free(tree);
	tar_done(&tar);
	close(fd);
}

/* --- cpio -------------------------------------------------------------- */

struct cpio_entry {
	const char *path;
	unsigned ino, mode, nlink;
	const char *data;
};

/* newc: "070701" and thirteen numbers of eight hex digits. */
static void cpio_add(struct tar *cpio, const struct cpio_entry *e)
{
	static const char zeros[4];
	size_t n = e->data ? strlen(e->data) : 0;
	char header[160];

	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", e->ino, e->mode,
		 3U, 4U, e->nlink, 1600000000U, n, 0U, 9U, 0U, 0U, strlen(e->path) + 1, 0U);
	tar_put(cpio, header, 110);
	tar_put(cpio, e->path, strlen(e->path) + 1);
	tar_put(cpio, zeros, (4 - cpio->size % 4) % 4);
	tar_put(cpio, e->data, n);
	tar_put(cpio, zeros, (4 - cpio->size % 4) % 4);
}

static void cpio(void **state)
{
	static const struct cpio_entry entries[] = {
		{".", 1, 040700, 4, NULL},	{"d", 0, 040755, 2, NULL},
		{"e", 0, 040755, 2, NULL},	{"z", 7, 0100644, 3, NULL},
		{"d/y", 7, 0100644, 3, NULL},	{"d/x", 7, 0100644, 3, "shared"},
		{"l", 8, 0120777, 1, "target"}, {"f", 9, 0100600, 1, "file"},
		{"TRAILER!!!", 0, 0, 1, NULL},
	};
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	struct tar cpio = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		cpio_add(&cpio, &entries[i]);
	assert_ok(open_bytes(cpio.data, cpio.size, &OPTIONS, &tree, &err));
	assert_dump(tree, "'' 40700 3:4 1600000000 0\n'd' 40755 3:4 1600000000 0\n"
			  "'d/x' 100644 3:4 1600000000 6 ");
	assert_dump(tree, "'d/y' 100000 link='d/x'\n'e' 40755 3:4 1600000000 0\n'f' 100600");
	assert_dump(tree, "'l' 120777 3:4 1600000000 6 -> 'target'\n'z' 100000 link='d/x'\n");
	assert_contents(tree, "d/x", "shared");
	assert_contents(tree, "f", "file");
	ingot_tree_free(tree);
	tar_put(&cpio, "070701", 6);
	assert_fails(open_bytes(cpio.data, cpio.size, &OPTIONS, &tree, &err), -EINVAL,
		     "more behind the archive's end");
	assert_fails(open_bytes(cpio.data, cpio.size - 130, &OPTIONS, &tree, &err), -EINVAL,
		     "truncated");
	tar_done(&cpio);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(missing_parents),
		cmocka_unit_test(hard_links),
		cmocka_unit_test(excluded),
		cmocka_unit_test(pax),
		cmocka_unit_test(pax_in_utf8),
		cmocka_unit_test(attributes),
		cmocka_unit_test(holes),
		cmocka_unit_test(concatenated),
		cmocka_unit_test(same_as_directory),
		cmocka_unit_test(same_in_gnu_format),
		cmocka_unit_test(from_a_pipe),
		cmocka_unit_test(changed),
		cmocka_unit_test(cpio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

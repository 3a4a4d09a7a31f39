/* Archives that lie, break off or attack: one clear sentence each. */
#include "tar_support.h"

#include <errno.h>

static const struct ingot_tree_options OPTIONS = {.epoch = SUPPORT_EPOCH};

/* The archive as it is, without an end mark, is refused with these words. */
static void refused_raw(struct tar *tar, const char *words)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};

	assert_fails(open_bytes(tar->data, tar->size, &OPTIONS, &tree, &err), -EINVAL, words);
	assert_non_null(strstr(err.text, "read 'x.tar': "));
	assert_null(tree);
	tar_done(tar);
}

static void refused(struct tar *tar, const char *words)
{
	tar_end(tar);
	refused_raw(tar, words);
}

static void paths(void **state)
{
	static const struct {
		const char *path, *words;
	} cases[] = {
		{"../x", "'../x': a path with '..' leads out"},
		{"a/../x", "'a/../x': a path with '..'"},
		{"a/..", "a path with '..'"},
		{"/etc/passwd", "'/etc/passwd': an absolute path"},
		{"//x", "an absolute path"},
		{"", "an empty path"},
	};
	struct tar tar = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TAR(&tar, .name = cases[i].path, .data = "x");
		refused(&tar, cases[i].words);
	}
	TAR(&tar, .name = "./", .type = '2', .link = "x");
	refused(&tar, "the root is no folder");
}

static void long_names(void **state)
{
	char name[258] = "";
	struct tar tar = {0};

	(void)state;
	memset(name, 'n', 256);
	tar_pax(&tar, "path", name);
	TAR(&tar, .name = "x");
	refused(&tar, "a name is longer than 255 bytes");
	name[255] = '/';
	name[256] = 'x';
	tar_pax(&tar, "path", name);
	TAR(&tar, .name = "x");
	TAR(&tar, .name = "a", .type = '1', .link = "b");
	refused(&tar, "'a': hard link to 'b', which is not in the archive");
}

static void too_deep(void **state)
{
	char *path = calloc(1, 2 * (INGOT_TREE_DEPTH_MAX + 2));
	struct tar tar = {0};

	(void)state;
	for (size_t i = 0; i <= INGOT_TREE_DEPTH_MAX; i++)
		memcpy(path + 2 * i, "d/", 2);
	tar_pax(&tar, "path", path);
	TAR(&tar, .name = "x", .type = '5');
	refused(&tar, "more than 2048 folders inside each other");
	free(path);
}

static void hard_links(void **state)
{
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a", .type = '1', .link = "nowhere");
	refused(&tar, "'a': hard link to 'nowhere', which is not in the archive");
	TAR(&tar, .name = "a", .type = '1', .link = "a");
	refused(&tar, "'a': a hard link to itself");
	TAR(&tar, .name = "a", .type = '1', .link = "b");
	TAR(&tar, .name = "b", .type = '1', .link = "a");
	refused(&tar, "'a': a hard link to itself");
	TAR(&tar, .name = "d", .type = '5');
	TAR(&tar, .name = "a", .type = '1', .link = "d");
	refused(&tar, "'a': hard link to 'd', which is a folder");
	TAR(&tar, .name = "a", .type = '1', .link = "d");
	TAR(&tar, .name = "d/x");
	refused(&tar, "'a': hard link to 'd', which is a folder");
	TAR(&tar, .name = "a", .type = '1', .link = "../a");
	refused(&tar, "'a': hard link: a path with '..'");
	TAR(&tar, .name = "f");
	TAR(&tar, .name = "a", .type = '1', .link = "f");
	TAR(&tar, .name = "a/b");
	refused(&tar, "'a' is a hard link, but 'a/b' lies below it");
}

static void replaced(void **state)
{
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a", .type = '2', .link = "/etc");
	TAR(&tar, .name = "a/passwd", .data = "root");
	refused(&tar, "'a' is a symbolic link, but 'a/passwd' lies below it");
	TAR(&tar, .name = "a", .data = "x");
	TAR(&tar, .name = "a/b", .data = "x");
	refused(&tar, "'a' is a file, but 'a/b' lies below it");
	TAR(&tar, .name = "a/b", .data = "x");
	TAR(&tar, .name = "a", .type = '2', .link = "/etc");
	refused(&tar, "'a': the path is in the archive twice");
	TAR(&tar, .name = "a", .type = '5');
	TAR(&tar, .name = "./a/", .type = '2', .link = "/etc");
	refused(&tar, "the path is in the archive twice");
	TAR(&tar, .name = "a", .data = "x");
	TAR(&tar, .name = "./a", .data = "x");
	refused(&tar, "'./a': the path is in the archive twice");
	TAR(&tar, .name = "a", .data = "x");
	TAR(&tar, .name = "a", .type = '5');
	refused(&tar, "the path is in the archive twice");
}

static void truncated(void **state)
{
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a", .size = 1000000000);
	tar_put(&tar, "few", 3);
	refused(&tar, "'a': its contents are not all there: the archive is truncated");
	TAR(&tar, .name = "a", .size = 1LL << 62);
	refused(&tar, "'a': its contents are not all there");
	TAR(&tar, .name = "a", .size = (1LL << 62) + 1);
	refused(&tar, "its size 4611686018427387905 is not possible");
	TAR(&tar, .name = "a", .size = -5);
	refused(&tar, "negative size");
	TAR(&tar, .name = "a", .data = "hello");
	tar.size -= 511;
	refused_raw(&tar, "its contents are not all there");
	TAR(&tar, .name = "a", .data = "hello");
	tar.size -= 100;
	refused_raw(&tar, "runcated");
	TAR(&tar, .name = "a", .data = "hello");
	refused_raw(&tar, "the archive has no end mark");
	TAR(&tar, .name = "a", .data = "hello");
	tar.size -= 700;
	refused_raw(&tar, "");
}

static void damaged(void **state)
{
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a", .data = "hello");
	TAR(&tar, .name = "b", .data = "hello");
	tar.data[1024 + 1] ^= 1;
	refused(&tar, "amaged");
	TAR(&tar, .name = "a", .data = "hello");
	tar_end(&tar);
	tar_put(&tar, "garbage", 7);
	tar_pad(&tar);
	refused_raw(&tar, "amaged");
	tar_put(&tar, "this is no archive at all, but a text that somebody gave by mistake", 66);
	refused_raw(&tar, "Unrecognized archive format");
	tar_pax(&tar, "path", "name");
	memcpy(tar.data + 512, "zz", 2);
	TAR(&tar, .name = "a");
	refused(&tar, "malformed pax");
}

static void empty(void **state)
{
	struct tar tar = {0};

	(void)state;
	tar_put(&tar, "", 0);
	refused_raw(&tar, "no entries in archive");
	refused(&tar, "no entries in archive");
}

static void metadata(void **state)
{
	char *value = malloc(INGOT_XATTRS_MAX), target[INGOT_TARGET_MAX + 2] = "";
	struct tar tar = {0};

	(void)state;
	memset(value, 'v', INGOT_XATTRS_MAX);
	tar_pax_bytes(&tar, "SCHILY.xattr.user.big", value, INGOT_XATTRS_MAX);
	TAR(&tar, .name = "a");
	refused(&tar, "'a': more than 65536 bytes of attributes");
	free(value);
	tar_pax(&tar, "uid", "4294967295");
	TAR(&tar, .name = "a");
	refused(&tar, "'a': its user 4294967295 is not possible");
	tar_pax(&tar, "gid", "-1");
	TAR(&tar, .name = "a");
	refused(&tar, "'a': its group -1 is not possible");
	TAR(&tar, .name = "a", .type = '2');
	refused(&tar, "'a': a symbolic link to nothing");
	memset(target, 't', INGOT_TARGET_MAX + 1);
	tar_pax(&tar, "linkpath", target);
	TAR(&tar, .name = "a", .type = '2', .link = "x");
	refused(&tar, "'a': the link's target is longer than 4095 bytes");
	TAR(&tar, .name = "a", .type = '3', .major = 5000);
	refused(&tar, "'a': the device 5000,0 is not possible");
	TAR(&tar, .name = "a", .type = 'M');
	refused(&tar, "'a': its file type 00 is not known");
	tar_pax(&tar, "SCHILY.acl.access", "user::rw-,user:0:wrong,group::r--,other::r--");
	TAR(&tar, .name = "a");
	refused(&tar, "SCHILY.acl.access");
	tar_pax(&tar, "SCHILY.acl.access",
		"user::rw-,user:lisa:rw-,group::r--,mask::rw-,other::r--");
	TAR(&tar, .name = "a");
	refused(&tar, "'a': its ACL says 'lisa' without a number (tar has --xattrs");
	tar_pax(&tar, "SCHILY.acl.access", "user::rw-,user:5:rw-,group::r--,other::r--");
	TAR(&tar, .name = "a");
	refused(&tar, "'a': its ACL has no mask");
}

static void holes(void **state)
{
	static const char *const maps[] = {"0,512,256,512", "0,512,99999999,512", "1024,512,0,512"};
	struct tar tar = {0}, pax = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		pax_add(&pax, "GNU.sparse.map", maps[i]);
		pax_add(&pax, "GNU.sparse.size", "100000");
		tar_put_pax(&tar, &pax);
		TAR(&tar, .name = "a", .size = 1024);
		for (int k = 0; k < 256; k++)
			tar_put(&tar, "data", 4);
		refused(&tar, "'a': its list of holes makes no sense");
	}
}

static void compressed_and_cut(void **state)
{
	struct playground p;
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	static const char *const tools[] = {"gzip", "bzip2", "xz", "zstd"};
	char command[512], path[128];

	(void)state;
	playground_make(&p);
	make_file(p.fd, "a", "some text that compresses to something");
	for (size_t i = 0; i < 4; i++) {
		snprintf(command, sizeof(command),
			 "cd '%s' && tar cf - a | %s > x 2>/dev/null && head -c -3 x > y", p.path,
			 tools[i]);
		if (system(command) != 0)
			continue; /* not installed here */
		snprintf(path, sizeof(path), "%s/x", p.path);
		assert_ok(ingot_tree_open(path, &OPTIONS, &tree, &err));
		assert_int_equal(ingot_tree_find(tree, "a")->size, 38);
		ingot_tree_free(tree);
		snprintf(path, sizeof(path), "%s/y", p.path);
		assert_fails(ingot_tree_open(path, &OPTIONS, &tree, &err), -EINVAL, "read '");
	}
	playground_remove(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(long_names),
		cmocka_unit_test(too_deep),
		cmocka_unit_test(hard_links),
		cmocka_unit_test(replaced),
		cmocka_unit_test(truncated),
		cmocka_unit_test(damaged),
		cmocka_unit_test(empty),
		cmocka_unit_test(metadata),
		cmocka_unit_test(holes),
		cmocka_unit_test(compressed_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The owner map: its file, and what it does to a tree. */
#include "tar_support.h"

#include <errno.h>

#include "tree/owner.h"

static struct ingot_owner_map *map_of(const char *text)
{
	struct ingot_owner_map *map = NULL;
	struct ingot_error err = {0};

	assert_ok(ingot_owner_map_parse("owners", text, strlen(text), &map, &err));
	return map;
}

static void refuses(const char *text, const char *words)
{
	struct ingot_owner_map *map = NULL;
	struct ingot_error err = {0};

	assert_fails(ingot_owner_map_parse("owners", text, strlen(text), &map, &err), -EINVAL,
		     words);
	assert_null(map);
}

static void bad_lines(void **state)
{
	(void)state;
	refuses("# fine\n\nuid 0 0\n", "owners:3: a range is: uid HOST IMAGE COUNT");
	refuses("uid 0 0 x\n", "owners:1: 'x' is not a number");
	refuses("gid 0 0 1 1\n", "owners:1: a range is");
	refuses("uid 0 0 0\n", "owners:1: a range of no ids");
	refuses("uid 4294967295 0 1\n", "owners:1: an id is at most 4294967294");
	refuses("uid 4294967294 0 2\n", "owners:1: the range goes past the last id");
	refuses("uid 5 0 10\nuid 14 100 1\n", "owners:2: the range overlaps");
	refuses("path x 0\n", "owners:1: a rule is: path PATTERN UID GID [MODE]");
	refuses("path x 0 0 888\n", "owners:1: permissions are octal");
	refuses("path x 0 0 17777\n", "owners:1: permissions are octal");
	refuses("owner 0 0\n", "owners:1: a line starts with uid, gid or path");
}

static struct ingot_tree *tree_with(struct tar *tar, const struct ingot_tree_options *options)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};

	tar_end(tar);
	assert_ok(open_bytes(tar->data, tar->size, options, &tree, &err));
	tar_done(tar);
	return tree;
}

static void check_owner(struct ingot_tree *tree, const char *path, unsigned uid, unsigned gid,
			unsigned mode)
{
	const struct ingot_node *node = ingot_tree_find(tree, path);

	assert_non_null(node);
	assert_int_equal(node->uid, uid);
	assert_int_equal(node->gid, gid);
	assert_int_equal(node->mode & 07777, mode);
}

static void ranges_and_rules(void **state)
{
	struct ingot_owner_map *map = map_of("uid 1000 0 1 # me\n"
					     "uid 100000 1 65536\n"
					     "gid 1000 0 1\r\n"
					     "gid 100000\t1 65536\n"
					     "path bin/* 0 50\n"
					     "path /bin/sudo 0 0 4755\n"
					     "path alias 7 7\n"
					     "path / 3 4\n");
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH, .map = map};
	struct ingot_tree *tree;
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "mine", .uid = 1000, .gid = 1000);
	TAR(&tar, .name = "theirs", .uid = 100099, .gid = 165535);
	TAR(&tar, .name = "bin", .type = '5', .uid = 1000, .gid = 1000);
	TAR(&tar, .name = "bin/ls", .uid = 1000, .gid = 1000);
	TAR(&tar, .name = "bin/sudo", .uid = 55, .gid = 55);
	TAR(&tar, .name = "real", .uid = 1000, .gid = 1000);
	TAR(&tar, .name = "alias", .type = '1', .link = "real");
	tree = tree_with(&tar, &options);
	check_owner(tree, "", 3, 4, 0755);
	check_owner(tree, "mine", 0, 0, 0644);
	check_owner(tree, "theirs", 100, 65536, 0644);
	check_owner(tree, "bin", 0, 0, 0755);
	check_owner(tree, "bin/ls", 0, 50, 0644);
	check_owner(tree, "bin/sudo", 0, 0, 04755);
	check_owner(tree, "alias", 7, 7, 0644);
	assert_true(ingot_tree_find(tree, "real")->is_link);
	ingot_tree_free(tree);
	ingot_owner_map_free(map);
}

static void nobody(void **state)
{
	struct ingot_owner_map *map = map_of("uid 0 0 1\n");
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH, .map = map};
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a", .uid = 5, .gid = 99);
	tar_end(&tar);
	assert_fails(open_bytes(tar.data, tar.size, &options, &tree, &err), -EINVAL,
		     "'a' belongs to user 5, which no line of the owner map has");
	tar_done(&tar);
	ingot_owner_map_free(map);
}

static void forced(void **state)
{
	struct ingot_owner_map *map = map_of("path b 9 9\n");
	struct ingot_tree_options options = {
		.epoch = SUPPORT_EPOCH, .owner = true, .uid = 1, .gid = 2, .map = map};
	struct ingot_tree *tree;
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "a", .uid = 5, .gid = 99);
	TAR(&tar, .name = "b", .uid = 5, .gid = 99);
	tree = tree_with(&tar, &options);
	check_owner(tree, "", 1, 2, 0755);
	check_owner(tree, "a", 1, 2, 0644);
	check_owner(tree, "b", 9, 9, 0644);
	ingot_tree_free(tree);
	ingot_owner_map_free(map);
}

/* cap_net_raw of a namespace whose root is 100000 becomes root's own; ids in ACLs move too. */
static void ids_in_attributes(void **state)
{
	static const unsigned char v3[24] = {1, 0, 0, 3, 0, 0x20, 0, 0, 0,    0,    0, 0,
					     0, 0, 0, 0, 0, 0,	  0, 0, 0xa0, 0x86, 1, 0};
	static const unsigned char v2[20] = {1, 0, 0, 2, 0, 0x20};
	struct ingot_owner_map *map = map_of("uid 100000 0 65536\ngid 0 0 1\n"
					     "path / 0 0\n");
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH, .map = map};
	const struct ingot_xattrs *x;
	struct ingot_tree *tree;
	struct tar tar = {0}, list = {0};

	(void)state;
	pax_add(&list, "SCHILY.acl.access",
		"user::rw-,user:101000:rw-,group::r--,mask::rw-,other::---");
	pax_add_bytes(&list, "SCHILY.xattr.security.capability", v3, sizeof(v3));
	tar_put_pax(&tar, &list);
	TAR(&tar, .name = "a", .uid = 100000, .gnu = false);
	tree = tree_with(&tar, &options);
	x = ingot_tree_find(tree, "a")->xattrs;
	assert_int_equal(x->count, 2);
	assert_int_equal(x->list[0].size, sizeof(v2));
	assert_memory_equal(x->list[0].value, v2, sizeof(v2));
	assert_memory_equal((const char *)x->list[1].value + 12, "\x02\0\x06\0\xe8\x03\0\0", 8);
	ingot_tree_free(tree);
	ingot_owner_map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(ranges_and_rules),
		cmocka_unit_test(nobody),
		cmocka_unit_test(forced),
		cmocka_unit_test(ids_in_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Files from memory among those of a folder. */
#include <errno.h>

#include "tree_support.h"

/* Every node below the root in the order of the walk: its path, and a file's mode and bytes. */
static void dump(struct ingot_tree *tree, char *text, size_t room)
{
	struct ingot_node *root = ingot_tree_root(tree), *node = root;
	struct ingot_tree_reader *reader;
	struct ingot_error err = {0};
	size_t used = 0;

	text[0] = '\0';
	assert_ok(ingot_tree_reader_new(tree, &reader, &err));
	while ((node = ingot_node_next(root, node))) {
		char path[256], bytes[64] = "";

		if (S_ISREG(node->mode)) {
			assert_true(node->size < sizeof(bytes));
			assert_ok(
				ingot_tree_read(reader, node, 0, bytes, (size_t)node->size, &err));
		}
		used += (size_t)snprintf(text + used, room - used, "%s %o %lld [%s]\n",
					 ingot_node_path(node, path, sizeof(path)),
					 node->mode & 07777, (long long)node->mtime, bytes);
		assert_true(used < room);
	}
	ingot_tree_reader_free(reader);
}

static void put(struct ingot_tree *tree, const char *path, const char *bytes, uint32_t mode)
{
	struct ingot_error err = {0};

	assert_ok(ingot_tree_put(tree, path, bytes, strlen(bytes), mode, 77, &err));
}

static void test_into_nothing(void **state)
{
	INGOT_TREE struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	char text[1024];

	(void)state;
	assert_ok(ingot_tree_empty("oem", 99, &tree, &err));
	put(tree, "m", "middle", 0644);
	put(tree, "z/y/x", "deep", 0755);
	put(tree, "a", "first", 0600);
	put(tree, "z/y/a", "", 0644);
	put(tree, "ma", "longer", 0644);
	put(tree, "z/b", "b", 0644);
	dump(tree, text, sizeof(text));
	assert_string_equal(text, "a 600 77 [first]\n"
				  "m 644 77 [middle]\n"
				  "ma 644 77 [longer]\n"
				  "z 755 77 []\n"
				  "z/b 644 77 [b]\n"
				  "z/y 755 77 []\n"
				  "z/y/a 644 77 []\n"
				  "z/y/x 755 77 [deep]\n");
	assert_int_equal(ingot_tree_root(tree)->mtime, 99);
}

static void test_among_others(void **state)
{
	static const struct {
		const char *path;
		int rc;
		const char *words;
	} wrong[] = {
		{"f", -EEXIST, "there already"},   {"d", -EEXIST, "there already"},
		{"f/x", -ENOTDIR, "is no folder"}, {"", -EINVAL, "no path"},
		{"/x", -EINVAL, "no path"},	   {"d/../x", -EINVAL, "no path"},
		{"./x", -EINVAL, "no path"},	   {"d/", -EINVAL, "no path"},
	};
	struct ingot_tree_options options = {.epoch = SUPPORT_EPOCH, .owner = true};
	INGOT_TREE struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	struct playground p;
	char text[1024];

	(void)state;
	playground_make(&p);
	make_folder(p.fd, "d");
	set_time(p.fd, "d", 5);
	assert_int_equal(close(openat(p.fd, "f", O_CREAT | O_WRONLY, 0644)), 0);
	set_time(p.fd, "f", 6);
	assert_ok(ingot_tree_open(p.path, &options, &tree, &err));
	put(tree, "d/e", "e", 0644);
	put(tree, "dd", "dd", 0644);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_fails(ingot_tree_put(tree, wrong[i].path, "", 0, 0644, 0, &err), wrong[i].rc,
			     wrong[i].words);
	dump(tree, text, sizeof(text));
	assert_string_equal(text, "d 755 5 []\n"
				  "d/e 644 77 [e]\n"
				  "dd 644 77 [dd]\n"
				  "f 644 6 []\n");
	playground_remove(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_into_nothing),
		cmocka_unit_test(test_among_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Files that are in no folder and no archive: a tree gets them from memory. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "tree/tree_internal.h"

int ingot_tree_empty(const char *name, int64_t epoch, struct ingot_tree **ret,
		     struct ingot_error *err)
{
	struct ingot_tree_options options = {.epoch = epoch};
	int rc = ingot_tree_new(name, -1, &options, ret, err);

	if (rc < 0)
		return rc;
	(*ret)->options = NULL;
	(*ret)->root->node.scratch = 0;
	return 0;
}

/* Where the name is or belongs among the children: they are in byte order. */
static struct ingot_node **place_of(struct ingot_node *folder, const char *name, size_t n,
				    bool *there)
{
	struct ingot_node **at = &folder->children;

	for (; *at; at = &(*at)->next) {
		size_t shorter = n < (*at)->name_length ? n : (*at)->name_length;
		int c = memcmp((*at)->name, name, shorter);

		if (c == 0)
			c = (int)(*at)->name_length - (int)n;
		*there = c == 0;
		if (c >= 0)
			return at;
	}
	*there = false;
	return at;
}

static int add(struct ingot_tree *tree, struct ingot_node *folder, struct ingot_node **at,
	       const char *name, size_t n, uint32_t mode, struct entry **ret,
	       struct ingot_error *err)
{
	struct ingot_node *first = folder->children, *next = *at;
	int rc = ingot_tree_add(tree, entry_of(folder), name, n, mode, ret, err);

	if (rc < 0)
		return rc;
	/* It was put in front of all. */
	folder->children = first;
	if (at == &folder->children)
		folder->children = &(*ret)->node;
	else
		*at = &(*ret)->node;
	(*ret)->node.next = next;
	return 0;
}

/* The folder of that name, made if it is not there. */
static int enter(struct ingot_tree *tree, struct ingot_node **folder, const char *name, size_t n,
		 int64_t mtime, struct ingot_error *err)
{
	bool there;
	struct ingot_node **at = place_of(*folder, name, n, &there);
	struct entry *made;
	int rc;

	if (there) {
		*folder = *at;
		return S_ISDIR((*at)->mode) ? 0 : ingot_raise(err, -ENOTDIR, "it is no folder");
	}
	rc = add(tree, *folder, at, name, n, S_IFDIR | 0755, &made, err);
	if (rc < 0)
		return rc;
	made->node.mtime = mtime;
	*folder = &made->node;
	return 0;
}

static bool is_name(const char *name, size_t n)
{
	return n > 0 && n <= 255 && !(n == 1 && name[0] == '.') &&
	       !(n == 2 && name[0] == '.' && name[1] == '.');
}

static int put_file(struct ingot_tree *tree, struct ingot_node *folder, const char *name,
		    const void *data, size_t size, uint32_t mode, struct entry **ret,
		    struct ingot_error *err)
{
	size_t n = strlen(name);
	bool there;
	struct ingot_node **at = place_of(folder, name, n, &there);
	const void *bytes;

	if (there)
		return ingot_raise(err, -EEXIST, "it is there already");
	bytes = ingot_arena_copy(&tree->arena, size ? data : "", size ? size : 1, 1, err);
	if (!bytes)
		return -ENOMEM;
	if (add(tree, folder, at, name, n, S_IFREG | (mode & 07777), ret, err) < 0)
		return -ENOMEM;
	(*ret)->in_memory = true;
	(*ret)->bytes = bytes;
	(*ret)->node.size = size;
	return 0;
}

int ingot_tree_put(struct ingot_tree *tree, const char *path, const void *data, size_t n,
		   uint32_t mode, int64_t mtime, struct ingot_error *err)
{
	struct ingot_node *folder = &tree->root->node;
	const char *rest = path;
	char text[256];
	struct entry *file;
	int rc = 0;

	ingot_printable(path, strlen(path), text, sizeof(text));
	for (; rc == 0; rest += strcspn(rest, "/") + 1) {
		size_t length = strcspn(rest, "/");

		if (!is_name(rest, length))
			return ingot_raise(err, -EINVAL, "'%s' is no path of a file", text);
		if (!rest[length])
			break;
		rc = enter(tree, &folder, rest, length, mtime, err);
	}
	if (rc == 0)
		rc = put_file(tree, folder, rest, data, n, mode, &file, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "put '%s' into '%s'", text, tree->name);
	file->node.mtime = mtime;
	return 0;
}

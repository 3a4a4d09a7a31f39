#include "fs/fat_internal.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* --- the order: as if each name were compared on its own --------------- */

static int compare_files(const void *a, const void *b)
{
	const unsigned char *p =
		(const unsigned char *)(*(const struct ingot_fat_file *const *)a)->path;
	const unsigned char *q =
		(const unsigned char *)(*(const struct ingot_fat_file *const *)b)->path;

	while (*p && *p == *q) {
		p++;
		q++;
	}
	if (*p == *q)
		return 0;
	/* The end of a name comes before every character of a longer one. */
	if (*p == '\0' || *q == '\0')
		return *p ? 1 : -1;
	if (*p == '/' || *q == '/')
		return *p == '/' ? -1 : 1;
	return *p < *q ? -1 : 1;
}

/* --- building ---------------------------------------------------------- */

static struct fat_node *add_node(struct ingot_arena *arena, struct fat_node *parent,
				 struct ingot_error *err)
{
	struct fat_node *node =
		ingot_arena_alloc(arena, sizeof(*node), _Alignof(struct fat_node), err);

	if (!node)
		return NULL;
	node->parent = parent;
	if (!parent)
		return node;
	if (parent->last_child)
		parent->last_child->next = node;
	else
		parent->children = node;
	parent->last_child = node;
	parent->child_count++;
	return node;
}

/* The child of that name, if it was the one added last: the order makes sure of that. */
static struct fat_node *last_named(const struct fat_node *parent, const char *name, size_t n)
{
	struct fat_node *node = parent->last_child;

	if (node && node->name_size == n && memcmp(node->name, name, n) == 0)
		return node;
	return NULL;
}

static int enter_folder(struct ingot_arena *arena, struct fat_node **folder, const char *name,
			size_t n, const char *path, struct ingot_error *err)
{
	struct fat_node *node = last_named(*folder, name, n);

	if (node && node->content)
		return ingot_raise(err, -EINVAL, "FAT path '%s': '%s' is a file", path, node->path);
	if (!node) {
		node = add_node(arena, *folder, err);
		if (!node)
			return -ENOMEM;
		node->name = name;
		node->name_size = n;
	}
	*folder = node;
	return 0;
}

static int add_leaf(struct ingot_arena *arena, struct fat_node *folder, const char *name,
		    const struct ingot_fat_file *file, struct ingot_error *err)
{
	struct fat_node *node;

	if (last_named(folder, name, strlen(name)))
		return ingot_raise(err, -EINVAL, "FAT path '%s': given twice", file->path);
	if (file->content->size > UINT32_MAX)
		return ingot_raise(err, -EFBIG, "FAT path '%s': %llu bytes, and FAT ends at %u",
				   file->path, (unsigned long long)file->content->size, UINT32_MAX);
	node = add_node(arena, folder, err);
	if (!node)
		return -ENOMEM;
	node->name = name;
	node->name_size = strlen(name);
	node->path = file->path;
	node->content = file->content;
	node->size = file->content->size;
	return 0;
}

static int add_path(struct ingot_arena *arena, struct fat_node *root,
		    const struct ingot_fat_file *file, struct ingot_error *err)
{
	struct fat_node *folder = root;
	const char *name = file->path, *slash;

	if (strlen(name) > FAT_PATH_MAX)
		return ingot_raise(err, -EINVAL, "FAT path '%.80s...': longer than %d bytes", name,
				   FAT_PATH_MAX);
	for (; (slash = strchr(name, '/')); name = slash + 1) {
		int rc =
			enter_folder(arena, &folder, name, (size_t)(slash - name), file->path, err);

		if (rc < 0)
			return rc;
	}
	return add_leaf(arena, folder, name, file, err);
}

int ingot_fat_tree(const struct ingot_fat_file *files, size_t count, struct ingot_arena *arena,
		   struct fat_node **ret, struct ingot_error *err)
{
	INGOT_FREE const struct ingot_fat_file **sorted =
		ingot_alloc(count + 1, sizeof(*sorted), err);
	struct fat_node *root;

	if (!sorted)
		return -ENOMEM;
	root = add_node(arena, NULL, err);
	if (!root)
		return -ENOMEM;
	root->name = "/"; /* for errors */
	root->name_size = 1;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &files[i];
	qsort(sorted, count, sizeof(*sorted), compare_files);
	for (size_t i = 0; i < count; i++) {
		int rc = add_path(arena, root, sorted[i], err);

		if (rc < 0)
			return rc;
	}
	*ret = root;
	return 0;
}

struct fat_node *ingot_fat_next(const struct fat_node *node)
{
	if (node->children)
		return node->children;
	while (node && !node->next)
		node = node->parent;
	return node ? node->next : NULL;
}

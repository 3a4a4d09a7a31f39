#include "image/tree_file.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/text.h"

enum { LINKS_MAX = 16, PATH_SIZE = 4096 };

/* --- the source -------------------------------------------------------- */

struct tree_file {
	struct ingot_source source;
	const struct ingot_node *node;
	pthread_mutex_t lock; /* a reader is one thread's */
	struct ingot_tree_reader *reader;
	char name[];
};

static int file_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	struct tree_file *file = (struct tree_file *)source;
	int rc;

	pthread_mutex_lock(&file->lock);
	rc = ingot_tree_read(file->reader, file->node, offset, data, n, err);
	pthread_mutex_unlock(&file->lock);
	return rc;
}

static void file_free(struct ingot_source *source)
{
	struct tree_file *file = (struct tree_file *)source;

	ingot_tree_reader_free(file->reader);
	(void)pthread_mutex_destroy(&file->lock);
	free(file);
}

static const struct ingot_source_ops OPS = {file_read, NULL, file_free};

int ingot_tree_file(struct ingot_tree *tree, const struct ingot_node *node,
		    struct ingot_source **ret, struct ingot_error *err)
{
	char path[1024];
	struct tree_file *file;
	int rc;

	node = node->is_link ? node->link : node;
	(void)ingot_node_path(node, path, sizeof(path));
	if (!S_ISREG(node->mode))
		return ingot_raise(err, -EINVAL, "'%s' in the tree is not a regular file", path);
	file = ingot_alloc(1, sizeof(*file) + strlen(path) + 1, err);
	if (!file)
		return -ENOMEM;
	rc = ingot_tree_reader_new(tree, &file->reader, err);
	if (rc < 0) {
		free(file);
		return rc;
	}
	(void)pthread_mutex_init(&file->lock, NULL);
	strcpy(file->name, path);
	file->node = node;
	file->source = (struct ingot_source){&OPS, file->name, node->size};
	*ret = &file->source;
	return 0;
}

/* --- finding ----------------------------------------------------------- */

static const struct ingot_node *child(const struct ingot_node *dir, const char *name, size_t n)
{
	for (const struct ingot_node *c = dir->children; c; c = c->next)
		if (c->name_length == n && memcmp(c->name, name, n) == 0)
			return c;
	return NULL;
}

static const struct ingot_node *root_of(const struct ingot_node *node)
{
	while (node->parent)
		node = node->parent;
	return node;
}

static bool is_dir(const struct ingot_node *node)
{
	return !node->is_link && S_ISDIR(node->mode);
}

/* Where a path leads, links followed; NULL: nowhere in the tree. */
static const struct ingot_node *walk(const struct ingot_node *from, const char *path, int *budget)
{
	const struct ingot_node *at = *path == '/' ? root_of(from) : from;

	while (at) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0)
			return at;
		if (!is_dir(at))
			return NULL;
		if (n == 2 && memcmp(path, "..", 2) == 0)
			at = at->parent ? at->parent : at;
		else if (n != 1 || *path != '.')
			at = child(at, path, n);
		path += n;
		if (at && !at->is_link && S_ISLNK(at->mode)) {
			if (--*budget < 0)
				return NULL;
			at = walk(at->parent, at->target, budget);
		}
	}
	return NULL;
}

static const struct ingot_node *resolve(const struct ingot_node *node)
{
	int budget = LINKS_MAX;

	if (node->is_link)
		return node->link;
	if (S_ISLNK(node->mode))
		node = walk(node->parent, node->target, &budget);
	return node && node->is_link ? node->link : node;
}

int ingot_tree_match(struct ingot_tree *tree, const char *pattern, const struct ingot_node **ret,
		     struct ingot_error *err)
{
	INGOT_FREE char *path = ingot_alloc(1, PATH_SIZE, err);
	INGOT_FREE char *first = ingot_alloc(1, PATH_SIZE, err);
	const struct ingot_node *root = ingot_tree_root(tree), *found = NULL;

	if (!path || !first)
		return -ENOMEM;
	for (const struct ingot_node *n = root; n; n = ingot_node_next(root, n)) {
		const struct ingot_node *file;

		if (is_dir(n) || !ingot_path_match(pattern, ingot_node_path(n, path, PATH_SIZE)))
			continue;
		file = resolve(n);
		if (!file || !S_ISREG(file->mode) || file == found)
			continue;
		if (found)
			return ingot_raise(err, -EINVAL,
					   "'%s' and '%s' in the tree both match '%s'", first, path,
					   pattern);
		found = file;
		strcpy(first, path);
	}
	if (!found)
		return ingot_raise(err, -ENOENT, "no file in the tree matches '%s'", pattern);
	*ret = found;
	return 0;
}

/* A folder of files for the OEM partition, beside a vendor's file. */
#include <errno.h>
#include <string.h>

#include "image/vendor_internal.h"
#include "tree/tree.h"

/* Everything that the walk needs at hand. */
struct folder {
	struct ingot_vendor_reader *reader;
	struct ingot_yaml_node node; /* for complaints */
	struct ingot_tree_reader *files;
};

/* The whole path, as it is; NULL: too long. */
static const char *path_of(const struct ingot_node *node, char *text, size_t size)
{
	size_t at = size - 1;

	text[at] = '\0';
	for (; node->parent; node = node->parent) {
		if (at < node->name_length + (size_t)1)
			return NULL;
		if (text[at])
			text[--at] = '/';
		at -= node->name_length;
		memcpy(text + at, node->name, node->name_length);
	}
	return text + at;
}

static int add(struct folder *folder, const struct ingot_node *node)
{
	struct ingot_vendor_reader *reader = folder->reader;
	const struct ingot_node *content = node->is_link ? node->link : node;
	struct ingot_vendor_file file = {.size = (size_t)content->size,
					 .executable = content->mode & S_IXUSR};
	char buffer[2048];
	const char *path = path_of(node, buffer, sizeof(buffer));
	char *name, *data;
	int rc;

	if (!path || content->size > INGOT_VENDOR_OEM_MAX) {
		ingot_yaml_problem(folder->node,
				   "'%.80s': the path is too long, or the file larger "
				   "than %d MiB",
				   path ? path : node->name, INGOT_VENDOR_OEM_MAX >> 20);
		return 0;
	}
	name = ingot_vendor_alloc(reader, strlen(path) + 1, 1);
	data = name ? ingot_vendor_alloc(reader, file.size + 1, 1) : NULL;
	if (!data)
		return -ENOMEM;
	memcpy(name, path, strlen(path) + 1);
	rc = ingot_tree_read(folder->files, content, 0, data, file.size, reader->err);
	if (rc < 0)
		return rc;
	file.path = name;
	file.data = data;
	ingot_vendor_add_file(reader, folder->node, &file);
	return 0;
}

static int walk(struct folder *folder, const struct ingot_node *root)
{
	size_t files = 0;
	int rc = 0;

	for (const struct ingot_node *n = root; n && rc == 0; n = ingot_node_next(root, n)) {
		if (S_ISDIR(n->mode))
			continue;
		if (!S_ISREG(n->mode)) {
			ingot_yaml_problem(folder->node, "'%.80s' is neither a file nor a folder",
					   n->name);
			continue;
		}
		if (files++ == INGOT_VENDOR_FILES_MAX) {
			ingot_yaml_problem(folder->node, "more than %d files",
					   INGOT_VENDOR_FILES_MAX);
			break;
		}
		rc = add(folder, n);
	}
	return rc;
}

static int read_tree(struct ingot_vendor_reader *reader, struct ingot_yaml_node node,
		     const char *path)
{
	struct ingot_tree_options options = {.epoch = INT64_MAX, .owner = true};
	struct folder folder = {.reader = reader, .node = node};
	INGOT_TREE struct ingot_tree *tree = NULL;
	struct ingot_error why;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		ingot_yaml_problem(node, "there is no folder '%.400s'", path);
		return 0;
	}
	rc = ingot_tree_open(path, &options, &tree, &why);
	if (rc == -ENOMEM)
		return ingot_raise(reader->err, rc, "%s", why.text);
	if (rc < 0) {
		ingot_yaml_problem(node, "%.480s", why.text);
		return 0;
	}
	rc = ingot_tree_reader_new(tree, &folder.files, reader->err);
	if (rc == 0)
		rc = walk(&folder, ingot_tree_root(tree));
	ingot_tree_reader_free(folder.files);
	return rc;
}

void ingot_vendor_read_folder(struct ingot_vendor_reader *reader, struct ingot_yaml_node node,
			      const char *path)
{
	INGOT_FREE char *full =
		path[0] == '/' ? ingot_strdup(path, reader->err)
			       : ingot_format(reader->err, "%s%s", reader->directory, path);
	int rc = full ? read_tree(reader, node, full) : -ENOMEM;

	if (rc < 0 && reader->rc == 0)
		reader->rc = rc;
}

/* Where an archive's entry goes in the tree, and what it may not be called. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "tree/archive_internal.h"

/* --- names ------------------------------------------------------------- */

static int check_name(const char *name, size_t n, struct ingot_error *err)
{
	if (n == 2 && memcmp(name, "..", 2) == 0)
		return ingot_raise(err, -EINVAL, "a path with '..' leads out of the tree");
	if (n > INGOT_NAME_MAX)
		return ingot_raise(err, -EINVAL, "a name is longer than %d bytes", INGOT_NAME_MAX);
	return 0;
}

/* The length of the first name at *path, which is moved to it; 0: there is none. */
static size_t next_name(const char **path)
{
	size_t n;

	for (;;) {
		*path += strspn(*path, "/");
		n = strcspn(*path, "/");
		if (n != 1 || **path != '.')
			return n;
		*path += 1;
	}
}

/* Into builder->path; *ret_length is 0 for the root. */
static int clean_path(struct archive_builder *builder, const char *path, size_t *ret_length,
		      struct ingot_error *err)
{
	struct path_text *clean = &builder->path;
	size_t at = 0, depth = 0, n;
	int rc;

	if (*path == '/')
		return ingot_raise(err, -EINVAL, "an absolute path");
	if (!*path)
		return ingot_raise(err, -EINVAL, "an empty path");
	rc = ingot_grow((void **)&clean->text, &clean->room, strlen(path) + 1, 1, err);
	if (rc < 0)
		return rc;
	while ((n = next_name(&path)) > 0) {
		rc = check_name(path, n, err);
		if (rc < 0)
			return rc;
		if (++depth > INGOT_TREE_DEPTH_MAX)
			return ingot_raise(err, -EINVAL, "more than %d folders inside each other",
					   INGOT_TREE_DEPTH_MAX);
		if (at > 0)
			clean->text[at++] = '/';
		memcpy(clean->text + at, path, n);
		at += n;
		path += n;
	}
	clean->text[at] = '\0';
	*ret_length = at;
	return 0;
}

/* --- places ------------------------------------------------------------ */

static const char *kind_of(const struct ingot_node *node)
{
	if (node->is_link)
		return "a hard link";
	switch (node->mode & S_IFMT) {
	case S_IFREG:
		return "a file";
	case S_IFLNK:
		return "a symbolic link";
	default:
		return "a device, pipe or socket";
	}
}

/* path[0 .. end) is the new entry's. */
static int add(struct archive_builder *builder, struct entry *folder, size_t start, size_t end,
	       uint32_t mode, struct entry **ret, struct ingot_error *err)
{
	char *path = builder->path.text;
	struct entry *entry;
	char behind = path[end];
	bool excluded;
	int rc;

	rc = ingot_tree_add(builder->tree, folder, path + start, end - start, mode, &entry, err);
	if (rc < 0)
		return rc;
	path[end] = '\0';
	excluded = (folder->node.scratch & ENTRY_EXCLUDED) ||
		   ingot_tree_is_excluded(builder->tree, path);
	path[end] = behind;
	if (excluded)
		entry->node.scratch |= ENTRY_EXCLUDED;
	*ret = entry;
	return ingot_names_add(&builder->names, entry, err);
}

/* A folder on the way, as it is or as it may be listed later. */
static int enter(struct archive_builder *builder, struct entry **folder, size_t start, size_t end,
		 struct ingot_error *err)
{
	const char *path = builder->path.text;
	struct entry *next = ingot_names_find(&builder->names, *folder, path + start, end - start);
	char text[TREE_PATH_TEXT], below[TREE_PATH_TEXT / 2];
	int rc;

	if (next && !S_ISDIR(next->node.mode))
		return ingot_raise(err, -EINVAL, "'%s' is %s, but '%s' lies below it",
				   ingot_node_path(&next->node, text, sizeof(text) / 2),
				   kind_of(&next->node),
				   ingot_printable(path, strlen(path), below, sizeof(below)));
	if (!next) {
		rc = add(builder, *folder, start, end, S_IFDIR | 0755, &next, err);
		if (rc < 0)
			return rc;
		ingot_tree_set_meta(builder->tree, next, 0, 0, builder->tree->options->epoch);
		next->node.scratch |= ENTRY_IMPLIED;
	}
	*folder = next;
	return 0;
}

/* From the root to the folder that holds the last name, which starts at *ret_start. */
static int enter_all(struct archive_builder *builder, struct entry **ret, size_t *ret_start,
		     struct ingot_error *err)
{
	size_t start = 0, n;

	*ret = builder->tree->root;
	for (;;) {
		int rc;

		n = strcspn(builder->path.text + start, "/");
		if (!builder->path.text[start + n])
			break;
		rc = enter(builder, ret, start, start + n, err);
		if (rc < 0)
			return rc;
		start += n + 1;
	}
	*ret_start = start;
	return 0;
}

int ingot_archive_place(struct archive_builder *builder, const char *path, uint32_t type,
			struct entry **ret, struct ingot_error *err)
{
	struct entry *folder = NULL, *there;
	size_t length, start;
	int rc;

	rc = clean_path(builder, path, &length, err);
	if (rc < 0)
		return rc;
	if (length == 0) {
		*ret = builder->tree->root;
		return type == S_IFDIR ? 0 : ingot_raise(err, -EINVAL, "the root is no folder");
	}
	rc = enter_all(builder, &folder, &start, err);
	if (rc < 0)
		return rc;
	there = ingot_names_find(&builder->names, folder, builder->path.text + start,
				 length - start);
	if (!there)
		return add(builder, folder, start, length, type, ret, err);
	if (type != S_IFDIR || !S_ISDIR(there->node.mode))
		return ingot_raise(err, -EINVAL, "the path is in the archive twice");
	*ret = there;
	return 0;
}

int ingot_archive_lookup(struct archive_builder *builder, const char *path, struct entry **ret,
			 struct ingot_error *err)
{
	struct entry *entry = builder->tree->root;
	size_t length, start = 0;
	int rc = clean_path(builder, path, &length, err);

	if (rc < 0)
		return rc;
	while (entry && start < length) {
		size_t n = strcspn(builder->path.text + start, "/");

		entry = ingot_names_find(&builder->names, entry, builder->path.text + start, n);
		start += n + 1;
	}
	*ret = entry;
	return 0;
}

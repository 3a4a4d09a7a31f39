/* One tree becomes two: /usr for its own partition, the rest for the root filesystem. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "tree/tree_internal.h"

static bool is_below(const struct ingot_node *node, const struct ingot_node *root)
{
	while (node && node != root)
		node = node->parent;
	return node == root;
}

/* The link becomes a file with the same contents. */
static void become_file(struct ingot_node *link, const struct ingot_node *file)
{
	struct entry *entry = entry_of(link);
	struct entry was = *entry;

	*entry = *entry_of(file);
	entry->node.parent = was.node.parent;
	entry->node.next = was.node.next;
	entry->node.name = was.node.name;
	entry->node.name_length = was.node.name_length;
	entry->node.scratch = 0;
}

/*
 * In the part whose root this is, links to files of the other part: the first name of a file
 * becomes the file, the part's other names of it link to that one. The other part's node
 * remembers it in scratch (an index into heirs) until the end.
 */
struct heirs {
	struct ingot_node **list, **files;
	size_t count, list_room, files_room;
};

static int inherit(struct heirs *heirs, struct ingot_node *link, struct ingot_error *err)
{
	struct ingot_node *file = link->link;
	int rc;

	if (file->scratch) {
		link->link = heirs->list[file->scratch - 1];
		return 0;
	}
	if (heirs->count >= UINT32_MAX - 1)
		return ingot_raise(err, -EOVERFLOW, "too many hard links");
	rc = ingot_grow((void **)&heirs->list, &heirs->list_room, heirs->count + 1,
			sizeof(*heirs->list), err);
	if (rc < 0)
		return rc;
	rc = ingot_grow((void **)&heirs->files, &heirs->files_room, heirs->count + 1,
			sizeof(*heirs->files), err);
	if (rc < 0)
		return rc;
	become_file(link, file);
	heirs->list[heirs->count] = link;
	heirs->files[heirs->count] = file;
	file->scratch = (uint32_t)++heirs->count;
	return 0;
}

/* `other` is the root of the part that must not be linked to, or the one that must (inside). */
static int cut_links(struct ingot_node *root, const struct ingot_node *usr, bool inside,
		     struct ingot_error *err)
{
	struct heirs heirs = {0};
	struct ingot_node *node;
	int rc = 0;

	for (node = root; node && rc == 0; node = ingot_node_next(root, node))
		if (node->is_link && is_below(node->link, usr) != inside)
			rc = inherit(&heirs, node, err);
	for (size_t i = 0; i < heirs.count; i++)
		heirs.files[i]->scratch = 0;
	free(heirs.list);
	free(heirs.files);
	return rc;
}

/* What stays in the folder's place. */
static int leave_empty(struct ingot_tree *tree, struct ingot_node *folder, struct ingot_error *err)
{
	struct entry *stub =
		ingot_arena_copy(&tree->arena, entry_of(folder), sizeof(*stub), 8, err);
	struct ingot_node **place = &folder->parent->children;

	if (!stub)
		return -ENOMEM;
	stub->node.children = NULL;
	while (*place != folder)
		place = &(*place)->next;
	*place = &stub->node;
	folder->next = NULL;
	return 0;
}

int ingot_tree_split(struct ingot_tree *tree, const char *path, struct ingot_node **ret,
		     struct ingot_error *err)
{
	struct ingot_node *folder = ingot_tree_find(tree, path);
	char text[TREE_PATH_TEXT];
	int rc;

	(void)ingot_printable(path, strlen(path), text, sizeof(text));
	if (!folder)
		return ingot_raise(err, -ENOENT, "there is no '%s' in '%s'", text, tree->name);
	if (!S_ISDIR(folder->mode))
		return ingot_raise(err, -ENOTDIR, "'%s' in '%s' is not a directory", text,
				   tree->name);
	if (!folder->parent)
		return ingot_raise(err, -EINVAL, "the root of '%s' cannot be taken out of it",
				   tree->name);
	rc = leave_empty(tree, folder, err);
	if (rc < 0)
		return rc;
	rc = cut_links(folder, folder, true, err);
	if (rc < 0)
		return rc;
	rc = cut_links(&tree->root->node, folder, false, err);
	if (rc < 0)
		return rc;
	*ret = folder;
	return 0;
}

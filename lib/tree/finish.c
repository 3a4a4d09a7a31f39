#include <errno.h>
#include <string.h>

#include "tree/owner_internal.h"
#include "tree/tree_internal.h"

struct sorter {
	struct ingot_node **list;
	size_t room;
};

static int by_name(const void *a, const void *b)
{
	const struct ingot_node *x = *(struct ingot_node *const *)a;
	const struct ingot_node *y = *(struct ingot_node *const *)b;
	size_t n = x->name_length < y->name_length ? x->name_length : y->name_length;
	int c = memcmp(x->name, y->name, n);

	return c ? c : (int)x->name_length - (int)y->name_length;
}

/* The folder's children in byte order, without the excluded ones. */
static int sort_children(struct sorter *sorter, struct ingot_node *folder, struct ingot_error *err)
{
	struct ingot_node *node;
	size_t count = 0;
	int rc;

	for (node = folder->children; node; node = node->next) {
		if (node->scratch & ENTRY_EXCLUDED)
			continue;
		rc = ingot_grow((void **)&sorter->list, &sorter->room, count + 1,
				sizeof(*sorter->list), err);
		if (rc < 0)
			return rc;
		sorter->list[count++] = node;
	}
	folder->children = NULL;
	if (count == 0)
		return 0;
	qsort(sorter->list, count, sizeof(*sorter->list), by_name);
	for (size_t i = count; i > 0; i--) {
		sorter->list[i - 1]->next = folder->children;
		folder->children = sorter->list[i - 1];
	}
	return 0;
}

/* The link becomes the file, and what was the file a link to it. */
static void change_places(struct ingot_node *link, struct ingot_node *file)
{
	struct entry *heir = entry_of(link), *old = entry_of(file);
	struct entry was = *heir;

	*heir = *old;
	heir->node.parent = was.node.parent;
	heir->node.next = was.node.next;
	heir->node.name = was.node.name;
	heir->node.name_length = was.node.name_length;
	heir->node.scratch = was.node.scratch;
	file->is_link = true;
	file->link = link;
}

/* Only the name and the file are a link's own; the type is the file's. */
static void be_link(struct ingot_node *node, struct ingot_node *file)
{
	node->link = file;
	node->mode = file->mode & S_IFMT;
	node->size = 0;
	node->uid = node->gid = 0;
	node->mtime = 0;
	node->xattrs = NULL;
}

/*
 * Which of a file's names a source met first is chance; the first in the final order is not. A
 * file whose first name was excluded lives on under the next one.
 */
static void settle_link(struct ingot_node *node)
{
	struct ingot_node *file = node->link;

	if (file->is_link) /* it has changed places with an earlier link */
		file = file->link;
	if (file->scratch & ENTRY_SEEN) {
		be_link(node, file);
		return;
	}
	change_places(node, file);
	be_link(file, node);
}

static int order(struct ingot_tree *tree, struct ingot_error *err)
{
	struct ingot_node *root = &tree->root->node;
	struct sorter sorter = {0};
	int rc = 0;

	for (struct ingot_node *node = root; node && rc == 0; node = ingot_node_next(root, node)) {
		if (node->is_link)
			settle_link(node);
		else if (S_ISDIR(node->mode))
			rc = sort_children(&sorter, node, err);
		node->scratch |= ENTRY_SEEN;
	}
	free(sorter.list);
	return rc;
}

int ingot_tree_finish(struct ingot_tree *tree, struct ingot_error *err)
{
	struct ingot_node *root = &tree->root->node;
	int rc = order(tree, err);

	if (rc < 0)
		return rc;
	for (struct ingot_node *node = root; node; node = ingot_node_next(root, node))
		node->scratch = 0;
	rc = ingot_owner_apply(tree, err);
	if (rc < 0)
		return rc;
	ingot_xattr_pool_done(&tree->xattrs);
	tree->options = NULL;
	return 0;
}

/*
 * Hard links of an archive. tar names the file that came before; cpio gives all names the same
 * inode number, of which libarchive makes the same, and may bring the contents with any of them.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "tree/archive_internal.h"

void ingot_archive_set_contents(struct entry *file, const struct contents *contents)
{
	file->node.size = contents->size;
	file->node.runs = contents->runs;
	if (contents->runs)
		file->stored = contents->stored;
	else
		file->at = contents->at;
}

static int quote(struct ingot_error *err, const char *format_front, const char *target,
		 const char *format_end)
{
	char text[TREE_PATH_TEXT];

	return ingot_raise(err, -EINVAL, "%s '%s'%s", format_front,
			   ingot_printable(target, strlen(target), text, sizeof(text)), format_end);
}

static int wait_for(struct archive_builder *builder, struct entry *link, const char *target,
		    const struct contents *contents, struct ingot_error *err)
{
	char *copy = ingot_arena_copy(&builder->tree->arena, target, strlen(target) + 1, 1, err);
	int rc;

	if (!copy)
		return -ENOMEM;
	rc = ingot_grow((void **)&builder->pending, &builder->pending_room,
			builder->pending_count + 1, sizeof(*builder->pending), err);
	if (rc < 0)
		return rc;
	builder->pending[builder->pending_count++] = (struct pending_link){link, copy, *contents};
	return 0;
}

/* Contents that came with a link, or with several names of one file. */
static int give(struct ingot_node *file, const struct contents *contents, struct ingot_error *err)
{
	if (contents->size == 0)
		return 0;
	if (!S_ISREG(file->mode))
		return ingot_raise(err, -EINVAL, "contents for a hard link to what is no file");
	if (file->size == 0) {
		ingot_archive_set_contents(entry_of(file), contents);
		return 0;
	}
	if (file->size != contents->size)
		return ingot_raise(err, -EINVAL, "two names of one file with different contents");
	return 0;
}

/* The file at the end of a chain of links, NULL: it is a circle or does not end yet. */
static struct ingot_node *follow(const struct archive_builder *builder, struct ingot_node *node)
{
	size_t steps = 0;

	while (node && node->is_link && steps++ <= builder->link_count)
		node = node->link;
	return node && !node->is_link ? node : NULL;
}

int ingot_archive_link(struct archive_builder *builder, const char *path, const char *target,
		       const struct contents *contents, struct ingot_error *err)
{
	struct entry *link, *there = NULL;
	struct ingot_node *file;
	int rc;

	rc = ingot_archive_lookup(builder, target, &there, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "hard link");
	if (there && S_ISDIR(there->node.mode))
		return quote(err, "hard link to", target, ", which is a folder");
	rc = ingot_archive_place(builder, path, S_IFREG, &link, err);
	if (rc < 0)
		return rc;
	link->node.is_link = true;
	builder->link_count++;
	file = there ? follow(builder, &there->node) : NULL;
	if (!file)
		return wait_for(builder, link, target, contents, err);
	link->node.link = file;
	return give(file, contents, err);
}

/* --- at the end -------------------------------------------------------- */

static int wrap_link(const struct pending_link *pending, int rc, struct ingot_error *err)
{
	char text[TREE_PATH_TEXT];

	return ingot_wrap(err, rc, "'%s'",
			  ingot_node_path(&pending->link->node, text, sizeof(text)));
}

static int point(struct archive_builder *builder, const struct pending_link *pending,
		 struct ingot_error *err)
{
	struct entry *there;
	int rc = ingot_archive_lookup(builder, pending->target, &there, err);

	if (rc < 0)
		return rc;
	if (!there)
		return quote(err, "hard link to", pending->target, ", which is not in the archive");
	if (S_ISDIR(there->node.mode))
		return quote(err, "hard link to", pending->target, ", which is a folder");
	pending->link->node.link = &there->node;
	return 0;
}

/* All links of a chain at once, so that a long one is not walked for each of them. */
static int settle(struct archive_builder *builder, const struct pending_link *pending,
		  struct ingot_error *err)
{
	struct ingot_node *node = &pending->link->node;
	struct ingot_node *file = follow(builder, node), *next;

	if (!file)
		return ingot_raise(err, -EINVAL, "a hard link to itself");
	for (; node->is_link; node = next) {
		next = node->link;
		node->link = file;
	}
	return give(file, &pending->contents, err);
}

int ingot_archive_resolve_links(struct archive_builder *builder, struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < builder->pending_count; i++) {
		rc = point(builder, &builder->pending[i], err);
		if (rc < 0)
			return wrap_link(&builder->pending[i], rc, err);
	}
	for (size_t i = 0; i < builder->pending_count; i++) {
		rc = settle(builder, &builder->pending[i], err);
		if (rc < 0)
			return wrap_link(&builder->pending[i], rc, err);
	}
	return 0;
}

#include "image/tree_digest_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* A field and its NUL. */
static int add(struct ingot_sha256 *sha, const void *data, size_t n, struct ingot_error *err)
{
	int rc = ingot_sha256_update(sha, data, n, err);

	return rc < 0 ? rc : ingot_sha256_update(sha, "", 1, err);
}

static int add_format(struct ingot_sha256 *sha, struct ingot_error *err, const char *format, ...)
	INGOT_PRINTF(3, 4);
static int add_format(struct ingot_sha256 *sha, struct ingot_error *err, const char *format, ...)
{
	char text[160];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return add(sha, text, (size_t)n, err);
}

/* The raw path: "/", "/usr", "/usr/lib". */
static int add_path(struct ingot_sha256 *sha, const struct ingot_node *node,
		    struct ingot_error *err)
{
	const struct ingot_node *up = node->parent;
	int rc = up && up->parent ? add_path(sha, up, err) : 0;

	if (rc == 0)
		rc = ingot_sha256_update(sha, "/", 1, err);
	if (rc == 0)
		rc = ingot_sha256_update(sha, node->name, node->name_length, err);
	return rc;
}

static int add_special(struct ingot_sha256 *sha, const struct ingot_node *node,
		       struct ingot_error *err)
{
	int rc = 0;

	if (node->is_link)
		rc = add_path(sha, node->link, err);
	else if (S_ISLNK(node->mode))
		rc = ingot_sha256_update(sha, node->target, (size_t)node->size, err);
	else if (S_ISBLK(node->mode) || S_ISCHR(node->mode))
		return add_format(sha, err, "%u:%u", node->device.major, node->device.minor);
	return rc < 0 ? rc : ingot_sha256_update(sha, "", 1, err);
}

static int add_xattrs(struct ingot_sha256 *sha, const struct ingot_xattrs *xattrs,
		      struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; xattrs && i < xattrs->count && rc == 0; i++) {
		const struct ingot_xattr *x = &xattrs->list[i];

		rc = add(sha, x->name, strlen(x->name), err);
		if (rc == 0)
			rc = add_format(sha, err, "%zu", x->size);
		if (rc == 0)
			rc = add(sha, x->value, x->size, err);
	}
	return rc;
}

static int add_node(struct ingot_sha256 *sha, const struct ingot_node *node,
		    struct ingot_error *err)
{
	const struct ingot_node *file = node->is_link ? node->link : node;
	bool sized = S_ISREG(file->mode) || S_ISLNK(file->mode);
	int rc = add_path(sha, node, err);

	if (rc == 0)
		rc = ingot_sha256_update(sha, "", 1, err);
	if (rc == 0)
		rc = add_format(sha, err, "%o%c%u%c%u%c%lld%c%llu", file->mode, 0, file->uid, 0,
				file->gid, 0, (long long)file->mtime, 0,
				(unsigned long long)(sized ? file->size : 0));
	if (rc == 0)
		rc = add_special(sha, node, err);
	if (rc == 0)
		rc = add_xattrs(sha, file->xattrs, err);
	return rc < 0 ? rc : ingot_sha256_update(sha, "", 1, err);
}

static int add_all(struct ingot_sha256 *sha, const struct ingot_node *root, uint64_t *entries,
		   struct ingot_error *err)
{
	int rc = 0;

	for (const struct ingot_node *n = root; n && rc == 0; n = ingot_node_next(root, n)) {
		rc = add_node(sha, n, err);
		++*entries;
	}
	return rc;
}

int tree_digest(struct ingot_tree *tree, struct tree_digest *ret, struct ingot_error *err)
{
	struct ingot_sha256 *sha = ingot_sha256_new(err);
	struct tree_digest digest = {0};
	int rc = sha ? add_all(sha, ingot_tree_root(tree), &digest.entries, err) : -ENOMEM;

	if (rc == 0)
		rc = ingot_sha256_final(sha, digest.listing, err);
	ingot_sha256_free(sha);
	if (rc == 0)
		*ret = digest;
	return rc;
}

/* For the tests of lib/tree: folders to play in, and a tree as text. */
#ifndef INGOT_TESTS_TREE_SUPPORT_H
#define INGOT_TESTS_TREE_SUPPORT_H

#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/text.h"
#include "tree/tree.h"

#define SUPPORT_EPOCH 1700000000

/* --- a folder of one's own --------------------------------------------- */

struct playground {
	char path[64];
	int fd;
};

static inline void playground_make_in(struct playground *p, const char *folder)
{
	snprintf(p->path, sizeof(p->path), "%s/ingot-test-XXXXXX", folder);
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
}

static inline void playground_make(struct playground *p)
{
	playground_make_in(p, "/tmp");
}

static inline void playground_remove(struct playground *p)
{
	char command[256];

	close(p->fd);
	snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'", p->path, p->path);
	assert_int_equal(system(command), 0);
}

static inline void set_time(int fd, const char *path, int64_t seconds)
{
	struct timespec times[2] = {{seconds, 123456789}, {seconds, 123456789}};

	assert_int_equal(utimensat(fd, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline void make_folder(int fd, const char *path)
{
	assert_int_equal(mkdirat(fd, path, 0755), 0);
}

static inline void make_file_of(int fd, const char *path, const void *data, size_t n)
{
	int file = openat(fd, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(file >= 0);
	assert_int_equal(write(file, data, n), (ssize_t)n);
	close(file);
	set_time(fd, path, 1600000000);
}

static inline void make_file(int fd, const char *path, const char *text)
{
	make_file_of(fd, path, text, strlen(text));
}

/* --- a tree as text ---------------------------------------------------- */

static inline void dump_xattrs(FILE *f, const struct ingot_xattrs *xattrs)
{
	for (size_t i = 0; xattrs && i < xattrs->count; i++) {
		const struct ingot_xattr *x = &xattrs->list[i];
		char *hex = malloc(2 * x->size + 1);

		ingot_hex(x->value, x->size, hex);
		fprintf(f, " %s=%s", x->name, hex);
		free(hex);
	}
}

static inline void dump_contents(FILE *f, struct ingot_tree_reader *reader,
				 const struct ingot_node *node)
{
	enum { STEP = 40961 };
	struct ingot_error err = {0};
	struct ingot_sha256 *sha = ingot_sha256_new(&err);
	char *buffer = malloc(STEP), text[INGOT_SHA256_TEXT];
	uint8_t digest[INGOT_SHA256_SIZE];

	for (uint64_t at = 0; at < node->size; at += STEP) {
		size_t n = (size_t)ingot_min(STEP, node->size - at);

		assert_ok(ingot_tree_read(reader, node, at, buffer, n, &err));
		assert_ok(ingot_sha256_update(sha, buffer, n, &err));
	}
	assert_ok(ingot_sha256_final(sha, digest, &err));
	ingot_hex(digest, 8, text);
	fprintf(f, " sha=%s", text);
	if (node->runs) {
		fprintf(f, " runs=");
		for (size_t i = 0; i < node->runs->count; i++)
			fprintf(f, "%" PRIu64 "+%" PRIu64 ",", node->runs->list[i].offset,
				node->runs->list[i].length);
	}
	free(buffer);
	ingot_sha256_free(sha);
}

static inline void dump_node(FILE *f, struct ingot_tree_reader *reader,
			     const struct ingot_node *node)
{
	char path[2048];

	fprintf(f, "'%s' %o", ingot_node_path(node, path, sizeof(path)), node->mode);
	if (node->is_link) {
		fprintf(f, " link='%s'\n", ingot_node_path(node->link, path, sizeof(path)));
		return;
	}
	fprintf(f, " %u:%u %" PRId64 " %" PRIu64, node->uid, node->gid, node->mtime, node->size);
	if (S_ISLNK(node->mode))
		fprintf(f, " -> '%s'", node->target);
	if (S_ISBLK(node->mode) || S_ISCHR(node->mode))
		fprintf(f, " %u,%u", node->device.major, node->device.minor);
	dump_xattrs(f, node->xattrs);
	if (S_ISREG(node->mode))
		dump_contents(f, reader, node);
	fputc('\n', f);
}

/* The caller frees it. */
static inline char *dump_from(struct ingot_tree *tree, const struct ingot_node *root)
{
	struct ingot_tree_reader *reader;
	struct ingot_error err = {0};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_ok(ingot_tree_reader_new(tree, &reader, &err));
	for (const struct ingot_node *n = root; n; n = ingot_node_next(root, n))
		dump_node(f, reader, n);
	ingot_tree_reader_free(reader);
	fclose(f);
	return text;
}

static inline char *dump_tree(struct ingot_tree *tree)
{
	return dump_from(tree, ingot_tree_root(tree));
}

#endif

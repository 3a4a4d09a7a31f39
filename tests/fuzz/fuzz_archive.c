/*
 * An archive becomes a tree, and every file of it is read. The fuzzer cannot guess the checksums
 * of tar's headers, so they are set right first.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tree/private.h"
#include "tree/tree_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* libarchive 3.6 compares the keys of pax attributes with memcmp past their end, inside its
 * buffer's allocation or a few bytes behind; and it asks for as much as a cpio name claims. */
const char *__asan_default_options(void)
{
	return "strict_memcmp=0:allocator_may_return_null=1:max_allocation_size_mb=512";
}

static void read_file(struct ingot_tree_reader *reader, const struct ingot_node *node)
{
	char buffer[4096];
	uint64_t middle = node->size / 2;

	(void)!ingot_tree_read(reader, node, 0, buffer,
			       (size_t)ingot_min(node->size, sizeof(buffer)), NULL);
	(void)!ingot_tree_read(reader, node, middle, buffer,
			       (size_t)ingot_min(node->size - middle, sizeof(buffer)), NULL);
}

static int ignore(void *context, const struct ingot_node *node, const char *kind,
		  struct ingot_error *err)
{
	(void)context;
	(void)node;
	(void)kind;
	(void)err;
	return 0;
}

static void use(struct ingot_tree *tree)
{
	struct ingot_tree_reader *reader = NULL;
	struct ingot_node *root = ingot_tree_root(tree), *usr;
	char text[64];

	if (ingot_tree_reader_new(tree, &reader, NULL) < 0)
		return;
	for (struct ingot_node *node = root; node; node = ingot_node_next(root, node)) {
		(void)ingot_node_path(node, text, sizeof(text));
		if (S_ISREG(node->mode) && !node->is_link)
			read_file(reader, node);
	}
	(void)!ingot_tree_find_machine_state(tree, ignore, NULL, NULL);
	if (root->children)
		(void)!ingot_tree_split(tree, root->children->name, &usr, NULL);
	ingot_tree_reader_free(reader);
}

/* Eight bytes at 148: the sum of all bytes, with blanks in these eight. */
static void seal(uint8_t *data, size_t size)
{
	enum { BLOCK = 512, MAGIC = 257, SUM = 148, SUM_SIZE = 8 };

	for (size_t at = 0; size - at >= BLOCK; at += BLOCK) {
		uint8_t *header = data + at;
		unsigned sum = 0;
		char text[16];

		if (memcmp(header + MAGIC, "ustar", 5) != 0)
			continue;
		memset(header + SUM, ' ', SUM_SIZE);
		for (size_t i = 0; i < BLOCK; i++)
			sum += header[i];
		(void)snprintf(text, sizeof(text), "%06o", sum);
		memcpy(header + SUM, text, 7);
	}
}

/* -1: no descriptor left. */
static int archive_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (copy && fd >= 0) {
		if (size)
			memcpy(copy, data, size);
		seal(copy, size);
		if (write(fd, copy, size) != (ssize_t)size)
			(void)!ftruncate(fd, 0);
	}
	free(copy);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const excludes[] = {"x", "**/y", "usr/*"};
	struct ingot_tree_options options = {.epoch = 1, .excludes = excludes, .exclude_count = 3};
	struct ingot_tree *tree = NULL;
	struct ingot_error err;
	int fd = archive_of(data, size);

	if (fd < 0)
		return 0;
	if (ingot_tree_from_archive(fd, "fuzz", &options, &tree, &err) == 0)
		use(tree);
	ingot_tree_free(tree);
	return 0;
}

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tree/folders_internal.h"
#include "tree/tree_internal.h"

struct ingot_tree_reader {
	struct ingot_tree *tree;
	struct open_folders folders;   /* directory */
	const struct ingot_node *node; /* directory: the file that fd is, or NULL */
	int fd;
};

int ingot_tree_reader_new(struct ingot_tree *tree, struct ingot_tree_reader **ret,
			  struct ingot_error *err)
{
	struct ingot_tree_reader *reader = ingot_alloc(1, sizeof(*reader), err);

	if (!reader)
		return -ENOMEM;
	reader->tree = tree;
	ingot_folders_init(&reader->folders, tree->fd);
	*ret = reader;
	return 0;
}

static void close_file(struct ingot_tree_reader *reader)
{
	if (reader->node)
		(void)close(reader->fd);
	reader->node = NULL;
}

void ingot_tree_reader_free(struct ingot_tree_reader *reader)
{
	if (!reader)
		return;
	close_file(reader);
	ingot_folders_done(&reader->folders);
	free(reader);
}

/* --- bytes of a descriptor --------------------------------------------- */

/* -ENODATA: there are fewer bytes. */
static int read_bytes(int fd, uint64_t at, void *data, size_t n, struct ingot_error *err)
{
	unsigned char *p = data;

	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ingot_raise_errno(err, errno, "read %zu bytes at 0x%llx", n,
						 (unsigned long long)at);
		if (got == 0)
			return ingot_raise(err, -ENODATA, "it has become shorter");
		p += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* After the read, so that what was read is what was looked at. */
static int check_same(int fd, const struct stamp *stamp, struct ingot_error *err)
{
	struct stamp now;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat");
	now = stamp_of(&st);
	if (!stamp_equal(&now, stamp))
		return ingot_raise(err, -ESTALE, "it changed while it was read");
	return 0;
}

/* --- from a directory -------------------------------------------------- */

static int open_file(struct ingot_tree_reader *reader, const struct ingot_node *node,
		     struct ingot_error *err)
{
	int folder, fd, rc;

	if (reader->node == node)
		return 0;
	close_file(reader);
	rc = ingot_folders_open(&reader->folders, node->parent, &folder, err);
	if (rc < 0)
		return rc;
	fd = ingot_open_quietly(folder, node->name, 0);
	if (fd < 0)
		return ingot_raise_errno(err, errno, "open");
	reader->fd = fd;
	reader->node = node;
	return 0;
}

static int read_file(struct ingot_tree_reader *reader, const struct ingot_node *node,
		     uint64_t offset, void *data, size_t n, struct ingot_error *err)
{
	const struct entry *entry = entry_of(node);
	struct stamp stamp = {entry->ino, node->size, entry->changed};
	int rc = open_file(reader, node, err);

	if (rc < 0)
		return rc;
	rc = read_bytes(reader->fd, offset, data, n, err);
	if (rc < 0)
		return rc;
	return check_same(reader->fd, &stamp, err);
}

/* --- from an archive --------------------------------------------------- */

/* The first run that ends after offset, or count. */
static size_t run_at(const struct ingot_runs *runs, uint64_t offset)
{
	size_t low = 0, high = runs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ingot_run *run = &runs->list[middle];

		if (run->offset + run->length > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int read_stored(int fd, const struct ingot_runs *runs, uint64_t offset, unsigned char *data,
		       size_t n, struct ingot_error *err)
{
	uint64_t end = offset + n;

	memset(data, 0, n);
	for (size_t i = run_at(runs, offset); i < runs->count && runs->list[i].offset < end; i++) {
		const struct ingot_run *run = &runs->list[i];
		uint64_t from = ingot_max(run->offset, offset);
		uint64_t to = ingot_min(run->offset + run->length, end);
		int rc = read_bytes(fd, run->at + (from - run->offset), data + (from - offset),
				    (size_t)(to - from), err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_archive(struct ingot_tree *tree, const struct ingot_node *node, uint64_t offset,
			void *data, size_t n, struct ingot_error *err)
{
	const struct entry *entry = entry_of(node);
	int rc;

	if (node->runs)
		rc = read_stored(tree->fd, entry->stored, offset, data, n, err);
	else
		rc = read_bytes(tree->fd, entry->at + offset, data, n, err);
	if (rc == 0)
		rc = check_same(tree->fd, &tree->stamp, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "contents of '%s'", tree->name);
	return 0;
}

int ingot_tree_read(struct ingot_tree_reader *reader, const struct ingot_node *node,
		    uint64_t offset, void *data, size_t n, struct ingot_error *err)
{
	char text[TREE_PATH_TEXT];
	int rc;

	if (!S_ISREG(node->mode) || node->is_link || !ingot_in_range(offset, n, node->size))
		return ingot_raise(err, -EINVAL, "'%s' has no %zu bytes at 0x%llx",
				   ingot_node_path(node, text, sizeof(text)), n,
				   (unsigned long long)offset);
	if (n == 0)
		return 0;
	if (entry_of(node)->in_memory) {
		memcpy(data, (const unsigned char *)entry_of(node)->bytes + offset, n);
		return 0;
	}
	if (reader->tree->is_directory)
		rc = read_file(reader, node, offset, data, n, err);
	else
		rc = read_archive(reader->tree, node, offset, data, n, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'%s'", ingot_node_path(node, text, sizeof(text)));
	return 0;
}

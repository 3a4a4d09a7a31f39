#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "tree/folders_internal.h"
#include "tree/inodes_internal.h"
#include "tree/owner_internal.h"
#include "tree/sparse_internal.h"
#include "tree/tree_internal.h"

/* Larger files are always asked for holes: their extent maps may hide one in st_blocks. */
enum { SMALL_FILE = 64 * 1024 };

struct scan {
	struct ingot_tree *tree;
	struct open_folders folders;
	struct todo {
		struct entry *folder;
		size_t depth;
	} * todo; /* a stack: the folders that were found and not looked into yet */
	size_t todo_count, todo_room;
	struct inode_table inodes;
	struct xattr_list xattrs;
	struct run_list runs;
	struct path_text path;
	size_t path_length; /* of the folder being read */
	bool proc;	    /* /proc/self/fd is there */
};

static void scan_done(struct scan *scan)
{
	ingot_folders_done(&scan->folders);
	ingot_inodes_done(&scan->inodes);
	ingot_xattr_list_done(&scan->xattrs);
	ingot_run_list_done(&scan->runs);
	free(scan->todo);
	free(scan->path.text);
}
#define SCAN INGOT_CLEANUP(scan_done)

/* --- what a file has, by its type -------------------------------------- */

static int read_target(struct scan *scan, int folder, struct entry *entry, struct ingot_error *err)
{
	char target[INGOT_TARGET_MAX + 2];
	ssize_t n = readlinkat(folder, entry->node.name, target, sizeof(target) - 1);

	if (n < 0)
		return ingot_raise_errno(err, errno, "read the link");
	if (n > INGOT_TARGET_MAX)
		return ingot_raise(err, -ENAMETOOLONG, "the link's target is longer than %d bytes",
				   INGOT_TARGET_MAX);
	target[n] = '\0';
	entry->node.mode = S_IFLNK | 0777;
	entry->node.size = (uint64_t)n;
	entry->node.target = ingot_arena_copy(&scan->tree->arena, target, (size_t)n + 1, 1, err);
	return entry->node.target ? 0 : -ENOMEM;
}

static bool may_have_holes(const struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size;

	return (uint64_t)st->st_blocks * 512 < ingot_round_up(size, INGOT_SPARSE_BLOCK) ||
	       size > SMALL_FILE;
}

static int read_holes(struct scan *scan, int folder, struct entry *entry, struct ingot_error *err)
{
	INGOT_CLOSE int fd = ingot_open_quietly(folder, entry->node.name, 0);
	bool holes;
	int rc;

	if (fd < 0 && errno == EACCES) /* an error for who reads it; it may not be read at all */
		return 0;
	if (fd < 0)
		return ingot_raise_errno(err, errno, "open");
	scan->runs.count = 0;
	rc = ingot_sparse_scan(fd, entry->node.size, &scan->runs, &holes, err);
	if (rc < 0 || !holes)
		return rc;
	return ingot_run_list_keep(&scan->runs, &scan->tree->arena, entry->node.size,
				   &entry->node.runs, err);
}

static int read_file(struct scan *scan, int folder, struct entry *entry, const struct stat *st,
		     struct ingot_error *err)
{
	if (st->st_size < 0)
		return ingot_raise(err, -EINVAL, "its size is negative");
	entry->node.size = (uint64_t)st->st_size;
	entry->ino = st->st_ino;
	entry->changed = time_ns(st->st_mtim);
	if (st->st_size == 0 || !may_have_holes(st))
		return 0;
	return read_holes(scan, folder, entry, err);
}

static int look_later(struct scan *scan, struct entry *folder, size_t depth,
		      struct ingot_error *err)
{
	int rc;

	if (depth > INGOT_TREE_DEPTH_MAX)
		return ingot_raise(err, -ELOOP, "more than %d folders inside each other",
				   INGOT_TREE_DEPTH_MAX);
	rc = ingot_grow((void **)&scan->todo, &scan->todo_room, scan->todo_count + 1,
			sizeof(*scan->todo), err);
	if (rc < 0)
		return rc;
	scan->todo[scan->todo_count++] = (struct todo){folder, depth};
	return 0;
}

static int read_by_type(struct scan *scan, int folder, struct entry *entry, const struct stat *st,
			size_t depth, struct ingot_error *err)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return read_file(scan, folder, entry, st, err);
	case S_IFDIR:
		return look_later(scan, entry, depth, err);
	case S_IFLNK:
		return read_target(scan, folder, entry, err);
	case S_IFCHR:
	case S_IFBLK:
		entry->node.device.major = major(st->st_rdev);
		entry->node.device.minor = minor(st->st_rdev);
		return 0;
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	default:
		return ingot_raise(err, -EINVAL, "its file type 0%o is not known",
				   st->st_mode & S_IFMT);
	}
}

static int read_xattrs(struct scan *scan, int folder, const char *name, struct entry *entry,
		       struct ingot_error *err)
{
	int rc;

	ingot_xattr_list_clear(&scan->xattrs);
	rc = ingot_xattr_list_read(&scan->xattrs, folder, name, entry->node.mode, scan->proc, err);
	if (rc < 0)
		return rc;
	rc = ingot_owner_map_xattrs(scan->tree->options->map, &scan->xattrs, err);
	if (rc < 0)
		return rc;
	return ingot_xattr_intern(scan->tree, &scan->xattrs, &entry->node.xattrs, err);
}

/* --- a folder ---------------------------------------------------------- */

static int read_entry(struct scan *scan, int folder, const struct todo *in, const char *name,
		      const struct stat *st, struct ingot_error *err)
{
	struct inode_slot *slot = NULL;
	struct entry *entry;
	int rc = 0;

	if (st->st_nlink > 1 && !S_ISDIR(st->st_mode))
		rc = ingot_inodes_find(&scan->inodes, st->st_dev, st->st_ino, &slot, err);
	if (rc < 0)
		return rc;
	rc = ingot_tree_add(scan->tree, in->folder, name, strlen(name), st->st_mode, &entry, err);
	if (rc < 0)
		return rc;
	if (slot && slot->entry) {
		entry->node.is_link = true;
		entry->node.link = &slot->entry->node;
		return 0;
	}
	if (slot)
		slot->entry = entry;
	ingot_tree_set_meta(scan->tree, entry, st->st_uid, st->st_gid, st->st_mtim.tv_sec);
	rc = read_by_type(scan, folder, entry, st, in->depth + 1, err);
	if (rc < 0)
		return rc;
	return read_xattrs(scan, folder, name, entry, err);
}

/* Puts the name behind the folder's path. */
static int is_excluded(struct scan *scan, const char *name, bool *ret, struct ingot_error *err)
{
	size_t at = scan->path_length, n = strlen(name);
	int rc = ingot_grow((void **)&scan->path.text, &scan->path.room, at + n + 2, 1, err);

	if (rc < 0)
		return rc;
	if (at > 0)
		scan->path.text[at++] = '/';
	memcpy(scan->path.text + at, name, n + 1);
	*ret = ingot_tree_is_excluded(scan->tree, scan->path.text);
	return 0;
}

static int read_name(struct scan *scan, int folder, const struct todo *in, const char *name,
		     struct ingot_error *err)
{
	bool excluded = false;
	struct stat st;
	int rc = 0;

	if (strlen(name) > INGOT_NAME_MAX)
		return ingot_raise(err, -ENAMETOOLONG, "the name is longer than %d bytes",
				   INGOT_NAME_MAX);
	if (scan->tree->options->exclude_count > 0)
		rc = is_excluded(scan, name, &excluded, err);
	if (rc < 0 || excluded)
		return rc;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return ingot_raise_errno(err, errno, "stat");
	return read_entry(scan, folder, in, name, &st, err);
}

static int wrap_name(const struct todo *in, const char *name, int rc, struct ingot_error *err)
{
	char path[TREE_PATH_TEXT], text[4 * INGOT_NAME_MAX + 1];
	const char *folder = ingot_node_path(&in->folder->node, path, sizeof(path) / 2);

	return ingot_wrap(err, rc, "'%s%s%s'", folder, *folder ? "/" : "",
			  ingot_printable(name, strlen(name), text, sizeof(text)));
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int read_names(struct scan *scan, int folder, const struct todo *in, struct ingot_error *err)
{
	INGOT_CLEANUP(close_dir) DIR *dir = NULL;
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	struct dirent *item;
	int rc;

	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		rc = ingot_raise_errno(err, errno, "open");
		if (copy >= 0)
			(void)close(copy);
		return wrap_name(in, ".", rc, err);
	}
	for (;;) {
		errno = 0;
		item = readdir(dir);
		if (!item)
			break;
		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		rc = read_name(scan, folder, in, item->d_name, err);
		if (rc < 0)
			return wrap_name(in, item->d_name, rc, err);
	}
	if (errno)
		return wrap_name(in, ".", ingot_raise_errno(err, errno, "read the folder"), err);
	return 0;
}

static int read_folder(struct scan *scan, const struct todo *in, struct ingot_error *err)
{
	int folder, rc;

	rc = ingot_folders_open(&scan->folders, &in->folder->node, &folder, err);
	if (rc < 0)
		return rc;
	rc = ingot_node_raw_path(&in->folder->node, &scan->path, &scan->path_length, err);
	if (rc < 0)
		return rc;
	return read_names(scan, folder, in, err);
}

static int read_root(struct scan *scan, struct ingot_error *err)
{
	struct entry *root = scan->tree->root;
	struct stat st;
	int rc;

	if (fstat(scan->tree->fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat");
	root->node.mode = st.st_mode;
	ingot_tree_set_meta(scan->tree, root, st.st_uid, st.st_gid, st.st_mtim.tv_sec);
	rc = read_xattrs(scan, scan->tree->fd, ".", root, err);
	if (rc < 0)
		return rc;
	return look_later(scan, root, 0, err);
}

static int read_all(struct ingot_tree *tree, struct ingot_error *err)
{
	SCAN struct scan scan = {.tree = tree, .proc = access("/proc/self/fd", X_OK) == 0};
	int rc;

	ingot_folders_init(&scan.folders, tree->fd);
	rc = read_root(&scan, err);
	while (rc == 0 && scan.todo_count > 0) {
		struct todo in = scan.todo[--scan.todo_count];

		rc = read_folder(&scan, &in, err);
	}
	return rc;
}

int ingot_tree_from_directory(int fd, const char *name, const struct ingot_tree_options *options,
			      struct ingot_tree **ret, struct ingot_error *err)
{
	INGOT_TREE struct ingot_tree *tree = NULL;
	int rc = ingot_tree_new(name, fd, options, &tree, err);

	if (rc < 0)
		return rc;
	tree->is_directory = true;
	rc = read_all(tree, err);
	if (rc == 0)
		rc = ingot_tree_finish(tree, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "read '%s'", name);
	*ret = INGOT_TAKE(tree);
	return 0;
}

#include <errno.h>
#include <locale.h>
#include <string.h>

#include "base/text.h"
#include "tree/archive_internal.h"

static void builder_done(struct archive_builder *builder)
{
	ingot_names_done(&builder->names);
	ingot_xattr_list_done(&builder->xattrs);
	ingot_archive_data_done(&builder->data);
	free(builder->path.text);
	free(builder->pending);
}
#define BUILDER INGOT_CLEANUP(builder_done)

/* --- one entry --------------------------------------------------------- */

static int set_target(struct ingot_tree *tree, struct archive_entry *from, struct entry *entry,
		      struct ingot_error *err)
{
	const char *target = archive_entry_symlink(from);
	size_t n = target ? strlen(target) : 0;

	if (n == 0)
		return ingot_raise(err, -EINVAL, "a symbolic link to nothing");
	if (n > INGOT_TARGET_MAX)
		return ingot_raise(err, -EINVAL, "the link's target is longer than %d bytes",
				   INGOT_TARGET_MAX);
	entry->node.target = ingot_arena_copy(&tree->arena, target, n + 1, 1, err);
	entry->node.size = n;
	return entry->node.target ? 0 : -ENOMEM;
}

/* Linux has 12 bits for the major number and 20 for the minor one. */
static int set_device(struct archive_entry *from, struct entry *entry, struct ingot_error *err)
{
	uint64_t major = archive_entry_rdevmajor(from), minor = archive_entry_rdevminor(from);

	if (major > 0xfff || minor > 0xfffff)
		return ingot_raise(err, -EINVAL, "the device %llu,%llu is not possible",
				   (unsigned long long)major, (unsigned long long)minor);
	entry->node.device.major = (uint32_t)major;
	entry->node.device.minor = (uint32_t)minor;
	return 0;
}

static int set_by_type(struct archive_builder *builder, struct archive_entry *from,
		       const struct contents *contents, struct entry *entry,
		       struct ingot_error *err)
{
	switch (entry->node.mode & S_IFMT) {
	case S_IFREG:
		ingot_archive_set_contents(entry, contents);
		return 0;
	case S_IFLNK:
		return set_target(builder->tree, from, entry, err);
	case S_IFCHR:
	case S_IFBLK:
		return set_device(from, entry, err);
	default:
		return 0;
	}
}

static bool is_known(uint32_t type)
{
	return type == S_IFREG || type == S_IFDIR || type == S_IFLNK || type == S_IFCHR ||
	       type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK;
}

static int add_entry(struct archive_builder *builder, struct archive_input *input,
		     struct archive_entry *from, const char *path, struct ingot_error *err)
{
	uint32_t type = archive_entry_filetype(from);
	/* cpio's folders have a link count too, and libarchive takes them for hard links. */
	const char *target = type == S_IFDIR ? NULL : archive_entry_hardlink(from);
	struct contents contents = {0};
	struct entry *entry;
	int rc = 0;

	if (!target && !is_known(type))
		return ingot_raise(err, -EINVAL, "its file type 0%o is not known", type);
	if (type == S_IFREG)
		rc = ingot_archive_contents(&builder->data, input, from, &builder->tree->arena,
					    &contents, err);
	if (rc < 0)
		return rc;
	if (target)
		return ingot_archive_link(builder, path, target, &contents, err);
	rc = ingot_archive_place(builder, path, type, &entry, err);
	if (rc < 0)
		return rc;
	entry->node.scratch &= ~(uint32_t)ENTRY_IMPLIED;
	rc = set_by_type(builder, from, &contents, entry, err);
	if (rc < 0)
		return rc;
	return ingot_archive_meta(builder->tree, input->a, from, &builder->xattrs, entry, err);
}

/* --- all of them ------------------------------------------------------- */

static int read_entries(struct archive_builder *builder, struct archive_input *input,
			struct archive_entry *from, struct ingot_error *err)
{
	char text[TREE_PATH_TEXT];
	const char *path;
	size_t count = 0;
	int rc;

	for (;; count++) {
		int more = ingot_archive_input_next(input, from, err);

		if (more < 0)
			return more;
		rc = ingot_archive_check_end(&builder->data, input, err);
		if (rc < 0)
			return rc;
		if (!more)
			break;
		path = archive_entry_pathname(from);
		if (!path)
			return ingot_raise(err, -EINVAL, "an entry without a path");
		rc = add_entry(builder, input, from, path, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "'%s'",
					  ingot_printable(path, strlen(path), text, sizeof(text)));
	}
	if (count == 0)
		return ingot_raise(err, -EINVAL, "no entries in archive");
	return ingot_archive_resolve_links(builder, err);
}

static int stamp(struct ingot_tree *tree, struct stamp *ret, struct ingot_error *err)
{
	struct stat st;

	if (fstat(tree->fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat");
	*ret = stamp_of(&st);
	return 0;
}

static int read_with(struct ingot_tree *tree, struct archive_input *input,
		     struct archive_entry *from, struct ingot_error *err)
{
	BUILDER struct archive_builder builder = {.tree = tree, .names.key = tree->hash_key};
	struct stamp now;
	int rc = ingot_archive_input_open(input, tree->fd, tree->stamp.size, err);

	if (rc == 0)
		rc = read_entries(&builder, input, from, err);
	if (rc == 0)
		rc = stamp(tree, &now, err);
	if (rc < 0)
		return rc;
	if (!stamp_equal(&now, &tree->stamp))
		return ingot_raise(err, -ESTALE, "it changed while it was read");
	return 0;
}

static int read_archive(struct ingot_tree *tree, struct ingot_error *err)
{
	struct archive_input input = {.fd = -1};
	struct archive_entry *from;
	int rc = stamp(tree, &tree->stamp, err);

	if (rc < 0)
		return rc;
	from = archive_entry_new();
	if (!from)
		return ingot_raise_oom(err, 0);
	rc = read_with(tree, &input, from, err);
	archive_entry_free(from);
	ingot_archive_input_done(&input);
	if (rc < 0)
		return rc;
	return ingot_tree_finish(tree, err);
}

static int open_and_read(int fd, const char *name, const struct ingot_tree_options *options,
			 struct ingot_tree **ret, struct ingot_error *err)
{
	INGOT_TREE struct ingot_tree *tree = NULL;
	INGOT_CLOSE int own = fd;
	int unpacked, rc;

	rc = ingot_archive_unpack(own, &unpacked, err);
	if (rc < 0)
		return rc;
	if (unpacked >= 0) {
		(void)close(own);
		own = unpacked;
	}
	rc = ingot_tree_new(name, own, options, &tree, err);
	own = -1;
	if (rc < 0)
		return rc;
	rc = read_archive(tree, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(tree);
	return 0;
}

/*
 * In any other locale libarchive would convert names, and make others of them (it composes
 * accents). In the C locale it gives their bytes.
 */
int ingot_tree_from_archive(int fd, const char *name, const struct ingot_tree_options *options,
			    struct ingot_tree **ret, struct ingot_error *err)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), old;
	int rc;

	if (plain == (locale_t)0) {
		(void)close(fd);
		return ingot_raise_oom(err, 0);
	}
	old = uselocale(plain);
	rc = open_and_read(fd, name, options, ret, err);
	(void)uselocale(old);
	freelocale(plain);
	return rc < 0 ? ingot_wrap(err, rc, "read '%s'", name) : 0;
}

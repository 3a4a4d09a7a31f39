#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "tree/archive_internal.h"
#include "tree/owner_internal.h"

/* (uid_t)-1 means "leave it" to the kernel and is nobody's number. */
static int owner_id(la_int64_t id, const char *what, uint32_t *ret, struct ingot_error *err)
{
	if (id < 0 || id >= UINT32_MAX)
		return ingot_raise(err, -EINVAL, "its %s %lld is not possible", what,
				   (long long)id);
	*ret = (uint32_t)id;
	return 0;
}

/*
 * The second that a time lies in. pax has -1.5 for one and a half seconds before 1970; libarchive
 * makes -1 and 0.5 of it.
 */
static int64_t second(struct archive *a, struct archive_entry *from)
{
	bool pax = archive_format(a) == ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE;
	int64_t seconds = archive_entry_mtime(from);

	if (pax && seconds < 0 && seconds > INT64_MIN && archive_entry_mtime_nsec(from) > 0)
		return seconds - 1;
	return seconds;
}

static int read_xattrs(struct archive_entry *from, struct xattr_list *xattrs,
		       struct ingot_error *err)
{
	const char *name;
	const void *value;
	size_t size;
	int rc;

	ingot_xattr_list_clear(xattrs);
	(void)archive_entry_xattr_reset(from);
	while (archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK) {
		if (!name || !ingot_xattr_is_wanted(name))
			continue;
		rc = ingot_xattr_list_add(xattrs, name, value, size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_archive_meta(struct ingot_tree *tree, struct archive *a, struct archive_entry *from,
		       struct xattr_list *xattrs, struct entry *entry, struct ingot_error *err)
{
	uint32_t mode = (uint32_t)archive_entry_perm(from) & 07777;
	uint32_t uid = 0, gid = 0;
	int rc;

	rc = owner_id(archive_entry_uid(from), "user", &uid, err);
	if (rc < 0)
		return rc;
	rc = owner_id(archive_entry_gid(from), "group", &gid, err);
	if (rc < 0)
		return rc;
	rc = read_xattrs(from, xattrs, err);
	if (rc < 0)
		return rc;
	rc = ingot_archive_acl(from, xattrs, &mode, err);
	if (rc < 0)
		return rc;
	rc = ingot_owner_map_xattrs(tree->options->map, xattrs, err);
	if (rc < 0)
		return rc;
	if (S_ISLNK(entry->node.mode)) /* Linux knows no other */
		mode = 0777;
	entry->node.mode = (entry->node.mode & S_IFMT) | mode;
	ingot_tree_set_meta(tree, entry, uid, gid, second(a, from));
	return ingot_xattr_intern(tree, xattrs, &entry->node.xattrs, err);
}

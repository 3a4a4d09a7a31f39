#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "fs/acl.h"
#include "fs/ext4_internal.h"

/* Behind the inode's fields: 256 - 160 bytes, less a magic number and the end's zeros. */
enum { IN_INODE = EXT4_INODE_SIZE - 160 - 4 - 4, ENTRY = 16 };

static const char *const PREFIXES[] = {"user.", "trusted.", "security."};

static bool is_acl(const char *name)
{
	return strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

static bool has_prefix(const char *name)
{
	for (size_t i = 0; i < sizeof(PREFIXES) / sizeof(PREFIXES[0]); i++)
		if (strncmp(name, PREFIXES[i], strlen(PREFIXES[i])) == 0)
			return true;
	return false;
}

bool ext4_xattrs_need_block(const struct ingot_xattrs *xattrs)
{
	size_t used = 0;

	for (size_t i = 0; xattrs && i < xattrs->count; i++) {
		const struct ingot_xattr *x = &xattrs->list[i];
		const char *dot = strchr(x->name, '.');
		size_t suffix = is_acl(x->name) || !dot ? 0 : strlen(dot + 1);

		used += ENTRY + ((suffix + 3) & ~(size_t)3) + ((x->size + 3) & ~(size_t)3);
	}
	return used > IN_INODE;
}

/* Of the names that ext4 has a number for, or the kernel would not find them again. */
static int check_name(const char *name, struct ingot_error *err)
{
	if (is_acl(name))
		return 0;
	if (!has_prefix(name))
		return ingot_raise(err, -EOPNOTSUPP, "ext4 has no attributes of this name");
	if (strlen(strchr(name, '.') + 1) > INGOT_NAME_MAX)
		return ingot_raise(err, -ENAMETOOLONG, "the name is too long");
	return 0;
}

/* ACLs in the stored form: libext2fs would convert them, but reads past one that is cut off. */
static int set(struct ext4 *e, struct ext2_xattr_handle *handle, const struct ingot_xattr *x,
	       struct ingot_error *err)
{
	INGOT_FREE uint8_t *acl = NULL;
	const void *value = x->value;
	size_t size = x->size;
	errcode_t code;
	int rc = check_name(x->name, err);

	if (rc == 0 && is_acl(x->name)) {
		value = acl = ingot_alloc(size, 1, err);
		if (!acl)
			return -ENOMEM;
		rc = ingot_acl_to_ext(x->value, x->size, acl, &size, err);
	}
	if (rc < 0)
		return rc;
	code = ext2fs_xattr_set(handle, x->name, value, size);
	if (code == EXT2_ET_EA_NO_SPACE)
		return ingot_raise(err, -ENOSPC, "all attributes together do not fit into %d bytes",
				   EXT4_BLOCK);
	return code ? ext4_raise(e->device, code, err, "no attribute set") : 0;
}

static int set_all(struct ext4 *e, struct ext2_xattr_handle *handle,
		   const struct ingot_xattrs *xattrs, struct ingot_error *err)
{
	unsigned int raw = XATTR_HANDLE_FLAG_RAW;
	char name[128];

	(void)ext2fs_xattrs_flags(handle, &raw, NULL);
	for (size_t i = 0; i < xattrs->count; i++) {
		const struct ingot_xattr *x = &xattrs->list[i];
		int rc = set(e, handle, x, err);

		if (rc < 0)
			return ingot_wrap(
				err, rc, "attribute '%s'",
				ingot_printable(x->name, strlen(x->name), name, sizeof(name)));
	}
	return 0;
}

int ext4_write_xattrs(struct ext4 *e, const struct ingot_node *node, ext2_ino_t number,
		      struct ingot_error *err)
{
	struct ext2_xattr_handle *handle;
	errcode_t code;
	int rc;

	if (!node->xattrs)
		return 0;
	code = ext2fs_xattrs_open(e->fs, number, &handle);
	if (code)
		return ext4_raise(e->device, code, err, "attributes");
	rc = set_all(e, handle, node->xattrs, err);
	(void)ext2fs_xattrs_close(&handle);
	return rc;
}

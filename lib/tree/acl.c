/*
 * POSIX ACLs of an archive as the kernel keeps them (linux/posix_acl_xattr.h): le32 version 2,
 * then entries of le16 tag, le16 permissions, le32 id, in the order of their tags, then ids.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tree/archive_internal.h"

enum { HEADER = 4, ENTRY = 8, VERSION = 2 };
enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };
#define NO_ID UINT32_MAX

struct acl_item {
	uint16_t tag, permissions;
	uint32_t id;
};

struct acl {
	struct acl_item *items;
	size_t count, room;
};

static uint16_t tag_of(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return USER_OBJ;
	case ARCHIVE_ENTRY_ACL_USER:
		return USER;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return GROUP;
	case ARCHIVE_ENTRY_ACL_MASK:
		return MASK;
	case ARCHIVE_ENTRY_ACL_OTHER:
		return OTHER;
	default:
		return 0;
	}
}

static int add(struct acl *acl, int raw_tag, int permissions, int id, const char *name,
	       struct ingot_error *err)
{
	struct acl_item item = {tag_of(raw_tag), (uint16_t)(permissions & 7), NO_ID};
	char text[INGOT_NAME_MAX];
	int rc;

	if (item.tag == 0)
		return ingot_raise(err, -EINVAL, "its ACL has an entry that POSIX does not know");
	if (item.tag == USER || item.tag == GROUP) {
		if (id < 0)
			return ingot_raise(err, -EINVAL,
					   "its ACL says '%s' without a number (tar has "
					   "--xattrs --xattrs-include='*' in place of "
					   "--acls)",
					   ingot_printable(name ? name : "",
							   name ? strlen(name) : 0, text,
							   sizeof(text)));
		item.id = (uint32_t)id;
	}
	rc = ingot_grow((void **)&acl->items, &acl->room, acl->count + 1, sizeof(*acl->items), err);
	if (rc < 0)
		return rc;
	acl->items[acl->count++] = item;
	return 0;
}

static int by_tag_and_id(const void *a, const void *b)
{
	const struct acl_item *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* What the kernel would refuse to use (posix_acl_valid). */
static int check(const struct acl *acl, struct ingot_error *err)
{
	unsigned tags = 0;

	for (size_t i = 0; i < acl->count; i++) {
		if (i > 0 && by_tag_and_id(&acl->items[i - 1], &acl->items[i]) == 0)
			return ingot_raise(err, -EINVAL, "its ACL says the same twice");
		tags |= acl->items[i].tag;
	}
	if ((tags & (USER_OBJ | GROUP_OBJ | OTHER)) != (USER_OBJ | GROUP_OBJ | OTHER))
		return ingot_raise(err, -EINVAL, "its ACL says nothing of owner, group or others");
	if ((tags & (USER | GROUP)) && !(tags & MASK))
		return ingot_raise(err, -EINVAL, "its ACL has no mask");
	return 0;
}

static int encode(const struct acl *acl, const char *name, struct xattr_list *xattrs,
		  struct ingot_error *err)
{
	size_t size = HEADER + acl->count * ENTRY;
	INGOT_FREE unsigned char *raw = ingot_alloc(1, size, err);

	if (!raw)
		return -ENOMEM;
	ingot_put_le32(raw, VERSION);
	for (size_t i = 0; i < acl->count; i++) {
		unsigned char *p = raw + HEADER + i * ENTRY;

		ingot_put_le16(p, acl->items[i].tag);
		ingot_put_le16(p + 2, acl->items[i].permissions);
		ingot_put_le32(p + 4, acl->items[i].id);
	}
	return ingot_xattr_list_add(xattrs, name, raw, size, err);
}

static int collect(struct acl *acl, struct archive_entry *from, int which, struct ingot_error *err)
{
	int type, permissions, tag, id;
	const char *name;

	acl->count = 0;
	(void)archive_entry_acl_reset(from, which);
	while (archive_entry_acl_next(from, which, &type, &permissions, &tag, &id, &name) ==
	       ARCHIVE_OK) {
		int rc = add(acl, tag, permissions, id, name, err);

		if (rc < 0)
			return rc;
	}
	if (acl->count == 0)
		return 0;
	qsort(acl->items, acl->count, sizeof(*acl->items), by_tag_and_id);
	return check(acl, err);
}

static void mask_to_group(const struct acl *acl, uint32_t *mode)
{
	for (size_t i = 0; i < acl->count; i++)
		if (acl->items[i].tag == MASK)
			*mode = (*mode & ~070u) | (uint32_t)acl->items[i].permissions << 3;
}

static int convert(struct acl *acl, struct archive_entry *from, int which, const char *name,
		   struct xattr_list *xattrs, struct ingot_error *err)
{
	int rc = collect(acl, from, which, err);

	if (rc < 0 || acl->count == 0 || ingot_xattr_list_has(xattrs, name))
		return rc;
	return encode(acl, name, xattrs, err);
}

int ingot_archive_acl(struct archive_entry *from, struct xattr_list *xattrs, uint32_t *mode,
		      struct ingot_error *err)
{
	int types = archive_entry_acl_types(from);
	struct acl acl = {0};
	int rc = 0;

	if (types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS) {
		rc = convert(&acl, from, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access",
			     xattrs, err);
		mask_to_group(&acl, mode);
	}
	if (rc == 0 && (types & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT))
		rc = convert(&acl, from, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default",
			     xattrs, err);
	free(acl.items);
	return rc;
}

#include "fs/ext2_internal.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "fs/acl.h"

/*
 * An attribute block: a header of 32 bytes, entries growing up, values growing down.
 *
 *	header: 0 magic  4 shared by  8 blocks  12 hash
 *	entry:  0 name length  1 name index  2 value offset  4 value inode  8 value size
 *	        12 hash  16 name, padded to 4
 *
 * Entries are sorted by index, name length and name, as the kernel wants to find them.
 */

enum { HEAD = 32, ENTRY = 16, ATTRIBUTES_MAX = 256 };

struct attribute {
	unsigned index;	  /* what the name's prefix became */
	const char *name; /* behind the prefix */
	size_t name_size;
	const struct ingot_xattr *from;
};

static const struct prefix {
	unsigned index;
	bool whole; /* the prefix is the name */
	const char *text;
} PREFIXES[] = {
	{2, true, "system.posix_acl_access"},
	{3, true, "system.posix_acl_default"},
	{1, false, "user."},
	{4, false, "trusted."},
	{6, false, "security."},
	{7, false, "system."},
};

static bool is_acl(const struct attribute *a)
{
	return a->index == 2 || a->index == 3;
}

static bool take_apart(const struct ingot_xattr *xattr, struct attribute *ret)
{
	for (size_t i = 0; i < sizeof(PREFIXES) / sizeof(PREFIXES[0]); i++) {
		const struct prefix *p = &PREFIXES[i];
		size_t n = strlen(p->text);

		if (strncmp(xattr->name, p->text, n) != 0 || (p->whole && xattr->name[n]))
			continue;
		*ret = (struct attribute){p->index, xattr->name + n, strlen(xattr->name + n),
					  xattr};
		return ret->name_size <= 255;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	const struct attribute *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	if (x->name_size != y->name_size)
		return x->name_size < y->name_size ? -1 : 1;
	return memcmp(x->name, y->name, x->name_size);
}

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* The value as ext2 stores it; room is at least the size of the original. */
static int stored_value(const struct attribute *a, uint8_t *out, size_t *ret_size,
			struct ingot_error *err)
{
	if (is_acl(a))
		return ingot_acl_to_ext(a->from->value, a->from->size, out, ret_size, err);
	memcpy(out, a->from->value, a->from->size);
	*ret_size = a->from->size;
	return 0;
}

int ext2_xattr_check(const struct ingot_node *node, struct ingot_error *err)
{
	const struct ingot_xattrs *set = node->xattrs;
	uint8_t value[BLOCK];
	size_t used = HEAD + 4, size;

	if (set->count > ATTRIBUTES_MAX)
		return ingot_raise(err, -E2BIG, "more than %d extended attributes", ATTRIBUTES_MAX);
	for (size_t i = 0; i < set->count; i++) {
		struct attribute a;
		int rc;

		if (!take_apart(&set->list[i], &a))
			return ingot_raise(err, -EINVAL, "ext2 cannot store the attribute '%.80s'",
					   set->list[i].name);
		if (set->list[i].size > BLOCK)
			return ingot_raise(err, -E2BIG,
					   "the attribute '%.80s' has %zu bytes, more than a block",
					   set->list[i].name, set->list[i].size);
		rc = stored_value(&a, value, &size, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "attribute '%.80s'", set->list[i].name);
		used += ENTRY + pad4(a.name_size) + pad4(size);
	}
	if (used > BLOCK)
		return ingot_raise(err, -E2BIG,
				   "the extended attributes take %zu bytes, ext2 has %d for them",
				   used, BLOCK);
	return 0;
}

/* fs/ext4/xattr.c: ext4_xattr_hash_entry; the bytes of a name are unsigned. */
static uint32_t entry_hash(const struct attribute *a, const uint8_t *value, size_t size)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < a->name_size; i++)
		hash = (hash << 5) ^ (hash >> 27) ^ (uint8_t)a->name[i];
	for (size_t i = 0; i < pad4(size); i += 4)
		hash = (hash << 16) ^ (hash >> 16) ^ ingot_get_le32(value + i);
	return hash;
}

static size_t sort_attributes(const struct ingot_xattrs *set, struct attribute *list)
{
	size_t n = 0;

	for (size_t i = 0; i < set->count; i++)
		if (take_apart(&set->list[i], &list[n]))
			n++;
	qsort(list, n, sizeof(*list), compare);
	return n;
}

void ext2_xattr_fill(const struct xattr_block *block, unsigned char *data)
{
	struct attribute list[ATTRIBUTES_MAX];
	size_t n = sort_attributes(block->set, list);
	size_t at = HEAD, end = BLOCK;
	uint32_t block_hash = 0;
	bool hashed = true;

	memset(data, 0, BLOCK);
	for (size_t i = 0; i < n; i++) {
		uint8_t value[BLOCK + 4] = {0};
		uint32_t hash;
		size_t size;

		/* ext2_xattr_check has seen every value. */
		if (stored_value(&list[i], value, &size, NULL) < 0)
			continue;
		end -= pad4(size);
		memcpy(data + end, value, size);
		hash = entry_hash(&list[i], value, size);
		data[at] = (unsigned char)list[i].name_size;
		data[at + 1] = (unsigned char)list[i].index;
		ingot_put_le16(data + at + 2, (uint16_t)(size ? end : 0));
		ingot_put_le32(data + at + 8, (uint32_t)size);
		ingot_put_le32(data + at + 12, hash);
		memcpy(data + at + ENTRY, list[i].name, list[i].name_size);
		at += ENTRY + pad4(list[i].name_size);
		block_hash = (block_hash << 16) ^ (block_hash >> 16) ^ hash;
		hashed = hashed && hash != 0;
	}
	ingot_put_le32(data, 0xEA020000); /* magic */
	ingot_put_le32(data + 4, block->shared);
	ingot_put_le32(data + 8, 1);
	ingot_put_le32(data + 12, hashed ? block_hash : 0);
}

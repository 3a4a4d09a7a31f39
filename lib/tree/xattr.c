#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "tree/tree_internal.h"

bool ingot_xattr_is_wanted(const char *name)
{
	static const char *const spaces[] = {"user.", "trusted.", "security."};

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (strncmp(name, spaces[i], strlen(spaces[i])) == 0)
			return name[strlen(spaces[i])] != '\0';
	return strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

/* --- the list ---------------------------------------------------------- */

static struct xattr_item *find(const struct xattr_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

bool ingot_xattr_list_has(const struct xattr_list *list, const char *name)
{
	return find(list, name) != NULL;
}

static int add_again(const struct xattr_item *item, const void *value, size_t size,
		     struct ingot_error *err)
{
	char text[INGOT_NAME_MAX];

	if (item->size == size && memcmp(item->value, value, size) == 0)
		return 0;
	return ingot_raise(err, -EINVAL, "attribute '%s' appears twice with different values",
			   ingot_printable(item->name, strlen(item->name), text, sizeof(text)));
}

/*
 * The kernel's SELinux label ends in a NUL, GNU tar's RHT.security.selinux does not. One form for
 * both: with it.
 */
static size_t bytes_to_keep(const char *name, const char *value, size_t size)
{
	bool label = strcmp(name, "security.selinux") == 0;

	return label && size > 0 && value[size - 1] != '\0' ? size + 1 : size;
}

int ingot_xattr_list_add(struct xattr_list *list, const char *name, const void *value, size_t size,
			 struct ingot_error *err)
{
	size_t name_size = strlen(name) + 1;
	size_t keep = bytes_to_keep(name, value, size);
	struct xattr_item *item;
	char *copy;
	int rc;

	if (name_size > INGOT_NAME_MAX + 1)
		return ingot_raise(err, -EINVAL, "an attribute's name is longer than %d bytes",
				   INGOT_NAME_MAX);
	if (keep > INGOT_XATTRS_MAX || name_size + keep > INGOT_XATTRS_MAX - list->bytes)
		return ingot_raise(err, -EINVAL, "more than %d bytes of attributes",
				   INGOT_XATTRS_MAX);
	copy = ingot_alloc(1, name_size + keep, err);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, name_size);
	if (size)
		memcpy(copy + name_size, value, size);
	item = find(list, name);
	if (item) {
		rc = add_again(item, copy + name_size, keep, err);
		free(copy);
		return rc;
	}
	rc = ingot_grow((void **)&list->items, &list->room, list->count + 1, sizeof(*list->items),
			err);
	if (rc < 0) {
		free(copy);
		return rc;
	}
	list->items[list->count++] = (struct xattr_item){copy, copy + name_size, keep};
	list->bytes += name_size + keep;
	return 0;
}

void ingot_xattr_list_clear(struct xattr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	list->count = 0;
	list->bytes = 0;
}

void ingot_xattr_list_done(struct xattr_list *list)
{
	ingot_xattr_list_clear(list);
	free(list->items);
	*list = (struct xattr_list){0};
}

/* --- the pool ---------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct xattr_item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static uint64_t hash_one(uint64_t key, const char *name, const void *value, size_t size)
{
	return ingot_tree_hash(ingot_tree_hash(key, name, strlen(name)), value, size);
}

static uint64_t hash_set(uint64_t key, const struct ingot_xattrs *set)
{
	uint64_t h = key;

	for (size_t i = 0; i < set->count; i++)
		h = hash_one(h, set->list[i].name, set->list[i].value, set->list[i].size);
	return h;
}

static uint64_t hash_list(uint64_t key, const struct xattr_list *list)
{
	uint64_t h = key;

	for (size_t i = 0; i < list->count; i++)
		h = hash_one(h, list->items[i].name, list->items[i].value, list->items[i].size);
	return h;
}

static bool equal(const struct ingot_xattrs *set, const struct xattr_list *list)
{
	if (set->count != list->count)
		return false;
	for (size_t i = 0; i < set->count; i++) {
		const struct ingot_xattr *x = &set->list[i];
		const struct xattr_item *item = &list->items[i];

		if (x->size != item->size || strcmp(x->name, item->name) != 0 ||
		    memcmp(x->value, item->value, x->size) != 0)
			return false;
	}
	return true;
}

static int make_set(struct ingot_tree *tree, const struct xattr_list *list,
		    struct ingot_xattrs **ret, struct ingot_error *err)
{
	struct ingot_xattrs *set;

	set = ingot_arena_alloc(&tree->arena, sizeof(*set) + list->count * sizeof(set->list[0]), 8,
				err);
	if (!set)
		return -ENOMEM;
	set->count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		const struct xattr_item *item = &list->items[i];
		size_t name_size = (size_t)(item->value - item->name);
		char *copy =
			ingot_arena_copy(&tree->arena, item->name, name_size + item->size, 1, err);

		if (!copy)
			return -ENOMEM;
		set->list[i] = (struct ingot_xattr){copy, copy + name_size, item->size};
	}
	*ret = set;
	return 0;
}

static void put(struct xattr_pool *pool, uint64_t key, const struct ingot_xattrs *set)
{
	size_t i = hash_set(key, set) & (pool->size - 1);

	while (pool->slots[i])
		i = (i + 1) & (pool->size - 1);
	pool->slots[i] = set;
}

static int make_room(struct xattr_pool *pool, uint64_t key, struct ingot_error *err)
{
	struct xattr_pool larger = {.size = pool->size ? pool->size * 2 : 64, .count = pool->count};

	if (pool->count < pool->size / 2)
		return 0;
	larger.slots = ingot_alloc(larger.size, sizeof(*larger.slots), err);
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < pool->size; i++)
		if (pool->slots[i])
			put(&larger, key, pool->slots[i]);
	free(pool->slots);
	*pool = larger;
	return 0;
}

int ingot_xattr_intern(struct ingot_tree *tree, struct xattr_list *list,
		       const struct ingot_xattrs **ret, struct ingot_error *err)
{
	struct xattr_pool *pool = &tree->xattrs;
	struct ingot_xattrs *set;
	size_t i;
	int rc;

	*ret = NULL;
	if (list->count == 0)
		return 0;
	qsort(list->items, list->count, sizeof(*list->items), by_name);
	rc = make_room(pool, tree->hash_key, err);
	if (rc < 0)
		return rc;
	i = hash_list(tree->hash_key, list) & (pool->size - 1);
	for (; pool->slots[i]; i = (i + 1) & (pool->size - 1)) {
		if (equal(pool->slots[i], list)) {
			*ret = pool->slots[i];
			return 0;
		}
	}
	rc = make_set(tree, list, &set, err);
	if (rc < 0)
		return rc;
	pool->slots[i] = set;
	pool->count++;
	*ret = set;
	return 0;
}

void ingot_xattr_pool_done(struct xattr_pool *pool)
{
	free(pool->slots);
	*pool = (struct xattr_pool){0};
}

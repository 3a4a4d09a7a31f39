#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tree/owner_internal.h"
#include "tree/tree_internal.h"

bool ingot_owner_range_map(const struct owner_ranges *ranges, uint32_t *id)
{
	for (size_t i = 0; i < ranges->count; i++) {
		const struct owner_range *range = &ranges->list[i];

		if (*id >= range->host && *id - range->host < range->count) {
			*id = range->image + (*id - range->host);
			return true;
		}
	}
	return ranges->count == 0;
}

/* --- files ------------------------------------------------------------- */

/* The last rule that matches, as its number from 1; 0: none. */
static size_t rule_for(const struct ingot_owner_map *map, const char *path)
{
	size_t i = map->rule_count;

	while (i > 0 && !ingot_path_match(map->rules[i - 1].pattern, path))
		i--;
	return i;
}

/* While rules are collected, scratch is the number of a file's rule; the latest of any name. */
static int find_rules(struct ingot_tree *tree, const struct ingot_owner_map *map,
		      struct ingot_error *err)
{
	struct ingot_node *root = &tree->root->node, *file;
	struct path_text path = {0};
	size_t length, rule;
	int rc = 0;

	for (struct ingot_node *node = root; node; node = ingot_node_next(root, node)) {
		rc = ingot_node_raw_path(node, &path, &length, err);
		if (rc < 0)
			break;
		rule = rule_for(map, path.text);
		file = node->is_link ? node->link : node;
		if (rule > file->scratch)
			file->scratch = (uint32_t)rule;
	}
	free(path.text);
	return rc;
}

static int in_no_range(const struct ingot_node *node, const char *what, uint32_t id,
		       struct ingot_error *err)
{
	char text[TREE_PATH_TEXT];

	return ingot_raise(err, -EINVAL,
			   "'%s' belongs to %s %u, which no line of the owner map has",
			   ingot_node_path(node, text, sizeof(text)), what, id);
}

static int set_owner(const struct ingot_tree_options *options, struct ingot_node *node,
		     struct ingot_error *err)
{
	const struct ingot_owner_map *map = options->map;
	size_t rule = node->scratch;

	node->scratch = 0;
	if (rule > 0) {
		node->uid = map->rules[rule - 1].uid;
		node->gid = map->rules[rule - 1].gid;
		if (map->rules[rule - 1].mode != OWNER_MODE_KEPT && !S_ISLNK(node->mode))
			node->mode = (node->mode & S_IFMT) | map->rules[rule - 1].mode;
		return 0;
	}
	if (options->owner) {
		node->uid = options->uid;
		node->gid = options->gid;
		return 0;
	}
	if (map && !ingot_owner_range_map(&map->uids, &node->uid))
		return in_no_range(node, "user", node->uid, err);
	if (map && !ingot_owner_range_map(&map->gids, &node->gid))
		return in_no_range(node, "group", node->gid, err);
	return 0;
}

int ingot_owner_apply(struct ingot_tree *tree, struct ingot_error *err)
{
	const struct ingot_tree_options *options = tree->options;
	struct ingot_node *root = &tree->root->node;
	int rc = 0;

	if (!options->owner && !options->map)
		return 0;
	if (options->map && options->map->rule_count > 0)
		rc = find_rules(tree, options->map, err);
	for (struct ingot_node *node = root; node && rc == 0; node = ingot_node_next(root, node))
		if (!node->is_link)
			rc = set_owner(options, node, err);
	return rc;
}

/* --- attributes -------------------------------------------------------- */

/*
 * linux/posix_acl_xattr.h: le32 version 2, then entries of le16 tag, le16 permissions, le32 id.
 * The id counts for ACL_USER (2) and ACL_GROUP (8).
 */
enum { ACL_HEADER = 4, ACL_ENTRY = 8, ACL_VERSION = 2, ACL_USER = 2, ACL_GROUP = 8 };

static int map_acl(const struct ingot_owner_map *map, struct xattr_item *item,
		   struct ingot_error *err)
{
	unsigned char *p = (unsigned char *)item->value;

	if (item->size < ACL_HEADER || (item->size - ACL_HEADER) % ACL_ENTRY != 0 ||
	    ingot_get_le32(p) != ACL_VERSION)
		return ingot_raise(err, -EINVAL, "attribute '%s' is no POSIX ACL", item->name);
	for (size_t at = ACL_HEADER; at < item->size; at += ACL_ENTRY) {
		uint16_t tag = ingot_get_le16(p + at);
		uint32_t id = ingot_get_le32(p + at + 4);

		if ((tag == ACL_USER && !ingot_owner_range_map(&map->uids, &id)) ||
		    (tag == ACL_GROUP && !ingot_owner_range_map(&map->gids, &id)))
			return ingot_raise(
				err, -EINVAL,
				"its ACL names %s %u, which no line of the owner map has",
				tag == ACL_USER ? "user" : "group", id);
		ingot_put_le32(p + at + 4, id);
	}
	return 0;
}

/*
 * linux/capability.h, struct vfs_ns_cap_data: le32 revision and flags, four le32 words, le32 root.
 * Revision 2 is the same without the last word.
 */
enum { CAP_V2_SIZE = 20, CAP_V3_SIZE = 24, CAP_ROOT = 20 };
#define CAP_REVISION_MASK UINT32_C(0xff000000)
#define CAP_REVISION_2	  UINT32_C(0x02000000)
#define CAP_REVISION_3	  UINT32_C(0x03000000)

static int map_capability(const struct ingot_owner_map *map, struct xattr_item *item, size_t *bytes,
			  struct ingot_error *err)
{
	unsigned char *p = (unsigned char *)item->value;
	uint32_t magic, root;

	if (item->size != CAP_V3_SIZE)
		return 0;
	magic = ingot_get_le32(p);
	if ((magic & CAP_REVISION_MASK) != CAP_REVISION_3)
		return 0;
	root = ingot_get_le32(p + CAP_ROOT);
	if (!ingot_owner_range_map(&map->uids, &root))
		return ingot_raise(err, -EINVAL,
				   "its capabilities are of user %u, which no line of the owner "
				   "map has",
				   root);
	ingot_put_le32(p + CAP_ROOT, root);
	if (root != 0)
		return 0;
	ingot_put_le32(p, (magic & ~CAP_REVISION_MASK) | CAP_REVISION_2);
	item->size = CAP_V2_SIZE;
	*bytes -= CAP_V3_SIZE - CAP_V2_SIZE;
	return 0;
}

int ingot_owner_map_xattrs(const struct ingot_owner_map *map, struct xattr_list *list,
			   struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; map && i < list->count && rc == 0; i++) {
		struct xattr_item *item = &list->items[i];

		if (strncmp(item->name, "system.posix_acl_", 17) == 0)
			rc = map_acl(map, item, err);
		else if (strcmp(item->name, "security.capability") == 0)
			rc = map_capability(map, item, &list->bytes, err);
	}
	return rc;
}

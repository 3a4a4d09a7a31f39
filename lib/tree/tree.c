#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "tree/tree_internal.h"

/* --- making ------------------------------------------------------------ */

static uint64_t random_key(void)
{
	uint64_t key;

	/* Without it the table still works, it is only easier to slow down. */
	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key))
		key = UINT64_C(0x9e3779b97f4a7c15);
	return key;
}

int ingot_tree_new(const char *name, int fd, const struct ingot_tree_options *options,
		   struct ingot_tree **ret, struct ingot_error *err)
{
	INGOT_TREE struct ingot_tree *tree = NULL;
	INGOT_CLOSE int own = fd;

	tree = ingot_alloc(1, sizeof(*tree), err);
	if (!tree)
		return -ENOMEM;
	tree->fd = own;
	own = -1;
	tree->options = options;
	tree->hash_key = random_key();
	tree->name = ingot_strdup(name, err);
	tree->root = ingot_arena_alloc(&tree->arena, sizeof(*tree->root), 8, err);
	if (!tree->name || !tree->root)
		return -ENOMEM;
	tree->root->node.name = "";
	tree->root->node.mode = S_IFDIR | 0755;
	tree->root->node.mtime = options->epoch;
	tree->root->node.scratch = ENTRY_IMPLIED;
	*ret = INGOT_TAKE(tree);
	return 0;
}

void ingot_tree_free(struct ingot_tree *tree)
{
	if (!tree)
		return;
	ingot_xattr_pool_done(&tree->xattrs);
	ingot_arena_done(&tree->arena);
	if (tree->fd >= 0)
		(void)close(tree->fd);
	free(tree->name);
	free(tree);
}

int ingot_tree_add(struct ingot_tree *tree, struct entry *parent, const char *name, size_t length,
		   uint32_t mode, struct entry **ret, struct ingot_error *err)
{
	struct entry *entry = ingot_arena_alloc(&tree->arena, sizeof(*entry), 8, err);
	char *copy = entry ? ingot_arena_alloc(&tree->arena, length + 1, 1, err) : NULL;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, length);
	entry->node.name = copy;
	entry->node.name_length = (uint16_t)length;
	entry->node.mode = mode;
	entry->node.parent = &parent->node;
	entry->node.next = parent->node.children;
	parent->node.children = &entry->node;
	*ret = entry;
	return 0;
}

void ingot_tree_set_meta(struct ingot_tree *tree, struct entry *entry, uint32_t uid, uint32_t gid,
			 int64_t mtime)
{
	int64_t epoch = tree->options->epoch;

	entry->node.uid = uid;
	entry->node.gid = gid;
	entry->node.mtime = mtime < epoch ? mtime : epoch;
}

bool ingot_tree_is_excluded(struct ingot_tree *tree, const char *path)
{
	const struct ingot_tree_options *options = tree->options;
	bool excluded = false;

	for (size_t i = 0; i < options->exclude_count; i++) {
		if (!ingot_path_match(options->excludes[i], path))
			continue;
		excluded = true;
		if (options->excludes_used)
			options->excludes_used[i] = true;
	}
	return excluded;
}

/* The product's two halves folded: every bit of a reaches every bit of the result. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t ingot_tree_hash(uint64_t key, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t h = key ^ n, word;

	for (; n > 0; p += sizeof(word)) {
		size_t part = n < sizeof(word) ? n : sizeof(word);

		word = 0;
		memcpy(&word, p, part);
		h = fold(h ^ word ^ UINT64_C(0xa0761d6478bd642f), key | 1);
		n -= part;
	}
	return fold(h ^ UINT64_C(0xe7037ed1a0b428db), UINT64_C(0x8ebc6af09c88c6e3));
}

/* --- using ------------------------------------------------------------- */

int ingot_tree_open(const char *path, const struct ingot_tree_options *options,
		    struct ingot_tree **ret, struct ingot_error *err)
{
	INGOT_CLOSE int fd = -1;
	struct stat st;
	int own;

	if (strcmp(path, "-") == 0) {
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		path = "standard input";
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	}
	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat '%s'", path);
	own = fd;
	fd = -1;
	if (S_ISDIR(st.st_mode))
		return ingot_tree_from_directory(own, path, options, ret, err);
	return ingot_tree_from_archive(own, path, options, ret, err);
}

struct ingot_node *ingot_tree_root(struct ingot_tree *tree)
{
	return &tree->root->node;
}

static bool is_folder(const struct ingot_node *node)
{
	return S_ISDIR(node->mode);
}

static struct ingot_node *child(const struct ingot_node *folder, const char *name, size_t n)
{
	struct ingot_node *node = is_folder(folder) ? folder->children : NULL;

	while (node && (node->name_length != n || memcmp(node->name, name, n) != 0))
		node = node->next;
	return node;
}

struct ingot_node *ingot_tree_find(struct ingot_tree *tree, const char *path)
{
	struct ingot_node *node = &tree->root->node;

	while (node && *path) {
		size_t n = strcspn(path, "/");

		if (n > 0)
			node = child(node, path, n);
		path += n + (path[n] == '/');
	}
	return node;
}

struct ingot_node *ingot_node_next(const struct ingot_node *root, const struct ingot_node *node)
{
	if (is_folder(node) && node->children)
		return node->children;
	for (; node != root; node = node->parent)
		if (node->next)
			return node->next;
	return NULL;
}

#include "fs/ext2_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/*
 * Which folders to look at when a tree is too large: the heaviest, everything below them
 * counted, but not one that is heavy only because of one folder inside it, which is then
 * named in its place.
 */

enum { SHOWN = 6 };

/* Blocks of everything below each folder, by entry number. */
static void sum_up(const struct ext2 *fs, uint64_t *total)
{
	struct ingot_node *n;

	for (n = fs->root; n; n = ingot_node_next(fs->root, n)) {
		const struct ingot_node *up;

		if (n->is_link)
			continue;
		for (up = n; up; up = up == fs->root ? NULL : up->parent)
			total[up->scratch] += fs->entries[n->scratch].blocks;
	}
}

static bool one_child_is_it(const struct ingot_node *dir, const uint64_t *total)
{
	for (const struct ingot_node *c = dir->children; c; c = c->next)
		if (!c->is_link && S_ISDIR(c->mode) &&
		    total[c->scratch] * 10 >= total[dir->scratch] * 9)
			return true;
	return false;
}

/* The heaviest folder lighter than `below` (or, of equals, later in the walk than `after`). */
static const struct ingot_node *next_heaviest(const struct ext2 *fs, const uint64_t *total,
					      const struct ingot_node *after)
{
	const struct ingot_node *best = NULL, *n;

	for (n = fs->root; n; n = ingot_node_next(fs->root, n)) {
		uint64_t weight;

		if (n->is_link || !S_ISDIR(n->mode) || n == fs->root || one_child_is_it(n, total))
			continue;
		weight = total[n->scratch];
		if (after && (weight > total[after->scratch] ||
			      (weight == total[after->scratch] && n->scratch <= after->scratch)))
			continue;
		if (!best || weight > total[best->scratch])
			best = n;
	}
	return best;
}

void ext2_heaviest(const struct ext2 *fs, char *text, size_t size)
{
	INGOT_FREE uint64_t *total = calloc(fs->entry_count, sizeof(*total));
	const struct ingot_node *n = NULL;
	size_t at = 0;

	text[0] = '\0';
	if (!total)
		return;
	sum_up(fs, total);
	for (int i = 0; i < SHOWN && at < size; i++) {
		char path[128], weight[INGOT_SIZE_TEXT];

		n = next_heaviest(fs, total, n);
		if (!n)
			break;
		at += (size_t)snprintf(text + at, size - at, "%s%s (%s)", i ? ", " : "",
				       ingot_node_path(n, path, sizeof(path)),
				       ingot_size_text(total[n->scratch] * BLOCK, weight));
	}
	if (at == 0)
		(void)snprintf(text, size, "none: the files lie at the top");
}

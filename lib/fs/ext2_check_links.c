#include "fs/ext2_check_internal.h"

/* Names and links: every inode has as many as it says, every folder leads up to the root. */

enum { LINKS_MAX = 65000 };

enum trace { UNKNOWN, BELOW, ROOTED }; /* BELOW: met on a way up that has not arrived */

/* With dir_nlink a folder of very many others says 1. */
static bool is_beyond_count(const struct ext_checker *c, const struct ext_state *s)
{
	return s->type == EXT_DIR && s->links == 1 && s->found > LINKS_MAX &&
	       c->ro_compat & RO_COMPAT_DIR_NLINK;
}

static void check_count(struct ext_checker *c, uint32_t inode, const struct ext_state *s)
{
	if (is_beyond_count(c, s))
		return;
	if (s->found == 0)
		ext_problem(c, "inode %u: no entry leads to it", inode);
	else if (s->found != s->links)
		ext_problem(c, "inode %u: it counts %u links, there are %u", inode, s->links,
			    s->found);
}

/* Follows the parents until something is known, or until it comes round in a circle. */
static bool is_rooted(struct ext_checker *c, uint32_t inode)
{
	uint32_t at = inode;
	bool rooted;

	while (at && at != EXT_ROOT && c->states[at - 1].trace == UNKNOWN) {
		c->states[at - 1].trace = BELOW;
		at = c->states[at - 1].parent;
	}
	rooted = at == EXT_ROOT || (at && c->states[at - 1].trace == ROOTED);
	for (at = inode; rooted && at != EXT_ROOT && c->states[at - 1].trace == BELOW;
	     at = c->states[at - 1].parent)
		c->states[at - 1].trace = ROOTED;
	return rooted;
}

static void check_folder(struct ext_checker *c, uint32_t inode, const struct ext_state *s)
{
	uint32_t parent = inode == EXT_ROOT ? EXT_ROOT : s->parent;

	if (!is_rooted(c, inode))
		ext_problem(c, "folder %u: it is not below the root", inode);
	else if (s->dotdot != parent)
		ext_problem(c, "folder %u: '..' leads to inode %u, not to %u", inode, s->dotdot,
			    parent);
}

void ext_check_links(struct ext_checker *c)
{
	bool many = false;

	if (c->states[EXT_ROOT - 1].type != EXT_DIR)
		ext_problem(c, "inode %u: the root is no folder", EXT_ROOT);
	for (uint32_t i = 1; i <= c->inodes; i++) {
		const struct ext_state *s = &c->states[i - 1];

		if (s->type == 0 || s->hidden)
			continue;
		many |= is_beyond_count(c, s);
		check_count(c, i, s);
		if (s->type == EXT_DIR)
			check_folder(c, i, s);
	}
	if (c->ours && !many && c->ro_compat & RO_COMPAT_DIR_NLINK)
		ext_problem(c, "superblock: dir_nlink, and no folder needs it");
}

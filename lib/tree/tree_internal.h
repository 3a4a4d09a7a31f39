/* What the files of this room share: how a tree is made. No part of the library's interface. */
#ifndef INGOT_TREE_TREE_INTERNAL_H
#define INGOT_TREE_TREE_INTERNAL_H

#include "base/alloc.h"
#include "tree/tree.h"
#include "tree/xattr_internal.h"

/* A node and where its contents are. The node comes first: one is cast to the other. */
struct entry {
	struct ingot_node node;
	union {
		uint64_t ino;			 /* directory: the file's inode number */
		uint64_t at;			 /* archive, no holes: the first byte's place */
		const struct ingot_runs *stored; /* archive, holes: where the data lie */
		const void *bytes;		 /* in_memory */
	};
	bool in_memory;	 /* of neither: ingot_tree_put */
	int64_t changed; /* directory: the file's own mtime in nanoseconds */
};

/* In node.scratch while a tree is made. */
enum {
	ENTRY_IMPLIED = 1,  /* a folder that the archive has not listed (yet) */
	ENTRY_EXCLUDED = 2, /* goes away at the end, with everything below it */
	ENTRY_SEEN = 4,	    /* finish.c: passed in the final order */
};

/* What tells that a file is still the one that was looked at. */
struct stamp {
	uint64_t ino, size;
	int64_t changed; /* mtime in nanoseconds */
};

struct ingot_tree {
	struct ingot_arena arena;
	struct entry *root;
	char *name; /* as the caller called it, for errors */
	int fd;	    /* the folder, or the file with the contents */
	bool is_directory;
	struct stamp stamp;			  /* archive: of fd */
	const struct ingot_tree_options *options; /* while it is made, then NULL */
	struct xattr_pool xattrs;
	uint64_t hash_key; /* against archives made to collide; reaches no output */
};

static inline struct entry *entry_of(const struct ingot_node *node)
{
	return (struct entry *)(uintptr_t)node;
}

/* Enough for a path in an error's sentence. */
#define TREE_PATH_TEXT 1024

/* --- tree.c ------------------------------------------------------------ */

/* A tree with a root folder (0755, 0:0, the epoch) and nothing in it; fd is taken. */
INGOT_MUST_USE int ingot_tree_new(const char *name, int fd,
				  const struct ingot_tree_options *options, struct ingot_tree **ret,
				  struct ingot_error *err);

/* A new entry in a folder. The name was checked, and is not there yet. */
INGOT_MUST_USE int ingot_tree_add(struct ingot_tree *tree, struct entry *parent, const char *name,
				  size_t length, uint32_t mode, struct entry **ret,
				  struct ingot_error *err);

/* Owner, and the time by the epoch's rule. */
void ingot_tree_set_meta(struct ingot_tree *tree, struct entry *entry, uint32_t uid, uint32_t gid,
			 int64_t mtime);

/* Whether the path below the root is excluded; marks every pattern that matched as used. */
bool ingot_tree_is_excluded(struct ingot_tree *tree, const char *path);

uint64_t ingot_tree_hash(uint64_t key, const void *data, size_t n);

/* nanoseconds of a time, wrapping: good for "is it the same". */
static inline int64_t time_ns(struct timespec t)
{
	return (int64_t)((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
}

static inline struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){st->st_ino, (uint64_t)st->st_size, time_ns(st->st_mtim)};
}

static inline bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->ino == b->ino && a->size == b->size && a->changed == b->changed;
}

/* --- the ways in ------------------------------------------------------- */

/* directory.c; fd is taken. */
INGOT_MUST_USE int ingot_tree_from_directory(int fd, const char *name,
					     const struct ingot_tree_options *options,
					     struct ingot_tree **ret, struct ingot_error *err);

/* archive.c; fd is taken. Any file descriptor that can be read, from its start. */
INGOT_MUST_USE int ingot_tree_from_archive(int fd, const char *name,
					   const struct ingot_tree_options *options,
					   struct ingot_tree **ret, struct ingot_error *err);

/*
 * finish.c: what is the same for all sources, done once at the end. Excluded entries go, siblings
 * get into byte order, of the names of one file the first in that order becomes the file and the
 * others links to it, and owners are mapped.
 */
INGOT_MUST_USE int ingot_tree_finish(struct ingot_tree *tree, struct ingot_error *err);

/* --- path.c ------------------------------------------------------------ */

/* A growing text. */
struct path_text {
	char *text;
	size_t room;
};

/* The path below the tree's root as it is, NUL terminated, of any length. */
INGOT_MUST_USE int ingot_node_raw_path(const struct ingot_node *node, struct path_text *path,
				       size_t *ret_length, struct ingot_error *err);

#endif

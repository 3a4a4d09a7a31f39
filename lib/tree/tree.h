/*
 * The file tree in memory: what a filesystem is made from. It comes from a directory,
 * an archive (any that libarchive reads) or standard input, and is the same for all of
 * them: entries in byte order of their names, owners and times by rule, no trace of the
 * order or the machine it was read on. File contents stay where they are and are read
 * when a filesystem asks for them.
 *
 * Times are whole seconds (the one the file's time lies in), which every archive format carries,
 * and never later than the epoch. Only the modification time is kept.
 *
 * A file with several names: the first of them in the order of the tree is the file, the others
 * are links to it. Symbolic links have mode 0777.
 *
 * Holes: a file that has a hole in its source is sparse at every block of 4096 bytes that is all
 * zero; a file that has none stays as it is, zeros and all. So the holes depend on the contents,
 * not on the block size of a filesystem or on how an archiver looked for them.
 *
 * Attributes: user.*, trusted.*, security.* and POSIX ACLs, as far as the source shows them. Of a
 * directory without /proc only those of files and folders.
 *
 * Archives are tar (all its dialects) and cpio, plain or compressed with gzip, bzip2, xz, lzma,
 * lzip, zstd, lz4 or compress. No other program is run. Other formats that libarchive reads have
 * no owners, or times that depend on the time zone. Names are bytes, whatever the locale.
 *
 * A folder that an archive uses without listing it is 0755, of 0:0, and as old as the epoch. A
 * folder may be listed twice; the last one counts. Any other path may be there once only.
 */
#ifndef INGOT_TREE_TREE_H
#define INGOT_TREE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

#define INGOT_NAME_MAX	     255	 /* bytes in a name */
#define INGOT_TARGET_MAX     4095	 /* bytes in a symbolic link's target */
#define INGOT_TREE_DEPTH_MAX 2048	 /* folders inside folders */
#define INGOT_XATTRS_MAX     (64 * 1024) /* bytes of all attributes of one file */

struct ingot_xattr {
	const char *name; /* "user.x", NUL terminated */
	const void *value;
	size_t size;
};

/* Sorted by name; equal sets are one object, so pointers can be compared. */
struct ingot_xattrs {
	size_t count;
	struct ingot_xattr list[];
};

/* A stretch of a file that is not a hole. */
struct ingot_run {
	uint64_t offset; /* in the file */
	uint64_t length; /* at least 1 */
	uint64_t at;	 /* private to the tree */
};

/* In order, not overlapping, inside the file's size. */
struct ingot_runs {
	size_t count;
	struct ingot_run list[];
};

struct ingot_node {
	struct ingot_node *parent; /* NULL: the root of the tree */
	struct ingot_node *next;   /* sibling, in byte order of the names */
	const char *name;	   /* any bytes but '/' and NUL; "" for the root */
	union {
		struct ingot_node *children;   /* folder */
		const char *target;	       /* symbolic link, `size` bytes and a NUL */
		const struct ingot_runs *runs; /* file; NULL: no holes */
		struct ingot_node *link;       /* is_link: the node that this is a name of */
		struct {
			uint32_t major, minor;
		} device; /* block and character devices */
	};
	const struct ingot_xattrs *xattrs; /* NULL: none */
	int64_t mtime;			   /* seconds since 1970, at most the epoch */
	uint64_t size;			   /* bytes of a file or of a link's target */
	uint32_t mode;			   /* S_IF... and permissions */
	uint32_t uid, gid;
	uint32_t scratch; /* free for the one filesystem writer at work */
	uint16_t name_length;
	bool is_link; /* another name of `link`; of mode only the type is set, and nothing else */
};

struct ingot_tree;

/* Who owns what in the image; see owner.h. */
struct ingot_owner_map;

struct ingot_tree_options {
	int64_t epoch; /* later times are brought down to it */
	bool owner;    /* everything belongs to uid:gid */
	uint32_t uid, gid;
	const struct ingot_owner_map *map; /* applied after `owner`; NULL: none */
	const char *const *excludes;	   /* patterns, see ingot_path_match; a folder goes whole */
	size_t exclude_count;
	bool *excludes_used; /* exclude_count flags, set where one matched; or NULL */
};

/*
 * A directory, an archive, or "-" for an archive from standard input. -EINVAL for an
 * archive that is truncated or hostile. An archive that is compressed, or comes through a pipe,
 * is unpacked into one unnamed file in $TMPDIR (/tmp); any other is read in place.
 *
 * Refused: an absolute path, one with "..", anything below what is no folder, a hard link to a
 * folder, to itself or to nothing, an archive without entries or without its end mark.
 */
INGOT_API INGOT_MUST_USE int ingot_tree_open(const char *path,
					     const struct ingot_tree_options *options,
					     struct ingot_tree **ret, struct ingot_error *err);
/* A root folder (0755, of root's, the epoch) and nothing in it. */
INGOT_API INGOT_MUST_USE int ingot_tree_empty(const char *name, int64_t epoch,
					      struct ingot_tree **ret, struct ingot_error *err);
INGOT_API void ingot_tree_free(struct ingot_tree *tree); /* NULL is allowed */

static inline void ingot_tree_cleanup(struct ingot_tree **tree)
{
	ingot_tree_free(*tree);
}
#define INGOT_TREE __attribute__((cleanup(ingot_tree_cleanup)))

INGOT_API struct ingot_node *ingot_tree_root(struct ingot_tree *tree);

/*
 * A file of root's with these bytes, which are copied, at "a/b/c"; what is missing of its folders
 * is made (0755). Permissions are those of mode. -EEXIST: something is there; -ENOTDIR: a part of
 * the way is no folder; -EINVAL: the path is no path below the root.
 */
INGOT_API INGOT_MUST_USE int ingot_tree_put(struct ingot_tree *tree, const char *path,
					    const void *data, size_t n, uint32_t mode,
					    int64_t mtime, struct ingot_error *err);

/* The node at "usr/lib" (links are not followed), or NULL. */
INGOT_API struct ingot_node *ingot_tree_find(struct ingot_tree *tree, const char *path);

/*
 * Take the folder at path out of the tree, as the root of a tree of its own; an empty folder
 * with its owner, mode and time stays behind. The node belongs to the tree, its parent pointers
 * still lead up, and it is read with the tree's readers. A hard link from one part into the other
 * becomes a file of its own. -ENOENT, -ENOTDIR.
 */
INGOT_API INGOT_MUST_USE int ingot_tree_split(struct ingot_tree *tree, const char *path,
					      struct ingot_node **ret, struct ingot_error *err);

/* The path below the tree's root, without a leading '/', printable. Returns text. */
INGOT_API const char *ingot_node_path(const struct ingot_node *node, char *text, size_t size);

/* The node after this one in a walk of everything under root: a folder, then its children, then
 * its next sibling. NULL at the end. Start with root itself. */
INGOT_API struct ingot_node *ingot_node_next(const struct ingot_node *root,
					     const struct ingot_node *node);

/* --- contents ---------------------------------------------------------- */

/* One thread's way to the files: keeps the last one open. */
struct ingot_tree_reader;

INGOT_API INGOT_MUST_USE int ingot_tree_reader_new(struct ingot_tree *tree,
						   struct ingot_tree_reader **ret,
						   struct ingot_error *err);
INGOT_API void ingot_tree_reader_free(struct ingot_tree_reader *reader); /* NULL is allowed */

/*
 * n bytes at offset of a regular file (not of a link); a hole reads as zero. The range is inside
 * the file. A file that has changed its size or time since the tree was read is an error.
 */
INGOT_API INGOT_MUST_USE int ingot_tree_read(struct ingot_tree_reader *reader,
					     const struct ingot_node *node, uint64_t offset,
					     void *data, size_t n, struct ingot_error *err);

#endif

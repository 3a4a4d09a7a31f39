/* Reading archives: what its files share. */
#ifndef INGOT_TREE_ARCHIVE_INTERNAL_H
#define INGOT_TREE_ARCHIVE_INTERNAL_H

#include <archive.h>
#include <archive_entry.h>

#include "tree/names_internal.h"
#include "tree/sparse_internal.h"
#include "tree/tree_internal.h"

/* An error from libarchive's own words. */
INGOT_MUST_USE int ingot_archive_fail(struct archive *a, struct ingot_error *err);

/*
 * unpack.c: the archive, decompressed, in an unnamed file in $TMPDIR. *ret is -1 where fd itself
 * will do: a regular file that is not compressed. The whole stream is read, so that one that is
 * truncated is found even where the archive ends before.
 */
INGOT_MUST_USE int ingot_archive_unpack(int fd, int *ret, struct ingot_error *err);

/* --- archive_input.c: an archive in a regular file --------------------- */

struct archive_input {
	int fd; /* borrowed */
	uint64_t size, at;
	struct archive *a;
	unsigned char *buffer;
};

/* tar and cpio; other formats have no owner or no time that is the same everywhere. */
INGOT_MUST_USE int ingot_archive_input_open(struct archive_input *input, int fd, uint64_t size,
					    struct ingot_error *err);
void ingot_archive_input_done(struct archive_input *input);

/*
 * The next header. 1: there is one; 0: the end, which was a proper one. A warning by which
 * something was lost is an error.
 */
INGOT_MUST_USE int ingot_archive_input_next(struct archive_input *input,
					    struct archive_entry *entry, struct ingot_error *err);

/* --- archive_data.c ---------------------------------------------------- */

/* Where a file's bytes are. */
struct contents {
	uint64_t size;
	uint64_t at;			 /* runs == NULL: of all of them */
	const struct ingot_runs *runs;	 /* what is no hole, as ingot_node.runs */
	const struct ingot_runs *stored; /* and where it lies */
};

struct archive_data {
	struct run_list runs, stored;
	uint64_t end; /* of the last file without holes; the next header is behind it */
};

INGOT_MUST_USE int ingot_archive_contents(struct archive_data *data, struct archive_input *input,
					  struct archive_entry *entry, struct ingot_arena *arena,
					  struct contents *ret, struct ingot_error *err);
/* After the next header: whether the last file really was as long as it said. */
INGOT_MUST_USE int ingot_archive_check_end(struct archive_data *data, struct archive_input *input,
					   struct ingot_error *err);
void ingot_archive_data_done(struct archive_data *data);

/* --- archive_meta.c ---------------------------------------------------- */

/* Mode, owner, time and attributes of an entry whose type is set. */
INGOT_MUST_USE int ingot_archive_meta(struct ingot_tree *tree, struct archive *a,
				      struct archive_entry *from, struct xattr_list *xattrs,
				      struct entry *entry, struct ingot_error *err);

/*
 * acl.c: the entry's POSIX ACLs as the kernel's attributes, added to the list. *mode gets the
 * group bits that stat(2) would show: the mask.
 */
INGOT_MUST_USE int ingot_archive_acl(struct archive_entry *from, struct xattr_list *xattrs,
				     uint32_t *mode, struct ingot_error *err);

/* --- archive_path.c ---------------------------------------------------- */

/* The tree while an archive is read. */
struct archive_builder {
	struct ingot_tree *tree;
	struct name_table names;
	struct path_text path; /* of the entry being placed, without "./", "//" and the last '/' */
	struct xattr_list xattrs;
	struct archive_data data;
	struct pending_link *pending;
	size_t pending_count, pending_room;
	size_t link_count;
};

/*
 * Put a new entry at a path from an archive, with the folders above it. For a folder that is
 * there already, that one. The path "." is the root.
 */
INGOT_MUST_USE int ingot_archive_place(struct archive_builder *builder, const char *path,
				       uint32_t type, struct entry **ret, struct ingot_error *err);

/* *ret is NULL: nothing is there (yet). A path that may not be is an error. */
INGOT_MUST_USE int ingot_archive_lookup(struct archive_builder *builder, const char *path,
					struct entry **ret, struct ingot_error *err);

/* --- archive_link.c ---------------------------------------------------- */

/* A hard link whose file did not come before it. */
struct pending_link {
	struct entry *link;
	char *target;
	struct contents contents;
};

/* Another name of `target`; contents may come with it (cpio, pax). */
INGOT_MUST_USE int ingot_archive_link(struct archive_builder *builder, const char *path,
				      const char *target, const struct contents *contents,
				      struct ingot_error *err);
/* At the end: every link points at its file. */
INGOT_MUST_USE int ingot_archive_resolve_links(struct archive_builder *builder,
					       struct ingot_error *err);

void ingot_archive_set_contents(struct entry *file, const struct contents *contents);

#endif

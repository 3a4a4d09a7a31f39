/* What the files of the FAT writer share. Pure functions: nothing here reads or writes. */
#ifndef INGOT_FS_FAT_INTERNAL_H
#define INGOT_FS_FAT_INTERNAL_H

#include "fs/fat.h"

#define FAT_ENTRY_SIZE	  32	/* of a folder */
#define FAT_SHORT_NAME	  11	/* bytes: 8 and 3, padded with blanks, no dot */
#define FAT_NAME_UNITS	  255	/* UTF-16 units of a long name */
#define FAT_LONG_PIECE	  13	/* units in one entry of a long name */
#define FAT_FOLDER_MAX	  65536 /* entries, 2 MiB */
#define FAT_PATH_MAX	  4096	/* bytes */
#define FAT_MEDIA	  0xf8	/* a fixed disk */
#define FAT_FIRST_CLUSTER 2	/* on FAT32 that of the root */

enum {
	FAT_ATTR_LABEL = 0x08,
	FAT_ATTR_FOLDER = 0x10,
	FAT_ATTR_FILE = 0x20, /* "archive": what every writer sets */
	FAT_ATTR_LONG = 0x0f,
};

/* --- fat_layout.c: where things are ------------------------------------ */

struct fat_layout {
	unsigned bits; /* 32 or 16 */
	uint32_t sector_size;
	uint32_t cluster_size;	/* bytes */
	uint32_t sectors;	/* all */
	uint32_t reserved;	/* sectors before the first table */
	uint32_t table_sectors; /* of each of the two tables */
	uint32_t clusters;	/* numbered from 2 */
	uint32_t root_size;	/* bytes of FAT16's root, which has no clusters */
	uint64_t tables_at[2];	/* bytes */
	uint64_t table_size;	/* bytes */
	uint64_t root_at;	/* FAT16 */
	uint64_t clusters_at;	/* bytes */
};

INGOT_MUST_USE int ingot_fat_layout(uint64_t size, uint32_t sector_size, struct fat_layout *ret,
				    struct ingot_error *err);

static inline uint64_t fat_cluster_at(const struct fat_layout *layout, uint32_t cluster)
{
	return layout->clusters_at + (uint64_t)(cluster - FAT_FIRST_CLUSTER) * layout->cluster_size;
}

/* --- fat_names.c ------------------------------------------------------- */

struct fat_name {
	size_t count; /* units */
	uint16_t units[FAT_NAME_UNITS];
	uint8_t basis[FAT_SHORT_NAME]; /* the short name, before a tail */
	bool exact;		       /* basis is the name, but perhaps for its case */
	bool is_short;		       /* ... and its case: no long name needed */
};

/* One name out of a path, not terminated. */
INGOT_MUST_USE int ingot_fat_name(const char *text, size_t n, struct fat_name *ret,
				  struct ingot_error *err);

/* For comparison without case: each unit in upper case. */
void ingot_fat_name_fold(struct fat_name *name);

/* basis with "~number" in place of its end. */
void ingot_fat_tail(const uint8_t basis[FAT_SHORT_NAME], unsigned number,
		    uint8_t ret[FAT_SHORT_NAME]);

/* The number of 32-byte entries that the name takes, the short one included. */
unsigned ingot_fat_name_entries(const struct fat_name *name);

/* The entries of the long name, all but the short one, in the order they are stored. */
void ingot_fat_put_long(const struct fat_name *name, const uint8_t short_name[FAT_SHORT_NAME],
			uint8_t *entries);

/* 11 bytes, padded with blanks; NULL or "": the specification's "NO NAME    ". */
INGOT_MUST_USE int ingot_fat_label(const char *label, uint8_t ret[FAT_SHORT_NAME],
				   struct ingot_error *err);

/* --- fat_tree.c: the folders that the paths make ----------------------- */

struct fat_node {
	struct fat_node *parent; /* NULL: the root */
	struct fat_node *next;	 /* sibling, in byte order */
	struct fat_node *children, *last_child;
	const char *name;	      /* in the caller's path, name_size bytes */
	const char *path;	      /* of a file, for errors */
	struct ingot_source *content; /* NULL: a folder */
	uint8_t *bytes;		      /* of a folder: its entries, when placed */
	uint64_t size;		      /* bytes: of the content, or of the entries */
	size_t name_size;
	size_t child_count;
	uint32_t first, clusters; /* a run; first is 0 when there is none */
	uint8_t short_name[FAT_SHORT_NAME];
};

/* Everything lives in the arena. */
INGOT_MUST_USE int ingot_fat_tree(const struct ingot_fat_file *files, size_t count,
				  struct ingot_arena *arena, struct fat_node **ret,
				  struct ingot_error *err);

/* Walk: a folder, then its children, then its sibling. NULL at the end. */
struct fat_node *ingot_fat_next(const struct fat_node *node);

/* --- fat_short.c: short names for one folder, all different ------------ */

INGOT_MUST_USE int ingot_fat_short_names(struct fat_node *folder, struct ingot_error *err);

/* --- fat_place.c: clusters for everything, and the folders' bytes ------ */

struct fat_plan {
	struct fat_layout layout;
	struct ingot_fat_options options;
	uint8_t label[FAT_SHORT_NAME];
	bool has_label;
	struct ingot_arena arena;
	struct fat_node *root;
	struct fat_node **runs; /* what has clusters, in their order */
	size_t run_count;
	uint32_t used; /* clusters 2 .. 2 + used - 1 are taken, all others free */
};

/* layout, options, label and root are there. */
INGOT_MUST_USE int ingot_fat_place(struct fat_plan *plan, struct ingot_error *err);

/* --- fat_head.c: boot sector and what belongs to it -------------------- */

size_t ingot_fat_head_size(const struct fat_layout *layout);

/* Into zeroed bytes of that size. */
void ingot_fat_put_head(const struct fat_plan *plan, uint8_t *p);

#endif

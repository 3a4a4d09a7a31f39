/*
 * Partition layouts: which partitions a disk has, what is in them, how they are marked.
 * A layout is a YAML file; docs/layouts.md describes every key. Those in layouts/ are
 * built into the library and known by their name.
 *
 * Identifiers that a layout leaves open (`uuid` not given, labels with {name} and
 * {version}, identifiers from a root hash) are filled in by ingot_gpt_plan, disk/gpt.h.
 */
#ifndef INGOT_DISK_LAYOUT_H
#define INGOT_DISK_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/guid.h"
#include "base/problems.h"

#define INGOT_LAYOUT_NUMBER_MAX	 128 /* entries of the partition table */
#define INGOT_LAYOUT_LABEL_UNITS 36  /* UTF-16 units in a partition's name */

/* What `ingot build` puts into a partition. */
enum ingot_content {
	INGOT_CONTENT_NONE, /* nothing: it reads as zero */
	INGOT_CONTENT_ESP,
	INGOT_CONTENT_USR,
	INGOT_CONTENT_USR_VERITY,     /* the hash tree of usr */
	INGOT_CONTENT_USR_VERITY_SIG, /* the signature of its root hash */
	INGOT_CONTENT_USR_FEC,	      /* parity of usr and its hash tree */
	INGOT_CONTENT_ROOT,
	INGOT_CONTENT_OEM,
};

/* "usr-verity" and so on, as in the file. */
INGOT_API const char *ingot_content_name(enum ingot_content content);

enum ingot_filesystem {
	INGOT_FILESYSTEM_NONE,
	INGOT_FILESYSTEM_FAT32,
	INGOT_FILESYSTEM_EXT2,
	INGOT_FILESYSTEM_EXT4,
};

INGOT_API const char *ingot_filesystem_name(enum ingot_filesystem filesystem);

enum ingot_uuid_rule {
	INGOT_UUID_DERIVED,	    /* from the seed */
	INGOT_UUID_FIXED,	    /* as the layout says */
	INGOT_UUID_ROOT_HASH_FIRST, /* the first 16 bytes of the root hash */
	INGOT_UUID_ROOT_HASH_LAST,  /* the last 16 bytes */
};

struct ingot_layout_partition {
	unsigned number; /* 1 .. INGOT_LAYOUT_NUMBER_MAX */
	bool reserved;	 /* the number is kept, nothing is written; label and type may be missing */
	char *label;	 /* UTF-8, may contain {name} and {version}; NULL: none */
	struct ingot_guid type;
	enum ingot_uuid_rule uuid_rule;
	struct ingot_guid uuid; /* INGOT_UUID_FIXED */
	bool start_given;
	uint64_t start; /* bytes */
	bool rest;	/* what the others leave; size is 0 then */
	uint64_t size;	/* bytes */
	uint64_t attributes;
	enum ingot_content content;
	enum ingot_filesystem filesystem;
	bool verity_appended;	/* usr: its hash tree is in the same partition, behind the data */
	char *filesystem_label; /* NULL: none */
	size_t line, column;	/* in the layout's file */
};

struct ingot_layout {
	char *name, *description; /* description may be NULL */
	unsigned sector_size;	  /* 512 or 4096 */
	uint64_t alignment;	  /* bytes; of every start, and of the end of `rest` */
	uint64_t size;		  /* of the disk in bytes; 0: as large as its partitions need */
	bool disk_uuid_given;
	struct ingot_guid disk_uuid;
	struct ingot_layout_partition *partitions; /* by number, ascending */
	size_t count;
};

/*
 * A built-in layout by its name ("flatcar"), or a file: anything with a '/' in it or ".yaml" at its
 * end. `architecture` is "x86-64" or "arm64". Whatever is wrong in the file goes to the problems,
 * all of it, and the call returns -EINVAL; other failures only raise.
 */
INGOT_API INGOT_MUST_USE int ingot_layout_load(const char *name_or_path, const char *architecture,
					       struct ingot_problems *problems,
					       struct ingot_layout **ret, struct ingot_error *err);

/* The same from memory; `file` is its name in complaints. */
INGOT_API INGOT_MUST_USE int ingot_layout_parse(const char *file, const char *text, size_t size,
						const char *architecture,
						struct ingot_problems *problems,
						struct ingot_layout **ret, struct ingot_error *err);

INGOT_API void ingot_layout_free(struct ingot_layout *layout); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_layout, ingot_layout, ingot_layout_free)
#define INGOT_LAYOUT INGOT_CLEANUP(ingot_layout_cleanup)

/* The partition with that content, or NULL. Only INGOT_CONTENT_NONE can be there twice. */
INGOT_API const struct ingot_layout_partition *ingot_layout_find_content(
	const struct ingot_layout *layout, enum ingot_content content);

/* Names of the built-in layouts, i from 0; NULL at the end. */
INGOT_API const char *ingot_layout_builtin_name(size_t i);

/*
 * A label with {name} and {version} replaced; the caller frees it. An error: a wanted value is
 * NULL, something else stands in braces, or the result does not fit a partition's name. NULL gives
 * "".
 */
INGOT_API INGOT_MUST_USE int ingot_layout_expand_label(const char *label, const char *name,
						       const char *version, char **ret,
						       struct ingot_error *err);

#endif

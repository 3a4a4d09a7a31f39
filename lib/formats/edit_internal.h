/* What a format has to say for changes in place: where bytes are, and what depends on them. */
#ifndef INGOT_FORMATS_EDIT_INTERNAL_H
#define INGOT_FORMATS_EDIT_INTERNAL_H

#include "io/source.h"

/* --- changes of a file ------------------------------------------------- */

struct ingot_change {
	uint64_t at;
	size_t n;
	unsigned char *data;
};

struct ingot_changes {
	struct ingot_source *file; /* borrowed, as it is */
	uint64_t base;		   /* where offset 0 of the two functions below is in the file */
	struct ingot_change *items;
	size_t count, room;
};

INGOT_MUST_USE int ingot_changes_add(struct ingot_changes *changes, uint64_t at, const void *data,
				     size_t n, struct ingot_error *err);
/* The file as it will be. */
INGOT_MUST_USE int ingot_changes_read(const struct ingot_changes *changes, uint64_t at, void *data,
				      size_t n, struct ingot_error *err);
void ingot_changes_done(struct ingot_changes *changes);

/* --- formats ----------------------------------------------------------- */

/* So many bytes of the disk are one after the other in the file, or none of them as they are. */
struct ingot_place {
	uint64_t length;
	bool stored;
	uint64_t at; /* in the file, which they do not go past */
};

/* All take the source that the format's reader opened. */
struct ingot_edit_ops {
	int (*place)(struct ingot_source *disk, uint64_t offset, struct ingot_place *ret,
		     struct ingot_error *err);
	/*
	 * The checksum of the stored piece at that offset, as a change; *ret_end: where on the disk
	 * the piece ends. NULL: there is none.
	 */
	int (*seal)(struct ingot_source *disk, uint64_t offset, struct ingot_changes *changes,
		    uint64_t *ret_end, struct ingot_error *err);
	/* What depends on the whole file. NULL: nothing. */
	int (*finish)(struct ingot_source *disk, struct ingot_changes *changes,
		      struct ingot_error *err);
};

extern const struct ingot_edit_ops ingot_qcow2_edit, ingot_vmdk_edit, ingot_ova_edit,
	ingot_gce_edit, ingot_blocks_edit, ingot_vhd_edit;

/* A compressed file of ours, unit by unit; -EOPNOTSUPP: another's. As an open of a reader. */
INGOT_MUST_USE int ingot_gzip_units_open(struct ingot_source *file, struct ingot_source **ret,
					 struct ingot_error *err);
INGOT_MUST_USE int ingot_zst_units_open(struct ingot_source *file, struct ingot_source **ret,
					struct ingot_error *err);
/* Any xz file, which has an index. */
INGOT_MUST_USE int ingot_xz_open_own(struct ingot_source *file, struct ingot_source **ret,
				     struct ingot_error *err);
extern const struct ingot_edit_ops ingot_units_edit, ingot_xz_edit;

#endif

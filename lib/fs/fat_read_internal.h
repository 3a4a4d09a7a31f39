/* What the files of the FAT reader share. */
#ifndef INGOT_FS_FAT_READ_INTERNAL_H
#define INGOT_FS_FAT_READ_INTERNAL_H

#include "fs/fat_read.h"

#define FAT_TEXT_MAX (3 * 255 + 1) /* a name of 255 UTF-16 units as UTF-8 */

/* --- fat_read.c: the volume and its table ------------------------------ */

/* -EINVAL with these words. */
INGOT_MUST_USE int ingot_fat_corrupt(struct ingot_error *err, const char *what);

static inline bool fat_is_cluster(const struct ingot_fat_volume *v, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < v->cluster_count;
}

static inline uint64_t fat_cluster_offset(const struct ingot_fat_volume *v, uint32_t cluster)
{
	return v->data + (uint64_t)(cluster - 2) * v->cluster_size;
}

/* A stretch of the table, kept because most chains run on. Zero-initialised is empty. */
struct fat_window {
	uint64_t offset; /* in the source */
	size_t size;
	unsigned char bytes[1024];
};

/* What follows a cluster; *ret 0: it is the last. The cluster is one of the volume's. */
INGOT_MUST_USE int ingot_fat_next_cluster(const struct ingot_fat_volume *v,
					  struct fat_window *window, uint32_t cluster,
					  uint32_t *ret, struct ingot_error *err);

/* --- fat_read_name.c --------------------------------------------------- */

/* The pieces of a long name, as they come before the entry that they belong to. */
struct fat_long {
	uint16_t units[20 * 13];
	unsigned expected; /* number of the piece that has to come next */
	bool whole;	   /* all pieces were there */
	uint8_t checksum;
};

/* One more piece, or one that begins a new name. */
void ingot_fat_take_piece(struct fat_long *name, const unsigned char entry[32]);

/*
 * The name of an entry in UTF-8: the long one if it is whole and belongs to the entry, else the
 * short one. Never empty, "." or "..", without control characters and '/'. Returns its length.
 */
size_t ingot_fat_entry_name(const struct fat_long *name, const unsigned char entry[32],
			    char text[FAT_TEXT_MAX]);

#endif

/* What the parts of the FAT checker share. */
#ifndef INGOT_FS_FAT_CHECK_INTERNAL_H
#define INGOT_FS_FAT_CHECK_INTERNAL_H

#include "base/bytes.h"
#include "fs/fat_check.h"
#include "io/nonzero.h"

enum {
	FATC_ENTRY = 32,
	FATC_SHORT = 11,
	FATC_BOOT = 512, /* bytes of the boot sector that mean something */
};

struct fat_checker {
	struct ingot_source *source;
	struct ingot_problems *problems;
	bool ours;

	unsigned char boot[FATC_BOOT];
	unsigned bits;
	uint32_t sector_size, cluster_size, reserved, tables, table_sectors, sectors;
	uint32_t clusters; /* numbered from 2 */
	uint32_t root_entries, root_cluster;
	uint64_t table_at, table_size, root_at, clusters_at; /* bytes */

	unsigned char *table; /* the first one, whole */
	unsigned char *used;  /* a bit for a cluster number */
	uint32_t entries;
	bool has_label, has_stamp;
	unsigned char stamp[FATC_ENTRY]; /* the entry whose times all others have */

	struct ingot_fat_check seen;
};

/* --- fat_check.c ------------------------------------------------------- */

#define fatc_problem(c, ...) ingot_problem_say((c)->problems, __VA_ARGS__)
int fatc_zero(struct fat_checker *c, uint64_t offset, uint64_t n, const char *what,
	      struct ingot_error *err);

static inline bool fatc_is_cluster(const struct fat_checker *c, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < c->clusters;
}

static inline uint64_t fatc_cluster_at(const struct fat_checker *c, uint32_t cluster)
{
	return c->clusters_at + (uint64_t)(cluster - 2) * c->cluster_size;
}

/* --- fat_check_boot.c -------------------------------------------------- */

/* 1: the geometry makes no sense, nothing else can be checked. */
int fatc_check_boot(struct fat_checker *c, struct ingot_error *err);
/* Copies, FSInfo (when the free clusters are counted), reserved sectors. */
int fatc_check_reserved(struct fat_checker *c, struct ingot_error *err);

/* --- fat_check_table.c ------------------------------------------------- */

int fatc_load_table(struct fat_checker *c, struct ingot_error *err);
/* The number of a cluster in the table, without FAT32's upper four bits. */
uint32_t fatc_number(const struct fat_checker *c, uint32_t cluster);
bool fatc_is_end(const struct fat_checker *c, uint32_t number);
/*
 * The cluster belongs to `what` from now on, and *ret is the one behind it, 0: it is the last.
 * False, and a problem: it is outside, free, bad, or was taken.
 */
bool fatc_take(struct fat_checker *c, uint32_t cluster, const char *what, uint32_t *ret);
/* What nothing took: lost, or free and empty. */
int fatc_check_unused(struct fat_checker *c, struct ingot_error *err);

/* --- fat_check_folder.c ------------------------------------------------ */

int fatc_check_tree(struct fat_checker *c, struct ingot_error *err);

/* --- fat_check_name.c -------------------------------------------------- */

/* The pieces of a long name that came so far. */
struct fatc_long {
	unsigned next; /* the number that the next piece must have; 0: none may come */
	bool pending;  /* a short entry has to follow */
	uint8_t checksum;
	uint16_t units[20 * 13];
	unsigned count; /* pieces */
};

/* NULL, or what is wrong with the piece. */
const char *fatc_long_piece(struct fat_checker *c, struct fatc_long *name, const unsigned char *e);
/* NULL, or what is wrong with the long name of this short entry; and the name is done. */
const char *fatc_long_end(struct fatc_long *name, const unsigned char *e, uint64_t *ret_hash);
/* NULL, or what is wrong with a short name. */
const char *fatc_short_name(const unsigned char *e);
/* For people. */
size_t fatc_name_text(const unsigned char *e, char text[16]);

#endif

/* The entry of a name in a folder, found at once; only while an archive is read. */
#ifndef INGOT_TREE_NAMES_INTERNAL_H
#define INGOT_TREE_NAMES_INTERNAL_H

#include "tree/tree_internal.h"

/* Open addressing, at most half full. Zero-initialised, with a key, is empty. */
struct name_table {
	struct entry **slots;
	size_t size, count;
	uint64_t key;
};

/* NULL: there is none. */
struct entry *ingot_names_find(const struct name_table *table, const struct entry *folder,
			       const char *name, size_t length);
/* The entry is not in the table yet. */
INGOT_MUST_USE int ingot_names_add(struct name_table *table, struct entry *entry,
				   struct ingot_error *err);
void ingot_names_done(struct name_table *table);

#endif

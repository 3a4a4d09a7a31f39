/* The table of tables of a container: where its tables are. */
#ifndef INGOT_FORMATS_DIRECTORY_INTERNAL_H
#define INGOT_FORMATS_DIRECTORY_INTERNAL_H

#include "io/source.h"

struct ingot_directory {
	struct ingot_source *file;
	uint64_t offset; /* in the file, and so are all entries */
	size_t count;
	size_t entry_size; /* bytes */
	/* An entry as a place in the file; 0: there is no table. */
	int (*place)(const void *context, const unsigned char *entry, uint64_t *ret,
		     struct ingot_error *err);
	const void *context;
};

/* The places that there are, sorted; *ret_n of them. The caller frees *ret. */
INGOT_MUST_USE int ingot_directory_load(const struct ingot_directory *directory, uint64_t **ret,
					size_t *ret_n, struct ingot_error *err);

#endif

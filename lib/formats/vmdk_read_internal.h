/* A VMDK that is read: what vmdk_open.c found in its header, and vmdk_read.c goes by. */
#ifndef INGOT_FORMATS_VMDK_READ_INTERNAL_H
#define INGOT_FORMATS_VMDK_READ_INTERNAL_H

#include "formats/kept_internal.h"
#include "formats/vmdk_internal.h"

struct vmdk_source {
	struct ingot_source source;
	struct ingot_source *file;
	uint32_t flags, gtes;
	uint64_t grain;		/* bytes */
	uint64_t directory;	/* its place, bytes */
	uint64_t tables;	/* entries of the directory */
	struct ingot_kept kept; /* compressed grains, by their number on the disk */
};

extern const struct ingot_source_ops vmdk_source_ops;

/* Disk bytes behind a grain table. */
static inline uint64_t vmdk_table_span(const struct vmdk_source *v)
{
	return v->grain * v->gtes;
}

static inline bool vmdk_is_hole(const struct vmdk_source *v, uint32_t entry)
{
	return entry == 0 || (entry == 1 && v->flags & VMDK_FLAG_ZEROED);
}

/* A directory's entry as a place in the file; 0: there is no table. */
INGOT_MUST_USE int vmdk_table_place(const struct vmdk_source *v, uint32_t entry, uint64_t *ret,
				    struct ingot_error *err);

/* A hole of the file, the one found last: tables in it name no grains and need not be read. */
struct vmdk_file_hole {
	uint64_t start, end;
};
INGOT_MUST_USE int vmdk_table_is_empty(const struct vmdk_source *v, uint64_t table,
				       struct vmdk_file_hole *hole, bool *ret,
				       struct ingot_error *err);

#endif

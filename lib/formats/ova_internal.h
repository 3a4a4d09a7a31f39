/* An OVA, or a box, that is open: its members, and the disk in one of them. */
#ifndef INGOT_FORMATS_OVA_INTERNAL_H
#define INGOT_FORMATS_OVA_INTERNAL_H

#include "formats/ustar_internal.h"
#include "io/source.h"

struct ova_member {
	char name[USTAR_NAME_MAX + 1];
	uint64_t offset, size; /* of its bytes */
};

struct ova_source {
	struct ingot_source source;
	struct ingot_source *disk; /* what is in the member */
	struct ingot_source *file;
	struct ova_member member; /* the disk's */
};

/* The first file whose name ends so; -ENOENT: there is none. */
INGOT_MUST_USE int ingot_ova_find(struct ingot_source *file, const char *suffix,
				  struct ova_member *ret, struct ingot_error *err);

#endif

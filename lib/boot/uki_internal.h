/* What the planner and the writer of unified kernel images share. */
#ifndef INGOT_BOOT_UKI_INTERNAL_H
#define INGOT_BOOT_UKI_INTERNAL_H

#include "boot/uki.h"

/* "Section Flags" (PE Format) */
#define SECTION_CODE 0x00000020
#define SECTION_DATA 0x00000040
#define SECTION_READ 0x40000000

/* Where everything of the stub and of the new file is. */
struct uki_plan {
	struct ingot_pe pe;
	uint32_t headers_size;	     /* new */
	uint32_t raw_start, raw_end; /* of the stub's sections, in the stub */
	uint32_t moved;		     /* how far they move back */
	size_t count;		     /* new sections */
	struct ingot_pe_section *sections;
};

/* Checks the stub and the sections; count and room for so many sections are there. */
INGOT_MUST_USE int ingot_uki_plan(struct ingot_source *stub,
				  const struct ingot_uki_section *sections, struct uki_plan *plan,
				  struct ingot_error *err);

#endif

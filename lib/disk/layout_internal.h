/* What the files of the layout reader share. */
#ifndef INGOT_DISK_LAYOUT_INTERNAL_H
#define INGOT_DISK_LAYOUT_INTERNAL_H

#include "base/yaml.h"
#include "disk/layout.h"

/* A layout while it is read: what the rules need to know beside the values. */
struct ingot_layout_reader {
	const char *file;
	const char *architecture;
	struct ingot_problems *problems;
	struct ingot_layout *layout;
	bool sizes_ok;		 /* every number and size could be read: the disk can be placed */
	struct ingot_error *err; /* out of memory */
};

/* One partition of the list (layout_partition.c). Negative: out of memory. */
INGOT_MUST_USE int ingot_layout_read_partition(struct ingot_layout_reader *reader,
					       struct ingot_yaml_node node,
					       struct ingot_layout_partition *partition);

/* The `attributes` mapping to bits (layout_attributes.c). */
uint64_t ingot_layout_read_attributes(struct ingot_yaml_node node);

/* What concerns more than one partition (layout_rules.c). Negative: out of memory. */
INGOT_MUST_USE int ingot_layout_check(struct ingot_layout_reader *reader);

/* A copy of the text, NULL for an absent or unusable one. Negative: out of memory. */
INGOT_MUST_USE int ingot_layout_copy_text(struct ingot_yaml_node node, char **ret,
					  struct ingot_error *err);

/* Complain about a partition. */
void ingot_layout_problem(const struct ingot_layout_reader *reader,
			  const struct ingot_layout_partition *partition, const char *format, ...)
	INGOT_PRINTF(3, 4);

/* A built-in layout's text, NULL: no such name; made at build time from layouts/. */
struct ingot_builtin_layout {
	const char *name;
	const char *text;
	size_t size;
};
extern const struct ingot_builtin_layout ingot_builtin_layouts[]; /* ends with a NULL name */

#endif

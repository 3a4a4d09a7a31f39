/*
 * Partition type GUIDs that have a short name here: those of the UEFI specification and
 * of the Discoverable Partitions Specification (UAPI.2) that mean the same on every
 * architecture. All others are written out in the layouts.
 */
#ifndef INGOT_DISK_TYPE_H
#define INGOT_DISK_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/guid.h"

/* "esp" to its GUID; false: no such name. */
INGOT_API INGOT_MUST_USE bool ingot_partition_type(const char *name, struct ingot_guid *ret);

/*
 * What a type is called in a report: "esp", "usr (x86-64)", ...; NULL: not known. Knows more
 * GUIDs than ingot_partition_type does names.
 */
INGOT_API const char *ingot_partition_type_name(const struct ingot_guid *type);

/* All names, separated by ", ", for messages. */
INGOT_API const char *ingot_partition_type_names(void);

#endif

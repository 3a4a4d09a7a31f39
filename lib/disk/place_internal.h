#ifndef INGOT_DISK_PLACE_INTERNAL_H
#define INGOT_DISK_PLACE_INTERNAL_H

#include "disk/place.h"

/* As ingot_layout_place; *ret_culprit is the layout's entry that the error is about, or SIZE_MAX.
 */
INGOT_MUST_USE int ingot_layout_place_at(const struct ingot_layout *layout,
					 const struct ingot_place_options *options,
					 struct ingot_placement **ret, size_t *ret_culprit,
					 struct ingot_error *err);

#endif

/*
 * What is in a disk image, or in one partition of it, found by looking: nothing has to be
 * known about how it was made, and nothing in it is believed.
 *
 * The report is one JSON object; docs/inspect.md describes it.
 */
#ifndef INGOT_IMAGE_INSPECT_H
#define INGOT_IMAGE_INSPECT_H

#include <jansson.h>

#include "base/error.h"
#include "base/problems.h"
#include "io/source.h"

/*
 * Things that are wrong in the image go to the problems, and the report tells what can be
 * told. An error is only what keeps the file from being read. The caller owns *ret.
 */
INGOT_API INGOT_MUST_USE int ingot_inspect(struct ingot_source *image,
					   struct ingot_problems *problems, json_t **ret,
					   struct ingot_error *err);

#endif

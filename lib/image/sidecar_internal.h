/* What the makers of sidecars share. */
#ifndef INGOT_IMAGE_SIDECAR_INTERNAL_H
#define INGOT_IMAGE_SIDECAR_INTERNAL_H

#include <stdio.h>

#include "image/sidecar.h"

/* Names become parts of other people's configuration: one line of printable UTF-8, not empty. */
INGOT_MUST_USE int ingot_sidecar_check_names(const struct ingot_sidecar_machine *machine,
					     struct ingot_error *err);

/* The end of a text that was made with open_memstream: its pointer moves to *ret. */
INGOT_MUST_USE int ingot_sidecar_close(FILE *f, char **text, char **ret, struct ingot_error *err);

#endif

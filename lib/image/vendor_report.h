/* A vendor as one JSON object, for `ingot vendors`. */
#ifndef INGOT_IMAGE_VENDOR_REPORT_H
#define INGOT_IMAGE_VENDOR_REPORT_H

#include <jansson.h>

#include "image/vendor.h"

/*
 * Everything that the file says, with its defaults, and the kernel arguments as they come out:
 *
 *	name, summary, platform {ignition, flatcar}, architectures [],
 *	outputs [{format, suffix, sidecar}], disk {size, root_size, round} in bytes,
 *	consoles {x86-64 [], arm64 []}, arguments, kernel_arguments {x86-64, arm64},
 *	oem {release {}, files [{path, size, executable}]}, hardware {},
 *	checks [{check, of | size | firmware, format}], references []
 *
 * What is not given is left out. NULL: out of memory. The caller owns the object.
 */
INGOT_API json_t *ingot_vendor_report(const struct ingot_vendor *vendor);

#endif

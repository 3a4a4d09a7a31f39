/*
 * How a boot names a block device: "/dev/..." or a tag that udev makes a link for
 * (PARTUUID=, PARTLABEL=, UUID=, LABEL=), and the name of systemd's unit for it
 * (systemd.unit(5), "String Escaping for Inclusion in Unit Names").
 *
 * The names end up in files whose syntax gives blanks, quotes, '%' and '\' a meaning, so
 * only letters, digits and "/._:=+@-" are let in.
 */
#ifndef INGOT_BOOT_DEVICE_H
#define INGOT_BOOT_DEVICE_H

#include "base/error.h"

/* -EINVAL: not a device's name; `what` says whose, as in "data device". */
INGOT_API INGOT_MUST_USE int ingot_device_check(const char *device, const char *what,
						struct ingot_error *err);

/* "PARTUUID=AB.." to "/dev/disk/by-partuuid/ab..", a path as it is. The caller frees it. */
INGOT_API char *ingot_device_path(const char *device, struct ingot_error *err);

/* "/dev/mapper/a-b" and ".device" to "dev-mapper-a\x2db.device". The caller frees it. */
INGOT_API char *ingot_unit_name(const char *path, const char *suffix, struct ingot_error *err);

#endif

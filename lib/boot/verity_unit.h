/* The texts in an initrd segment. They come from values that initrd.c has checked. */
#ifndef INGOT_BOOT_VERITY_UNIT_H
#define INGOT_BOOT_VERITY_UNIT_H

#include "boot/initrd.h"

#define INGOT_VERITY_SIGNATURE_PATH "/etc/usr.p7s"

/* Whether the initrd's systemd needs the service instead of the line. */
bool ingot_verity_needs_unit(const struct ingot_initrd_verity *verity);

/* One line of /etc/veritytab. The caller frees it. */
char *ingot_veritytab_line(const struct ingot_initrd_verity *verity, struct ingot_error *err);

/* The service. The caller frees it. */
char *ingot_verity_unit(const struct ingot_initrd_verity *verity, struct ingot_error *err);

#endif

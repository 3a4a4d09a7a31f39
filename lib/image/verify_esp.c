/* The ESP's filesystem. */
#include <errno.h>

#include "image/verify_internal.h"

int check_esp(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	if (!v->esp)
		return row_not_applicable(row, "there is no ESP");
	if (!v->esp_read)
		return row_bad(row, "%s", v->esp_error.text);
	(void)err;
	return row_good(row, "FAT%u '%s'", v->volume.bits, v->volume.label);
}

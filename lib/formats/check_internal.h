/* What the checkers of containers share. */
#ifndef INGOT_FORMATS_CHECK_INTERNAL_H
#define INGOT_FORMATS_CHECK_INTERNAL_H

#include <stdbool.h>

#include "formats/check.h"

int ingot_qcow2_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		      struct ingot_error *err);
int ingot_vmdk_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err);
int ingot_vhd_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err);

/* The first finding is kept. */
void ingot_finding(char finding[INGOT_FORMAT_FINDING], const char *format, ...) INGOT_PRINTF(2, 3);

bool ingot_bytes_are_zero(const unsigned char *p, size_t n);

/* A finding if something in [from, to) is not zero. `what` names the stretch. */
INGOT_MUST_USE int ingot_find_nonzero(struct ingot_source *file, uint64_t from, uint64_t to,
				      const char *what, char finding[INGOT_FORMAT_FINDING],
				      struct ingot_error *err);

#endif

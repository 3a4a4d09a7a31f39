/* A file that grows at its end, through a buffer, and is patched in a few places. */
#ifndef INGOT_FORMATS_APPEND_INTERNAL_H
#define INGOT_FORMATS_APPEND_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "io/output.h"

struct ingot_append {
	int fd;
	const char *name;
	uint64_t base; /* where offset 0 is in the file; it may be set right after init */
	uint64_t end;  /* of what was appended, the buffer included */
	unsigned char *buffer;
	size_t used;
};

/* The output is borrowed and still empty. */
INGOT_MUST_USE int ingot_append_init(struct ingot_append *append, const struct ingot_output *output,
				     struct ingot_error *err);
void ingot_append_done(struct ingot_append *append);

INGOT_MUST_USE int ingot_append_bytes(struct ingot_append *append, const void *data, size_t n,
				      struct ingot_error *err);
/* Zeros up to a multiple of align, at most 64 KiB. */
INGOT_MUST_USE int ingot_append_align(struct ingot_append *append, size_t align,
				      struct ingot_error *err);
INGOT_MUST_USE int ingot_append_flush(struct ingot_append *append, struct ingot_error *err);
/* Over bytes that were appended before, wherever they are by now. */
INGOT_MUST_USE int ingot_append_patch(struct ingot_append *append, uint64_t offset,
				      const void *data, size_t n, struct ingot_error *err);

#endif

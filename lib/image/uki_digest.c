#include "image/uki_digest_internal.h"

#include <errno.h>
#include <string.h>

enum { STEP = 1024 * 1024 };

/* Bytes of the file from `start` to `end` that the digest is made of, one block after the other. */
static int add_range(struct ingot_source *uki, uint64_t start, uint64_t end, uint8_t *buffer,
		     size_t *used, struct ingot_sha256_state *state, struct ingot_error *err)
{
	while (start < end) {
		size_t n = (size_t)ingot_min(end - start, STEP - *used), whole;
		int rc = ingot_source_read(uki, start, buffer + *used, n, err);

		if (rc < 0)
			return rc;
		start += n;
		*used += n;
		whole = *used - *used % INGOT_SHA256_BLOCK;
		ingot_sha256_state_add(state, buffer, whole);
		*used -= whole;
		memmove(buffer, buffer + whole, *used);
	}
	return 0;
}

int uki_digest_front(struct ingot_source *uki, const struct ingot_pe_place *place, uint64_t end,
		     struct ingot_sha256_state *state, struct ingot_error *err)
{
	INGOT_FREE uint8_t *buffer = ingot_alloc_buffer(STEP, err);
	size_t used = 0;
	int rc;

	if (!buffer)
		return -ENOMEM;
	ingot_sha256_state_init(state);
	rc = add_range(uki, 0, place->checksum_offset, buffer, &used, state, err);
	if (rc == 0)
		rc = add_range(uki, place->checksum_offset + 4, place->entry_offset, buffer, &used,
			       state, err);
	if (rc == 0)
		rc = add_range(uki, place->entry_offset + 8, end, buffer, &used, state, err);
	return rc;
}

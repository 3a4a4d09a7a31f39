#include <errno.h>
#include <string.h>

#include "formats/edit_internal.h"

int ingot_changes_add(struct ingot_changes *changes, uint64_t at, const void *data, size_t n,
		      struct ingot_error *err)
{
	void *items = changes->items;
	struct ingot_change *change;
	int rc;

	if (!ingot_in_range(changes->base + at, n, changes->file->size))
		return ingot_raise(err, -EBADMSG, "%zu bytes at 0x%llx: not in the file", n,
				   (unsigned long long)(changes->base + at));
	rc = ingot_grow(&items, &changes->room, changes->count + 1, sizeof(*changes->items), err);
	changes->items = items;
	if (rc < 0)
		return rc;
	change = &changes->items[changes->count];
	*change = (struct ingot_change){.at = changes->base + at, .n = n};
	change->data = ingot_memdup(data, n, err);
	if (!change->data)
		return -ENOMEM;
	changes->count++;
	return 0;
}

/* The part of a change that lies in [at, at + n) goes over what was read there. */
static void overlay(const struct ingot_change *change, uint64_t at, unsigned char *data, size_t n)
{
	uint64_t start = ingot_max(change->at, at);
	uint64_t end = ingot_min(change->at + change->n, at + n);

	if (start < end)
		memcpy(data + (start - at), change->data + (start - change->at),
		       (size_t)(end - start));
}

int ingot_changes_read(const struct ingot_changes *changes, uint64_t at, void *data, size_t n,
		       struct ingot_error *err)
{
	int rc = ingot_source_read(changes->file, changes->base + at, data, n, err);

	for (size_t i = 0; rc == 0 && i < changes->count; i++)
		overlay(&changes->items[i], changes->base + at, data, n);
	return rc;
}

void ingot_changes_done(struct ingot_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		free(changes->items[i].data);
	free(changes->items);
	*changes = (struct ingot_changes){0};
}

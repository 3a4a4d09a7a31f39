#include "image/room_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "boot/pe_sign.h"
#include "fs/fat_read.h"

enum { CHECKSUM = 4 };

static int by_offset(const void *a, const void *b)
{
	const struct ingot_range *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int image_room_add(struct image_room *room, uint64_t offset, uint64_t length,
		   struct ingot_error *err)
{
	void *items = room->list;
	int rc = ingot_grow(&items, &room->room, room->count + 1, sizeof(*room->list), err);

	room->list = items;
	if (rc < 0)
		return rc;
	room->list[room->count++] = (struct ingot_range){offset, length};
	qsort(room->list, room->count, sizeof(*room->list), by_offset);
	return 0;
}

/* Bytes of the UKI, which may be in several pieces on the ESP. */
static int add_of_file(struct image_room *room, const struct image_room_uki *uki, uint64_t offset,
		       uint64_t n, struct ingot_error *err)
{
	int rc = 0;

	if (!ingot_in_range(offset, n, uki->file->size))
		return ingot_raise(err, -EINVAL, "a signature would be outside the UKI");
	while (rc == 0 && n > 0) {
		uint64_t length, at = ingot_fat_file_place(uki->file, offset, &length);

		length = ingot_min(length, n);
		rc = image_room_add(room, uki->start + at, length, err);
		offset += length;
		n -= length;
	}
	return rc;
}

int image_room_add_uki(struct image_room *room, const struct image_room_uki *uki,
		       struct ingot_error *err)
{
	struct ingot_pe_place place;
	int rc = add_of_file(room, uki, uki->signature_offset, uki->signature_size, err);

	if (rc < 0 || !uki->secure_boot)
		return rc;
	rc = ingot_pe_place_read(uki->file, &place, err);
	if (rc == 0)
		rc = add_of_file(room, uki, place.checksum_offset, CHECKSUM, err);
	return rc < 0 ? rc : add_of_file(room, uki, place.table_offset, place.table_size, err);
}

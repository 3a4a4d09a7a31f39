/*
 * Where signatures stand on a disk. What is made of the disk keeps these bytes as they are, so that
 * attaching can write over them; of an image that is signed at once as well, because both have to
 * be the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/pe.h"
#include "boot/pe_sign.h"
#include "image/build_internal.h"
#include "image/esp_file_internal.h"

enum { SEGMENT_MAX = 1024 * 1024, CHECKSUM = 4 };

static int by_offset(const void *a, const void *b)
{
	const struct ingot_range *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int room_add(struct build *b, uint64_t offset, uint64_t length, struct ingot_error *err)
{
	struct build_room *room = &b->room;
	void *items = room->list;
	int rc = ingot_grow(&items, &room->room, room->count + 1, sizeof(*room->list), err);

	room->list = items;
	if (rc < 0)
		return rc;
	room->list[room->count++] = (struct ingot_range){offset, length};
	qsort(room->list, room->count, sizeof(*room->list), by_offset);
	return 0;
}

int uki_find_signature(const struct build *b, const struct esp *esp, struct uki_signature *ret,
		       struct ingot_error *err)
{
	const struct ingot_pe_section *section;
	INGOT_FREE char *segment = NULL;
	struct ingot_pe pe;
	const char *found;
	size_t n;
	int rc = ingot_pe_read(esp->uki, &pe, err);

	if (rc == 0)
		rc = ingot_source_load(esp->segment, SEGMENT_MAX, &segment, &n, err);
	if (rc < 0)
		return rc;
	section = ingot_pe_section_find(&pe, ".initrd");
	found = memmem(segment, n, b->root.signature, b->root.signature_size);
	if (!section || !found)
		return ingot_raise(err, -EINVAL, "the signature is not in the initrd");
	ret->segment = section->raw_offset + esp->initrd->size - ingot_round_up(n, 4);
	ret->offset = ret->segment + (uint64_t)(found - segment);
	return 0;
}

/* Bytes of the UKI, which may be in several pieces on the ESP. */
static int add_of_file(struct build *b, struct ingot_source *file, uint64_t offset, uint64_t n,
		       struct ingot_error *err)
{
	int rc = 0;

	if (!ingot_in_range(offset, n, file->size))
		return ingot_raise(err, -EINVAL, "a signature would be outside the UKI");
	while (rc == 0 && n > 0) {
		uint64_t length, at = ingot_fat_file_place(file, offset, &length);

		length = ingot_min(length, n);
		rc = room_add(b, b->esp_place->start + at, length, err);
		offset += length;
		n -= length;
	}
	return rc;
}

static int add_places(struct build *b, const struct esp *esp, struct ingot_source *file,
		      struct ingot_error *err)
{
	struct uki_signature signature;
	struct ingot_pe_place place;
	int rc = uki_find_signature(b, esp, &signature, err);

	if (rc == 0)
		rc = add_of_file(b, file, signature.offset, b->root.signature_size, err);
	if (rc < 0 || !esp->signed_uki)
		return rc;
	rc = ingot_pe_place_read(esp->signed_uki, &place, err);
	if (rc == 0)
		rc = add_of_file(b, file, place.checksum_offset, CHECKSUM, err);
	return rc < 0 ? rc : add_of_file(b, file, place.table_offset, place.table_size, err);
}

int room_add_esp(struct build *b, const struct esp *esp, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct ingot_fat_volume volume;
	int rc;

	if (!b->root.signature || !esp->uki)
		return 0;
	rc = esp_file_find(esp->fat, build_uki_path(b), &volume, &file, err);
	if (rc == 0 && !file)
		return ingot_raise(err, -EINVAL, "the UKI is not on the ESP");
	return rc < 0 ? rc : add_places(b, esp, file, err);
}

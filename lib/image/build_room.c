/*
 * Where signatures stand on a disk. What is made of the disk keeps these bytes as they are, so that
 * attaching can write over them; of an image that is signed at once as well, because both have to
 * be the same.
 */
#include <errno.h>
#include <string.h>

#include "boot/pe.h"
#include "image/build_internal.h"
#include "image/esp_file_internal.h"

enum { SEGMENT_MAX = 1024 * 1024 };

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

int room_add_esp(struct build *b, const struct esp *esp, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct image_room_uki uki = {.start = b->esp_place->start,
				     .signature_size = b->root.signature_size,
				     .secure_boot = esp->signed_uki};
	struct uki_signature signature;
	struct ingot_fat_volume volume;
	int rc;

	if (!b->root.signature || !esp->uki)
		return 0;
	rc = esp_file_find(esp->fat, build_uki_path(b), &volume, &file, err);
	if (rc == 0 && !file)
		return ingot_raise(err, -EINVAL, "the UKI is not on the ESP");
	if (rc == 0)
		rc = uki_find_signature(b, esp, &signature, err);
	if (rc < 0)
		return rc;
	uki.file = file;
	uki.signature_offset = signature.offset;
	return image_room_add_uki(&b->room, &uki, err);
}

/* The places of signatures on a disk that is only looked at. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "boot/initrd_read.h"
#include "boot/pe.h"
#include "disk/gpt.h"
#include "fs/fat_read.h"
#include "image/esp_file_internal.h"
#include "image/room_internal.h"
#include "verity/signature_partition.h"

enum { PROGRAMS_MAX = 16, PARTITIONS_MAX = 1024 };

/* What is not as a build makes it is no place for a signature; only these two end the search. */
static bool is_fatal(int rc)
{
	return rc == -ENOMEM || rc == -EIO;
}

/* --- a UKI ------------------------------------------------------------- */

/* Where the root hash's signature stands in the archive; false: nowhere. */
static bool find_member(const struct ingot_initrd_archive *archive, uint64_t *ret, size_t *ret_n)
{
	for (size_t i = archive->count; i-- > 0;) {
		const struct ingot_initrd_member *m = &archive->members[i];

		if (strcmp(m->path, "etc/usr.p7s") != 0 || m->size == 0)
			continue;
		*ret = archive->offset + (uint64_t)(m->data - archive->bytes);
		*ret_n = m->size;
		return true;
	}
	return false;
}

static int find_signature(struct image_room_uki *uki, const struct ingot_pe *pe, bool *found,
			  struct ingot_error *err)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(pe, ".initrd");
	INGOT_SOURCE struct ingot_source *initrd = NULL;
	struct ingot_initrd_archive archive = {0};
	uint64_t at = 0;
	size_t n = 0;
	int rc;

	*found = false;
	if (!section)
		return 0;
	rc = ingot_pe_section_source(uki->file, section, &initrd, err);
	if (rc == 0)
		rc = ingot_initrd_last(initrd, &archive, err);
	*found = rc == 0 && find_member(&archive, &at, &n);
	uki->signature_offset = section->raw_offset + at;
	uki->signature_size = n;
	ingot_initrd_archive_done(&archive);
	return rc;
}

static int try_program(struct image_room *room, struct ingot_source *file, uint64_t start,
		       struct ingot_error *err)
{
	struct image_room_uki uki = {.file = file, .start = start};
	struct ingot_error why = {0};
	struct ingot_pe pe;
	bool found = false;
	int rc = ingot_pe_read(file, &pe, &why);

	if (rc == 0)
		rc = find_signature(&uki, &pe, &found, &why);
	if (is_fatal(rc))
		return ingot_raise(err, rc, "%s", why.text);
	if (!found)
		return 0;
	uki.secure_boot = pe.certificates_size > 0;
	return image_room_add_uki(room, &uki, err);
}

/* --- an ESP ------------------------------------------------------------ */

struct esp_search {
	struct image_room *room;
	struct ingot_fat_volume volume;
	uint64_t start;
	unsigned programs;
};

static int visit(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct esp_search *s = context;
	INGOT_SOURCE struct ingot_source *file = NULL;
	int rc;

	if (entry->folder || !esp_is_program(entry->path))
		return 0;
	if (s->programs++ == PROGRAMS_MAX)
		return ingot_raise(err, -E2BIG, "more EFI programs than are looked into");
	rc = ingot_fat_file_source(&s->volume, entry, &file, err);
	return rc < 0 ? rc : try_program(s->room, file, s->start, err);
}

static int try_esp(struct image_room *room, struct ingot_source *part, uint64_t start,
		   struct ingot_error *err)
{
	struct esp_search search = {.room = room, .start = start};
	int rc = ingot_fat_open(part, &search.volume, err);

	if (rc == -ENODATA || rc == -EINVAL)
		return 0;
	return rc < 0 ? rc : ingot_fat_walk(&search.volume, visit, &search, err);
}

/* --- the partition of the signature ------------------------------------ */

/* One object of JSON from the start on; its last byte is followed by zeros. */
static int try_signature(struct image_room *room, struct ingot_source *part, uint64_t start,
			 struct ingot_error *err)
{
	static const char head[] = "{\"rootHash\":\"";
	char found[sizeof(head) - 1];
	INGOT_FREE uint8_t *text = NULL;
	size_t n = (size_t)ingot_min(part->size, INGOT_VERITY_SIGNATURE_MAX);
	int rc;

	if (part->size < sizeof(found))
		return 0;
	rc = ingot_source_read(part, 0, found, sizeof(found), err);
	if (rc < 0 || memcmp(found, head, sizeof(found)) != 0)
		return rc;
	text = ingot_alloc(n, 1, err);
	rc = text ? ingot_source_read(part, 0, text, n, err) : -ENOMEM;
	if (rc < 0)
		return rc;
	while (text[n - 1] == 0)
		n--;
	n = ingot_round_up(n, INGOT_VERITY_SIGNATURE_ALIGN);
	return image_room_add(room, start, ingot_min(n, part->size), err);
}

/* --- the disk ---------------------------------------------------------- */

static int find_all(struct ingot_source *disk, const struct ingot_gpt *gpt, struct image_room *room,
		    struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < gpt->count && i < PARTITIONS_MAX; i++) {
		const struct ingot_gpt_partition *p = &gpt->partitions[i];
		INGOT_SOURCE struct ingot_source *part = NULL;

		rc = ingot_source_part(disk, p->start, p->size, &part, err);
		if (rc == 0)
			rc = try_esp(room, part, p->start, err);
		if (rc == 0)
			rc = try_signature(room, part, p->start, err);
	}
	return rc;
}

/* Overlapping partitions give overlapping ranges, which no build makes. */
static bool are_apart(const struct image_room *room)
{
	for (size_t i = 1; i < room->count; i++)
		if (room->list[i].offset - room->list[i - 1].offset < room->list[i - 1].length)
			return false;
	return true;
}

int ingot_image_room(struct ingot_source *disk, struct ingot_range **ret, size_t *ret_count,
		     struct ingot_error *err)
{
	struct ingot_problems complaints = {0};
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	struct image_room room = {0};
	int rc = ingot_gpt_read(disk, &complaints, &gpt, err);

	ingot_problems_done(&complaints);
	if (rc == 0)
		rc = find_all(disk, gpt, &room, err);
	if (rc == 0 && room.count == 0)
		rc = ingot_raise(err, -ENODATA, "there is no place for a signature");
	if (rc == 0 && !are_apart(&room))
		rc = ingot_raise(err, -EINVAL, "places of signatures overlap");
	if (rc < 0) {
		free(room.list);
		return rc;
	}
	*ret = room.list;
	*ret_count = room.count;
	return 0;
}

#include "tamper.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t section_at(const struct image *image, const char *name)
{
	const struct ingot_pe_section *s = ingot_pe_section_find(&image->pe, name);

	return image->uki && s ? image->uki + s->raw_offset : NOWHERE;
}

static uint64_t section_end(const struct image *image, const char *name)
{
	const struct ingot_pe_section *s = ingot_pe_section_find(&image->pe, name);

	return image->uki && s ? image->uki + s->raw_offset + s->virtual_size : NOWHERE;
}

static uint64_t section_entry(const struct image *image, const char *name)
{
	const struct ingot_pe_section *s = ingot_pe_section_find(&image->pe, name);

	return image->uki && s ? image->uki + image->pe.table_offset +
					 (uint64_t)(s - image->pe.sections) * 40
			       : NOWHERE;
}

/* Of a member of the initrd's archive: its header, or its data. */
static uint64_t member_at(const struct image *image, const char *path, bool data)
{
	const struct ingot_initrd_archive *a = &image->archive;

	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->members[i].path, path) == 0)
			return image->initrd + a->offset +
			       (uint64_t)((data ? a->members[i].data : a->members[i].path - 110) -
					  a->bytes);
	return NOWHERE;
}

/* The first place of some words at or behind `from` on the disk. */
static uint64_t words_at(const struct image *image, uint64_t from, uint64_t size, const char *words)
{
	struct ingot_error err;
	char *text = malloc((size_t)size), *found;
	uint64_t at = NOWHERE;

	assert(text);
	must(ingot_source_read(image->disk, from, text, (size_t)size, &err), &err);
	found = memmem(text, (size_t)size, words, strlen(words));
	if (found)
		at = from + (uint64_t)(found - text);
	free(text);
	return at;
}

static uint64_t in_cmdline(const struct image *image, const char *words)
{
	uint64_t at = section_at(image, ".cmdline");

	return at == NOWHERE ? at : words_at(image, at, section_end(image, ".cmdline") - at, words);
}

static uint64_t part_at(const struct ingot_gpt_partition *p)
{
	return p ? p->start : NOWHERE;
}

/* The words' part behind the colon, if they begin with this; NULL: they do not. */
static const char *behind(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

static bool is(const char *name, const char *word)
{
	return strcmp(name, word) == 0;
}

/* Each of these: whether the name is one of its own. */
static bool disk_base(const struct image *image, const char *name, uint64_t *ret)
{
	static const char *const second[] = {"USR-B", NULL};
	uint64_t sector = image->gpt->sector_size, end = image->gpt->disk_size;

	if (is(name, "disk"))
		*ret = 0;
	else if (is(name, "primary"))
		*ret = sector;
	else if (is(name, "entries"))
		*ret = 2 * sector;
	else if (is(name, "usable"))
		*ret = 2 * sector + 16384;
	else if (is(name, "backup-entries"))
		*ret = end - sector - 16384;
	else if (is(name, "backup"))
		*ret = end - sector;
	else if (is(name, "root"))
		*ret = part_at(image->root);
	else if (is(name, "oem"))
		*ret = part_at(image->oem);
	else if (is(name, "empty"))
		*ret = image->hash ? NOWHERE : part_at(find_partition(image, second));
	else
		return false;
	return true;
}

static bool esp_base(const struct image *image, const char *name, uint64_t *ret)
{
	uint64_t esp = image->esp->start, table = esp + image->volume.table,
		 files = esp + image->volume.data;

	if (is(name, "esp"))
		*ret = esp;
	else if (is(name, "fat1"))
		*ret = table;
	else if (is(name, "fat2"))
		*ret = table + (files - table) / 2;
	else if (is(name, "files"))
		*ret = files;
	else
		return false;
	return true;
}

static bool uki_base(const struct image *image, const char *name, uint64_t *ret)
{
	const char *argument;

	if (is(name, "uki"))
		*ret = image->uki;
	else if (is(name, "uki-end"))
		*ret = image->uki + image->uki_size;
	else if (is(name, "coff"))
		*ret = image->uki + image->pe.coff_offset;
	else if (is(name, "optional"))
		*ret = image->uki + image->pe.optional_offset;
	else if ((argument = behind(name, "entry:")))
		*ret = section_entry(image, argument);
	else if ((argument = behind(name, "section:")))
		*ret = section_at(image, argument);
	else if ((argument = behind(name, "section-end:")))
		*ret = section_end(image, argument);
	else if ((argument = behind(name, "cmdline:")))
		*ret = in_cmdline(image, argument);
	else if ((argument = behind(name, "header:")))
		*ret = member_at(image, argument, false);
	else if ((argument = behind(name, "member:")))
		*ret = member_at(image, argument, true);
	else
		return false;
	if (!image->uki)
		*ret = NOWHERE;
	return true;
}

static bool usr_base(const struct image *image, const char *name, uint64_t *ret)
{
	const struct ingot_verity_geometry *g = &image->geometry;
	const char *words = behind(name, "signature:");

	if (is(name, "usr"))
		*ret = part_at(image->usr);
	else if (is(name, "superblock"))
		*ret = image->superblock;
	else if (is(name, "level0"))
		*ret = image->tree_base + g->levels[0].offset;
	else if (is(name, "top"))
		*ret = image->tree_base + g->levels[g->level_count - 1].offset;
	else if (is(name, "tree-end"))
		*ret = image->tree_base + g->end;
	else if (is(name, "signature"))
		*ret = part_at(image->signature);
	else if (words)
		*ret = image->signature ? words_at(image, image->signature->start, 4096, words)
					: NOWHERE;
	else
		return false;
	return true;
}

uint64_t base(const struct image *image, const char *name)
{
	uint64_t at;

	if (disk_base(image, name, &at) || esp_base(image, name, &at) ||
	    uki_base(image, name, &at) || usr_base(image, name, &at))
		return at;
	fprintf(stderr, "tamper: no base '%s'\n", name);
	exit(2);
}

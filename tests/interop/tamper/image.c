#include "tamper.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/format.h"
#include "verity/superblock.h"

void must(int rc, const struct ingot_error *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "tamper: %s\n", err->text);
	exit(2);
}

const struct ingot_gpt_partition *find_partition(const struct image *image,
						 const char *const *labels)
{
	for (; *labels; labels++)
		for (size_t i = 0; i < image->gpt->count; i++) {
			const char *name = image->gpt->partitions[i].name;
			size_t n = strlen(name), m = strlen(*labels);

			if (n >= m && strcmp(name + n - m, *labels) == 0)
				return &image->gpt->partitions[i];
		}
	return NULL;
}

static int visit(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct image *image = context;

	(void)err;
	if (entry->folder || !strstr(entry->path, ".EFI"))
		return 0;
	/* Our volumes are contiguous. */
	image->uki = image->esp->start + image->volume.data +
		     (uint64_t)(entry->cluster - 2) * image->volume.cluster_size;
	image->uki_size = entry->size;
	return 0;
}

static void find_uki(struct image *image)
{
	struct ingot_source *esp, *uki, *initrd;
	const struct ingot_pe_section *section;
	struct ingot_error err;

	must(ingot_source_part(image->disk, image->esp->start, image->esp->size, &esp, &err), &err);
	must(ingot_fat_open(esp, &image->volume, &err), &err);
	must(ingot_fat_walk(&image->volume, visit, image, &err), &err);
	if (!image->uki)
		return;
	must(ingot_source_part(image->disk, image->uki, image->uki_size, &uki, &err), &err);
	must(ingot_pe_read(uki, &image->pe, &err), &err);
	section = ingot_pe_section_find(&image->pe, ".initrd");
	assert(section);
	must(ingot_pe_section_source(uki, section, &initrd, &err), &err);
	image->initrd = image->uki + section->raw_offset;
	image->initrd_size = initrd->size;
	must(ingot_initrd_last(initrd, &image->archive, &err), &err);
	ingot_source_free(initrd);
	ingot_source_free(uki);
	ingot_source_free(esp);
}

static void find_tree(struct image *image)
{
	const struct ingot_gpt_partition *p = image->hash ? image->hash : image->usr;
	struct ingot_verity_superblock superblock;
	struct ingot_source *part;
	struct ingot_error err;
	uint64_t offset = 0;

	must(ingot_source_part(image->disk, p->start, p->size, &part, &err), &err);
	while (!image->hash && ingot_verity_superblock_read(part, offset, &superblock, NULL) < 0)
		offset += 4096;
	must(ingot_verity_superblock_read(part, offset, &superblock, &err), &err);
	must(ingot_verity_geometry(&superblock.params, superblock.data_blocks, offset,
				   &image->geometry, &err),
	     &err);
	image->tree_base = p->start;
	image->superblock = p->start + offset;
	ingot_source_free(part);
}

void image_find(struct image *image)
{
	static const char *const esp[] = {"EFI-SYSTEM", "esp", NULL};
	static const char *const usr[] = {"USR-A", "_1", NULL};
	static const char *const hash[] = {"_verity", NULL}, *const sig[] = {"_verity_sig", NULL};
	static const char *const root[] = {"ROOT", "root", NULL}, *const oem[] = {"OEM", NULL};
	struct ingot_problems complaints = {0};
	struct ingot_source *view;
	struct ingot_error err;
	const char *format;

	must(ingot_source_part(image->flip.below, 0, image->flip.below->size, &view, &err), &err);
	must(ingot_format_open_source(view, &format, &image->disk, &err), &err);
	image->raw = strcmp(format, "raw") == 0;
	must(ingot_gpt_read(image->disk, &complaints, &image->gpt, &err), &err);
	ingot_problems_done(&complaints);
	image->esp = find_partition(image, esp);
	image->usr = find_partition(image, usr);
	image->hash = find_partition(image, hash);
	image->signature = find_partition(image, sig);
	image->root = find_partition(image, root);
	image->oem = find_partition(image, oem);
	assert(image->esp && image->usr);
	find_uki(image);
	find_tree(image);
}

void image_done(struct image *image)
{
	ingot_initrd_archive_done(&image->archive);
	free(image->gpt);
	ingot_source_free(image->disk);
	flip_done(&image->flip);
	json_decref((json_t *)(uintptr_t)image->options.manifest);
}

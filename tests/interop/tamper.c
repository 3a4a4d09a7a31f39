/*
 * One byte of an image changed, at a named place or at random ones, and `ingot verify` has to say
 * no, with the check that it belongs to. The image is not copied: a source gives the changed byte.
 *
 *	tamper IMAGE CERTIFICATE MANIFEST|- COUNT SEED
 *
 * First the untouched image must pass. Then every place of the table that the image has; then
 * COUNT random bytes of what is not a hole. Prints a line for each named place, a summary of the
 * random ones, and ends with "N passed, M failed".
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/initrd_read.h"
#include "boot/pe.h"
#include "disk/gpt.h"
#include "formats/format.h"
#include "fs/ext_info.h"
#include "fs/fat_read.h"
#include "image/verify.h"
#include "io/pool.h"
#include "verity/geometry.h"
#include "verity/superblock.h"

static unsigned passed, failed;

/* --- an image with one byte changed ------------------------------------ */

struct overlay {
	struct ingot_source source;
	struct ingot_source *below;
	uint64_t at;
	uint8_t flip; /* 0: nothing is changed */
};

static int overlay_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	struct overlay *o = (struct overlay *)source;
	int rc = ingot_source_read(o->below, offset, data, n, err);

	if (rc == 0 && o->at >= offset && o->at - offset < n)
		((uint8_t *)data)[o->at - offset] ^= o->flip;
	return rc;
}

/* A changed byte in a hole is none of it any more. */
static int overlay_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			  struct ingot_error *err)
{
	struct overlay *o = (struct overlay *)source;
	int rc = ingot_source_extent(o->below, offset, ret, err);

	if (rc < 0 || !ret->hole || !o->flip || o->at < offset || o->at - offset >= ret->length)
		return rc;
	if (o->at == offset)
		*ret = (struct ingot_extent){.length = 1};
	else
		ret->length = o->at - offset;
	return 0;
}

static const struct ingot_source_ops OVERLAY_OPS = {overlay_read, overlay_extent, NULL};

/* --- the image's places ------------------------------------------------ */

struct image {
	struct overlay overlay;
	struct ingot_verify_options options;
	bool raw;
	struct ingot_source *disk; /* of the untouched container */
	struct ingot_gpt *gpt;
	struct ingot_fat_volume volume;
	uint64_t uki, uki_size; /* on the disk */
	struct ingot_pe pe;
	uint64_t initrd, initrd_size;
	struct ingot_initrd_archive archive;
	const struct ingot_gpt_partition *esp, *usr, *hash, *signature, *root, *oem;
	uint64_t superblock; /* on the disk */
	struct ingot_verity_geometry geometry;
	uint64_t tree_base; /* what the geometry's offsets count from */
};

static void must(int rc, const struct ingot_error *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "tamper: %s\n", err->text);
	exit(2);
}

static const struct ingot_gpt_partition *find_partition(const struct image *image,
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

static void find_all(struct image *image)
{
	static const char *const esp[] = {"EFI-SYSTEM", "esp", NULL};
	static const char *const usr[] = {"USR-A", "_1", NULL};
	static const char *const hash[] = {"_verity", NULL}, *const sig[] = {"_verity_sig", NULL};
	static const char *const root[] = {"ROOT", "root", NULL}, *const oem[] = {"OEM", NULL};
	struct ingot_problems complaints = {0};
	struct ingot_source *view;
	struct ingot_error err;
	const char *format;

	must(ingot_source_part(image->overlay.below, 0, image->overlay.below->size, &view, &err),
	     &err);
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

/* --- bases of the table ------------------------------------------------ */

#define NOWHERE UINT64_MAX

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

static uint64_t base(const struct image *image, const char *name)
{
	unsigned sector = image->gpt->sector_size;
	uint64_t end = image->gpt->disk_size, fat = image->esp->start + image->volume.table;
	const struct ingot_verity_geometry *g = &image->geometry;
	const char *argument = strchr(name, ':');
	uint64_t table_size = (image->volume.data - image->volume.table) / 2;

	if (!argument)
		argument = "";
	else
		argument++;
#define IS(word) (strncmp(name, word, strlen(word)) == 0)
	if (IS("disk"))
		return 0;
	if (IS("primary"))
		return sector;
	if (IS("entries"))
		return 2 * (uint64_t)sector;
	if (IS("backup-entries"))
		return end - sector - 16384;
	if (IS("backup"))
		return end - sector;
	if (IS("usable"))
		return 2 * (uint64_t)sector + 16384;
	if (IS("esp"))
		return image->esp->start;
	if (IS("fat1"))
		return fat;
	if (IS("fat2"))
		return fat + table_size;
	if (IS("files"))
		return image->esp->start + image->volume.data;
	if (IS("uki-end"))
		return image->uki ? image->uki + image->uki_size : NOWHERE;
	if (IS("uki"))
		return image->uki ? image->uki : NOWHERE;
	if (IS("coff"))
		return image->uki ? image->uki + image->pe.coff_offset : NOWHERE;
	if (IS("optional"))
		return image->uki ? image->uki + image->pe.optional_offset : NOWHERE;
	if (IS("entry:"))
		return section_entry(image, argument);
	if (IS("section:"))
		return section_at(image, argument);
	if (IS("section-end:"))
		return section_end(image, argument);
	if (IS("cmdline:"))
		return in_cmdline(image, argument);
	if (IS("header:"))
		return member_at(image, argument, false);
	if (IS("member:"))
		return member_at(image, argument, true);
	if (IS("usr"))
		return part_at(image->usr);
	if (IS("empty"))
		return image->hash ? NOWHERE
				   : part_at(find_partition(image,
							    (const char *const[]){"USR-B", NULL}));
	if (IS("superblock"))
		return image->superblock;
	if (IS("level0"))
		return image->tree_base + g->levels[0].offset;
	if (IS("top"))
		return image->tree_base + g->levels[g->level_count - 1].offset;
	if (IS("tree-end"))
		return image->tree_base + g->end;
	if (IS("signature:"))
		return image->signature ? words_at(image, image->signature->start, 4096, argument)
					: NOWHERE;
	if (IS("signature"))
		return part_at(image->signature);
	if (IS("root"))
		return part_at(image->root);
	if (IS("oem"))
		return part_at(image->oem);
#undef IS
	fprintf(stderr, "tamper: no base '%s'\n", name);
	exit(2);
}

/* --- the table --------------------------------------------------------- */

/*
 * What is changed, where, by which bits, and which check has to say no: one of these names. A
 * manifest is not needed for any of them.
 */
static const struct place {
	const char *what, *base;
	uint64_t offset;
	uint8_t flip;
	const char *checks;
} PLACES[] = {
	{"MBR: boot code", "disk", 0, 0x01, "gpt.mbr"},
	{"MBR: disk signature", "disk", 440, 0x10, "gpt.mbr"},
	{"MBR: boot flag", "disk", 446, 0x80, "gpt.mbr"},
	{"MBR: first cylinder", "disk", 448, 0x01, "gpt.mbr"},
	{"MBR: type", "disk", 450, 0x01, "gpt.mbr"},
	{"MBR: last head", "disk", 451, 0x01, "gpt.mbr"},
	{"MBR: first sector", "disk", 454, 0x02, "gpt.mbr"},
	{"MBR: number of sectors", "disk", 458, 0x01, "gpt.mbr"},
	{"MBR: second entry", "disk", 466, 0x01, "gpt.mbr"},
	{"MBR: signature", "disk", 511, 0x40, "gpt.mbr"},
	{"GPT: signature", "primary", 0, 0x20, "gpt.primary"},
	{"GPT: revision", "primary", 8, 0x01, "gpt.primary"},
	{"GPT: header size", "primary", 12, 0x04, "gpt.primary"},
	{"GPT: header checksum", "primary", 16, 0x80, "gpt.primary"},
	{"GPT: reserved", "primary", 20, 0x01, "gpt.primary"},
	{"GPT: own sector", "primary", 24, 0x02, "gpt.primary"},
	{"GPT: sector of the copy", "primary", 32, 0x01, "gpt.primary"},
	{"GPT: first usable sector", "primary", 40, 0x01, "gpt.primary"},
	{"GPT: last usable sector", "primary", 48, 0x01, "gpt.primary"},
	{"GPT: disk UUID", "primary", 56, 0x01, "gpt.primary"},
	{"GPT: sector of the entries", "primary", 72, 0x01, "gpt.primary"},
	{"GPT: number of entries", "primary", 80, 0x01, "gpt.primary"},
	{"GPT: size of an entry", "primary", 84, 0x80, "gpt.primary"},
	{"GPT: entries' checksum", "primary", 88, 0x01, "gpt.primary"},
	{"GPT: rest of the sector", "primary", 92, 0x01, "gpt.primary"},
	{"GPT: partition type", "entries", 0, 0x01, "gpt.primary"},
	{"GPT: partition UUID", "entries", 16, 0x01, "gpt.primary"},
	{"GPT: first sector", "entries", 33, 0x08, "gpt.primary"},
	{"GPT: last sector", "entries", 40, 0x01, "gpt.primary"},
	{"GPT: attributes", "entries", 48 + 7, 0x10, "gpt.primary"},
	{"GPT: name", "entries", 56, 0x02, "gpt.primary"},
	{"GPT: unused entry", "entries", 127 * 128 + 5, 0x01, "gpt.primary"},
	{"GPT copy: signature", "backup", 3, 0x01, "gpt.backup"},
	{"GPT copy: header checksum", "backup", 17, 0x01, "gpt.backup"},
	{"GPT copy: own sector", "backup", 24, 0x01, "gpt.backup"},
	{"GPT copy: disk UUID", "backup", 71, 0x01, "gpt.backup"},
	{"GPT copy: rest of the sector", "backup", 511, 0x01, "gpt.backup"},
	{"GPT copy: partition type", "backup-entries", 1, 0x01, "gpt.backup"},
	{"GPT copy: attributes", "backup-entries", 54, 0x01, "gpt.backup"},
	{"before the first partition", "usable", 0, 0x01, "unused.gaps"},
	{"before the first partition, far", "esp", UINT64_MAX, 0x80, "unused.gaps"},
	{"a partition without content", "empty", 12345, 0x04, "unused.partitions"},
	{"FAT: jump", "esp", 0, 0x01, "esp.filesystem"},
	{"FAT: who made it", "esp", 5, 0x01, "esp.filesystem"},
	{"FAT: bytes of a sector", "esp", 12, 0x04, "esp.filesystem"},
	{"FAT: sectors of a cluster", "esp", 13, 0x02, "esp.filesystem"},
	{"FAT: reserved sectors", "esp", 14, 0x01, "esp.filesystem"},
	{"FAT: number of tables", "esp", 16, 0x01, "esp.filesystem"},
	{"FAT: media", "esp", 21, 0x01, "esp.filesystem"},
	{"FAT: hidden sectors", "esp", 28, 0x01, "esp.filesystem"},
	{"FAT: sectors", "esp", 32, 0x01, "esp.filesystem"},
	{"FAT: root", "esp", 44, 0x01, "esp.filesystem"},
	{"FAT: volume identifier", "esp", 67, 0x01, "esp.filesystem"},
	{"FAT: label", "esp", 71, 0x01, "esp.filesystem"},
	{"FAT: boot code", "esp", 95, 0x01, "esp.filesystem"},
	{"FAT: signature", "esp", 510, 0x01, "esp.filesystem"},
	{"FAT: FSInfo signature", "esp", 512, 0x01, "esp.filesystem"},
	{"FAT: FSInfo free clusters", "esp", 512 + 488, 0x01, "esp.filesystem"},
	{"FAT: FSInfo next cluster", "esp", 512 + 492, 0x01, "esp.filesystem"},
	{"FAT: copy of the boot sector", "esp", 6 * 512 + 71, 0x01, "esp.filesystem"},
	{"FAT: copy of FSInfo", "esp", 7 * 512 + 488, 0x01, "esp.filesystem"},
	{"FAT: reserved sector", "esp", 20 * 512, 0x01, "esp.filesystem"},
	{"FAT: first entry", "fat1", 0, 0x01, "esp.filesystem"},
	{"FAT: a chain", "fat1", 24, 0x01, "esp.filesystem"},
	{"FAT: a free cluster", "fat1", 80000, 0x01, "esp.filesystem"},
	{"FAT: second table", "fat2", 25, 0x01, "esp.filesystem"},
	{"FAT: name in the root", "files", 33, 0x01, "esp.filesystem|uki.structure"},
	{"FAT: attributes in the root", "files", 32 + 11, 0x02, "esp.filesystem"},
	{"FAT: time in the root", "files", 32 + 22, 0x01, "esp.filesystem"},
	{"FAT: cluster in the root", "files", 32 + 26, 0x01, "esp.filesystem"},
	{"FAT: behind the last entry", "files", 400, 0x01, "esp.filesystem"},
	{"FAT: free space", "uki-end", 1000000, 0x01, "esp.filesystem"},
	{"ESP: name of the program", "files", 1024 + 64, 0x01, "uki.structure"},
	{"UKI: MZ", "uki", 0, 0x01, "uki.structure"},
	{"UKI: place of the PE header", "uki", 60, 0x04, "uki.structure"},
	{"UKI: PE signature", "coff", UINT64_MAX - 3, 0x01, "uki.structure"},
	{"UKI: machine", "coff", 0, 0x01, "uki.structure"},
	{"UKI: number of sections", "coff", 2, 0x01, "uki.structure|uki.sections"},
	{"UKI: magic", "optional", 0, 0x01, "uki.structure"},
	{"UKI: section alignment", "optional", 32, 0x03, "uki.structure"},
	{"UKI: size of the headers", "optional", 63, 0x40, "uki.structure"},
	{"UKI: subsystem", "optional", 68, 0x01, "uki.structure"},
	{"UKI: certificate table", "optional", 112 + 36, 0x08, "uki.structure|uki.signature"},
	{"UKI: name of .osrel", "entry:.osrel", 1, 0x01, "uki.sections"},
	{"UKI: name of .linux", "entry:.linux", 1, 0x01,
	 "uki.structure|uki.sections|uki.signature"},
	{"UKI: size of .cmdline", "entry:.cmdline", 8, 0x01,
	 "uki.sections|uki.cmdline|roothash.cmdline"},
	{"UKI: place of .initrd", "entry:.initrd", 21, 0x02,
	 "uki.structure|uki.sections|uki.initrd"},
	{"UKI: .osrel", "section:.osrel", 2, 0x20, "uki.sections|uki.signature"},
	{"UKI: behind .osrel", "section-end:.osrel", 0, 0x01, "uki.sections"},
	{"command line: root=", "cmdline:root=", 0, 0x01, "uki.cmdline"},
	{"command line: PARTUUID", "cmdline:PARTUUID=", 10, 0x01, "uki.cmdline"},
	{"command line: mount.usr", "cmdline:mount.usr=", 6, 0x01, "uki.cmdline"},
	{"command line: mount.usrflags", "cmdline:mount.usrflags=ro", 15, 0x01, "uki.cmdline"},
	{"command line: usrhash", "cmdline:usrhash=", 20, 0x01, "roothash.cmdline"},
	{"command line: end", "section-end:.cmdline", UINT64_MAX, 0x80, "uki.cmdline"},
	{"initrd: magic of a member", "header:etc/usr.p7s", 5, 0x01, "uki.initrd|signature.initrd"},
	{"initrd: inode of a member", "header:etc/usr.p7s", 13, 0x01, "uki.initrd"},
	{"initrd: mode of a member", "header:etc/usr.p7s", 21, 0x01, "uki.initrd"},
	{"initrd: owner of a member", "header:etc/usr.p7s", 29, 0x01, "uki.initrd"},
	{"initrd: time of a member", "header:etc/usr.p7s", 53, 0x01, "uki.initrd"},
	{"initrd: size of a member", "header:etc/usr.p7s", 61, 0x01, "uki.initrd|signature.initrd"},
	{"initrd: name of a member", "header:etc/usr.p7s", 114, 0x01,
	 "uki.initrd|signature.initrd"},
	{"initrd: veritytab, device", "member:etc/veritytab", 15, 0x01, "uki.initrd"},
	{"initrd: veritytab, root hash", "member:etc/veritytab", 110, 0x01, "roothash.veritytab"},
	{"initrd: certificate", "member:etc/verity.d/ingot.crt", 200, 0x01,
	 "signature.certificates"},
	{"initrd: certificate, first line", "member:etc/verity.d/ingot.crt", 8, 0x20,
	 "signature.certificates"},
	{"initrd: signature, algorithm", "member:etc/usr.p7s", 30, 0x01, "signature.initrd"},
	{"initrd: signature, certificate", "member:etc/usr.p7s", 300, 0x01, "signature.initrd"},
	{"initrd: signature, value", "member:etc/usr.p7s", 1000, 0x01, "signature.initrd"},
	{"superblock: signature", "superblock", 0, 0x01, "verity.superblock"},
	{"superblock: version", "superblock", 8, 0x02, "verity.superblock"},
	{"superblock: hash type", "superblock", 12, 0x01, "verity.tree|verity.superblock"},
	{"superblock: UUID", "superblock", 16, 0x01, "manifest.usr"},
	{"superblock: hash", "superblock", 32, 0x01, "verity.superblock"},
	{"superblock: behind the hash's name", "superblock", 60, 0x01, "verity.superblock"},
	{"superblock: data block size", "superblock", 65, 0x30, "verity.superblock|verity.tree"},
	{"superblock: hash block size", "superblock", 69, 0x30, "verity.superblock|verity.tree"},
	{"superblock: number of data blocks", "superblock", 72, 0x01,
	 "verity.superblock|verity.tree"},
	{"superblock: salt size", "superblock", 80, 0x01, "verity.superblock|verity.tree"},
	{"superblock: reserved", "superblock", 82, 0x01, "verity.superblock"},
	{"superblock: salt", "superblock", 88, 0x01, "verity.tree"},
	{"superblock: behind the salt", "superblock", 200, 0x01, "verity.superblock"},
	{"superblock: end", "superblock", 511, 0x01, "verity.superblock"},
	{"behind the superblock", "superblock", 512, 0x01, "verity.unused"},
	{"tree: root", "top", 3, 0x01, "verity.tree"},
	{"tree: unused digest of the root", "top", 4095, 0x01, "verity.tree"},
	{"tree: leaf", "level0", 70, 0x01, "verity.tree"},
	{"behind the tree", "tree-end", 0, 0x01, "verity.unused|unused.partitions"},
	{"/usr: superblock, blocks", "usr", 1024 + 4, 0x01, "verity.tree"},
	{"/usr: superblock, state", "usr", 1024 + 58, 0x02, "verity.tree"},
	{"/usr: read-only feature", "usr", 1024 + 101, 0x10, "verity.tree"},
	{"/usr: read-only feature", "usr", 1024 + 101, 0x10, "usr.read-only"},
	{"/usr: group descriptor", "usr", 4096, 0x01, "usr.filesystem"},
	{"/usr: data", "usr", 1000000, 0x01, "verity.tree"},
	{"/usr: data", "usr", 1000000, 0x01, "verity.cryptsetup"},
	{"/usr: free block", "usr", 3500000, 0x01, "verity.tree"},
	{"signature partition: brace", "signature", 0, 0x01, "signature.partition"},
	{"signature partition: root hash", "signature:rootHash", 14, 0x01,
	 "roothash.signature-partition|signature.partition"},
	{"signature partition: signature", "signature:signature", 40, 0x01, "signature.partition"},
	{"signature partition: fingerprint", "signature:certificateFingerprint", 30, 0x01,
	 "signature.partition"},
	{"signature partition: name of the fingerprint", "signature:certificateFingerprint", 3,
	 0x01, "signature.partition"},
	{"signature partition: padding", "signature", 3900, 0x01, "signature.partition"},
	{"signature partition: far behind", "signature", 100000, 0x01, "signature.partition"},
	{"ROOT: superblock", "root", 1024 + 4, 0x01, "root.filesystem"},
	{"ROOT: superblock, label", "root", 1024 + 120, 0x01, "root.filesystem"},
	{"ROOT: group descriptor", "root", 4096 + 12, 0x01, "root.filesystem"},
	{"OEM: superblock", "oem", 1024 + 100, 0x01, "oem.filesystem"},
	{"OEM: superblock, checksum", "oem", 1024 + 1023, 0x01, "oem.filesystem"},
};

/* --- asking ------------------------------------------------------------ */

static struct ingot_verify_report *verify(struct image *image, uint64_t at, uint8_t flip)
{
	struct ingot_verify_report *report = NULL;
	struct ingot_error err;

	image->overlay.at = at;
	image->overlay.flip = flip;
	must(ingot_verify(&image->overlay.source, &image->options, &report, &err), &err);
	return report;
}

static bool is_bad(const struct ingot_verify_report *report, const char *name)
{
	const struct ingot_verify_row *row = ingot_verify_find(report, name);

	if (!row) {
		fprintf(stderr, "tamper: no check '%s'\n", name);
		exit(2);
	}
	return row->verdict == INGOT_VERIFY_BAD;
}

/* Whether one of the checks "a|b|c" failed. */
static bool any_bad(const struct ingot_verify_report *report, const char *checks)
{
	char *copy = strdup(checks), *rest = NULL;
	bool bad = false;

	assert(copy);
	for (char *name = strtok_r(copy, "|", &rest); name; name = strtok_r(NULL, "|", &rest))
		bad |= is_bad(report, name);
	free(copy);
	return bad;
}

static void print_bad(const struct ingot_verify_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct ingot_verify_row *row = &report->rows[i];

		if (row->verdict == INGOT_VERIFY_BAD || row->verdict == INGOT_VERIFY_NOT_CHECKED)
			printf("        %s %s: %s\n", ingot_verify_verdict_name(row->verdict),
			       row->name, row->found);
	}
}

static void check_untouched(struct image *image)
{
	struct ingot_verify_report *report = verify(image, 0, 0);

	printf("%s  the untouched image is verified\n", report->good ? "ok    " : "FAILED");
	if (!report->good)
		print_bad(report);
	*(report->good ? &passed : &failed) += 1;
	ingot_verify_report_free(report);
}

static void check_place(struct image *image, const struct place *place)
{
	uint64_t from = base(image, place->base), at = from + place->offset;
	struct ingot_verify_report *report;
	bool ok;

	if (from == NOWHERE ||
	    (!image->options.manifest && strncmp(place->checks, "manifest.", 9) == 0))
		return;
	report = verify(image, at, place->flip);
	ok = !report->good && any_bad(report, place->checks);
	printf("%s  %s (byte %llu): %s\n", ok ? "ok    " : "FAILED", place->what,
	       (unsigned long long)at, place->checks);
	if (!ok)
		print_bad(report);
	*(ok ? &passed : &failed) += 1;
	ingot_verify_report_free(report);
}

/* --- random places ----------------------------------------------------- */

/* xorshift64*: the same places for the same seed. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

struct run {
	uint64_t start, length;
};

/* What is not a hole, up to 4096 runs; *total is its size. */
static size_t find_runs(const struct image *image, struct run *runs, uint64_t *total)
{
	struct ingot_source *file = image->overlay.below;
	struct ingot_extent extent;
	struct ingot_error err;
	size_t count = 0;

	*total = 0;
	for (uint64_t at = 0; at < file->size; at += extent.length) {
		must(ingot_source_extent(file, at, &extent, &err), &err);
		if (extent.hole)
			continue;
		assert(count < 4096);
		runs[count++] = (struct run){at, extent.length};
		*total += extent.length;
	}
	return count;
}

static bool is_in(uint64_t at, const struct ingot_gpt_partition *p)
{
	return p && at >= p->start && at < p->start + p->size;
}

/* The checks whose business a byte of a raw disk is, without the manifest's. */
static const char *owners(const struct image *image, uint64_t at)
{
	unsigned sector = image->gpt->sector_size;

	if (at < 34 * (uint64_t)sector || at >= image->gpt->disk_size - 33 * (uint64_t)sector)
		return "gpt.mbr|gpt.primary|gpt.backup|gpt.agreement|gpt.partitions";
	if (is_in(at, image->usr) || is_in(at, image->hash))
		return "verity.tree|verity.superblock|verity.unused";
	if (is_in(at, image->signature))
		return "signature.partition|roothash.signature-partition";
	if (is_in(at, image->esp))
		return "esp.filesystem|uki.structure|uki.sections|uki.cmdline|uki.initrd|"
		       "uki.signature|roothash.veritytab|roothash.cmdline|signature.initrd|"
		       "signature.certificates";
	if (is_in(at, image->root))
		return "root.filesystem";
	if (is_in(at, image->oem))
		return "oem.filesystem";
	return "unused.gaps|unused.partitions";
}

/* Contents that only a digest of all bytes can see: it has to name the partition. */
static bool is_named_by_manifest(const struct image *image,
				 const struct ingot_verify_report *report, uint64_t at)
{
	const struct ingot_gpt_partition *const places[] = {image->esp, image->root, image->oem};
	const char *found = ingot_verify_find(report, "manifest.blocks")->found;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (is_in(at, places[i]))
			return is_bad(report, "manifest.blocks") &&
			       strstr(found, places[i]->name) && is_bad(report, "manifest.digest");
	return false;
}

struct tally {
	unsigned structure, manifest, missed, wrong;
	unsigned same; /* a compressed stream that unpacks to the same disk, by its digests */
};

static void check_random(struct image *image, uint64_t at, uint8_t flip, struct tally *tally)
{
	struct ingot_verify_report *report = verify(image, at, flip);

	if (report->good && !image->raw && image->options.manifest)
		tally->same++;
	else if (report->good)
		tally->missed++;
	else if (!image->raw || any_bad(report, owners(image, at)))
		tally->structure++;
	else if (is_named_by_manifest(image, report, at))
		tally->manifest++;
	else
		tally->wrong++;
	if (tally->wrong + tally->missed > 0) {
		printf("byte %llu ^ 0x%02x: %s\n", (unsigned long long)at, flip,
		       report->good ? "MISSED" : "refused");
		print_bad(report);
	}
	ingot_verify_report_free(report);
}

static void check_random_places(struct image *image, unsigned long count, uint64_t seed)
{
	static struct run runs[4096];
	struct tally tally = {0};
	uint64_t total, state = seed * 2 + 1;
	size_t n = find_runs(image, runs, &total);

	for (unsigned long i = 0; i < count; i++) {
		uint64_t at = next_random(&state) % total;
		uint8_t flip = (uint8_t)(1 + next_random(&state) % 255);
		size_t run = 0;

		while (run + 1 < n && at >= runs[run].length)
			at -= runs[run++].length;
		check_random(image, runs[run].start + at, flip, &tally);
	}
	printf("%s  %lu random bytes of %llu (seed %llu): %u refused by their own check, %u by the "
	       "manifest's digest of their partition, %u by another, %u that leave the disk as it "
	       "is, %u missed\n",
	       tally.missed + tally.wrong ? "FAILED" : "ok    ", count, (unsigned long long)total,
	       (unsigned long long)seed, tally.structure, tally.manifest, tally.wrong, tally.same,
	       tally.missed);
	*(tally.missed + tally.wrong ? &failed : &passed) += 1;
}

static void image_done(struct image *image)
{
	ingot_initrd_archive_done(&image->archive);
	free(image->gpt);
	ingot_source_free(image->disk);
	ingot_source_free(image->overlay.below);
	json_decref((json_t *)(uintptr_t)image->options.manifest);
}

int main(int argc, char **argv)
{
	const struct ingot_certificate *certificates[1] = {NULL};
	struct ingot_certificate *certificate;
	static struct image image;
	struct ingot_error err;

	if (argc != 6) {
		fprintf(stderr, "usage: tamper IMAGE CERTIFICATE MANIFEST|- COUNT SEED\n");
		return 2;
	}
	must(ingot_source_open(argv[1], &image.overlay.below, &err), &err);
	image.overlay.source =
		(struct ingot_source){&OVERLAY_OPS, argv[1], image.overlay.below->size};
	must(ingot_certificate_load(argv[2], &certificate, &err), &err);
	certificates[0] = certificate;
	image.options = (struct ingot_verify_options){
		.certificates = certificates,
		.certificate_count = 1,
		.allow_test_keys = true,
		.jobs = ingot_pool_jobs(0),
	};
	if (strcmp(argv[3], "-") != 0)
		image.options.manifest = json_load_file(argv[3], 0, NULL);
	find_all(&image);
	check_untouched(&image);
	for (size_t i = 0; image.raw && i < sizeof(PLACES) / sizeof(PLACES[0]); i++)
		check_place(&image, &PLACES[i]);
	check_random_places(&image, strtoul(argv[4], NULL, 10), strtoull(argv[5], NULL, 10));
	printf("%u passed, %u failed\n", passed, failed);
	ingot_certificate_free(certificate);
	image_done(&image);
	return failed ? 1 : 0;
}

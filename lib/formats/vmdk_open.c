/*
 * What a VMDK's header, descriptor and directory say, and whether it can be read here: one sparse
 * extent with its descriptor inside.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/claims_internal.h"
#include "formats/directory_internal.h"
#include "formats/vmdk_read_internal.h"

enum {
	GRAIN_MAX = 2048,	     /* sectors; the specification's default is 128 */
	DIRECTORY_MAX = 32 << 20,    /* bytes: 256 TiB of grains of 64 KiB */
	DESCRIPTOR_MAX = 128 * 1024, /* bytes */
};

bool ingot_vmdk_probe(const struct ingot_probe *probe)
{
	return ingot_get_le32(probe->head) == VMDK_MAGIC;
}

static int check_descriptor(const char *text, struct ingot_error *err)
{
	const char *parent = strstr(text, "parentCID=");

	if (!strstr(text, "createType=\"streamOptimized\"") &&
	    !strstr(text, "createType=\"monolithicSparse\""))
		return ingot_raise(err, -ENOTSUP,
				   "it is neither streamOptimized nor monolithicSparse");
	if (parent && strncmp(parent, "parentCID=ffffffff", 18) != 0)
		return ingot_raise(err, -ENOTSUP, "it has a backing file: flatten it first");
	return 0;
}

static int read_descriptor(struct vmdk_source *v, const unsigned char *h, struct ingot_error *err)
{
	uint64_t offset = ingot_get_le64(h + 28), sectors = ingot_get_le64(h + 36);
	INGOT_FREE char *text = NULL;
	int rc;

	if (offset == 0 || sectors == 0)
		return ingot_raise(err, -ENOTSUP, "its descriptor is in another file");
	if (sectors > DESCRIPTOR_MAX / VMDK_SECTOR || offset > v->file->size / VMDK_SECTOR)
		return ingot_raise(err, -EBADMSG, "a descriptor of %llu sectors at sector %llu",
				   (unsigned long long)sectors, (unsigned long long)offset);
	text = ingot_alloc(sectors + 1, VMDK_SECTOR, err);
	if (!text)
		return -ENOMEM;
	rc = ingot_source_read(v->file, offset * VMDK_SECTOR, text, (size_t)sectors * VMDK_SECTOR,
			       err);
	return rc < 0 ? rc : check_descriptor(text, err);
}

static int check_sizes(struct vmdk_source *v, uint64_t capacity, uint64_t grain,
		       struct ingot_error *err)
{
	if (capacity == 0 || capacity > INT64_MAX / VMDK_SECTOR)
		return ingot_raise(err, -EBADMSG, "its size of %llu sectors is impossible",
				   (unsigned long long)capacity);
	if (!ingot_is_power_of_two(grain) || grain > GRAIN_MAX)
		return ingot_raise(err, -EBADMSG, "its grains have %llu sectors",
				   (unsigned long long)grain);
	if (v->gtes == 0 || v->gtes > VMDK_GTES)
		return ingot_raise(err, -EBADMSG, "its grain tables have %u entries", v->gtes);
	return 0;
}

static int read_geometry(struct vmdk_source *v, const unsigned char *h, struct ingot_error *err)
{
	uint64_t directory = ingot_get_le64(h + 56);
	int rc;

	v->flags = ingot_get_le32(h + 8);
	v->gtes = ingot_get_le32(h + 44);
	rc = check_sizes(v, ingot_get_le64(h + 12), ingot_get_le64(h + 20), err);
	if (rc < 0)
		return rc;
	if (v->flags & VMDK_FLAG_COMPRESSED && ingot_get_le16(h + 77) != 1)
		return ingot_raise(err, -ENOTSUP, "its compression %u is unknown",
				   ingot_get_le16(h + 77));
	v->source.size = ingot_get_le64(h + 12) * VMDK_SECTOR;
	v->grain = ingot_get_le64(h + 20) * VMDK_SECTOR;
	v->tables = ingot_div_up(v->source.size, vmdk_table_span(v));
	if (directory == 0 || directory > v->file->size / VMDK_SECTOR ||
	    v->tables > DIRECTORY_MAX / 4 ||
	    !ingot_in_range(directory * VMDK_SECTOR, v->tables * 4, v->file->size))
		return ingot_raise(err, -EBADMSG,
				   "its grain directory at sector %llu: not in the file",
				   (unsigned long long)directory);
	v->directory = directory * VMDK_SECTOR;
	return 0;
}

/* Where the directory is at the end, the footer has the header's fields as they turned out. */
static int read_footer(struct vmdk_source *v, unsigned char *h, struct ingot_error *err)
{
	int rc;

	if (v->file->size < 4 * VMDK_SECTOR)
		return ingot_raise(err, -EBADMSG, "its footer is cut off");
	rc = ingot_source_read(v->file, v->file->size - 2 * VMDK_SECTOR, h, VMDK_SECTOR, err);
	if (rc < 0)
		return rc;
	if (ingot_get_le32(h) != VMDK_MAGIC || ingot_get_le64(h + 56) == VMDK_GD_AT_END)
		return ingot_raise(err, -EBADMSG, "its footer is missing: the file may be cut off");
	return 0;
}

static int read_header(struct vmdk_source *v, struct ingot_error *err)
{
	unsigned char h[VMDK_SECTOR];
	uint32_t version;
	int rc;

	if (v->file->size < VMDK_SECTOR)
		return ingot_raise(err, -EBADMSG, "its header is cut off");
	rc = ingot_source_read(v->file, 0, h, sizeof(h), err);
	if (rc < 0)
		return rc;
	version = ingot_get_le32(h + 4);
	if (version < 1 || version > 3)
		return ingot_raise(err, -ENOTSUP, "version %u is unknown", version);
	rc = read_descriptor(v, h, err);
	if (rc == 0 && ingot_get_le64(h + 56) == VMDK_GD_AT_END)
		rc = read_footer(v, h, err);
	return rc < 0 ? rc : read_geometry(v, h, err);
}

/* --- all tables together ----------------------------------------------- */

static int place_of(const void *context, const unsigned char *entry, uint64_t *ret,
		    struct ingot_error *err)
{
	return vmdk_table_place(context, ingot_get_le32(entry), ret, err);
}

struct tally {
	uint64_t grains;
	struct ingot_claims claims;
};

static int count_grains(struct vmdk_source *v, uint64_t place, struct tally *tally,
			struct ingot_error *err)
{
	unsigned char raw[4 * VMDK_GTES];
	int rc = ingot_source_read(v->file, place, raw, v->gtes * (size_t)4, err);

	for (size_t i = 0; rc == 0 && i < v->gtes; i++) {
		uint32_t entry = ingot_get_le32(raw + 4 * i);
		uint64_t offset = (uint64_t)entry * VMDK_SECTOR;

		if (vmdk_is_hole(v, entry))
			continue;
		tally->grains++;
		if (offset >= v->file->size)
			return ingot_raise(err, -EBADMSG, "a grain at 0x%llx: not in the file",
					   (unsigned long long)offset);
		if (!ingot_claim(&tally->claims, offset))
			return ingot_raise(err, -EBADMSG, "two grains share the place 0x%llx",
					   (unsigned long long)offset);
	}
	return rc;
}

/* Every grain has its own place: a sector at least if it is compressed, else all of it. */
static uint64_t least_grain(const struct vmdk_source *v)
{
	return v->flags & VMDK_FLAG_COMPRESSED ? VMDK_SECTOR : v->grain;
}

static int check_places(struct vmdk_source *v, const uint64_t *places, size_t n,
			struct tally *tally, struct ingot_error *err)
{
	struct vmdk_file_hole hole = {0};
	uint64_t need;

	for (size_t i = 0; i < n; i++) {
		bool empty;
		int rc;

		if (i > 0 && places[i] - places[i - 1] < (uint64_t)v->gtes * 4)
			return ingot_raise(err, -EBADMSG,
					   "the grain table at 0x%llx overlaps another",
					   (unsigned long long)places[i]);
		rc = vmdk_table_is_empty(v, places[i], &hole, &empty, err);
		if (rc == 0 && !empty)
			rc = count_grains(v, places[i], tally, err);
		if (rc < 0)
			return rc;
	}
	/* The last grain may be cut off. */
	if (ingot_mul(tally->grains, least_grain(v), &need) && need <= v->file->size + v->grain)
		return 0;
	return ingot_raise(err, -EBADMSG, "its tables name more data than the file can hold");
}

/* A small file whose tables name the same grains again and again would unpack for days. */
static int check_tables(struct vmdk_source *v, struct ingot_error *err)
{
	const struct ingot_directory directory = {.file = v->file,
						  .offset = v->directory,
						  .count = (size_t)v->tables,
						  .entry_size = 4,
						  .place = place_of,
						  .context = v};
	INGOT_FREE uint64_t *places = NULL;
	struct tally tally = {0};
	size_t n;
	int rc = ingot_directory_load(&directory, &places, &n, err);

	if (rc == 0)
		rc = ingot_claims_init(&tally.claims, v->file->size, least_grain(v), err);
	if (rc == 0)
		rc = check_places(v, places, n, &tally, err);
	ingot_claims_done(&tally.claims);
	return rc;
}

int ingot_vmdk_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct vmdk_source *v = ingot_alloc(1, sizeof(*v), err);
	int rc;

	if (!v)
		return -ENOMEM;
	v->source = (struct ingot_source){.ops = &vmdk_source_ops, .name = file->name};
	v->file = file;
	rc = read_header(v, err);
	if (rc == 0)
		rc = check_tables(v, err);
	if (rc < 0)
		return rc;
	ingot_kept_init(&v->kept);
	*ret = &INGOT_TAKE(v)->source;
	return 0;
}

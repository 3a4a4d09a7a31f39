/*
 * The disk in an OVA or a box: the first member whose name ends in .vmdk, read where it lies.
 * Its digest in the manifest is not looked at here; the checks do that.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "formats/format_internal.h"
#include "formats/ova_internal.h"

enum { MEMBERS_MAX = 64 };

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	return ingot_source_read(((struct ova_source *)source)->disk, offset, data, n, err);
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	return ingot_source_extent(((struct ova_source *)source)->disk, offset, ret, err);
}

static void source_free(struct ingot_source *source)
{
	struct ova_source *ova = (struct ova_source *)source;

	ingot_source_free(ova->disk);
	ingot_source_free(ova->file);
	free(ova);
}

static const struct ingot_source_ops OVA_OPS = {read_at, extent_at, source_free};

/* A tar whose first member is a description; another tar is no disk of ours to read. */
bool ingot_ova_probe(const struct ingot_probe *probe)
{
	struct ingot_ustar_member member;
	size_t n;

	if (memcmp(probe->head + 257, "ustar", 5) != 0 ||
	    ingot_ustar_parse(probe->head, &member, NULL) != 1)
		return false;
	n = strlen(member.name);
	return n > 4 && (strcmp(member.name + n - 4, ".ovf") == 0 ||
			 strcmp(member.name, "metadata.json") == 0);
}

static bool ends_in(const struct ingot_ustar_member *member, const char *suffix)
{
	size_t n = strlen(member->name), m = strlen(suffix);

	return member->is_file && n > m && strcmp(member->name + n - m, suffix) == 0;
}

int ingot_ova_find(struct ingot_source *file, const char *suffix, struct ova_member *ret,
		   struct ingot_error *err)
{
	unsigned char header[USTAR_BLOCK];
	struct ingot_ustar_member member;
	uint64_t at = 0, next;

	for (size_t i = 0; i < MEMBERS_MAX && file->size - at >= USTAR_BLOCK; i++, at = next) {
		int rc = ingot_source_read(file, at, header, sizeof(header), err);
		char name[64];

		if (rc == 0)
			rc = ingot_ustar_parse(header, &member, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "at 0x%llx", (unsigned long long)at);
		if (rc == 0)
			break;
		at += USTAR_BLOCK;
		if (member.size > file->size - at)
			return ingot_raise(err, -EBADMSG, "its member '%s' is cut off",
					   ingot_printable(member.name, strlen(member.name), name,
							   sizeof(name)));
		next = ingot_min(at + ingot_round_up(member.size, USTAR_BLOCK), file->size);
		if (!ends_in(&member, suffix))
			continue;
		memcpy(ret->name, member.name, sizeof(ret->name));
		ret->offset = at;
		ret->size = member.size;
		return 0;
	}
	return -ENOENT;
}

static int open_member(struct ova_source *ova, struct ingot_source *file, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	int rc = ingot_ova_find(file, ".vmdk", &ova->member, err);

	if (rc == -ENOENT)
		return ingot_raise(err, -EBADMSG, "there is no .vmdk in it");
	if (rc == 0)
		rc = ingot_source_part(file, ova->member.offset, ova->member.size, &part, err);
	if (rc == 0)
		rc = ingot_vmdk_open(part, &ova->disk, err);
	if (rc == 0)
		part = NULL;
	return rc < 0 ? ingot_wrap(err, rc, "vmdk") : 0;
}

int ingot_ova_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	struct ova_source *ova = ingot_alloc(1, sizeof(*ova), err);
	int rc;

	if (!ova)
		return -ENOMEM;
	rc = open_member(ova, file, err);
	if (rc < 0) {
		free(ova);
		return rc;
	}
	ova->file = file;
	ova->source = (struct ingot_source){&OVA_OPS, file->name, ova->disk->size};
	*ret = &ova->source;
	return 0;
}

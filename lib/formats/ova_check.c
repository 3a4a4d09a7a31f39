/*
 * An OVA or a box: the members one by one, the disk as a VMDK of its own, and the digests of the
 * manifest.
 */
#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "formats/check_internal.h"
#include "formats/format_internal.h"
#include "formats/ustar_internal.h"

enum { MEMBERS_MAX = 16, TEXT_MAX = 64 * 1024 };

struct member {
	struct ingot_ustar_member header;
	uint64_t at;
	bool listed; /* in the manifest */
};

struct ova {
	struct ingot_source *file;
	char *finding;
	size_t count;
	struct member members[MEMBERS_MAX];
};

static bool ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

/* A member's header is the one that is written for its name and size. */
static int take_member(struct ova *ova, const unsigned char *header, uint64_t at,
		       struct ingot_error *err)
{
	struct member *m = &ova->members[ova->count];
	unsigned char again[USTAR_BLOCK];
	struct ingot_error why = {0};
	int rc;

	m->at = at + USTAR_BLOCK;
	rc = ingot_ustar_header(m->header.name, m->header.size, again, &why);
	if (rc < 0 || memcmp(again, header, sizeof(again)) != 0)
		ingot_finding(ova->finding, "the header of member %zu has other fields",
			      ova->count + 1);
	if (!ingot_in_range(m->at, m->header.size, ova->file->size)) {
		ingot_finding(ova->finding, "member %zu is cut off", ova->count + 1);
		return 0;
	}
	ova->count++;
	return ingot_find_nonzero(
		ova->file, m->at + m->header.size,
		ingot_min(m->at + ingot_round_up(m->header.size, USTAR_BLOCK), ova->file->size),
		"behind a member", ova->finding, err);
}

static int read_members(struct ova *ova, struct ingot_error *err)
{
	unsigned char header[USTAR_BLOCK];
	uint64_t at = 0;

	while (ova->count < MEMBERS_MAX && !*ova->finding &&
	       ingot_in_range(at, USTAR_BLOCK, ova->file->size)) {
		struct member *m = &ova->members[ova->count];
		struct ingot_error why = {0};
		int rc = ingot_source_read(ova->file, at, header, sizeof(header), err);
		int kind;

		if (rc < 0)
			return rc;
		kind = ingot_ustar_parse(header, &m->header, &why);
		if (kind < 0)
			ingot_finding(ova->finding, "%.200s", why.text);
		if (kind <= 0)
			break;
		rc = take_member(ova, header, at, err);
		if (rc < 0)
			return rc;
		at += USTAR_BLOCK + ingot_round_up(m->header.size, USTAR_BLOCK);
	}
	if (!*ova->finding && !ingot_in_range(at, USTAR_END, ova->file->size))
		ingot_finding(ova->finding, "the archive has no end");
	return *ova->finding ? 0
			     : ingot_find_nonzero(ova->file, at, ova->file->size,
						  "behind the last member", ova->finding, err);
}

static struct member *find_member(struct ova *ova, const char *name, size_t n)
{
	for (size_t i = 0; i < ova->count; i++)
		if (strlen(ova->members[i].header.name) == n &&
		    memcmp(ova->members[i].header.name, name, n) == 0)
			return &ova->members[i];
	return NULL;
}

static int check_digest(struct ova *ova, const struct member *m, const char *hex,
			struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	char found[2 * INGOT_SHA256_SIZE + 1];
	int rc = ingot_source_part(ova->file, m->at, m->header.size, &part, err);

	if (rc == 0)
		rc = ingot_source_sha256(part, digest, err);
	if (rc < 0)
		return rc;
	ingot_hex(digest, sizeof(digest), found);
	if (strcmp(found, hex) != 0)
		ingot_finding(ova->finding, "'%.60s' does not match its digest in the manifest",
			      m->header.name);
	return 0;
}

/* "SHA256(NAME)= HEX" */
static int check_line(struct ova *ova, char *line, struct ingot_error *err)
{
	static const char before[] = "SHA256(", between[] = ")= ";
	char *name = line + sizeof(before) - 1, *end;
	struct member *m;

	if (strncmp(line, before, sizeof(before) - 1) != 0 || !(end = strstr(name, between)) ||
	    !(m = find_member(ova, name, (size_t)(end - name))) || m->listed) {
		ingot_finding(ova->finding, "the manifest has the line '%.60s'", line);
		return 0;
	}
	m->listed = true;
	return check_digest(ova, m, end + sizeof(between) - 1, err);
}

static int check_manifest(struct ova *ova, struct member *manifest, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	INGOT_FREE char *text = NULL;
	char *next;
	size_t n;
	int rc = ingot_source_part(ova->file, manifest->at, manifest->header.size, &part, err);

	if (rc == 0)
		rc = ingot_source_load(part, TEXT_MAX, &text, &n, err);
	for (char *line = text; rc == 0 && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		rc = check_line(ova, line, err);
	}
	manifest->listed = true;
	for (size_t i = 0; rc == 0 && i < ova->count; i++)
		if (!ova->members[i].listed)
			ingot_finding(ova->finding, "'%.60s' is not in the manifest",
				      ova->members[i].header.name);
	return rc;
}

/* The members that ours has, in its order. */
static bool is_box(const struct ova *ova)
{
	static const char *const names[] = {"box.ovf", "metadata.json", "Vagrantfile", "box.vmdk"};
	const size_t count = sizeof(names) / sizeof(names[0]);

	for (size_t i = 0; i < count && ova->count == count; i++)
		if (strcmp(ova->members[i].header.name, names[i]) != 0)
			return false;
	return ova->count == count;
}

static int check_disk(struct ova *ova, const struct member *m, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	int rc = ingot_source_part(ova->file, m->at, m->header.size, &part, err);

	return rc < 0 ? rc : ingot_vmdk_check(part, ova->finding, err);
}

int ingot_ova_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err)
{
	struct ova ova = {.file = file, .finding = finding};
	struct member *manifest = NULL;
	int rc = read_members(&ova, err);

	for (size_t i = 0; rc == 0 && i < ova.count && !*finding; i++) {
		if (ends_in(ova.members[i].header.name, ".mf"))
			manifest = &ova.members[i];
		if (ends_in(ova.members[i].header.name, ".vmdk"))
			rc = check_disk(&ova, &ova.members[i], err);
	}
	if (rc < 0 || *finding)
		return rc;
	if (!manifest && is_box(&ova))
		return 1;
	if (!manifest)
		return ingot_raise(err, -ENOTSUP, "the archive has no manifest to check it by");
	return check_manifest(&ova, manifest, err);
}

/*
 * Changes in place in an OVA: those of the VMDK in it, and that one's digest in the manifest, for
 * which all of it is read. A box has no manifest.
 */
#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "formats/edit_internal.h"
#include "formats/ova_internal.h"

enum { STEP = 1 << 20, TEXT_MAX = 64 * 1024 };

static int place(struct ingot_source *disk, uint64_t offset, struct ingot_place *ret,
		 struct ingot_error *err)
{
	const struct ova_source *ova = (struct ova_source *)disk;
	int rc = ingot_vmdk_edit.place(ova->disk, offset, ret, err);

	ret->at += ova->member.offset;
	return rc;
}

static int seal(struct ingot_source *disk, uint64_t offset, struct ingot_changes *changes,
		uint64_t *ret_end, struct ingot_error *err)
{
	const struct ova_source *ova = (struct ova_source *)disk;
	int rc;

	changes->base = ova->member.offset;
	rc = ingot_vmdk_edit.seal(ova->disk, offset, changes, ret_end, err);
	changes->base = 0;
	return rc;
}

/* --- the manifest ------------------------------------------------------ */

static int digest_disk(const struct ova_member *member, const struct ingot_changes *changes,
		       char hex[INGOT_SHA256_TEXT], struct ingot_error *err)
{
	INGOT_SHA256 struct ingot_sha256 *sha = ingot_sha256_new(err);
	INGOT_FREE unsigned char *buffer = sha ? ingot_alloc_buffer(STEP, err) : NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = buffer ? 0 : -ENOMEM;

	for (uint64_t at = 0; rc == 0 && at < member->size; at += STEP) {
		size_t n = (size_t)ingot_min(STEP, member->size - at);

		rc = ingot_changes_read(changes, member->offset + at, buffer, n, err);
		if (rc == 0)
			rc = ingot_sha256_update(sha, buffer, n, err);
	}
	if (rc == 0)
		rc = ingot_sha256_final(sha, digest, err);
	if (rc == 0)
		ingot_hex(digest, sizeof(digest), hex);
	return rc;
}

/* "SHA256(NAME)= ", and where the digits behind it are in the text. */
static int find_digits(const char *text, size_t n, const char *name, size_t *ret,
		       struct ingot_error *err)
{
	INGOT_FREE char *key = ingot_format(err, "SHA256(%s)= ", name);
	const char *found;

	if (!key)
		return -ENOMEM;
	found = memmem(text, n, key, strlen(key));
	*ret = found ? (size_t)(found - text) + strlen(key) : 0;
	if (!found || n - *ret < 2 * INGOT_SHA256_SIZE)
		return ingot_raise(err, -EOPNOTSUPP, "its manifest has no SHA-256 of its disk");
	return 0;
}

static int finish(struct ingot_source *disk, struct ingot_changes *changes, struct ingot_error *err)
{
	const struct ova_source *ova = (struct ova_source *)disk;
	struct ova_member manifest;
	char hex[INGOT_SHA256_TEXT];
	INGOT_FREE char *text = NULL;
	size_t digits;
	int rc = ingot_ova_find(ova->file, ".mf", &manifest, err);

	if (rc == -ENOENT)
		return 0;
	if (rc == 0 && manifest.size > TEXT_MAX)
		return ingot_raise(err, -EFBIG, "its manifest has more than 64 KiB");
	text = rc == 0 ? ingot_alloc(1, (size_t)manifest.size + 1, err) : NULL;
	if (!text)
		return rc < 0 ? rc : -ENOMEM;
	rc = ingot_source_read(ova->file, manifest.offset, text, (size_t)manifest.size, err);
	if (rc == 0)
		rc = find_digits(text, (size_t)manifest.size, ova->member.name, &digits, err);
	if (rc == 0)
		rc = digest_disk(&ova->member, changes, hex, err);
	return rc < 0 ? rc
		      : ingot_changes_add(changes, manifest.offset + digits, hex,
					  2 * INGOT_SHA256_SIZE, err);
}

const struct ingot_edit_ops ingot_ova_edit = {.place = place, .seal = seal, .finish = finish};

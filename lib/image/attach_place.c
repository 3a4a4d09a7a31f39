#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "boot/pe.h"
#include "boot/pe_sign.h"
#include "disk/gpt.h"
#include "image/attach_internal.h"
#include "image/esp_file_internal.h"
#include "sign/authenticode.h"
#include "verity/signature_partition.h"

enum { NEAR = 64 * 1024 }; /* around the signature, in which its archive is */

/* --- patches ----------------------------------------------------------- */

void attach_plan_done(struct attach_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->patches[i].room);
		free(plan->patches[i].want);
		free(plan->patches[i].found);
	}
	plan->count = 0;
}

/* Other bytes than the room's and the signature's are somebody else's. */
static int check_found(const struct attach_patch *p, const char *what, struct ingot_error *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->found[i] != p->room[i] && p->found[i] != p->want[i])
			return ingot_raise(err, -EINVAL,
					   "%s: byte 0x%llx of the disk is 0x%02x, neither room "
					   "nor this signature",
					   what, (unsigned long long)(p->offset + i), p->found[i]);
	return 0;
}

static int add_patch(struct attach_plan *plan, struct ingot_source *disk, uint64_t offset,
		     const uint8_t *room, const uint8_t *want, size_t n, const char *what,
		     struct ingot_error *err)
{
	struct attach_patch *p;
	int rc;

	if (plan->count == ATTACH_PATCHES_MAX)
		return ingot_raise(err, -EINVAL, "%s is in too many pieces", what);
	p = &plan->patches[plan->count++];
	*p = (struct attach_patch){.offset = offset, .n = n};
	p->room = ingot_memdup(room, n, err);
	p->want = p->room ? ingot_memdup(want, n, err) : NULL;
	p->found = p->want ? ingot_alloc(n, 1, err) : NULL;
	if (!p->found)
		return -ENOMEM;
	rc = ingot_source_read(disk, offset, p->found, n, err);
	return rc < 0 ? rc : check_found(p, what, err);
}

/* --- the UKI ----------------------------------------------------------- */

struct uki {
	struct ingot_source *disk;
	uint64_t start; /* of the ESP on the disk */
	struct ingot_source *file;
	struct ingot_pe_place place;
	const struct ingot_sign_request *response;
	const struct ingot_request_uki *wanted; /* the one of the response that it is */
	struct attach_plan *plan;
};

static int add_file_patch(const struct uki *u, uint64_t offset, const uint8_t *room,
			  const uint8_t *want, size_t n, const char *what, struct ingot_error *err)
{
	if (!ingot_in_range(offset, n, u->file->size))
		return ingot_raise(err, -EINVAL, "%s would be outside the UKI", what);
	while (n > 0) {
		uint64_t length, at = ingot_fat_file_place(u->file, offset, &length);
		size_t part = (size_t)ingot_min(length, n);
		int rc = add_patch(u->plan, u->disk, u->start + at, room, want, part, what, err);

		if (rc < 0)
			return rc;
		offset += part;
		room += part;
		want += part;
		n -= part;
	}
	return 0;
}

/* Of the checksum only what changes is computed anew: the sum is one of words, modulo 2^16 - 1. */
static uint16_t exchange(uint16_t sum, const uint8_t *room, const uint8_t *want, size_t n)
{
	uint32_t without = (uint32_t)sum + 0xffff - ingot_pe_sum(0, room, n);

	without = (without & 0xffff) + (without >> 16);
	without = (without & 0xffff) + (without >> 16);
	sum = ingot_pe_sum((uint16_t)without, want, n);
	return sum ? sum : 0xffff; /* both are zero; no file is all zeros */
}

static int make_tables(const struct ingot_request_signer *signer, const uint8_t *digest,
		       uint8_t **room, uint8_t **want, size_t *ret_n, struct ingot_error *err)
{
	const struct ingot_signer raw = {signer->certificate, signer->raw, signer->raw_n};
	INGOT_FREE uint8_t *empty = NULL, *der = NULL;
	size_t empty_n, der_n, n;
	int rc = ingot_authenticode_placeholder(signer->certificate, &empty, &empty_n, err);

	if (rc == 0)
		rc = ingot_authenticode_assemble(digest, &raw, &der, &der_n, err);
	if (rc == 0)
		rc = ingot_pe_table_add(NULL, 0, empty, empty_n, room, &n, err);
	if (rc == 0)
		rc = ingot_pe_table_add(NULL, 0, der, der_n, want, ret_n, err);
	if (rc == 0 && n != *ret_n)
		return ingot_raise(err, -EINVAL,
				   "the signature for Secure Boot is longer than its room");
	return rc;
}

static int add_secure_boot(const struct uki *u, const uint8_t *root_room, const uint8_t *root_want,
			   size_t root_n, struct ingot_error *err)
{
	const struct ingot_request_uki *r = u->wanted;
	INGOT_FREE uint8_t *room = NULL, *want = NULL;
	uint8_t old_sum[4], new_sum[4];
	uint64_t size = u->file->size;
	size_t n;
	uint16_t sum;
	int rc = make_tables(&r->signer, r->digest, &room, &want, &n, err);

	if (rc < 0)
		return rc;
	if (u->place.table_size != n || r->checksum < size || r->checksum - size > 0xffff)
		return ingot_raise(err, -EINVAL, "the UKI has no room for this signature");
	sum = exchange((uint16_t)(r->checksum - size), root_room, root_want, root_n);
	sum = exchange(sum, room, want, n);
	ingot_put_le32(old_sum, r->checksum);
	ingot_put_le32(new_sum, (uint32_t)(sum + size));
	rc = add_file_patch(u, u->place.checksum_offset, old_sum, new_sum, sizeof(old_sum),
			    "the UKI's checksum", err);
	if (rc == 0)
		rc = add_file_patch(u, u->place.table_offset, room, want, n, "the UKI's signature",
				    err);
	u->plan->places++;
	return rc;
}

/* The base image's or a vendor's: its command line tells. */
static int find_wanted(struct uki *u, const struct ingot_pe *pe, struct ingot_error *err)
{
	const struct ingot_pe_section *cmdline = ingot_pe_section_find(pe, ".cmdline");
	INGOT_SOURCE struct ingot_source *part = NULL;
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc;

	if (!cmdline)
		return ingot_raise(err, -EINVAL, "it has no '.cmdline'");
	rc = ingot_pe_section_source(u->file, cmdline, &part, err);
	if (rc == 0)
		rc = ingot_source_load(part, 1024 * 1024, &text, &n, err);
	if (rc < 0)
		return rc;
	u->wanted = strlen(text) == n ? ingot_sign_request_find_uki(u->response, text) : NULL;
	return u->wanted ? 0 : ingot_raise(err, -EINVAL, "its command line is not the response's");
}

/*
 * The root hash is in the command line or in the initrd's last archive, as the signature is; not
 * all of the initrd is read for that.
 */
static int check_root(const struct uki *u, struct ingot_error *err)
{
	uint64_t at = u->wanted->signature_offset, size = u->file->size;
	uint64_t start = at > NEAR ? at - NEAR : 0, end = ingot_min(size, at + NEAR);
	const char *root = u->response->root_hash;
	INGOT_FREE uint8_t *near = NULL;
	int rc;

	if (strstr(u->wanted->command_line, root))
		return 0;
	near = ingot_alloc(2, NEAR, err);
	if (!near)
		return -ENOMEM;
	rc = start < end ? ingot_source_read(u->file, start, near, (size_t)(end - start), err) : 0;
	if (rc < 0)
		return rc;
	if (start < end && memmem(near, (size_t)(end - start), root, strlen(root)))
		return 0;
	return ingot_raise(err, -EINVAL, "its root hash is not the response's");
}

static int plan_uki(struct uki *u, const uint8_t *room, const uint8_t *want, size_t n,
		    struct ingot_error *err)
{
	const struct ingot_request_uki *r;
	struct ingot_pe pe;
	int rc = ingot_pe_place_read(u->file, &u->place, err);

	if (rc == 0)
		rc = ingot_pe_read(u->file, &pe, err);
	if (rc == 0)
		rc = find_wanted(u, &pe, err);
	if (rc == 0)
		rc = check_root(u, err);
	if (rc < 0)
		return rc;
	r = u->wanted;
	if (u->place.content_size != r->size)
		return ingot_raise(err, -EINVAL, "it has %llu bytes instead of %llu",
				   (unsigned long long)u->place.content_size,
				   (unsigned long long)r->size);
	if (!r->signer.certificate && u->place.table_size > 0)
		return ingot_raise(err, -EINVAL,
				   "it has room for a signature for Secure Boot, and the response "
				   "has none");
	u->plan->places++;
	rc = add_file_patch(u, r->signature_offset, room, want, n,
			    "the root hash's signature in the initrd", err);
	if (rc == 0 && r->signer.certificate)
		rc = add_secure_boot(u, room, want, n, err);
	return rc;
}

/* --- the ESP ----------------------------------------------------------- */

/* Looks into one partition; *ret_found: it is the ESP. */
static int try_esp(struct uki *u, const struct ingot_gpt_partition *partition, const uint8_t *room,
		   const uint8_t *want, size_t n, bool *ret_found, struct ingot_error *err)
{
	const char *path = u->response->uki.path;
	INGOT_SOURCE struct ingot_source *part = NULL, *file = NULL;
	struct ingot_fat_volume volume;
	int rc = ingot_source_part(u->disk, partition->start, partition->size, &part, err);

	if (rc < 0)
		return rc;
	rc = esp_file_find(part, path, &volume, &file, err);
	if (rc < 0 || !file)
		return rc;
	*ret_found = true;
	u->file = file;
	u->start = partition->start;
	rc = plan_uki(u, room, want, n, err);
	u->file = NULL;
	return rc < 0 ? ingot_wrap(err, rc, "'%s' on the ESP", path) : 0;
}

static int plan_esp(struct ingot_source *disk, const struct ingot_gpt *gpt,
		    const struct ingot_sign_request *response, struct attach_plan *plan,
		    const uint8_t *room, const uint8_t *want, size_t n, struct ingot_error *err)
{
	struct uki u = {.disk = disk, .response = response, .plan = plan};
	bool found = false;

	for (size_t i = 0; i < gpt->count && !found; i++) {
		int rc = try_esp(&u, &gpt->partitions[i], room, want, n, &found, err);

		if (rc < 0)
			return rc;
	}
	return found ? 0
		     : ingot_raise(err, -EINVAL, "no partition has the file '%s'",
				   response->uki.path);
}

/* --- the partition of the signature ------------------------------------ */

static int encode(const struct ingot_sign_request *response, const uint8_t *der, size_t n,
		  uint8_t **ret, size_t *ret_n, struct ingot_error *err)
{
	struct ingot_verity_signature signature = {
		.pkcs7 = der, .pkcs7_size = n, .has_fingerprint = true};
	int rc = ingot_unhex(response->root_hash, signature.root, sizeof(signature.root),
			     &signature.root_size, err);

	if (rc == 0)
		rc = ingot_certificate_fingerprint(response->signers[0].certificate,
						   signature.fingerprint, err);
	return rc < 0 ? rc : ingot_verity_signature_encode(&signature, ret, ret_n, err);
}

/* The partition is told by the root hash, with which it begins. */
static int plan_partition(struct ingot_source *disk, const struct ingot_gpt *gpt,
			  const struct ingot_sign_request *response, struct attach_plan *plan,
			  const uint8_t *room, const uint8_t *want, size_t n,
			  struct ingot_error *err)
{
	INGOT_FREE uint8_t *room_text = NULL, *want_text = NULL;
	uint8_t head[128];
	size_t room_n, want_n, same = strlen("{\"rootHash\":\"") + strlen(response->root_hash);
	int rc = encode(response, room, n, &room_text, &room_n, err);

	if (rc == 0)
		rc = encode(response, want, n, &want_text, &want_n, err);
	for (size_t i = 0; rc == 0 && i < gpt->count; i++) {
		const struct ingot_gpt_partition *p = &gpt->partitions[i];
		size_t compared = (size_t)ingot_min(same, sizeof(head));

		if (p->size < want_n || room_n != want_n)
			continue;
		rc = ingot_source_read(disk, p->start, head, compared, err);
		if (rc < 0 || memcmp(head, want_text, compared) != 0)
			continue;
		plan->places++;
		rc = add_patch(plan, disk, p->start, room_text, want_text, want_n,
			       "the partition for the signature", err);
	}
	return rc;
}

/* --- all of it --------------------------------------------------------- */

int attach_plan_make(struct ingot_source *disk, const struct ingot_sign_request *response,
		     struct attach_plan *ret, struct ingot_error *err)
{
	struct ingot_problems complaints = {0};
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	INGOT_FREE uint8_t *room = NULL, *want = NULL;
	size_t room_n, n;
	int rc = ingot_gpt_read(disk, &complaints, &gpt, err);

	ingot_problems_done(&complaints);
	if (rc == 0)
		rc = ingot_sign_request_placeholder(response, &room, &room_n, err);
	if (rc == 0)
		rc = ingot_sign_request_assemble(response, &want, &n, err);
	if (rc < 0)
		return rc;
	if (room_n != n)
		return ingot_raise(err, -EINVAL,
				   "the root hash's signature is not as long as its "
				   "room");
	if (response->has_uki)
		rc = plan_esp(disk, gpt, response, ret, room, want, n, err);
	if (rc == 0)
		rc = plan_partition(disk, gpt, response, ret, room, want, n, err);
	if (rc == 0 && ret->places == 0)
		return ingot_raise(err, -EINVAL, "it has no room for these signatures");
	return rc;
}

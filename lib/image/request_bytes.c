/*
 * The bytes that the signature for Secure Boot will cover. A request has them in two pieces: a
 * state of SHA-256, in which anything may be, and the rest. Equal digests alone would not do: the
 * state is the build machine's choice. So each piece is held against the file.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "image/request_image_internal.h"
#include "image/uki_digest_internal.h"

enum { STEP = 1024 * 1024, CHECKSUM = 4 };

static int check_room(const struct ingot_request_uki *uki, struct ingot_source *file,
		      const uint8_t *der, size_t n, struct ingot_error *err)
{
	INGOT_FREE uint8_t *found = ingot_alloc(1, n, err);
	int rc;

	if (!found)
		return -ENOMEM;
	if (!ingot_in_range(uki->signature_offset, n, file->size))
		return ingot_raise(err, -EBADMSG,
				   "the place for the root hash's signature is outside the file");
	rc = ingot_source_read(file, uki->signature_offset, found, n, err);
	if (rc == 0 && memcmp(found, der, n) != 0)
		return ingot_raise(err, -EBADMSG,
				   "there is no room for the root hash's signature at byte %llu",
				   (unsigned long long)uki->signature_offset);
	return rc;
}

/* Headers, boot stub, os-release, command line, and the initrd but for its end. */
static int check_front(const struct ingot_request_uki *uki, struct ingot_source *file,
		       const struct ingot_pe_place *place, uint64_t start, struct ingot_error *err)
{
	struct ingot_sha256_state state;
	int rc = uki_digest_front(file, place, start, &state, err);

	if (rc < 0)
		return rc;
	if (state.bytes != uki->state.bytes ||
	    memcmp(state.chain, uki->state.chain, sizeof(state.chain)) != 0)
		return ingot_raise(err, -EBADMSG,
				   "its headers, sections or initrd are not those of the request: "
				   "the first %llu bytes have another digest",
				   (unsigned long long)start);
	return 0;
}

/* The initrd's end and the kernel; behind the file zeros. */
static int check_tail(const struct ingot_request_uki *uki, struct ingot_source *file,
		      const struct ingot_pe_place *place, uint64_t start, struct ingot_error *err)
{
	INGOT_FREE uint8_t *buffer = ingot_alloc_buffer(STEP, err);
	uint64_t size = place->content_size - start;

	if (!buffer)
		return -ENOMEM;
	if (uki->tail_n != place->table_offset - start)
		return ingot_raise(err, -EBADMSG,
				   "its end is longer or shorter than the request's");
	for (uint64_t at = 0; at < size;) {
		size_t n = (size_t)ingot_min(size - at, STEP);
		int rc = ingot_source_read(file, start + at, buffer, n, err);

		if (rc < 0)
			return rc;
		if (memcmp(buffer, uki->tail + at, n) != 0)
			return ingot_raise(err, -EBADMSG,
					   "the end of its initrd or its kernel is not that of the "
					   "request");
		at += n;
	}
	for (uint64_t at = size; at < uki->tail_n; at++)
		if (uki->tail[at] != 0)
			return ingot_raise(err, -EBADMSG, "the request has bytes behind its end");
	return 0;
}

/* What libcrypto makes of the file, and what signing would make of the request. */
static int check_digest(const struct ingot_request_uki *uki, struct ingot_source *file,
			const struct ingot_pe_place *place, const uint8_t *der, size_t n,
			struct ingot_error *err)
{
	uint8_t want[INGOT_SHA256_SIZE], digest[INGOT_SHA256_SIZE];
	int rc = ingot_pe_digest(file, place, want, err);

	if (rc == 0)
		rc = ingot_sign_request_uki_digest(uki, der, n, digest, err);
	if (rc == 0 && memcmp(want, digest, sizeof(want)) != 0)
		return ingot_raise(err, -EBADMSG, "its digest is not the one to be signed");
	return rc;
}

static int check_signed(const struct ingot_request_uki *uki, struct ingot_source *file,
			const struct ingot_pe_place *place, const uint8_t *der, size_t n,
			struct ingot_error *err)
{
	uint64_t start = uki->state.bytes + UKI_NOT_DIGESTED;
	uint8_t checksum[CHECKSUM];
	int rc;

	if (start < place->entry_offset + 8 || start > place->content_size)
		return ingot_raise(err, -EBADMSG,
				   "the request's digest does not end between its headers and its "
				   "end");
	rc = check_front(uki, file, place, start, err);
	if (rc == 0)
		rc = check_tail(uki, file, place, start, err);
	if (rc == 0)
		rc = check_digest(uki, file, place, der, n, err);
	if (rc == 0)
		rc = ingot_source_read(file, place->checksum_offset, checksum, CHECKSUM, err);
	if (rc == 0 && ingot_get_le32(checksum) != uki->checksum)
		return ingot_raise(err, -EBADMSG, "its checksum is not the request's");
	return rc;
}

int request_check_bytes(const struct ingot_request_uki *uki, struct ingot_source *file,
			const uint8_t *der, size_t n, struct ingot_error *err)
{
	struct ingot_pe_place place;
	int rc = ingot_pe_place_read(file, &place, err);

	if (rc < 0)
		return rc;
	if (place.content_size != uki->size)
		return ingot_raise(err, -EBADMSG, "it has %llu bytes instead of %llu",
				   (unsigned long long)place.content_size,
				   (unsigned long long)uki->size);
	rc = check_room(uki, file, der, n, err);
	if (rc < 0 || !uki->signer.certificate)
		return rc;
	return check_signed(uki, file, &place, der, n, err);
}

#include "boot/pe_sign.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum { STEP = 1024 * 1024, CHECKSUM_SIZE = 4, ENTRY_SIZE = 8 };

/* --- the digest -------------------------------------------------------- */

static int add_range(struct ingot_source *source, uint64_t start, uint64_t end, uint8_t *buffer,
		     struct ingot_sha256 *sha, struct ingot_error *err)
{
	while (start < end) {
		size_t n = ingot_min(end - start, STEP);
		int rc = ingot_source_read(source, start, buffer, n, err);

		if (rc == 0)
			rc = ingot_sha256_update(sha, buffer, n, err);
		if (rc < 0)
			return rc;
		start += n;
	}
	return 0;
}

/* The table needs an offset that is a multiple of 8; so much of it is already signed. */
static int add_padding(const struct ingot_pe_place *place, struct ingot_sha256 *sha,
		       struct ingot_error *err)
{
	static const uint8_t zeros[8];

	return ingot_sha256_update(sha, zeros, place->table_offset - place->content_size, err);
}

int ingot_pe_digest(struct ingot_source *source, const struct ingot_pe_place *place,
		    uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err)
{
	INGOT_SHA256 struct ingot_sha256 *sha = ingot_sha256_new(err);
	INGOT_FREE uint8_t *buffer = sha ? ingot_alloc_buffer(STEP, err) : NULL;
	int rc;

	if (!buffer)
		return -ENOMEM;
	rc = add_range(source, 0, place->checksum_offset, buffer, sha, err);
	if (rc == 0)
		rc = add_range(source, place->checksum_offset + CHECKSUM_SIZE, place->entry_offset,
			       buffer, sha, err);
	if (rc == 0)
		rc = add_range(source, place->entry_offset + ENTRY_SIZE, place->content_size,
			       buffer, sha, err);
	if (rc == 0)
		rc = add_padding(place, sha, err);
	if (rc == 0)
		rc = ingot_sha256_final(sha, digest, err);
	return rc;
}

/* --- the checksum ------------------------------------------------------ */

/* Words of 32 bits are summed: 2^16 is 1 modulo 2^16 - 1, so the halves come together later. */
uint16_t ingot_pe_sum(uint16_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t total = sum;

	for (; n >= 4; n -= 4, p += 4)
		total += ingot_get_le32(p); /* 2^32 of them before it could overflow */
	for (size_t i = 0; i < n; i++)
		total += (uint64_t)p[i] << (8 * (i % 2));
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static int sum_source(struct ingot_source *source, uint64_t size, uint16_t *ret,
		      struct ingot_error *err)
{
	INGOT_FREE uint8_t *buffer = ingot_alloc_buffer(STEP, err);
	uint16_t sum = 0;

	if (!buffer)
		return -ENOMEM;
	for (uint64_t offset = 0; offset < size;) {
		size_t n = ingot_min(size - offset, STEP);
		int rc = ingot_source_read(source, offset, buffer, n, err);

		if (rc < 0)
			return rc;
		sum = ingot_pe_sum(sum, buffer, n);
		offset += n;
	}
	*ret = sum;
	return 0;
}

/* --- the file ---------------------------------------------------------- */

/* Up to the end of the directory's entry, with the entry and without a checksum. */
static int make_head(struct ingot_source *source, const struct ingot_pe_place *place, size_t n,
		     uint8_t *head, struct ingot_error *err)
{
	int rc = ingot_source_read(source, 0, head, place->entry_offset + ENTRY_SIZE, err);

	if (rc < 0)
		return rc;
	memset(head + place->checksum_offset, 0, CHECKSUM_SIZE);
	ingot_put_le32(head + place->entry_offset, n ? (uint32_t)place->table_offset : 0);
	ingot_put_le32(head + place->entry_offset + 4, (uint32_t)n);
	return 0;
}

enum { PIECES = 4 };

static int join(struct ingot_source *source, const struct ingot_pe_place *place,
		const uint8_t *head, const uint8_t *table, size_t n, struct ingot_source **ret,
		struct ingot_error *err)
{
	struct ingot_source *pieces[PIECES] = {NULL};
	uint64_t body = place->entry_offset + ENTRY_SIZE;
	/* Without a table there is nothing that has to stand at a multiple of 8. */
	uint64_t padding = n ? place->table_offset - place->content_size : 0;
	int rc = ingot_source_memory(source->name, head, body, &pieces[0], err);

	if (rc == 0)
		rc = ingot_source_part(source, body, place->content_size - body, &pieces[1], err);
	if (rc == 0)
		rc = ingot_source_zero(padding, &pieces[2], err);
	if (rc == 0)
		rc = ingot_source_memory("certificate table", n ? table : head, n, &pieces[3], err);
	if (rc == 0)
		rc = ingot_source_concat(source->name, pieces, PIECES, ret, err);
	for (size_t i = 0; rc < 0 && i < PIECES; i++)
		ingot_source_free(pieces[i]);
	return rc;
}

int ingot_pe_attach(struct ingot_source *source, const struct ingot_pe_place *place,
		    const uint8_t *table, size_t n, struct ingot_source **ret,
		    struct ingot_error *err)
{
	INGOT_FREE uint8_t *head = ingot_alloc(place->entry_offset + ENTRY_SIZE, 1, err);
	INGOT_SOURCE struct ingot_source *without = NULL;
	uint16_t sum;
	int rc;

	if (!head)
		return -ENOMEM;
	rc = make_head(source, place, n, head, err);
	if (rc == 0)
		rc = join(source, place, head, table, n, &without, err);
	if (rc == 0)
		rc = sum_source(without, without->size, &sum, err);
	if (rc < 0)
		return rc;
	ingot_put_le32(head + place->checksum_offset, (uint32_t)(sum + without->size));
	return join(source, place, head, table, n, ret, err);
}

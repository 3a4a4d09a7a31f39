/*
 * All tables of a qcow2 file together. Without snapshots every cluster has one user; a small file
 * whose tables name the same clusters again and again would unpack for days.
 */
#include <errno.h>

#include "base/bytes.h"
#include "formats/claims_internal.h"
#include "formats/directory_internal.h"
#include "formats/qcow2_internal.h"

static int place_of(const void *context, const unsigned char *entry, uint64_t *ret,
		    struct ingot_error *err)
{
	return ingot_qcow2_l2_place(context, ingot_get_be64(entry), ret, err);
}

struct tally {
	uint64_t plain, packed; /* clusters */
	struct ingot_claims claims, packed_claims;
};

/* deflate does not shrink beyond 1 in 1032; a frame of Zstandard has a header at least. */
static uint64_t least_packed(const struct qcow2_source *q)
{
	return q->packing == INGOT_PACKED_ZSTD ? 8 : ingot_max(qcow2_cluster(q) >> 11, 4);
}

static int tally_packed(const struct qcow2_source *q, uint64_t entry, struct tally *tally,
			struct ingot_error *err)
{
	uint64_t offset = qcow2_packed_offset(q, entry);

	tally->packed++;
	if (offset >= q->file->size)
		return ingot_raise(err, -EBADMSG, "a compressed cluster at 0x%llx: not in the file",
				   (unsigned long long)offset);
	if (!ingot_claim(&tally->packed_claims, offset))
		return ingot_raise(err, -EBADMSG, "two clusters share the place 0x%llx",
				   (unsigned long long)offset);
	return 0;
}

static int tally_entry(const struct qcow2_source *q, const struct qcow2_entry *entry,
		       struct tally *tally, struct ingot_error *err)
{
	uint64_t offset = entry->entry & QCOW2_OFFSET_MASK;

	if (entry->entry & QCOW2_COMPRESSED)
		return tally_packed(q, entry->entry, tally, err);
	if ((uint32_t)(entry->subclusters & entry->subclusters >> 32) != 0 ||
	    (offset == 0 && (uint32_t)entry->subclusters != 0))
		return ingot_raise(err, -EBADMSG, "subclusters that contradict their cluster");
	if (ingot_qcow2_is_hole(q, entry))
		return 0;
	tally->plain++;
	if (offset >= q->file->size)
		return ingot_raise(err, -EBADMSG, "a cluster at 0x%llx: not in the file",
				   (unsigned long long)offset);
	if (!ingot_claim(&tally->claims, offset))
		return ingot_raise(err, -EBADMSG, "two clusters share the place 0x%llx",
				   (unsigned long long)offset);
	return 0;
}

static int tally_table(struct qcow2_source *q, uint64_t place, unsigned char *table,
		       struct tally *tally, struct ingot_error *err)
{
	size_t n = (size_t)qcow2_cluster(q), step = qcow2_entry_size(q);
	int rc = ingot_source_read(q->file, place, table, n, err);

	for (size_t i = 0; rc == 0 && i < n; i += step) {
		const struct qcow2_entry entry = ingot_qcow2_entry(q, table + i);

		rc = tally_entry(q, &entry, tally, err);
	}
	return rc;
}

static int check_amount(const struct qcow2_source *q, const struct tally *tally,
			struct ingot_error *err)
{
	uint64_t least = least_packed(q);
	uint64_t plain, packed, need;

	if (ingot_mul(tally->plain, qcow2_cluster(q), &plain) &&
	    ingot_mul(tally->packed, least, &packed) && ingot_add(plain, packed, &need) &&
	    need <= q->file->size)
		return 0;
	return ingot_raise(err, -EBADMSG, "its tables name more data than the file can hold");
}

static int check_places(struct qcow2_source *q, const uint64_t *places, size_t n,
			struct tally *tally, struct ingot_error *err)
{
	INGOT_FREE unsigned char *table = ingot_alloc(1, (size_t)qcow2_cluster(q), err);
	uint64_t l1_end = q->l1_offset + q->l1_count * 8;
	int rc = table ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		bool twice = i > 0 && places[i] == places[i - 1];
		bool on_l1 = places[i] < l1_end && places[i] + qcow2_cluster(q) > q->l1_offset;

		if (twice || on_l1)
			return ingot_raise(err, -EBADMSG, "the L2 table at 0x%llx overlaps %s",
					   (unsigned long long)places[i],
					   twice ? "another" : "the L1 table");
		rc = tally_table(q, places[i], table, tally, err);
	}
	return rc < 0 ? rc : check_amount(q, tally, err);
}

int ingot_qcow2_check_tables(struct qcow2_source *q, struct ingot_error *err)
{
	const struct ingot_directory directory = {.file = q->file,
						  .offset = q->l1_offset,
						  .count = q->l1_count,
						  .entry_size = 8,
						  .place = place_of,
						  .context = q};
	INGOT_FREE uint64_t *places = NULL;
	struct tally tally = {0};
	size_t n;
	int rc = ingot_directory_load(&directory, &places, &n, err);

	if (rc == 0)
		rc = ingot_claims_init(&tally.claims, q->file->size, qcow2_cluster(q), err);
	if (rc == 0)
		rc = ingot_claims_init(&tally.packed_claims, q->file->size, least_packed(q), err);
	if (rc == 0)
		rc = check_places(q, places, n, &tally, err);
	ingot_claims_done(&tally.claims);
	ingot_claims_done(&tally.packed_claims);
	return rc;
}

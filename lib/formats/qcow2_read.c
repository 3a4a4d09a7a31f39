/*
 * A qcow2 file as the disk inside. Tables are read where they are needed and never kept; what
 * could be wrong with all of them together was looked at when the file was opened.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/edit_internal.h"
#include "formats/qcow2_internal.h"

enum { RUN_MAX = 128 /* L2 entries at a time */ };

struct entries {
	size_t count;
	struct qcow2_entry list[RUN_MAX];
};

/* --- tables ------------------------------------------------------------ */

int ingot_qcow2_l2_place(const struct qcow2_source *q, uint64_t entry, uint64_t *ret,
			 struct ingot_error *err)
{
	*ret = entry & QCOW2_OFFSET_MASK;
	if (*ret % qcow2_cluster(q) != 0 ||
	    (*ret != 0 && !ingot_in_range(*ret, qcow2_cluster(q), q->file->size)))
		return ingot_raise(err, -EBADMSG, "an L2 table at 0x%llx: not in the file",
				   (unsigned long long)*ret);
	return 0;
}

struct qcow2_entry ingot_qcow2_entry(const struct qcow2_source *q, const unsigned char *raw)
{
	return (struct qcow2_entry){.entry = ingot_get_be64(raw),
				    .subclusters = q->extended ? ingot_get_be64(raw + 8) : 0};
}

/*
 * The L2 entries from a place on the disk, as many as fit and lie in the same table. *span: so many
 * bytes are known to be zero, and there are no entries.
 */
static int read_entries(struct qcow2_source *q, uint64_t offset, struct entries *ret,
			uint64_t *span, struct ingot_error *err)
{
	size_t size = qcow2_entry_size(q);
	uint64_t per_table = qcow2_cluster(q) / size;
	uint64_t index = (offset >> q->cluster_bits) % per_table, table;
	unsigned char raw[16 * RUN_MAX];
	int rc = ingot_source_read(q->file, q->l1_offset + offset / qcow2_l2_span(q) * 8, raw, 8,
				   err);

	if (rc == 0)
		rc = ingot_qcow2_l2_place(q, ingot_get_be64(raw), &table, err);
	if (rc < 0)
		return rc;
	*span = qcow2_l2_span(q) - offset % qcow2_l2_span(q);
	ret->count = 0;
	if (table == 0)
		return 0;
	*span = 0;
	ret->count = (size_t)ingot_min(per_table - index, RUN_MAX);
	rc = ingot_source_read(q->file, table + index * size, raw, ret->count * size, err);
	for (size_t i = 0; i < ret->count; i++)
		ret->list[i] = ingot_qcow2_entry(q, raw + size * i);
	return rc;
}

bool ingot_qcow2_is_hole(const struct qcow2_source *q, const struct qcow2_entry *entry)
{
	if (entry->entry & QCOW2_COMPRESSED)
		return false;
	if ((entry->entry & QCOW2_OFFSET_MASK) == 0)
		return true;
	if (q->extended)
		return (uint32_t)entry->subclusters == 0;
	return q->version >= 3 && entry->entry & QCOW2_ZERO;
}

/* --- clusters ---------------------------------------------------------- */

static int read_packed(struct qcow2_source *q, uint64_t entry, struct ingot_unpacker *unpacker,
		       unsigned char *cluster, struct ingot_error *err)
{
	unsigned bits = qcow2_offset_bits(q->cluster_bits);
	uint64_t offset = qcow2_packed_offset(q, entry);
	uint64_t sectors = ((entry & (QCOW2_COMPRESSED - 1)) >> bits) + 1;
	INGOT_FREE unsigned char *packed = NULL;
	size_t n, got;
	int rc;

	if (offset >= q->file->size)
		return ingot_raise(err, -EBADMSG, "a compressed cluster at 0x%llx: not in the file",
				   (unsigned long long)offset);
	/* The last sector may be cut off by the end of the file. */
	n = (size_t)ingot_min(sectors * 512 - offset % 512, q->file->size - offset);
	packed = ingot_alloc(1, n, err);
	if (!packed)
		return -ENOMEM;
	rc = ingot_source_read(q->file, offset, packed, n, err);
	if (rc < 0)
		return rc;
	rc = ingot_unpack(unpacker, q->packing, packed, n, cluster, (size_t)qcow2_cluster(q), &got,
			  err);
	if (rc == 0 && got != qcow2_cluster(q))
		rc = ingot_raise(err, -EBADMSG, "the compressed data gives %zu bytes only", got);
	return rc < 0 ? ingot_wrap(err, rc, "a compressed cluster at 0x%llx",
				   (unsigned long long)offset)
		      : 0;
}

static int read_plain(struct qcow2_source *q, uint64_t entry, uint64_t inside, void *data, size_t n,
		      struct ingot_error *err)
{
	uint64_t offset = entry & QCOW2_OFFSET_MASK;

	if (offset % qcow2_cluster(q) != 0)
		return ingot_raise(err, -EBADMSG, "a cluster at 0x%llx: between two clusters",
				   (unsigned long long)offset);
	return ingot_source_read(q->file, offset + inside, data, n, err);
}

/* Subclusters that are not in the file are zero, for there is no backing file. */
static int read_subclusters(struct qcow2_source *q, const struct qcow2_entry *entry,
			    uint64_t inside, unsigned char *data, size_t n, struct ingot_error *err)
{
	uint64_t size = qcow2_cluster(q) / QCOW2_SUBCLUSTERS;

	for (size_t at = 0, part; at < n; at += part) {
		uint64_t index = (inside + at) / size;
		int rc = 0;

		part = (size_t)ingot_min(n - at, size - (inside + at) % size);
		if (entry->subclusters >> index & 1)
			rc = read_plain(q, entry->entry, inside + at, data + at, part, err);
		else
			memset(data + at, 0, part);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What one read_at needs for compressed clusters. */
struct unpacking {
	struct ingot_unpacker unpacker;
	unsigned char *cluster;
};

/* n bytes of the compressed cluster at that place on the disk. */
static int read_piece(struct qcow2_source *q, uint64_t entry, uint64_t offset, unsigned char *data,
		      size_t n, struct unpacking *unpacking, struct ingot_error *err)
{
	uint64_t number = offset >> q->cluster_bits;
	size_t inside = (size_t)(offset & (qcow2_cluster(q) - 1));
	int rc;

	if (n == qcow2_cluster(q))
		return read_packed(q, entry, &unpacking->unpacker, data, err);
	if (ingot_kept_copy(&q->kept, number, inside, data, n))
		return 0;
	if (!unpacking->cluster)
		unpacking->cluster = ingot_alloc(1, (size_t)qcow2_cluster(q), err);
	if (!unpacking->cluster)
		return -ENOMEM;
	rc = read_packed(q, entry, &unpacking->unpacker, unpacking->cluster, err);
	if (rc < 0)
		return rc;
	memcpy(data, unpacking->cluster + inside, n);
	ingot_kept_put(&q->kept, number, &unpacking->cluster);
	return 0;
}

/* n bytes of one cluster. */
static int read_inside(struct qcow2_source *q, const struct qcow2_entry *entry, uint64_t offset,
		       unsigned char *data, size_t n, struct unpacking *unpacking,
		       struct ingot_error *err)
{
	uint64_t inside = offset & (qcow2_cluster(q) - 1);

	if (ingot_qcow2_is_hole(q, entry)) {
		memset(data, 0, n);
		return 0;
	}
	if (entry->entry & QCOW2_COMPRESSED)
		return read_piece(q, entry->entry, offset, data, n, unpacking, err);
	return q->extended ? read_subclusters(q, entry, inside, data, n, err)
			   : read_plain(q, entry->entry, inside, data, n, err);
}

/* As much as one call of read_entries tells about. */
static int read_run(struct qcow2_source *q, uint64_t offset, unsigned char *data, size_t n,
		    struct unpacking *unpacking, size_t *done, struct ingot_error *err)
{
	struct entries entries;
	uint64_t span;
	int rc = read_entries(q, offset, &entries, &span, err);

	if (rc < 0)
		return rc;
	*done = (size_t)ingot_min(n, span);
	memset(data, 0, *done);
	for (size_t i = 0; i < entries.count && *done < n; i++) {
		uint64_t at = offset + *done, size = qcow2_cluster(q);
		size_t part = (size_t)ingot_min(n - *done, size - (at & (size - 1)));

		rc = read_inside(q, &entries.list[i], at, data + *done, part, unpacking, err);
		if (rc < 0)
			return rc;
		*done += part;
	}
	return 0;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct qcow2_source *q = (struct qcow2_source *)source;
	struct unpacking unpacking = {0};
	int rc = 0;

	for (size_t at = 0, part; rc == 0 && at < n; at += part)
		rc = read_run(q, offset + at, (unsigned char *)data + at, n - at, &unpacking, &part,
			      err);
	ingot_unpacker_done(&unpacking.unpacker);
	free(unpacking.cluster);
	return rc < 0 ? ingot_wrap(err, rc, "qcow2 '%s'", source->name) : 0;
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	struct qcow2_source *q = (struct qcow2_source *)source;
	struct entries entries;
	uint64_t span;
	size_t i = 0;
	int rc = read_entries(q, offset, &entries, &span, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "qcow2 '%s'", source->name);
	ret->hole = entries.count == 0 || ingot_qcow2_is_hole(q, &entries.list[0]);
	while (i < entries.count && ingot_qcow2_is_hole(q, &entries.list[i]) == ret->hole)
		i++;
	if (i > 0)
		span = i * qcow2_cluster(q) - (offset & (qcow2_cluster(q) - 1));
	ret->length = ingot_min(span, source->size - offset);
	return 0;
}

static void qcow2_free(struct ingot_source *source)
{
	struct qcow2_source *q = (struct qcow2_source *)source;

	ingot_source_free(q->file);
	ingot_kept_done(&q->kept);
	free(q);
}

const struct ingot_source_ops ingot_qcow2_ops = {read_at, extent_at, qcow2_free};

/* --- changes in place -------------------------------------------------- */

/* A cluster that has more than one user is nobody's to change. */
static int place(struct ingot_source *source, uint64_t offset, struct ingot_place *ret,
		 struct ingot_error *err)
{
	struct qcow2_source *q = (struct qcow2_source *)source;
	uint64_t inside = offset & (qcow2_cluster(q) - 1), span;
	struct entries entries;
	uint64_t entry;
	int rc = read_entries(q, offset, &entries, &span, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "qcow2 '%s'", source->name);
	*ret = (struct ingot_place){.length = span};
	if (entries.count == 0)
		return 0;
	entry = entries.list[0].entry;
	ret->length = qcow2_cluster(q) - inside;
	if (q->extended || entry & QCOW2_COMPRESSED || !(entry & QCOW2_COPIED) ||
	    ingot_qcow2_is_hole(q, &entries.list[0]))
		return 0;
	ret->stored = true;
	ret->at = (entry & QCOW2_OFFSET_MASK) + inside;
	return 0;
}

const struct ingot_edit_ops ingot_qcow2_edit = {.place = place};

/*
 * A qcow2 file as the disk inside. Tables are read where they are needed and never kept; what
 * could be wrong with all of them together was looked at when the file was opened.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/format_internal.h"
#include "formats/qcow2_internal.h"
#include "formats/unpack_internal.h"

enum { L1_MAX = 32 << 20, /* bytes, QEMU's limit */ RUN_MAX = 128 /* L2 entries at a time */ };

struct qcow2_source {
	struct ingot_source source;
	struct ingot_source *file;
	uint32_t version;
	unsigned cluster_bits;
	size_t l1_count;
	uint64_t l1_offset;
	enum ingot_packing packing;
};

struct entries {
	size_t count;
	uint64_t list[RUN_MAX];
};

static uint64_t cluster_size(const struct qcow2_source *q)
{
	return UINT64_C(1) << q->cluster_bits;
}

/* Disk bytes behind one L2 table. */
static uint64_t l2_span(const struct qcow2_source *q)
{
	return cluster_size(q) * (cluster_size(q) / 8);
}

/* --- tables ------------------------------------------------------------ */

/* Where the L2 table of an L1 entry is; 0: nowhere, all of it is zero. */
static int l2_place(const struct qcow2_source *q, uint64_t entry, uint64_t *ret,
		    struct ingot_error *err)
{
	*ret = entry & QCOW2_OFFSET_MASK;
	if (*ret % cluster_size(q) != 0 ||
	    (*ret != 0 && !ingot_in_range(*ret, cluster_size(q), q->file->size)))
		return ingot_raise(err, -EBADMSG, "an L2 table at 0x%llx: not in the file",
				   (unsigned long long)*ret);
	return 0;
}

/*
 * The L2 entries from a place on the disk, as many as fit and lie in the same table. *span: so many
 * bytes are known to be zero, and there are no entries.
 */
static int read_entries(struct qcow2_source *q, uint64_t offset, struct entries *ret,
			uint64_t *span, struct ingot_error *err)
{
	uint64_t per_table = cluster_size(q) / 8;
	uint64_t index = (offset >> q->cluster_bits) % per_table, table;
	unsigned char raw[8 * RUN_MAX];
	int rc = ingot_source_read(q->file, q->l1_offset + offset / l2_span(q) * 8, raw, 8, err);

	if (rc == 0)
		rc = l2_place(q, ingot_get_be64(raw), &table, err);
	if (rc < 0)
		return rc;
	*span = l2_span(q) - offset % l2_span(q);
	ret->count = 0;
	if (table == 0)
		return 0;
	*span = 0;
	ret->count = (size_t)ingot_min(per_table - index, RUN_MAX);
	rc = ingot_source_read(q->file, table + index * 8, raw, ret->count * 8, err);
	for (size_t i = 0; i < ret->count; i++)
		ret->list[i] = ingot_get_be64(raw + 8 * i);
	return rc;
}

static bool is_hole(const struct qcow2_source *q, uint64_t entry)
{
	if (entry & QCOW2_COMPRESSED)
		return false;
	return (entry & QCOW2_OFFSET_MASK) == 0 || (q->version >= 3 && entry & QCOW2_ZERO);
}

/* --- clusters ---------------------------------------------------------- */

static int read_packed(struct qcow2_source *q, uint64_t entry, struct ingot_unpacker *unpacker,
		       unsigned char *cluster, struct ingot_error *err)
{
	unsigned bits = qcow2_offset_bits(q->cluster_bits);
	uint64_t offset = entry & ((UINT64_C(1) << bits) - 1);
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
	rc = ingot_unpack(unpacker, q->packing, packed, n, cluster, (size_t)cluster_size(q), &got,
			  err);
	if (rc == 0 && got != cluster_size(q))
		rc = ingot_raise(err, -EBADMSG, "the compressed data gives %zu bytes only", got);
	return rc < 0 ? ingot_wrap(err, rc, "a compressed cluster at 0x%llx",
				   (unsigned long long)offset)
		      : 0;
}

static int read_plain(struct qcow2_source *q, uint64_t entry, uint64_t inside, void *data, size_t n,
		      struct ingot_error *err)
{
	uint64_t offset = entry & QCOW2_OFFSET_MASK;

	if (offset % cluster_size(q) != 0)
		return ingot_raise(err, -EBADMSG, "a cluster at 0x%llx: between two clusters",
				   (unsigned long long)offset);
	return ingot_source_read(q->file, offset + inside, data, n, err);
}

/* What one read_at needs for compressed clusters. */
struct unpacking {
	struct ingot_unpacker unpacker;
	unsigned char *cluster;
};

static int read_inside(struct qcow2_source *q, uint64_t entry, uint64_t inside, unsigned char *data,
		       size_t n, struct unpacking *unpacking, struct ingot_error *err)
{
	int rc;

	if (is_hole(q, entry)) {
		memset(data, 0, n);
		return 0;
	}
	if (!(entry & QCOW2_COMPRESSED))
		return read_plain(q, entry, inside, data, n, err);
	if (n == cluster_size(q))
		return read_packed(q, entry, &unpacking->unpacker, data, err);
	if (!unpacking->cluster)
		unpacking->cluster = ingot_alloc(1, (size_t)cluster_size(q), err);
	if (!unpacking->cluster)
		return -ENOMEM;
	rc = read_packed(q, entry, &unpacking->unpacker, unpacking->cluster, err);
	if (rc == 0)
		memcpy(data, unpacking->cluster + inside, n);
	return rc;
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
		uint64_t inside = (offset + *done) & (cluster_size(q) - 1);
		size_t part = (size_t)ingot_min(n - *done, cluster_size(q) - inside);

		rc = read_inside(q, entries.list[i], inside, data + *done, part, unpacking, err);
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
	ret->hole = entries.count == 0 || is_hole(q, entries.list[0]);
	while (i < entries.count && is_hole(q, entries.list[i]) == ret->hole)
		i++;
	if (i > 0)
		span = i * cluster_size(q) - (offset & (cluster_size(q) - 1));
	ret->length = ingot_min(span, source->size - offset);
	return 0;
}

static void qcow2_free(struct ingot_source *source)
{
	ingot_source_free(((struct qcow2_source *)source)->file);
	free(source);
}

static const struct ingot_source_ops QCOW2_OPS = {read_at, extent_at, qcow2_free};

/* --- opening ----------------------------------------------------------- */

bool ingot_qcow2_probe(const struct ingot_probe *probe)
{
	return ingot_get_be32(probe->head) == QCOW2_MAGIC;
}

static int check_features(uint64_t features, struct ingot_error *err)
{
	if (features & QCOW2_INCOMPAT_DATA_FILE)
		return ingot_raise(err, -ENOTSUP, "its data is in another file");
	if (features & QCOW2_INCOMPAT_CORRUPT)
		return ingot_raise(err, -EBADMSG, "it is marked as corrupt");
	if (features & QCOW2_INCOMPAT_EXTENDED_L2)
		return ingot_raise(err, -ENOTSUP, "it has subclusters (extended L2 entries)");
	if (features & ~(uint64_t)(QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_COMPRESSION))
		return ingot_raise(err, -ENOTSUP, "it has unknown features (0x%llx)",
				   (unsigned long long)features);
	return 0;
}

/* What only other files, keys or choices could answer. */
static int check_alone(const unsigned char *h, struct ingot_error *err)
{
	if (ingot_get_be64(h + 8) != 0)
		return ingot_raise(err, -ENOTSUP, "it has a backing file: flatten it first");
	if (ingot_get_be32(h + 32) != 0)
		return ingot_raise(err, -ENOTSUP, "it is encrypted");
	if (ingot_get_be32(h + 60) != 0)
		return ingot_raise(err, -ENOTSUP, "it has snapshots");
	return 0;
}

static int read_compression(struct qcow2_source *q, const unsigned char *h, struct ingot_error *err)
{
	bool given = ingot_get_be32(h + 100) > 104 && q->version >= 3;
	unsigned type = given ? h[104] : QCOW2_DEFLATE;

	if (type > QCOW2_ZSTD)
		return ingot_raise(err, -ENOTSUP, "its compression %u is unknown", type);
	q->packing = type == QCOW2_ZSTD ? INGOT_PACKED_ZSTD : INGOT_PACKED_DEFLATE;
	return 0;
}

static int read_geometry(struct qcow2_source *q, const unsigned char *h, struct ingot_error *err)
{
	uint32_t bits = ingot_get_be32(h + 20);

	q->source.size = ingot_get_be64(h + 24);
	if (bits < QCOW2_CLUSTER_BITS_MIN || bits > QCOW2_CLUSTER_BITS_MAX)
		return ingot_raise(err, -EBADMSG, "its clusters have 2^%u bytes", bits);
	q->cluster_bits = bits;
	q->l1_count = ingot_get_be32(h + 36);
	q->l1_offset = ingot_get_be64(h + 40);
	if (q->source.size > INT64_MAX)
		return ingot_raise(err, -EBADMSG, "its size of %llu bytes is impossible",
				   (unsigned long long)q->source.size);
	if (q->l1_count > L1_MAX / 8 || q->l1_count < ingot_div_up(q->source.size, l2_span(q)))
		return ingot_raise(err, -EBADMSG, "an L1 table of %zu entries for %llu bytes",
				   q->l1_count, (unsigned long long)q->source.size);
	if (q->l1_offset % cluster_size(q) != 0 || q->l1_offset == 0 ||
	    !ingot_in_range(q->l1_offset, q->l1_count * 8, q->file->size))
		return ingot_raise(err, -EBADMSG, "its L1 table at 0x%llx: not in the file",
				   (unsigned long long)q->l1_offset);
	return 0;
}

static int read_header(struct qcow2_source *q, struct ingot_error *err)
{
	unsigned char h[QCOW2_HEADER] = {0};
	int rc;

	if (q->file->size < QCOW2_V2_HEADER)
		return ingot_raise(err, -EBADMSG, "its header is cut off");
	rc = ingot_source_read(q->file, 0, h, (size_t)ingot_min(q->file->size, sizeof(h)), err);
	if (rc < 0)
		return rc;
	q->version = ingot_get_be32(h + 4);
	if (q->version != 2 && q->version != 3)
		return ingot_raise(err, -ENOTSUP, "version %u is unknown", q->version);
	rc = q->version >= 3 ? check_features(ingot_get_be64(h + 72), err) : 0;
	if (rc == 0)
		rc = check_alone(h, err);
	if (rc == 0)
		rc = read_compression(q, h, err);
	if (rc == 0)
		rc = read_geometry(q, h, err);
	return rc;
}

/* --- all tables together ----------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The places of the L2 tables, sorted; *ret_n of them. */
static int load_l2_places(struct qcow2_source *q, uint64_t **ret, size_t *ret_n,
			  struct ingot_error *err)
{
	INGOT_FREE unsigned char *raw = ingot_alloc(q->l1_count, 8, err);
	INGOT_FREE uint64_t *places = raw ? ingot_alloc(q->l1_count, sizeof(*places), err) : NULL;
	size_t n = 0;
	int rc;

	if (!places)
		return -ENOMEM;
	rc = ingot_source_read(q->file, q->l1_offset, raw, q->l1_count * 8, err);
	for (size_t i = 0; rc == 0 && i < q->l1_count; i++) {
		rc = l2_place(q, ingot_get_be64(raw + 8 * i), &places[n], err);
		if (rc == 0 && places[n] != 0)
			n++;
	}
	if (rc < 0)
		return rc;
	qsort(places, n, sizeof(*places), by_value);
	*ret = INGOT_TAKE(places);
	*ret_n = n;
	return 0;
}

struct tally {
	uint64_t plain, packed; /* clusters */
};

static int tally_table(struct qcow2_source *q, uint64_t place, unsigned char *table,
		       struct tally *tally, struct ingot_error *err)
{
	size_t n = (size_t)cluster_size(q);
	int rc = ingot_source_read(q->file, place, table, n, err);

	for (size_t i = 0; rc == 0 && i < n; i += 8) {
		uint64_t entry = ingot_get_be64(table + i);

		if (entry & QCOW2_COMPRESSED)
			tally->packed++;
		else if (!is_hole(q, entry))
			tally->plain++;
	}
	return rc;
}

/*
 * A small file whose tables name the same clusters again and again would unpack for days. Without
 * snapshots every cluster has one user, and no compression shrinks beyond 1 in 32768.
 */
static int check_amount(const struct qcow2_source *q, const struct tally *tally,
			struct ingot_error *err)
{
	uint64_t least = ingot_max(cluster_size(q) >> 15, 4);
	uint64_t plain, packed, need;

	if (ingot_mul(tally->plain, cluster_size(q), &plain) &&
	    ingot_mul(tally->packed, least, &packed) && ingot_add(plain, packed, &need) &&
	    need <= q->file->size)
		return 0;
	return ingot_raise(err, -EBADMSG, "its tables name more data than the file can hold");
}

static int check_tables(struct qcow2_source *q, struct ingot_error *err)
{
	INGOT_FREE unsigned char *table = ingot_alloc(1, (size_t)cluster_size(q), err);
	INGOT_FREE uint64_t *places = NULL;
	uint64_t l1_end = q->l1_offset + q->l1_count * 8;
	struct tally tally = {0};
	size_t n;
	int rc = table ? load_l2_places(q, &places, &n, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		bool twice = i > 0 && places[i] == places[i - 1];
		bool on_l1 = places[i] < l1_end && places[i] + cluster_size(q) > q->l1_offset;

		if (twice || on_l1)
			return ingot_raise(err, -EBADMSG, "the L2 table at 0x%llx overlaps %s",
					   (unsigned long long)places[i],
					   twice ? "another" : "the L1 table");
		rc = tally_table(q, places[i], table, &tally, err);
		if (rc < 0)
			return rc;
	}
	return check_amount(q, &tally, err);
}

int ingot_qcow2_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct qcow2_source *q = ingot_alloc(1, sizeof(*q), err);
	int rc;

	if (!q)
		return -ENOMEM;
	q->source = (struct ingot_source){.ops = &QCOW2_OPS, .name = file->name};
	q->file = file;
	rc = read_header(q, err);
	if (rc == 0)
		rc = check_tables(q, err);
	if (rc < 0)
		return rc;
	*ret = &INGOT_TAKE(q)->source;
	return 0;
}

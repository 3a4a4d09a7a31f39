/*
 * qcow2 in one pass. A cluster for the header; then the data in the order of the disk, compressed
 * clusters packed byte to byte; behind the data of each 512 MiB their L2 table; at the end the L1
 * table, the refcount blocks and the refcount table. The header is written last.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/append_internal.h"
#include "formats/format_internal.h"
#include "formats/qcow2_internal.h"

enum {
	CLUSTER_BITS = 16,
	CLUSTER = INGOT_PIECE,
	L2_ENTRIES = CLUSTER / 8,
	REFCOUNTS = CLUSTER / 2, /* in a refcount block, 16 bits each */
	SECTOR = 512,
};

_Static_assert(1 << CLUSTER_BITS == INGOT_PIECE, "a piece is a cluster");

struct qcow2_writer {
	struct ingot_writer writer;
	uint32_t version;
	bool zstd;
	struct ingot_append file;
	unsigned char *l2; /* the table of the current 512 MiB */
	bool l2_used;
	unsigned char *l1;
	size_t l1_count;
	uint16_t *refcounts; /* of the file's clusters */
	size_t refcount_room;
};

/* --- refcounts --------------------------------------------------------- */

/* One more user of each cluster that [offset, offset + length) touches; length > 0. */
static int refer(struct qcow2_writer *q, uint64_t offset, uint64_t length, struct ingot_error *err)
{
	size_t first = (size_t)(offset / CLUSTER);
	size_t end = (size_t)ingot_div_up(offset + length, CLUSTER);
	size_t before = q->refcount_room;
	void *items = q->refcounts;
	int rc = ingot_grow(&items, &q->refcount_room, end, sizeof(*q->refcounts), err);

	q->refcounts = items;
	if (rc < 0)
		return rc;
	if (q->refcount_room > before)
		memset(q->refcounts + before, 0,
		       (q->refcount_room - before) * sizeof(*q->refcounts));
	for (size_t i = first; i < end; i++)
		q->refcounts[i]++;
	return 0;
}

/* A table of n bytes in clusters of its own; where it is. */
static int append_table(struct qcow2_writer *q, const void *table, size_t n, uint64_t *ret,
			struct ingot_error *err)
{
	int rc = ingot_append_align(&q->file, CLUSTER, err);

	if (rc < 0)
		return rc;
	*ret = q->file.end;
	rc = refer(q, *ret, n, err);
	if (rc == 0)
		rc = ingot_append_bytes(&q->file, table, n, err);
	if (rc == 0)
		rc = ingot_append_align(&q->file, CLUSTER, err);
	return rc;
}

/* --- clusters ---------------------------------------------------------- */

static int append_plain(struct qcow2_writer *q, const struct ingot_piece *piece, uint64_t *entry,
			struct ingot_error *err)
{
	int rc = append_table(q, piece->data, CLUSTER, entry, err);

	*entry |= QCOW2_COPIED;
	return rc;
}

static int append_packed(struct qcow2_writer *q, const struct ingot_packed *packed, uint64_t *entry,
			 struct ingot_error *err)
{
	uint64_t offset = q->file.end;
	uint64_t more = (offset + packed->size - 1) / SECTOR - offset / SECTOR;
	int rc = refer(q, offset, packed->size, err);

	if (rc < 0)
		return rc;
	*entry = QCOW2_COMPRESSED | more << qcow2_offset_bits(CLUSTER_BITS) | offset;
	return ingot_append_bytes(&q->file, packed->data, packed->size, err);
}

static int append_piece(struct qcow2_writer *q, const struct ingot_piece *piece, uint64_t *entry,
			struct ingot_error *err)
{
	const struct ingot_packed *packed = q->zstd ? &piece->zstd : &piece->deflate;

	return packed->size < CLUSTER ? append_packed(q, packed, entry, err)
				      : append_plain(q, piece, entry, err);
}

/* The table of the 512 MiB with that index is complete. */
static int end_l2(struct qcow2_writer *q, size_t index, struct ingot_error *err)
{
	uint64_t offset;
	int rc;

	if (!q->l2_used)
		return 0;
	rc = append_table(q, q->l2, CLUSTER, &offset, err);
	if (rc < 0)
		return rc;
	ingot_put_be64(q->l1 + 8 * index, offset | QCOW2_COPIED);
	memset(q->l2, 0, CLUSTER);
	q->l2_used = false;
	return 0;
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	struct qcow2_writer *q = (struct qcow2_writer *)writer;
	uint64_t cluster = chunk->offset / CLUSTER;

	for (size_t i = 0; i < chunk->piece_count; i++, cluster++) {
		uint64_t entry;
		int rc;

		if (chunk->pieces[i].zero)
			continue;
		rc = append_piece(q, &chunk->pieces[i], &entry, err);
		if (rc < 0)
			return rc;
		ingot_put_be64(q->l2 + 8 * (cluster % L2_ENTRIES), entry);
		q->l2_used = true;
	}
	if (cluster % L2_ENTRIES == 0 || chunk->offset + chunk->length == writer->size)
		return end_l2(q, (size_t)((cluster - 1) / L2_ENTRIES), err);
	return 0;
}

/* --- the end ----------------------------------------------------------- */

struct places {
	uint64_t l1, reftable;
	size_t reftable_clusters;
};

/*
 * Refcount blocks and their table count themselves: first how many there are, then what is in
 * them.
 */
static size_t count_blocks(size_t clusters, size_t *table_clusters)
{
	size_t blocks = 0, need = 1, table = 1;

	while (blocks < need) {
		blocks = need;
		table = (size_t)ingot_div_up(blocks * 8, CLUSTER);
		need = (size_t)ingot_div_up(clusters + blocks + table, REFCOUNTS);
	}
	*table_clusters = table;
	return blocks;
}

static int append_refcounts(struct qcow2_writer *q, struct places *places, struct ingot_error *err)
{
	uint64_t start = q->file.end; /* whole clusters */
	size_t clusters = (size_t)(start / CLUSTER);
	size_t blocks = count_blocks(clusters, &places->reftable_clusters);
	size_t all = clusters + blocks + places->reftable_clusters;
	INGOT_FREE unsigned char *block = ingot_alloc(1, CLUSTER, err);
	INGOT_FREE unsigned char *table = ingot_alloc(places->reftable_clusters, CLUSTER, err);
	int rc;

	if (!block || !table)
		return -ENOMEM;
	rc = refer(q, start, (uint64_t)(all - clusters) * CLUSTER, err);
	for (size_t i = 0; rc == 0 && i < blocks; i++) {
		memset(block, 0, CLUSTER);
		for (size_t j = 0; j < REFCOUNTS && i * REFCOUNTS + j < all; j++)
			ingot_put_be16(block + 2 * j, q->refcounts[i * REFCOUNTS + j]);
		ingot_put_be64(table + 8 * i, start + i * CLUSTER);
		rc = ingot_append_bytes(&q->file, block, CLUSTER, err);
	}
	if (rc < 0)
		return rc;
	places->reftable = q->file.end;
	return ingot_append_bytes(&q->file, table, places->reftable_clusters * CLUSTER, err);
}

static int write_header(struct qcow2_writer *q, const struct places *places,
			struct ingot_error *err)
{
	unsigned char h[QCOW2_HEADER + 8] = {0};
	uint32_t length = q->zstd ? QCOW2_HEADER : QCOW2_V3_HEADER;

	ingot_put_be32(h, QCOW2_MAGIC);
	ingot_put_be32(h + 4, q->version);
	ingot_put_be32(h + 20, CLUSTER_BITS);
	ingot_put_be64(h + 24, ingot_round_up(q->writer.size, SECTOR));
	ingot_put_be32(h + 36, (uint32_t)q->l1_count);
	ingot_put_be64(h + 40, places->l1);
	ingot_put_be64(h + 48, places->reftable);
	ingot_put_be32(h + 56, (uint32_t)places->reftable_clusters);
	if (q->version >= 3) {
		ingot_put_be64(h + 72, q->zstd ? QCOW2_INCOMPAT_COMPRESSION : 0);
		ingot_put_be32(h + 96, 4);
		ingot_put_be32(h + 100, length);
		h[104] = q->zstd ? QCOW2_ZSTD : QCOW2_DEFLATE;
	}
	return ingot_append_patch(&q->file, 0, h, sizeof(h), err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct qcow2_writer *q = (struct qcow2_writer *)writer;
	struct places places = {0};
	int rc = append_table(q, q->l1, q->l1_count * 8, &places.l1, err);

	(void)seed;
	if (rc == 0)
		rc = append_refcounts(q, &places, err);
	if (rc == 0)
		rc = ingot_append_flush(&q->file, err);
	if (rc == 0)
		rc = write_header(q, &places, err);
	return rc;
}

/* --- the beginning ----------------------------------------------------- */

static void qcow2_free(struct ingot_writer *writer)
{
	struct qcow2_writer *q = (struct qcow2_writer *)writer;

	ingot_append_done(&q->file);
	free(q->l2);
	free(q->l1);
	free(q->refcounts);
	free(q);
}

/* Tables, and the cluster that will hold the header. */
static int begin(struct qcow2_writer *q, struct ingot_output *output, struct ingot_error *err)
{
	int rc = ingot_append_init(&q->file, output, err);

	if (rc < 0)
		return rc;
	q->l2 = ingot_alloc(L2_ENTRIES, 8, err);
	q->l1 = q->l2 ? ingot_alloc(q->l1_count, 8, err) : NULL;
	if (!q->l1)
		return -ENOMEM;
	return append_table(q, q->l2, CLUSTER, &(uint64_t){0}, err);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	/* 32 MiB of L1 table are QEMU's limit: 2 PiB. */
	static const uint64_t SIZE_MAX_QEMU = (UINT64_C(32) << 20) / 8 * L2_ENTRIES * CLUSTER;
	struct qcow2_writer *q;
	int rc;

	(void)options;
	if (size > SIZE_MAX_QEMU)
		return ingot_raise(err, -EFBIG, "the disk is larger than 2 PiB");
	q = ingot_alloc(1, sizeof(*q), err);
	if (!q)
		return -ENOMEM;
	q->writer = (struct ingot_writer){ops, size};
	q->version = ops == &ingot_qcow2_v2_writer ? 2 : 3;
	q->zstd = ops->needs & INGOT_NEED_ZSTD;
	q->l1_count = (size_t)ingot_max(ingot_div_up(size, (uint64_t)L2_ENTRIES * CLUSTER), 1);
	rc = begin(q, output, err);
	if (rc < 0) {
		qcow2_free(&q->writer);
		return rc;
	}
	*ret = &q->writer;
	return 0;
}

#define QCOW2_WRITER(name, summary, need)                                                          \
	{                                                                                          \
		.format = {name, summary}, .needs = need, .start = start, .append = append,        \
		.finish = finish, .free = qcow2_free,                                              \
	}

const struct ingot_writer_ops ingot_qcow2_writer =
	QCOW2_WRITER("qcow2", "QEMU's, compressed with deflate", INGOT_NEED_DEFLATE);
const struct ingot_writer_ops ingot_qcow2_zstd_writer =
	QCOW2_WRITER("qcow2-zstd", "QEMU's, compressed with Zstandard (QEMU 5.1)", INGOT_NEED_ZSTD);
const struct ingot_writer_ops ingot_qcow2_v2_writer = QCOW2_WRITER(
	"qcow2-v2", "QEMU's version 2 (compat=0.10), for old OpenStack", INGOT_NEED_DEFLATE);

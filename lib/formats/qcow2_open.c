/* What the header of a qcow2 file says, and whether it can be read here. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/qcow2_internal.h"

enum { L1_MAX = 32 << 20 /* bytes, QEMU's limit */ };

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
	if (features & ~(uint64_t)(QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_COMPRESSION |
				   QCOW2_INCOMPAT_EXTENDED_L2))
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
	if (bits < (q->extended ? QCOW2_EXTENDED_BITS_MIN : QCOW2_CLUSTER_BITS_MIN) ||
	    bits > QCOW2_CLUSTER_BITS_MAX)
		return ingot_raise(err, -EBADMSG, "its clusters have 2^%u bytes", bits);
	q->cluster_bits = bits;
	q->l1_count = ingot_get_be32(h + 36);
	q->l1_offset = ingot_get_be64(h + 40);
	if (q->source.size > INT64_MAX)
		return ingot_raise(err, -EBADMSG, "its size of %llu bytes is impossible",
				   (unsigned long long)q->source.size);
	if (q->l1_count > L1_MAX / 8 ||
	    q->l1_count < ingot_div_up(q->source.size, qcow2_l2_span(q)))
		return ingot_raise(err, -EBADMSG, "an L1 table of %zu entries for %llu bytes",
				   q->l1_count, (unsigned long long)q->source.size);
	if (q->l1_offset % qcow2_cluster(q) != 0 || q->l1_offset == 0 ||
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
	q->extended = q->version >= 3 && ingot_get_be64(h + 72) & QCOW2_INCOMPAT_EXTENDED_L2;
	rc = q->version >= 3 ? check_features(ingot_get_be64(h + 72), err) : 0;
	if (rc == 0)
		rc = check_alone(h, err);
	if (rc == 0)
		rc = read_compression(q, h, err);
	if (rc == 0)
		rc = read_geometry(q, h, err);
	return rc;
}

int ingot_qcow2_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct qcow2_source *q = ingot_alloc(1, sizeof(*q), err);
	int rc;

	if (!q)
		return -ENOMEM;
	q->source = (struct ingot_source){.ops = &ingot_qcow2_ops, .name = file->name};
	q->file = file;
	rc = read_header(q, err);
	if (rc == 0)
		rc = ingot_qcow2_check_tables(q, err);
	if (rc < 0)
		return rc;
	ingot_kept_init(&q->kept);
	*ret = &INGOT_TAKE(q)->source;
	return 0;
}

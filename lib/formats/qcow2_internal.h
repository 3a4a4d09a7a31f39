/*
 * qcow2, QEMU's docs/interop/qcow2.rst. Everything is big-endian.
 *
 *	  0  4  magic "QFI\xfb"			 60  4  number of snapshots
 *	  4  4  version, 2 or 3			 64  8  snapshot table
 *	  8  8  name of the backing file		version 3 only:
 *	 16  4  its length			 72  8  incompatible features
 *	 20  4  cluster bits, 9 .. 21		 80  8  compatible features
 *	 24  8  size of the disk		 88  8  autoclear features
 *	 32  4  encryption			 96  4  refcount order, 4: 16 bits
 *	 36  4  entries of the L1 table		100  4  length of the header
 *	 40  8  L1 table			104  1  compression, 0 deflate, 1 zstd
 *	 48  8  refcount table			105  7  zero
 *	 56  4  its clusters
 */
#ifndef INGOT_FORMATS_QCOW2_INTERNAL_H
#define INGOT_FORMATS_QCOW2_INTERNAL_H

#include "formats/format_internal.h"
#include "formats/kept_internal.h"
#include "formats/unpack_internal.h"

#define QCOW2_MAGIC	  0x514649fbU
#define QCOW2_COPIED	  (UINT64_C(1) << 63) /* L1 and L2: the refcount is 1 */
#define QCOW2_COMPRESSED  (UINT64_C(1) << 62) /* L2 */
#define QCOW2_ZERO	  UINT64_C(1)	      /* L2, version 3 */
#define QCOW2_OFFSET_MASK UINT64_C(0x00fffffffffffe00)

enum {
	QCOW2_V2_HEADER = 72,
	QCOW2_V3_HEADER = 104,
	QCOW2_HEADER = 112, /* with the compression */
	QCOW2_INCOMPAT_DIRTY = 1 << 0,
	QCOW2_INCOMPAT_CORRUPT = 1 << 1,
	QCOW2_INCOMPAT_DATA_FILE = 1 << 2,
	QCOW2_INCOMPAT_COMPRESSION = 1 << 3,
	QCOW2_INCOMPAT_EXTENDED_L2 = 1 << 4,
	QCOW2_CLUSTER_BITS_MIN = 9,
	QCOW2_CLUSTER_BITS_MAX = 21,
	QCOW2_EXTENDED_BITS_MIN = 14, /* of a cluster, where it has subclusters */
	QCOW2_SUBCLUSTERS = 32,
	QCOW2_DEFLATE = 0,
	QCOW2_ZSTD = 1,
};

/* A compressed cluster's L2 entry: this many bits are its offset, those above, up to bit 61, the
 * number of sectors after its first. */
static inline unsigned qcow2_offset_bits(unsigned cluster_bits)
{
	return 62 - (cluster_bits - 8);
}

/* --- reading ----------------------------------------------------------- */

struct qcow2_source {
	struct ingot_source source;
	struct ingot_source *file;
	uint32_t version;
	unsigned cluster_bits;
	bool extended; /* L2 entries have 16 bytes */
	size_t l1_count;
	uint64_t l1_offset;
	enum ingot_packing packing;
	struct ingot_kept kept; /* compressed clusters, by their number on the disk */
};

/*
 * An L2 entry. Where it is extended, bit i of the second half: subcluster i is in the file; bit
 * 32 + i: it is zero.
 */
struct qcow2_entry {
	uint64_t entry, subclusters;
};

/* Once the header is read. */
extern const struct ingot_source_ops ingot_qcow2_ops;

static inline uint64_t qcow2_cluster(const struct qcow2_source *q)
{
	return UINT64_C(1) << q->cluster_bits;
}

static inline size_t qcow2_entry_size(const struct qcow2_source *q)
{
	return q->extended ? 16 : 8;
}

/* Disk bytes behind one L2 table. */
static inline uint64_t qcow2_l2_span(const struct qcow2_source *q)
{
	return qcow2_cluster(q) * (qcow2_cluster(q) / qcow2_entry_size(q));
}

/* Where the bytes of a compressed cluster begin. */
static inline uint64_t qcow2_packed_offset(const struct qcow2_source *q, uint64_t entry)
{
	return entry & ((UINT64_C(1) << qcow2_offset_bits(q->cluster_bits)) - 1);
}

/* Where the L2 table of an L1 entry is; 0: nowhere, all of it is zero. */
INGOT_MUST_USE int ingot_qcow2_l2_place(const struct qcow2_source *q, uint64_t entry, uint64_t *ret,
					struct ingot_error *err);

struct qcow2_entry ingot_qcow2_entry(const struct qcow2_source *q, const unsigned char *raw);
bool ingot_qcow2_is_hole(const struct qcow2_source *q, const struct qcow2_entry *entry);

/* Everything that could be wrong with all tables together. */
INGOT_MUST_USE int ingot_qcow2_check_tables(struct qcow2_source *q, struct ingot_error *err);

#endif

/*
 * Everything in a qcow2 file but the disk's bytes: qcow2_internal.h has the header, QEMU's
 * docs/interop/qcow2.rst the tables. Who uses which cluster is counted from the tables and held
 * against the reference counts in the file, so that no cluster has two users unless its count says
 * so, and none that nobody uses is there.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/check_internal.h"
#include "formats/qcow2_internal.h"

enum { CLUSTERS_MAX = 1 << 28, EXTENSIONS_MAX = 64 };

#define ENTRY_RESERVED	  (UINT64_C(0x7f00000000000000) | 0x1ff) /* L1, refcount table */
#define L2_RESERVED	  (UINT64_C(0x3f00000000000000) | 0x1fe)
#define REFTABLE_RESERVED UINT64_C(0x1ff)

struct checker {
	struct ingot_source *file;
	char *finding;
	uint32_t version, header_length;
	unsigned bits;
	uint64_t cluster; /* bytes */
	uint64_t size;	  /* of the disk */
	uint64_t l1, l1_count, reftable, reftable_clusters;
	uint64_t clusters;   /* of the file */
	uint16_t *users;     /* of each, as counted here */
	uint16_t *refcounts; /* ... as the file says */
	unsigned char *table;
	bool zstd;
	struct qcow2_packed *packed;
	size_t packed_count, packed_room;
};

#define FIND(c, ...) ingot_finding((c)->finding, __VA_ARGS__)

/* --- header ------------------------------------------------------------ */

static int check_extensions(struct checker *c, struct ingot_error *err)
{
	uint64_t at = c->header_length;
	unsigned char head[8];

	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		uint32_t length;
		int rc;

		if (at + sizeof(head) > c->cluster)
			break;
		rc = ingot_source_read(c->file, at, head, sizeof(head), err);
		if (rc < 0)
			return rc;
		length = ingot_get_be32(head + 4);
		at += sizeof(head);
		if (ingot_get_be32(head) == 0) {
			if (length != 0)
				FIND(c, "the end of the header's extensions has a length");
			return ingot_find_nonzero(c->file, at, ingot_min(c->cluster, c->file->size),
						  "behind the header", c->finding, err);
		}
		if (ingot_get_be32(head) != 0x6803f857) /* names of features */
			FIND(c, "a header extension 0x%08x that is unknown", ingot_get_be32(head));
		at += ingot_round_up(length, 8);
	}
	FIND(c, "the header's extensions do not end");
	return 0;
}

static void check_features(struct checker *c, const unsigned char *h)
{
	uint64_t incompatible = ingot_get_be64(h + 72);
	bool zstd = c->header_length > 104 && h[104] != 0;

	if (incompatible != (zstd ? QCOW2_INCOMPAT_COMPRESSION : 0))
		FIND(c, "incompatible features 0x%llx", (unsigned long long)incompatible);
	if (ingot_get_be64(h + 80) != 0 || ingot_get_be64(h + 88) != 0)
		FIND(c, "compatible or autoclear features are set");
	if (ingot_get_be32(h + 96) != 4)
		FIND(c, "reference counts of 2^%u bits", ingot_get_be32(h + 96));
	if (c->header_length != 104 && c->header_length != 112)
		FIND(c, "a header of %u bytes", c->header_length);
	if (c->header_length == 112 && !ingot_bytes_are_zero(h + 105, 7))
		FIND(c, "the header's padding is not zero");
}

static int read_header(struct checker *c, struct ingot_error *err)
{
	unsigned char h[QCOW2_HEADER] = {0};
	int rc = ingot_source_read(c->file, 0, h, (size_t)ingot_min(c->file->size, sizeof(h)), err);

	if (rc < 0)
		return rc;
	c->version = ingot_get_be32(h + 4);
	c->bits = ingot_get_be32(h + 20);
	c->cluster = UINT64_C(1) << (c->bits & 63);
	c->size = ingot_get_be64(h + 24);
	c->l1_count = ingot_get_be32(h + 36);
	c->l1 = ingot_get_be64(h + 40);
	c->reftable = ingot_get_be64(h + 48);
	c->reftable_clusters = ingot_get_be32(h + 56);
	c->header_length = c->version >= 3 ? ingot_get_be32(h + 100) : QCOW2_V2_HEADER;
	if (c->bits < QCOW2_CLUSTER_BITS_MIN || c->bits > QCOW2_CLUSTER_BITS_MAX)
		FIND(c, "clusters of 2^%u bytes", c->bits);
	if (ingot_get_be64(h + 8) != 0 || ingot_get_be32(h + 16) != 0)
		FIND(c, "it names a backing file");
	if (ingot_get_be32(h + 32) != 0)
		FIND(c, "it is encrypted");
	if (ingot_get_be32(h + 60) != 0 || ingot_get_be64(h + 64) != 0)
		FIND(c, "it names snapshots");
	if (c->size % 512 != 0 || c->size == 0)
		FIND(c, "a disk of %llu bytes", (unsigned long long)c->size);
	if (c->version >= 3)
		check_features(c, h);
	c->zstd = c->version >= 3 && c->header_length > 104 && h[104] != 0;
	return 0;
}

static void check_places(struct checker *c)
{
	uint64_t span = c->cluster * (c->cluster / 8);

	c->clusters = ingot_div_up(c->file->size, c->cluster);
	if (c->l1_count != ingot_max(ingot_div_up(c->size, span), 1))
		FIND(c, "an L1 table of %llu entries", (unsigned long long)c->l1_count);
	if (c->l1 % c->cluster || !ingot_in_range(c->l1, c->l1_count * 8, c->file->size))
		FIND(c, "the L1 table at 0x%llx is not in the file", (unsigned long long)c->l1);
	if (c->reftable % c->cluster || c->reftable_clusters == 0 ||
	    !ingot_in_range(c->reftable, c->reftable_clusters * c->cluster,
			    ingot_round_up(c->file->size, c->cluster)))
		FIND(c, "the refcount table at 0x%llx is not in the file",
		     (unsigned long long)c->reftable);
	if (c->clusters > CLUSTERS_MAX)
		FIND(c, "more clusters than are checked here");
}

/* --- users ------------------------------------------------------------- */

/* One more user of the clusters that the range touches. */
static void use(struct checker *c, uint64_t offset, uint64_t length, const char *what)
{
	uint64_t first = offset >> c->bits, last;

	if (length == 0 || !ingot_in_range(offset, length, c->clusters << c->bits)) {
		FIND(c, "%s at 0x%llx is not in the file", what, (unsigned long long)offset);
		return;
	}
	last = (offset + length - 1) >> c->bits;
	for (uint64_t i = first; i <= last; i++)
		if (c->users[i] < UINT16_MAX)
			c->users[i]++;
}

/* The rest of a cluster behind a table that does not fill it. */
static int check_tail(struct checker *c, uint64_t end, const char *what, struct ingot_error *err)
{
	return ingot_find_nonzero(c->file, end,
				  ingot_min(ingot_round_up(end, c->cluster), c->file->size), what,
				  c->finding, err);
}

static int read_table(struct checker *c, uint64_t offset, struct ingot_error *err)
{
	size_t n;

	if (offset % c->cluster || !ingot_in_range(offset, 1, c->file->size)) {
		FIND(c, "a table at 0x%llx is not in the file", (unsigned long long)offset);
		return 0;
	}
	n = (size_t)ingot_min(c->cluster, c->file->size - offset);
	memset(c->table + n, 0, (size_t)c->cluster - n);
	return ingot_source_read(c->file, offset, c->table, n, err);
}

/* --- reference counts -------------------------------------------------- */

static int read_block(struct checker *c, uint64_t index, uint64_t entry, struct ingot_error *err)
{
	uint64_t per = c->cluster / 2, first = index * per;
	int rc;

	if (entry & REFTABLE_RESERVED)
		FIND(c, "reserved bits of refcount table entry %llu", (unsigned long long)index);
	use(c, entry, c->cluster, "a refcount block");
	rc = *c->finding ? 0 : read_table(c, entry, err);
	if (rc < 0 || *c->finding)
		return rc;
	for (uint64_t i = 0; i < per; i++) {
		uint16_t count = ingot_get_be16(c->table + 2 * i);

		if (first + i < c->clusters)
			c->refcounts[first + i] = count;
		else if (count != 0)
			FIND(c, "a reference count behind the file's end");
	}
	return 0;
}

static int read_refcounts(struct checker *c, struct ingot_error *err)
{
	uint64_t count = c->reftable_clusters * (c->cluster / 8);
	unsigned char raw[8];
	int rc = 0;

	use(c, c->reftable, c->reftable_clusters * c->cluster, "the refcount table");
	for (uint64_t i = 0; rc == 0 && i < count && !*c->finding; i++) {
		uint64_t at = c->reftable + 8 * i;

		if (!ingot_in_range(at, 8, c->file->size))
			break;
		rc = ingot_source_read(c->file, at, raw, 8, err);
		if (rc == 0 && ingot_get_be64(raw) != 0)
			rc = read_block(c, i, ingot_get_be64(raw), err);
	}
	return rc;
}

/* --- L1 and L2 --------------------------------------------------------- */

static uint64_t refcount_of(const struct checker *c, uint64_t offset)
{
	uint64_t i = offset >> c->bits;

	return i < c->clusters ? c->refcounts[i] : 0;
}

/* The flag that saves writers a look at the count. */
static void check_copied(struct checker *c, uint64_t entry, uint64_t offset, const char *what)
{
	if (((entry & QCOW2_COPIED) != 0) != (refcount_of(c, offset) == 1))
		FIND(c, "%s at 0x%llx: its flag says %s, its count says %llu", what,
		     (unsigned long long)offset, entry & QCOW2_COPIED ? "one user" : "many",
		     (unsigned long long)refcount_of(c, offset));
}

static int add_packed(struct checker *c, uint64_t start, uint64_t end, struct ingot_error *err)
{
	void *items = c->packed;
	int rc = ingot_grow(&items, &c->packed_room, c->packed_count + 1, sizeof(*c->packed), err);

	c->packed = items;
	if (rc == 0)
		c->packed[c->packed_count++] = (struct qcow2_packed){start, end};
	return rc;
}

static int check_packed(struct checker *c, uint64_t entry, struct ingot_error *err)
{
	unsigned bits = qcow2_offset_bits(c->bits);
	uint64_t offset = entry & ((UINT64_C(1) << bits) - 1);
	uint64_t sectors = ((entry & (QCOW2_COMPRESSED - 1)) >> bits) + 1;
	uint64_t end = offset / 512 * 512 + sectors * 512;

	if (entry & QCOW2_COPIED)
		FIND(c, "a compressed cluster at 0x%llx has the flag of plain ones",
		     (unsigned long long)offset);
	/* The last sector may be cut off by the end of the file. */
	if (offset >= c->file->size || end > ingot_round_up(c->file->size, 512))
		FIND(c, "a compressed cluster at 0x%llx is not in the file",
		     (unsigned long long)offset);
	else
		use(c, offset, end - offset, "a compressed cluster");
	return *c->finding ? 0 : add_packed(c, offset, end, err);
}

static void check_plain(struct checker *c, uint64_t entry)
{
	uint64_t offset = entry & QCOW2_OFFSET_MASK;

	if (entry & L2_RESERVED || (c->version < 3 && entry & QCOW2_ZERO))
		FIND(c, "reserved bits in the L2 entry 0x%016llx", (unsigned long long)entry);
	if (offset == 0) {
		if (entry & QCOW2_COPIED)
			FIND(c, "an L2 entry without a cluster says that it has one user");
		return;
	}
	if (offset % c->cluster)
		FIND(c, "a cluster at 0x%llx: between two clusters", (unsigned long long)offset);
	use(c, offset, c->cluster, "a cluster");
	check_copied(c, entry, offset, "the cluster");
}

static int check_l2(struct checker *c, uint64_t index, uint64_t entry, struct ingot_error *err)
{
	uint64_t offset = entry & QCOW2_OFFSET_MASK, per = c->cluster / 8;
	uint64_t disk_clusters = ingot_div_up(c->size, c->cluster);
	int rc;

	if (entry & ENTRY_RESERVED)
		FIND(c, "reserved bits of L1 entry %llu", (unsigned long long)index);
	if (offset == 0) {
		if (entry != 0)
			FIND(c, "L1 entry %llu has flags but no table", (unsigned long long)index);
		return 0;
	}
	use(c, offset, c->cluster, "an L2 table");
	check_copied(c, entry, offset, "the L2 table");
	rc = *c->finding ? 0 : read_table(c, offset, err);
	for (uint64_t i = 0; rc == 0 && i < per && !*c->finding; i++) {
		uint64_t l2 = ingot_get_be64(c->table + 8 * i);

		if (index * per + i >= disk_clusters && l2 != 0)
			FIND(c, "an L2 entry for what is behind the disk's end");
		else if (l2 & QCOW2_COMPRESSED)
			rc = check_packed(c, l2, err);
		else
			check_plain(c, l2);
	}
	return rc;
}

static int check_l1(struct checker *c, struct ingot_error *err)
{
	unsigned char raw[8];
	int rc = 0;

	use(c, c->l1, c->l1_count * 8, "the L1 table");
	for (uint64_t i = 0; rc == 0 && i < c->l1_count && !*c->finding; i++) {
		rc = ingot_source_read(c->file, c->l1 + 8 * i, raw, 8, err);
		if (rc == 0)
			rc = check_l2(c, i, ingot_get_be64(raw), err);
	}
	return rc < 0 ? rc : check_tail(c, c->l1 + c->l1_count * 8, "behind the L1 table", err);
}

/* --- the whole --------------------------------------------------------- */

static int compare_counts(struct checker *c, struct ingot_error *err)
{
	for (uint64_t i = 0; i < c->clusters && !*c->finding; i++)
		if (c->users[i] != c->refcounts[i])
			FIND(c, "the cluster at 0x%llx has %u users, its count says %u",
			     (unsigned long long)(i << c->bits), c->users[i], c->refcounts[i]);
		else if (c->users[i] == 0) {
			uint64_t at = i << c->bits;
			int rc = ingot_find_nonzero(c->file, at,
						    ingot_min(at + c->cluster, c->file->size),
						    "a cluster that nobody uses", c->finding, err);

			if (rc < 0)
				return rc;
		}
	return 0;
}

static int check_tables(struct checker *c, struct ingot_error *err)
{
	int rc;

	use(c, 0, c->cluster, "the header");
	rc = check_extensions(c, err);
	if (rc == 0 && !*c->finding)
		rc = read_refcounts(c, err);
	if (rc == 0 && !*c->finding)
		rc = check_l1(c, err);
	if (rc == 0 && !*c->finding)
		rc = compare_counts(c, err);
	if (rc == 0 && !*c->finding)
		rc = ingot_qcow2_check_packed(
			c->file,
			&(struct qcow2_check_options){c->zstd ? INGOT_PACKED_ZSTD
							      : INGOT_PACKED_DEFLATE,
						      (size_t)c->cluster},
			c->packed, c->packed_count, c->finding, err);
	return rc;
}

int ingot_qcow2_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		      struct ingot_error *err)
{
	struct checker c = {.file = file, .finding = finding};
	INGOT_FREE uint16_t *users = NULL, *refcounts = NULL;
	INGOT_FREE unsigned char *table = NULL;
	int rc = read_header(&c, err);

	if (rc == 0 && !*finding)
		check_places(&c);
	if (rc < 0 || *finding)
		return rc;
	users = c.users = ingot_alloc((size_t)c.clusters, sizeof(*users), err);
	refcounts = c.refcounts =
		users ? ingot_alloc((size_t)c.clusters, sizeof(*refcounts), err) : NULL;
	table = c.table = refcounts ? ingot_alloc(1, (size_t)c.cluster, err) : NULL;
	rc = table ? check_tables(&c, err) : -ENOMEM;
	free(c.packed);
	return rc;
}

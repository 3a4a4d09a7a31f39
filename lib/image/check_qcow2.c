/* qcow2 (QEMU, docs/interop/qcow2.rst): what any reader has to know beforehand. */
#include <string.h>

#include "base/bytes.h"
#include "image/check_internal.h"

enum {
	V2_HEADER = 72,
	V3_HEADER = 104,
	DIRTY = 1 << 0,
	CORRUPT = 1 << 1,
	KNOWN_FEATURES = 1 << 3, /* the compression type */
};

/* A table of so many bytes at that place: on a cluster's boundary, in the file. */
static void check_table(struct checker *c, const char *part, uint64_t offset, uint64_t size,
			uint64_t cluster)
{
	bool ok = offset >= cluster && offset % cluster == 0 &&
		  ingot_in_range(offset, size, c->file->size);

	check_add(c, part, ok, "at a whole cluster, in the file",
		  SAY("%llu bytes at %llu", (unsigned long long)size, (unsigned long long)offset));
}

static void check_features(struct checker *c, const unsigned char *head)
{
	uint64_t features = ingot_get_be64(head + 72);

	check_add(c, "state", !(features & (DIRTY | CORRUPT)), "neither dirty nor corrupt",
		  features & CORRUPT ? "corrupt"
		  : features & DIRTY ? "dirty"
				     : "clean");
	features &= ~(uint64_t)(DIRTY | CORRUPT);
	check_add(c, "features", !(features & ~(uint64_t)KNOWN_FEATURES),
		  "none but the compression", SAY("0x%llx", (unsigned long long)features));
	check_number(c, "refcount bits", 16, UINT64_C(1) << (ingot_get_be32(head + 96) & 31));
}

void check_qcow2(struct checker *c, const struct ingot_check_rule *rule)
{
	unsigned char head[112] = {0};
	uint32_t version, bits, l1_entries;
	uint64_t size, cluster;

	(void)rule;
	if (!check_read(c, c->file, 0, head, V2_HEADER, NULL))
		return;
	if (memcmp(head, "QFI\xfb", 4) != 0) {
		check_add(c, "magic", false, "QFI\\xfb", SAY("%08x", ingot_get_be32(head)));
		return;
	}
	version = ingot_get_be32(head + 4);
	bits = ingot_get_be32(head + 20);
	size = ingot_get_be64(head + 24);
	l1_entries = ingot_get_be32(head + 36);
	check_add(c, "version", version == 2 || version == 3, "2 or 3", SAY("%u", version));
	check_add(c, "cluster size", bits >= 9 && bits <= 21, "2^9 to 2^21 bytes",
		  SAY("2^%u bytes", bits));
	check_number(c, "backing file", 0, ingot_get_be64(head + 8));
	check_number(c, "encryption", 0, ingot_get_be32(head + 32));
	check_number(c, "snapshots", 0, ingot_get_be32(head + 60));
	if (version >= 3 && check_read(c, c->file, 0, head, V3_HEADER, "header"))
		check_features(c, head);
	if (bits < 9 || bits > 21)
		return;
	cluster = UINT64_C(1) << bits;
	check_add(c, "L1 entries",
		  l1_entries >= ingot_div_up(ingot_div_up(size, cluster), cluster / 8),
		  SAY("enough for %llu bytes", (unsigned long long)size), SAY("%u", l1_entries));
	check_table(c, "L1 table", ingot_get_be64(head + 40), (uint64_t)l1_entries * 8, cluster);
	check_table(c, "refcount table", ingot_get_be64(head + 48),
		    (uint64_t)ingot_get_be32(head + 56) * cluster, cluster);
}

/* monolithicSparse: a sparse extent that grows, with two copies of its tables. */
#include <string.h>

#include "base/bytes.h"
#include "image/check_vmdk_internal.h"

enum { GT_SIZE = CHECK_VMDK_GTES * 4 };

/* One table of each copy; NULL: they say the same, otherwise what is wrong. */
static const char *compare_tables(struct checker *c, uint32_t a, uint32_t b)
{
	unsigned char x[GT_SIZE], y[GT_SIZE];
	uint64_t at = (uint64_t)a * CHECK_VMDK_SECTOR, copy = (uint64_t)b * CHECK_VMDK_SECTOR;

	if (a == 0 && b == 0)
		return NULL;
	if (a == 0 || b == 0 || a == b)
		return "a table without its copy";
	if (!ingot_in_range(at, GT_SIZE, c->file->size) ||
	    !ingot_in_range(copy, GT_SIZE, c->file->size))
		return "a table outside of the file";
	if (ingot_source_read(c->file, at, x, GT_SIZE, NULL) < 0 ||
	    ingot_source_read(c->file, copy, y, GT_SIZE, NULL) < 0)
		return "a table that cannot be read";
	return memcmp(x, y, GT_SIZE) == 0 ? NULL : "copies that differ";
}

static void check_directories(struct checker *c, const struct check_vmdk *h)
{
	size_t count = (size_t)ingot_div_up(h->capacity, 128 * CHECK_VMDK_GTES);
	INGOT_FREE unsigned char *gd = ingot_alloc(count, 4, NULL);
	INGOT_FREE unsigned char *rgd = ingot_alloc(count, 4, NULL);
	const char *wrong = NULL;

	if (!gd || !rgd) {
		c->oom = true;
		return;
	}
	if (h->gd > UINT32_MAX || h->rgd > UINT32_MAX) {
		check_add(c, "directories", false, "in the file", "beyond 2 TiB");
		return;
	}
	if (!check_read(c, c->file, h->gd * CHECK_VMDK_SECTOR, gd, count * 4, "directory") ||
	    !check_read(c, c->file, h->rgd * CHECK_VMDK_SECTOR, rgd, count * 4,
			"redundant directory"))
		return;
	for (size_t i = 0; i < count && !wrong; i++)
		wrong = compare_tables(c, ingot_get_le32(gd + i * 4), ingot_get_le32(rgd + i * 4));
	check_add(c, "grain tables", !wrong, "in the file, both copies the same",
		  wrong ? wrong : SAY("%zu tables", count));
}

void check_vmdk_sparse(struct checker *c, const struct ingot_check_rule *rule)
{
	struct check_vmdk h;

	(void)rule;
	if (!check_vmdk_header(c, c->file, &h))
		return;
	check_add(c, "version", h.version >= 1 && h.version <= 3, "1 to 3", SAY("%u", h.version));
	check_add(c, "flags", (h.flags & 0x30003) == 3,
		  "both directories, neither compressed nor with markers", SAY("0x%x", h.flags));
	check_vmdk_descriptor(c, c->file, &h, "monolithicSparse");
	check_directories(c, &h);
}

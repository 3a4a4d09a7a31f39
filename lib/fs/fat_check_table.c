#include "fs/fat_check_internal.h"

#include <errno.h>
#include <string.h>

/* The tables and the chains in them (fatgen103, "FAT Data Structure"). */

/* --- numbers ----------------------------------------------------------- */

static uint32_t raw_number(const struct fat_checker *c, uint32_t cluster)
{
	const unsigned char *p;

	if (c->bits == 32)
		return ingot_get_le32(c->table + (size_t)cluster * 4);
	if (c->bits == 16)
		return ingot_get_le16(c->table + (size_t)cluster * 2);
	p = c->table + (size_t)cluster * 3 / 2; /* two in three bytes */
	return cluster % 2 ? p[0] >> 4 | (uint32_t)p[1] << 4 : p[0] | (p[1] & 15U) << 8;
}

uint32_t fatc_number(const struct fat_checker *c, uint32_t cluster)
{
	return raw_number(c, cluster) & 0x0fffffff;
}

static uint32_t last_number(const struct fat_checker *c)
{
	return c->bits == 32 ? 0x0fffffff : (1U << c->bits) - 1;
}

bool fatc_is_end(const struct fat_checker *c, uint32_t number)
{
	return number >= last_number(c) - 7;
}

static bool is_bad(const struct fat_checker *c, uint32_t number)
{
	return number == last_number(c) - 8;
}

/* --- loading ----------------------------------------------------------- */

/* Number 0 repeats the media byte, number 1 has two bits that say "clean". */
static void check_first_two(struct fat_checker *c)
{
	uint32_t all = last_number(c), zero = fatc_number(c, 0), one = fatc_number(c, 1);
	uint32_t clean = c->bits == 32 ? 0x0c000000 : c->bits == 16 ? 0xc000 : 0;

	if (zero != ((all & ~UINT32_C(0xff)) | c->boot[21]))
		fatc_problem(c, "table: number 0 is 0x%x", zero);
	if ((one & clean) != clean)
		fatc_problem(c, "table: the volume was not unmounted cleanly, or has errors");
	else if (!fatc_is_end(c, one) || (c->ours && one != all))
		fatc_problem(c, "table: number 1 is 0x%x", one);
}

static int compare_tables(struct fat_checker *c, struct ingot_error *err)
{
	unsigned char data[4096];

	for (uint64_t at = 0; at < c->table_size;) {
		size_t n = (size_t)ingot_min(sizeof(data), c->table_size - at);
		int rc = ingot_source_read(c->source, c->table_at + c->table_size + at, data, n,
					   err);

		if (rc < 0)
			return rc;
		if (memcmp(data, c->table + at, n) != 0) {
			fatc_problem(c, "table: the second one differs from the first");
			return 0;
		}
		at += n;
	}
	return 0;
}

int fatc_load_table(struct fat_checker *c, struct ingot_error *err)
{
	uint64_t need = (((uint64_t)c->clusters + 2) * c->bits + 7) / 8;
	int rc;

	/* A table may be longer than its clusters need, but it is not long for nothing. */
	if (c->table_size > need + (UINT64_C(1) << 20))
		return ingot_raise(err, -EFBIG, "FAT volume: a table of %llu bytes for %u clusters",
				   (unsigned long long)c->table_size, c->clusters);
	c->table = ingot_alloc(c->table_size + 1, 1, err);
	c->used = ingot_alloc(((size_t)c->clusters + 2) / 8 + 1, 1, err);
	if (!c->table || !c->used)
		return -ENOMEM;
	rc = ingot_source_read(c->source, c->table_at, c->table, c->table_size, err);
	if (rc < 0)
		return rc;
	check_first_two(c);
	if (c->ours &&
	    ingot_first_nonzero(c->table + need, c->table_size - need) != c->table_size - need)
		fatc_problem(c, "table: behind its end it is not zero");
	return c->tables == 2 ? compare_tables(c, err) : 0;
}

/* --- chains ------------------------------------------------------------ */

static bool is_used(const struct fat_checker *c, uint32_t cluster)
{
	return c->used[cluster / 8] >> (cluster % 8) & 1;
}

bool fatc_take(struct fat_checker *c, uint32_t cluster, const char *what, uint32_t *ret)
{
	uint32_t number;

	if (!fatc_is_cluster(c, cluster)) {
		fatc_problem(c, "'%s': its chain leads to cluster %u, which is not there", what,
			     cluster);
		return false;
	}
	if (is_used(c, cluster)) {
		fatc_problem(c, "'%s': cluster %u is used twice", what, cluster);
		return false;
	}
	number = fatc_number(c, cluster);
	if (number == 0 || is_bad(c, number)) {
		fatc_problem(c, "'%s': cluster %u is %s in the table", what, cluster,
			     number ? "bad" : "free");
		return false;
	}
	c->used[cluster / 8] = (unsigned char)(c->used[cluster / 8] | 1U << (cluster % 8));
	if (c->ours && raw_number(c, cluster) != cluster + 1 &&
	    raw_number(c, cluster) != last_number(c))
		fatc_problem(c, "'%s': cluster %u is not followed by the next", what, cluster);
	*ret = fatc_is_end(c, number) ? 0 : number;
	return true;
}

static int check_free(struct fat_checker *c, uint32_t first, uint32_t end, struct ingot_error *err)
{
	return fatc_zero(c, fatc_cluster_at(c, first), (uint64_t)(end - first) * c->cluster_size,
			 "a free cluster", err);
}

/* Behind the last cluster that the volume has. */
static int check_tail(struct fat_checker *c, struct ingot_error *err)
{
	uint64_t at = fatc_cluster_at(c, c->clusters + 2);

	return fatc_zero(c, at, c->source->size - at, "behind the clusters", err);
}

int fatc_check_unused(struct fat_checker *c, struct ingot_error *err)
{
	uint32_t end = c->clusters + 2, lost = 0, first = 0;
	int rc = 0;

	for (uint32_t i = 2; i < end && rc == 0; i++) {
		uint32_t number = fatc_number(c, i);
		bool is_free = !is_used(c, i) && number == 0;

		c->seen.free_clusters += is_free;
		lost += !is_used(c, i) && number != 0 && (c->ours || !is_bad(c, number));
		if (c->ours && is_free && raw_number(c, i))
			fatc_problem(c, "table: the reserved bits of free cluster %u", i);
		if (is_free && !first)
			first = i;
		if (c->ours && first && !is_free)
			rc = check_free(c, first, i, err);
		if (!is_free)
			first = 0;
	}
	if (lost)
		fatc_problem(c, "table: %u lost clusters", lost);
	if (rc == 0 && c->ours && first)
		rc = check_free(c, first, end, err);
	return rc == 0 && c->ours ? check_tail(c, err) : rc;
}

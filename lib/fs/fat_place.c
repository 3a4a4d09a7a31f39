#include "fs/fat_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/text.h"

/* --- sizes ------------------------------------------------------------- */

/* Of the folder, in bytes. */
static int folder_size(const struct fat_plan *plan, const struct fat_node *folder, uint64_t *ret,
		       struct ingot_error *err)
{
	/* "." and "..", or the label. */
	uint64_t entries = folder->parent ? 2 : plan->has_label;
	uint32_t most = FAT_FOLDER_MAX;
	char shown[128];

	for (const struct fat_node *node = folder->children; node; node = node->next) {
		struct fat_name name;
		int rc = ingot_fat_name(node->name, node->name_size, &name, err);

		if (rc < 0)
			return rc;
		entries += ingot_fat_name_entries(&name);
	}
	if (!folder->parent && plan->layout.root_size)
		most = plan->layout.root_size / FAT_ENTRY_SIZE;
	if (entries > most)
		return ingot_raise(
			err, -EINVAL, "FAT folder '%s': %" PRIu64 " entries, and FAT ends at %u",
			ingot_printable(folder->name, folder->name_size, shown, sizeof(shown)),
			entries, most);
	*ret = entries * FAT_ENTRY_SIZE;
	return 0;
}

static int size_folders(struct fat_plan *plan, struct ingot_error *err)
{
	for (struct fat_node *node = plan->root; node; node = ingot_fat_next(node)) {
		int rc;

		if (node->content)
			continue;
		rc = ingot_fat_short_names(node, err);
		if (rc < 0)
			return rc;
		rc = folder_size(plan, node, &node->size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- clusters: everything in the order of the walk, without a gap ------ */

static uint32_t clusters_of(const struct fat_plan *plan, const struct fat_node *node)
{
	uint64_t count = ingot_div_up(node->size, plan->layout.cluster_size);

	if (!node->parent && plan->layout.root_size)
		return 0; /* FAT16's root stands elsewhere */
	return count == 0 && !node->content ? 1 : (uint32_t)count; /* a folder has one always */
}

static int check_room(const struct fat_plan *plan, uint64_t need, struct ingot_error *err)
{
	uint64_t cluster = plan->layout.cluster_size;
	uint64_t have = plan->layout.clusters;

	if (need <= have)
		return 0;
	return ingot_raise(err, -ENOSPC,
			   "FAT: files and folders take %" PRIu64 " KiB, the volume of %" PRIu64
			   " KiB holds %" PRIu64 " KiB: %" PRIu64 " KiB too small",
			   need * cluster / 1024, plan->options.size / 1024, have * cluster / 1024,
			   ingot_div_up((need - have) * cluster, 1024));
}

static int place_runs(struct fat_plan *plan, struct ingot_error *err)
{
	uint64_t need = 0;
	size_t count = 0;
	int rc;

	for (struct fat_node *node = plan->root; node; node = ingot_fat_next(node)) {
		node->clusters = clusters_of(plan, node);
		need += node->clusters;
		count += node->clusters > 0;
	}
	rc = check_room(plan, need, err);
	if (rc < 0)
		return rc;
	plan->runs = ingot_arena_alloc(&plan->arena, (count + 1) * sizeof(plan->runs[0]),
				       _Alignof(struct fat_node *), err);
	if (!plan->runs)
		return -ENOMEM;
	for (struct fat_node *node = plan->root; node; node = ingot_fat_next(node)) {
		if (node->clusters == 0)
			continue;
		node->first = FAT_FIRST_CLUSTER + plan->used;
		plan->used += node->clusters;
		plan->runs[plan->run_count++] = node;
	}
	return 0;
}

/* --- the bytes of the folders (fatgen103, "FAT Directory Structure") --- */

struct stamp {
	uint16_t date, time;
	uint8_t hundredths;
};

/* Years 1980 to 2107, in steps of two seconds. */
static struct stamp make_stamp(int64_t epoch)
{
	static const int64_t first = 315532800, last = 4354819199;
	time_t when = epoch < first ? first : epoch > last ? last : epoch;
	struct stamp stamp = {0};
	struct tm tm;

	if (!gmtime_r(&when, &tm))
		return stamp;
	stamp.date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
	stamp.time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
	stamp.hundredths = (uint8_t)(tm.tm_sec % 2 * 100);
	return stamp;
}

struct entry {
	const uint8_t *name;
	uint8_t attributes;
	uint32_t first, size;
};

static void put_entry(uint8_t *p, const struct entry *entry, const struct stamp *stamp)
{
	memset(p, 0, FAT_ENTRY_SIZE);
	memcpy(p, entry->name, FAT_SHORT_NAME);
	p[11] = entry->attributes;
	p[13] = stamp->hundredths; /* created */
	ingot_put_le16(p + 14, stamp->time);
	ingot_put_le16(p + 16, stamp->date);
	ingot_put_le16(p + 18, stamp->date); /* last read */
	ingot_put_le16(p + 20, (uint16_t)(entry->first >> 16));
	ingot_put_le16(p + 22, stamp->time); /* last written */
	ingot_put_le16(p + 24, stamp->date);
	ingot_put_le16(p + 26, (uint16_t)entry->first);
	ingot_put_le32(p + 28, entry->size);
}

/* "." and "..", the latter 0 where it leads to the root; or the label. Returns the next place. */
static uint8_t *put_head(const struct fat_plan *plan, const struct fat_node *folder, uint8_t *p,
			 const struct stamp *stamp)
{
	struct entry dot = {(const uint8_t *)".          ", FAT_ATTR_FOLDER, folder->first, 0};
	struct entry dots = {(const uint8_t *)"..         ", FAT_ATTR_FOLDER, 0, 0};
	struct entry label = {plan->label, FAT_ATTR_LABEL, 0, 0};

	if (!folder->parent) {
		if (!plan->has_label)
			return p;
		put_entry(p, &label, stamp);
		return p + FAT_ENTRY_SIZE;
	}
	if (folder->parent->parent)
		dots.first = folder->parent->first;
	put_entry(p, &dot, stamp);
	put_entry(p + FAT_ENTRY_SIZE, &dots, stamp);
	return p + (size_t)2 * FAT_ENTRY_SIZE;
}

static int fill_folder(const struct fat_plan *plan, const struct fat_node *folder, uint8_t *p,
		       struct ingot_error *err)
{
	struct stamp stamp = make_stamp(plan->options.epoch);

	p = put_head(plan, folder, p, &stamp);
	for (const struct fat_node *node = folder->children; node; node = node->next) {
		struct entry entry = {node->short_name,
				      node->content ? FAT_ATTR_FILE : FAT_ATTR_FOLDER, node->first,
				      node->content ? (uint32_t)node->size : 0};
		struct fat_name name;
		int rc = ingot_fat_name(node->name, node->name_size, &name, err);

		if (rc < 0)
			return rc;
		ingot_fat_put_long(&name, node->short_name, p);
		p += (ingot_fat_name_entries(&name) - 1) * (size_t)FAT_ENTRY_SIZE;
		put_entry(p, &entry, &stamp);
		p += FAT_ENTRY_SIZE;
	}
	return 0;
}

static int fill_folders(struct fat_plan *plan, struct ingot_error *err)
{
	for (struct fat_node *node = plan->root; node; node = ingot_fat_next(node)) {
		int rc;

		if (node->content)
			continue;
		node->bytes = ingot_arena_alloc(&plan->arena, node->size + 1, 1, err);
		if (!node->bytes)
			return -ENOMEM;
		rc = fill_folder(plan, node, node->bytes, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_fat_place(struct fat_plan *plan, struct ingot_error *err)
{
	int rc = size_folders(plan, err);

	if (rc < 0)
		return rc;
	rc = place_runs(plan, err);
	if (rc < 0)
		return rc;
	return fill_folders(plan, err);
}

/* The partition table, the layout it claims, and what has to be zero around it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disk/gpt_check.h"
#include "image/verify_internal.h"

/* --- the table --------------------------------------------------------- */

static int findings(struct verification *v, struct ingot_gpt_findings *ret, struct ingot_error *err)
{
	if (!v->gpt)
		return ingot_raise(err, v->gpt_error.code, "%s", v->gpt_error.text);
	return ingot_gpt_check(v->disk, v->gpt->sector_size, ret, err);
}

/* Where there is no table, that is what was found. */
#define DEFINE_GPT_CHECK(member)                                                                   \
	int check_gpt_##member(struct verification *v, struct ingot_verify_row *row,               \
			       struct ingot_error *err)                                            \
	{                                                                                          \
		struct ingot_gpt_findings found;                                                   \
		int rc = findings(v, &found, err);                                                 \
                                                                                                   \
		if (rc == -ENODATA)                                                                \
			return row_bad(row, "%s", err->text);                                      \
		if (rc < 0)                                                                        \
			return rc;                                                                 \
		return *found.member ? row_bad(row, "%s", found.member)                            \
				     : row_good(row, "as expected");                               \
	}

DEFINE_GPT_CHECK(mbr)
DEFINE_GPT_CHECK(primary)
DEFINE_GPT_CHECK(backup)
DEFINE_GPT_CHECK(agreement)
DEFINE_GPT_CHECK(partitions)

/* --- the layout -------------------------------------------------------- */

static const struct ingot_layout_partition *layout_entry(const struct ingot_layout *layout,
							 unsigned number)
{
	for (size_t i = 0; i < layout->count; i++)
		if (layout->partitions[i].number == number && !layout->partitions[i].reserved)
			return &layout->partitions[i];
	return NULL;
}

/* Whether a label is one that the layout's text stands for: {name} and {version} are anything. */
static bool is_label(const char *pattern, const char *label)
{
	const char *brace = strchr(pattern, '{'), *close;
	size_t n;

	if (!brace)
		return strcmp(pattern, label) == 0;
	n = (size_t)(brace - pattern);
	close = strchr(brace, '}');
	if (!close || strncmp(pattern, label, n) != 0)
		return false;
	for (label += n; *label; label++)
		if (is_label(close + 1, label + 1))
			return true;
	return false;
}

static int check_entry(struct ingot_verify_row *row, const struct ingot_gpt_partition *p,
		       const struct ingot_layout_partition *want)
{
	char name[VERIFY_PARTITION_TEXT];

	verify_partition_text(p, name, sizeof(name));
	if (!ingot_guid_equal(&p->type, &want->type)) {
		char found[INGOT_GUID_TEXT];

		return row_bad(row, "%s has the type %s", name, ingot_guid_text(&p->type, found));
	}
	if (!is_label(want->label ? want->label : "", p->name))
		return row_bad(row, "%s: its label is not '%s'", name,
			       want->label ? want->label : "");
	if (p->attributes != want->attributes)
		return row_bad(row, "%s has the attributes 0x%016llx, not 0x%016llx", name,
			       (unsigned long long)p->attributes,
			       (unsigned long long)want->attributes);
	if (want->uuid_rule == INGOT_UUID_FIXED && !ingot_guid_equal(&p->uuid, &want->uuid)) {
		char found[INGOT_GUID_TEXT];

		return row_bad(row, "%s has the UUID %s", name, ingot_guid_text(&p->uuid, found));
	}
	return 0;
}

/* Every partition of the table is the layout's, every one of the layout's is there, in order. */
static int compare_layout(struct verification *v, struct ingot_verify_row *row)
{
	const struct ingot_layout *layout = v->layout;
	size_t wanted = 0;

	for (size_t i = 0; i < layout->count; i++)
		wanted += !layout->partitions[i].reserved;
	for (size_t i = 0; i < v->gpt->count; i++) {
		const struct ingot_gpt_partition *p = &v->gpt->partitions[i];
		const struct ingot_layout_partition *want = layout_entry(layout, p->number);
		char name[VERIFY_PARTITION_TEXT];
		int rc;

		verify_partition_text(p, name, sizeof(name));
		if (!want)
			return row_bad(row, "%s is not one of the layout's", name);
		rc = check_entry(row, p, want);
		if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
			return rc;
		if (i > 0 && p->start < p[-1].start)
			return row_bad(row, "%s lies before the one before it", name);
	}
	if (v->gpt->count != wanted)
		return row_bad(row, "%zu partitions instead of %zu", v->gpt->count, wanted);
	if (layout->disk_uuid_given && !ingot_guid_equal(&layout->disk_uuid, &v->gpt->uuid))
		return row_bad(row, "the disk has another UUID");
	return row_good(row, "%zu partitions of the layout '%s'", wanted, layout->name);
}

int check_layout(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	int rc;

	if (!v->gpt)
		return ingot_raise(err, v->gpt_error.code, "%s", v->gpt_error.text);
	if (*v->layout_error)
		return ingot_raise(err, -EINVAL, "%s", v->layout_error);
	if (!v->layout)
		return row_not_applicable(row, "no layout was given, and none that is built in "
					       "is like it");
	rc = row_expect(row, "types, labels, attributes and UUIDs as the layout '%s' has them",
			v->layout->name);
	return rc < 0 ? rc : compare_layout(v, row);
}

/* --- zeros ------------------------------------------------------------- */

static bool is_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* In a stretch that was read; its last byte if it is in none before. */
static uint64_t place_of_first(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] == 0)
		i++;
	return i;
}

int verify_first_nonzero(struct ingot_source *source, uint64_t offset, uint64_t end, unsigned jobs,
			 uint64_t *ret, struct ingot_error *err)
{
	enum { STEP = 256 * 1024 };
	INGOT_FREE unsigned char *buffer = NULL;
	struct ingot_extent run;
	int rc;

	(void)jobs;
	for (; offset < end; offset += run.length) {
		rc = ingot_source_extent(source, offset, &run, err);
		if (rc < 0)
			return rc;
		run.length = ingot_min(run.length, end - offset);
		if (run.hole)
			continue;
		if (!buffer)
			buffer = ingot_alloc_buffer(STEP, err);
		if (!buffer)
			return -ENOMEM;
		run.length = ingot_min(run.length, STEP);
		rc = ingot_source_read(source, offset, buffer, (size_t)run.length, err);
		if (rc < 0)
			return rc;
		if (is_zero(buffer, (size_t)run.length))
			continue;
		*ret = offset + place_of_first(buffer, (size_t)run.length);
		return 0;
	}
	*ret = end;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct ingot_gpt_partition *const *x = a, *const *y = b;

	return ((*x)->start > (*y)->start) - ((*x)->start < (*y)->start);
}

/* From the end of one partition to the start of the next. */
static int check_gap(struct verification *v, struct ingot_verify_row *row, uint64_t from,
		     uint64_t to, struct ingot_error *err)
{
	uint64_t at = to;
	int rc;

	if (from >= to)
		return 0;
	rc = verify_first_nonzero(v->disk, from, to, v->options->jobs, &at, err);
	if (rc < 0 || at == to)
		return rc;
	return row_bad(row, "byte %llu, in no partition, is not zero", (unsigned long long)at);
}

int check_unused_gaps(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	INGOT_FREE const struct ingot_gpt_partition **sorted = NULL;
	struct ingot_gpt_findings found;
	uint64_t from;
	int rc = findings(v, &found, err);

	if (rc < 0)
		return rc;
	sorted = ingot_alloc(v->gpt->count + 1, sizeof(struct ingot_gpt_partition *), err);
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < v->gpt->count; i++)
		sorted[i] = &v->gpt->partitions[i];
	qsort(sorted, v->gpt->count, sizeof(struct ingot_gpt_partition *), by_start);
	from = found.entries_end;
	for (size_t i = 0; i < v->gpt->count; i++) {
		rc = check_gap(v, row, from, sorted[i]->start, err);
		if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
			return rc;
		from = ingot_max(from, sorted[i]->start + sorted[i]->size);
	}
	rc = check_gap(v, row, from, found.backup_start, err);
	if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
		return rc;
	return row_good(row, "zero");
}

int check_unused_partitions(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err)
{
	size_t count = 0;

	if (!v->gpt)
		return ingot_raise(err, v->gpt_error.code, "%s", v->gpt_error.text);
	for (size_t i = 0; i < v->gpt->count; i++) {
		const struct ingot_gpt_partition *p = &v->gpt->partitions[i];
		char name[VERIFY_PARTITION_TEXT];
		uint64_t at;
		int rc;

		if (v->content[i] != INGOT_CONTENT_NONE)
			continue;
		count++;
		rc = verify_first_nonzero(v->disk, p->start, p->start + p->size, v->options->jobs,
					  &at, err);
		if (rc < 0)
			return rc;
		if (at < p->start + p->size)
			return row_bad(row, "%s has something at byte %llu",
				       verify_partition_text(p, name, sizeof(name)),
				       (unsigned long long)(at - p->start));
	}
	if (count == 0)
		return row_not_applicable(row, "there is none");
	return row_good(row, count == 1 ? "one, all zero" : "%zu, all zero", count);
}

/* The rules of a layout that concern more than one partition. */
#include <errno.h>
#include <string.h>

#include "disk/layout_internal.h"
#include "disk/place_internal.h"

const struct ingot_layout_partition *ingot_layout_find_content(const struct ingot_layout *layout,
							       enum ingot_content content)
{
	for (size_t i = 0; i < layout->count; i++)
		if (layout->partitions[i].content == content)
			return &layout->partitions[i];
	return NULL;
}

/* --- nothing twice ----------------------------------------------------- */

static bool same_uuid(const struct ingot_layout_partition *a,
		      const struct ingot_layout_partition *b)
{
	if (a->uuid_rule != b->uuid_rule || a->uuid_rule == INGOT_UUID_DERIVED)
		return false;
	return a->uuid_rule != INGOT_UUID_FIXED || ingot_guid_equal(&a->uuid, &b->uuid);
}

/* `b` is the later of the two in the file. */
static void compare(struct ingot_layout_reader *reader, const struct ingot_layout_partition *a,
		    const struct ingot_layout_partition *b)
{
	if (a->number && a->number == b->number) {
		ingot_layout_problem(reader, b, "number %u stands twice, first in line %zu",
				     b->number, a->line);
		reader->sizes_ok = false;
	}
	if (a->label && b->label && strcmp(a->label, b->label) == 0)
		ingot_layout_problem(reader, b, "label '%.80s' stands twice, first in line %zu",
				     b->label, a->line);
	if (same_uuid(a, b))
		ingot_layout_problem(reader, b, "its uuid stands twice, first in line %zu",
				     a->line);
	if (a->content != INGOT_CONTENT_NONE && a->content == b->content)
		ingot_layout_problem(reader, b, "content %s stands twice, first in line %zu",
				     ingot_content_name(b->content), a->line);
}

static void find_twins(struct ingot_layout_reader *reader)
{
	const struct ingot_layout *layout = reader->layout;

	for (size_t i = 0; i < layout->count; i++)
		for (size_t j = 0; j < i; j++)
			compare(reader, &layout->partitions[j], &layout->partitions[i]);
}

/* --- rest -------------------------------------------------------------- */

/* Called with the partitions in numeric order. */
static void check_rest(struct ingot_layout_reader *reader)
{
	const struct ingot_layout *layout = reader->layout;
	const struct ingot_layout_partition *rest = NULL;

	for (size_t i = 0; i < layout->count; i++) {
		const struct ingot_layout_partition *p = &layout->partitions[i];

		if (rest && p->rest)
			ingot_layout_problem(reader, p,
					     "size: rest stands twice, first in line %zu",
					     rest->line);
		else if (rest && !p->reserved)
			ingot_layout_problem(reader, rest,
					     "size: rest is for the last partition, but number %u "
					     "follows",
					     p->number);
		else if (p->rest)
			rest = p;
		if (rest && rest != p && !p->reserved)
			reader->sizes_ok = false;
	}
	if (rest && layout->size == 0) {
		ingot_layout_problem(reader, rest, "size: rest needs the disk's size at the top");
		reader->sizes_ok = false;
	}
}

/* --- verity ------------------------------------------------------------ */

static void check_uuid_rule(struct ingot_layout_reader *reader,
			    const struct ingot_layout_partition *p)
{
	if (p->uuid_rule == INGOT_UUID_ROOT_HASH_FIRST && p->content != INGOT_CONTENT_USR)
		ingot_layout_problem(reader, p, "uuid: root-hash-first is for content usr");
	if (p->uuid_rule == INGOT_UUID_ROOT_HASH_LAST && p->content != INGOT_CONTENT_USR_VERITY)
		ingot_layout_problem(reader, p, "uuid: root-hash-last is for content usr-verity");
}

static void check_verity(struct ingot_layout_reader *reader)
{
	const struct ingot_layout *layout = reader->layout;
	const struct ingot_layout_partition *usr, *verity, *sig, *fec;

	usr = ingot_layout_find_content(layout, INGOT_CONTENT_USR);
	verity = ingot_layout_find_content(layout, INGOT_CONTENT_USR_VERITY);
	sig = ingot_layout_find_content(layout, INGOT_CONTENT_USR_VERITY_SIG);
	fec = ingot_layout_find_content(layout, INGOT_CONTENT_USR_FEC);
	if (fec && !usr)
		ingot_layout_problem(reader, fec, "content usr-fec without content usr");
	if (verity && !usr)
		ingot_layout_problem(reader, verity, "content usr-verity without content usr");
	if (sig && !verity)
		ingot_layout_problem(reader, sig,
				     "content usr-verity-sig without content usr-verity");
	if (usr && verity && usr->verity_appended)
		ingot_layout_problem(reader, usr,
				     "verity: appended, but line %zu has content usr-verity: "
				     "the hash tree has one place",
				     verity->line);
	/* Fails closed: nobody gets an unprotected /usr by forgetting a line. */
	if (usr && !verity && !usr->verity_appended)
		ingot_layout_problem(reader, usr,
				     "content usr has no place for its hash tree: say verity: "
				     "appended, or add a partition with content usr-verity");
	for (size_t i = 0; i < layout->count; i++)
		check_uuid_rule(reader, &layout->partitions[i]);
}

/* --- placement --------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const struct ingot_layout_partition *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int check_placement(struct ingot_layout_reader *reader)
{
	INGOT_FREE struct ingot_placement *placement = NULL;
	struct ingot_error why;
	size_t culprit;
	int rc = ingot_layout_place_at(reader->layout, &(struct ingot_place_options){0}, &placement,
				       &culprit, &why);

	if (rc == -ENOMEM)
		return ingot_raise_oom(reader->err, 0);
	if (rc < 0)
		ingot_layout_problem(
			reader, culprit == SIZE_MAX ? NULL : &reader->layout->partitions[culprit],
			"%s", why.text);
	else if (placement->count == 0)
		ingot_layout_problem(reader, NULL, "no partition is written: all have size 0");
	return 0;
}

int ingot_layout_check(struct ingot_layout_reader *reader)
{
	struct ingot_layout *layout = reader->layout;

	if (layout->count == 0)
		return 0;
	find_twins(reader); /* in the file's order */
	qsort(layout->partitions, layout->count, sizeof(*layout->partitions), by_number);
	check_rest(reader);
	check_verity(reader);
	return reader->sizes_ok ? check_placement(reader) : 0;
}

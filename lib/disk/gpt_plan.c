#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disk/gpt.h"

int ingot_dps_uuid_from_root_hash(const uint8_t *root_hash, size_t n, enum ingot_dps_half half,
				  struct ingot_guid *ret, struct ingot_error *err)
{
	if (n < sizeof(ret->bytes))
		return ingot_raise(err, -EINVAL,
				   "a root hash of %zu bytes is too short to name a partition", n);
	memcpy(ret->bytes, half == INGOT_DPS_FIRST ? root_hash : root_hash + n - sizeof(ret->bytes),
	       sizeof(ret->bytes));
	return 0;
}

static int from_root_hash(const struct ingot_gpt_identity *identity, enum ingot_dps_half half,
			  struct ingot_guid *ret, struct ingot_error *err)
{
	if (!identity->root_hash)
		return ingot_raise(err, -EINVAL, "its UUID comes from the root hash: give it");
	return ingot_dps_uuid_from_root_hash(identity->root_hash, identity->root_hash_size, half,
					     ret, err);
}

/* The label is by number: it is what stays when a partition is renamed. */
static int derive(const struct ingot_gpt_identity *identity, unsigned number,
		  struct ingot_guid *ret, struct ingot_error *err)
{
	char label[32];

	(void)snprintf(label, sizeof(label), "gpt partition %u", number);
	return ingot_derive_guid(identity->seed, label, ret, err);
}

static int plan_uuid(const struct ingot_layout_partition *from,
		     const struct ingot_gpt_identity *identity, struct ingot_guid *ret,
		     struct ingot_error *err)
{
	switch (from->uuid_rule) {
	case INGOT_UUID_FIXED:
		*ret = from->uuid;
		return 0;
	case INGOT_UUID_ROOT_HASH_FIRST:
		return from_root_hash(identity, INGOT_DPS_FIRST, ret, err);
	case INGOT_UUID_ROOT_HASH_LAST:
		return from_root_hash(identity, INGOT_DPS_LAST, ret, err);
	case INGOT_UUID_DERIVED:
		break;
	}
	return derive(identity, from->number, ret, err);
}

static int plan_name(const struct ingot_layout_partition *from,
		     const struct ingot_gpt_identity *identity, char name[INGOT_GPT_NAME_MAX],
		     struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	int rc = ingot_layout_expand_label(from->label, identity->name, identity->version, &text,
					   err);

	if (rc < 0)
		return rc;
	memcpy(name, text, strlen(text) + 1);
	return 0;
}

static int plan_partition(const struct ingot_layout *layout, const struct ingot_placed *placed,
			  const struct ingot_gpt_identity *identity, struct ingot_gpt_partition *to,
			  struct ingot_error *err)
{
	const struct ingot_layout_partition *from = &layout->partitions[placed->index];
	int rc;

	to->number = placed->number;
	to->start = placed->start;
	to->size = placed->size;
	to->type = from->type;
	to->attributes = from->attributes;
	rc = plan_name(from, identity, to->name, err);
	if (rc == 0)
		rc = plan_uuid(from, identity, &to->uuid, err);
	return rc < 0 ? ingot_wrap(err, rc, "partition %u", to->number) : 0;
}

/* What the layout's own check could not see: values that came in from outside. */
static int check_twins(const struct ingot_gpt *gpt, struct ingot_error *err)
{
	for (size_t i = 0; i < gpt->count; i++) {
		const struct ingot_gpt_partition *a = &gpt->partitions[i];

		for (size_t j = 0; j < i; j++) {
			const struct ingot_gpt_partition *b = &gpt->partitions[j];

			if (a->name[0] && strcmp(a->name, b->name) == 0)
				return ingot_raise(err, -EINVAL,
						   "partitions %u and %u have the same label '%s'",
						   b->number, a->number, a->name);
			if (ingot_guid_equal(&a->uuid, &b->uuid))
				return ingot_raise(err, -EINVAL,
						   "partitions %u and %u have the same UUID",
						   b->number, a->number);
		}
	}
	return 0;
}

int ingot_gpt_plan(const struct ingot_layout *layout, const struct ingot_placement *placement,
		   const struct ingot_gpt_identity *identity, struct ingot_gpt **ret,
		   struct ingot_error *err)
{
	INGOT_FREE struct ingot_gpt *gpt =
		ingot_alloc(1, sizeof(*gpt) + placement->count * sizeof(gpt->partitions[0]), err);
	int rc = 0;

	if (!gpt)
		return -ENOMEM;
	gpt->disk_size = placement->disk_size;
	gpt->sector_size = placement->sector_size;
	gpt->count = placement->count;
	gpt->uuid = layout->disk_uuid;
	if (!layout->disk_uuid_given)
		rc = ingot_derive_guid(identity->seed, "gpt disk", &gpt->uuid, err);
	for (size_t i = 0; rc == 0 && i < gpt->count; i++)
		rc = plan_partition(layout, &placement->partitions[i], identity,
				    &gpt->partitions[i], err);
	if (rc == 0)
		rc = check_twins(gpt, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(gpt);
	return 0;
}

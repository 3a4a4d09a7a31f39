#include "image/build_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Labels are part of every image's bytes: they never change. */
int identity_label(const struct build *b, const char *what, struct ingot_guid *ret,
		   struct ingot_error *err)
{
	return ingot_derive_guid(&b->recipe->seed, what, ret, err);
}

int gpt_for(const struct build *b, const struct root_hash *root, struct ingot_gpt **ret,
	    struct ingot_error *err)
{
	struct ingot_gpt_identity identity = {
		.seed = &b->recipe->seed,
		.name = b->recipe->name,
		.version = b->recipe->version,
		.root_hash = root->size ? root->bytes : NULL,
		.root_hash_size = root->size,
	};

	return ingot_gpt_plan(b->layout, b->placement, &identity, ret, err);
}

const struct ingot_gpt_partition *gpt_partition(const struct ingot_gpt *gpt,
						const struct ingot_placed *placed)
{
	for (size_t i = 0; i < gpt->count; i++)
		if (gpt->partitions[i].number == placed->number)
			return &gpt->partitions[i];
	return NULL;
}

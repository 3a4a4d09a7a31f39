#include "image/build_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sign/pkcs7.h"

/* Labels are part of every image's bytes: they never change. */
int identity_label(const struct build *b, const char *what, struct ingot_guid *ret,
		   struct ingot_error *err)
{
	return ingot_derive_guid(&b->recipe->seed, what, ret, err);
}

int root_hash_sign(const struct build *b, struct root_hash *root, struct ingot_error *err)
{
	ingot_hex(root->bytes, root->size, root->hex);
	if (!b->key)
		return 0;
	return ingot_sign_root_hash(b->key, b->certificate, root->hex, &root->signature,
				    &root->signature_size, err);
}

int root_hash_rehearse(const struct build *b, struct root_hash *root, struct ingot_error *err)
{
	const struct ingot_certificate *certificate = b->certificate;

	ingot_hex(root->bytes, root->size, root->hex);
	if (!b->key)
		return 0;
	return ingot_root_hash_placeholder(&certificate, 1, &root->signature, &root->signature_size,
					   err);
}

void root_hash_done(struct root_hash *root)
{
	free(root->signature);
	root->signature = NULL;
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

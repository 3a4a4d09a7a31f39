#include "image/build_internal.h"

#include <errno.h>

#include "fs/ext4.h"

/* Writing: /usr and its tree first, because everything else waits for the root hash. */

static int part_of(const struct build *b, const struct ingot_placed *placed,
		   struct ingot_sink **ret, struct ingot_error *err)
{
	return ingot_sink_part(b->disk, placed->start, placed->size, ret, err);
}

static int write_usr(struct build *b, struct ingot_error *err)
{
	INGOT_SINK struct ingot_sink *usr = NULL, *hash = NULL;
	struct ingot_verity_job job = {
		.data = b->ext2,
		.hash_offset = b->geometry.hash_offset,
		.jobs = b->options->jobs,
		.progress = &b->options->progress,
	};
	int rc = part_of(b, b->usr_place, &usr, err);

	if (rc == 0 && b->hash_place)
		rc = part_of(b, b->hash_place, &hash, err);
	if (rc < 0)
		return rc;
	job.copy = usr;
	job.hash = hash ? hash : usr;
	return ingot_verity_build(&b->verity, &job, b->root.bytes, &b->root.size, err);
}

/* Read back, while it is still in memory: nothing has to be made a second time. */
static int write_parity(struct build *b, struct ingot_error *err)
{
	INGOT_SINK struct ingot_sink *usr = NULL, *hash = NULL, *parity = NULL;
	INGOT_SOURCE struct ingot_source *data = NULL, *tree = NULL;
	struct ingot_fec_job job = {
		.parity_offset = b->fec_offset,
		.jobs = b->options->jobs,
		.progress = &b->options->progress,
	};
	int rc = part_of(b, b->usr_place, &usr, err);

	if (rc == 0)
		rc = part_of(b, b->hash_place ? b->hash_place : b->usr_place, &hash, err);
	if (rc == 0)
		rc = part_of(b, b->fec_place, &parity, err);
	if (rc == 0)
		rc = ingot_sink_source(usr, &data, err);
	if (rc == 0)
		rc = ingot_sink_source(hash, &tree, err);
	if (rc < 0)
		return rc;
	job.data = data;
	job.hash = tree;
	return ingot_fec_build(&b->fec, &job, parity, err);
}

static int write_signature(struct build *b, struct ingot_error *err)
{
	INGOT_FREE uint8_t *data = NULL;
	size_t size;
	int rc = root_hash_partition(b, &data, &size, err);

	if (rc == 0)
		rc = image_room_add(&b->room, b->signature_place->start, size, err);
	if (rc < 0)
		return rc;
	if (size > b->signature_place->size)
		return ingot_raise(err, -ENOSPC, "the signature takes %zu bytes, there are %llu",
				   size, (unsigned long long)b->signature_place->size);
	return ingot_sink_write(b->disk, b->signature_place->start, data, size, err);
}

static int write_esp(struct build *b, struct ingot_error *err)
{
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct esp esp;
	int rc = part_of(b, b->esp_place, &sink, err);

	if (rc < 0)
		return rc;
	rc = esp_make(b, &b->root, b->gpt, &esp, err);
	if (rc == 0)
		rc = ingot_copy(esp.fat, sink, b->options->jobs, &b->options->progress, err);
	if (rc == 0)
		rc = room_add_esp(b, &esp, err);
	if (rc == 0 && b->request && esp.uki)
		rc = request_add_uki(b, &esp, err);
	esp_done(&esp);
	return rc;
}

int build_write_ext4(struct build *b, const struct ingot_placed *placed, const char *what,
		     struct ingot_tree *tree, struct ingot_error *err)
{
	struct ingot_node *root = tree ? ingot_tree_root(tree) : NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	INGOT_FREE char *uuid_label = ingot_format(err, "%s filesystem uuid", what);
	INGOT_FREE char *seed_label = ingot_format(err, "%s filesystem hash seed", what);
	struct ingot_ext4_options options = {
		.label = entry_of(b, placed)->filesystem_label,
		.epoch = b->recipe->epoch,
		.reserved_percent = 5,
	};
	int rc = uuid_label && seed_label ? 0 : -ENOMEM;

	if (rc == 0)
		rc = identity_label(b, uuid_label, &options.uuid, err);
	if (rc == 0)
		rc = identity_label(b, seed_label, &options.hash_seed, err);
	if (rc == 0)
		rc = part_of(b, placed, &sink, err);
	if (rc < 0)
		return rc;
	return ingot_ext4_write(sink, &options, tree, root, err);
}

/* Runs one part of the writing; an error is told with the partition's label. */
static int in_partition(const struct build *b, const struct ingot_placed *placed, int rc,
			struct ingot_error *err)
{
	const char *label = entry_of(b, placed)->label;

	if (rc < 0)
		return ingot_wrap(err, rc, "partition '%s'", label ? label : "");
	return 0;
}

int build_write(struct build *b, struct ingot_error *err)
{
	int rc = 0;

	if (b->usr) {
		build_step(b, "usr and hash tree");
		rc = in_partition(b, b->usr_place, write_usr(b, err), err);
		if (rc == 0 && b->fec_place) {
			build_step(b, "parity");
			rc = in_partition(b, b->fec_place, write_parity(b, err), err);
		}
		if (rc == 0)
			rc = root_hash_sign(b, &b->root, err);
	}
	if (rc == 0)
		rc = gpt_for(b, &b->root, &b->gpt, err);
	if (rc == 0 && b->signature_place && b->root.signature)
		rc = in_partition(b, b->signature_place, write_signature(b, err), err);
	if (rc == 0 && b->esp_place) {
		build_step(b, "initrd, UKI, ESP");
		rc = in_partition(b, b->esp_place, write_esp(b, err), err);
	}
	if (rc == 0 && b->root_place) {
		build_step(b, "ROOT");
		rc = in_partition(b, b->root_place,
				  build_write_ext4(b, b->root_place, "root", b->tree, err), err);
	}
	if (rc == 0 && b->oem_place) {
		build_step(b, "OEM");
		rc = in_partition(b, b->oem_place,
				  build_write_ext4(b, b->oem_place, "oem", b->oem, err), err);
	}
	if (rc < 0)
		return rc;
	build_step(b, "partition table");
	return ingot_gpt_write(b->gpt, b->disk, err);
}

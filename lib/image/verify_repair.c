/* A copy of the disk, /usr put right in it, verified before it gets its name. */
#include <errno.h>

#include "image/verify_internal.h"
#include "io/output.h"
#include "verity/fec_repair.h"

/* What a repair needs, besides the parity itself. */
static int check_possible(struct verification *v, struct ingot_error *err)
{
	struct ingot_verify_row trust = {.name = "roothash.trust"};
	int rc;

	if (!v->disk)
		return ingot_raise(err, v->disk_error.code, "%s", v->disk_error.text);
	if (!v->has_superblock)
		return ingot_raise(err, -ENODATA, "there is no superblock of a hash tree");
	if (!v->has_fec || *v->fec_error)
		return ingot_raise(err, -ENODATA, "there is no parity to repair by%s%s",
				   *v->fec_error ? ": " : "", v->fec_error);
	rc = check_roothash_trust(v, &trust, err);
	if (rc == 0 && trust.verdict != INGOT_VERIFY_GOOD)
		rc = ingot_raise(err, -EKEYREJECTED, "the root hash: %s", trust.found);
	free(trust.expected);
	free(trust.found);
	return rc;
}

/* Where the parity is, as a sink of the copy. */
static int parity_sink(const struct verification *v, struct ingot_sink *disk,
		       struct ingot_sink **ret, struct ingot_error *err)
{
	const struct ingot_gpt_partition *at = v->fec_part ? v->fec_at
					       : v->hash   ? v->hash_at
							   : v->usr_at;

	return ingot_sink_part(disk, at->start + v->fec_offset, v->fec.parity_size, ret, err);
}

/* With everything else right, the parity is too. */
static int renew_parity(const struct verification *v, struct ingot_sink *usr,
			struct ingot_sink *hash, struct ingot_sink *disk, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *data = NULL, *tree = NULL;
	INGOT_SINK struct ingot_sink *parity = NULL;
	struct ingot_fec_job job = {.jobs = v->options->jobs};
	int rc = ingot_sink_source(usr, &data, err);

	if (rc == 0)
		rc = ingot_sink_source(hash, &tree, err);
	if (rc == 0)
		rc = parity_sink(v, disk, &parity, err);
	if (rc < 0)
		return rc;
	job.data = data;
	job.hash = tree;
	return ingot_fec_build(&v->fec, &job, parity, err);
}

static int put_right(const struct verification *v, struct ingot_sink *disk,
		     struct ingot_fec_repaired *ret, struct ingot_error *err)
{
	const struct ingot_gpt_partition *hash_at = v->hash_at ? v->hash_at : v->usr_at;
	INGOT_SINK struct ingot_sink *usr = NULL, *hash = NULL;
	struct ingot_fec_repair repair = {
		.parity = v->fec_source,
		.parity_offset = v->fec_offset,
		.root = v->root_hash,
		.root_size = v->root_size,
		.jobs = v->options->jobs,
	};
	int rc = ingot_sink_part(disk, v->usr_at->start, v->usr_at->size, &usr, err);

	if (rc == 0 && v->hash)
		rc = ingot_sink_part(disk, hash_at->start, hash_at->size, &hash, err);
	if (rc < 0)
		return rc;
	repair.data = usr;
	repair.hash = hash ? hash : usr;
	rc = ingot_fec_repair(&v->superblock.params, &v->geometry, &v->fec, &repair, ret, err);
	if (rc < 0 || ret->verdict != INGOT_VERITY_GOOD)
		return rc;
	return renew_parity(v, usr, repair.hash, disk, err);
}

static int write_copy(const struct verification *v, struct ingot_output *output,
		      struct ingot_verify_repair *ret, struct ingot_error *err)
{
	INGOT_SINK struct ingot_sink *disk = NULL;
	INGOT_SOURCE struct ingot_source *copy = NULL;
	int rc = ingot_output_sink(output, v->disk->size, &disk, err);

	if (rc == 0)
		rc = ingot_copy(v->disk, disk, v->options->jobs, v->options->progress, err);
	if (rc == 0)
		rc = put_right(v, disk, &ret->blocks, err);
	if (rc == 0)
		rc = image_output_source(output, &copy, err);
	return rc < 0 ? rc : ingot_verify(copy, v->options, &ret->report, err);
}

static int repair(struct verification *v, const char *path, struct ingot_verify_repair *ret,
		  struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	int rc = check_possible(v, err);

	if (rc == 0)
		rc = ingot_output_create(path, &output, err);
	if (rc == 0)
		rc = write_copy(v, output, ret, err);
	if (rc < 0 || !ret->report->good)
		return rc;
	rc = ingot_output_commit(output, err);
	ret->written = rc == 0;
	return rc;
}

int ingot_verify_repair(struct ingot_source *file, const struct ingot_verify_options *options,
			const char *output, struct ingot_verify_repair *ret,
			struct ingot_error *err)
{
	struct verification *v = ingot_alloc(1, sizeof(*v), err);
	int rc;

	*ret = (struct ingot_verify_repair){0};
	if (!v)
		return -ENOMEM;
	rc = verification_init(v, file, options, err);
	if (rc == 0)
		rc = repair(v, output, ret, err);
	ingot_verify_report_free(v->report);
	verification_done(v);
	free(v);
	if (rc < 0) {
		ingot_verify_report_free(ret->report);
		ret->report = NULL;
	}
	return rc;
}

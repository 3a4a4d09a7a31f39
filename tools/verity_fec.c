#include "verity_fec.h"

#include <errno.h>
#include <string.h>

#include "same_file.h"

/* --- geometry ---------------------------------------------------------- */

static int check_offset(const struct verity_options *options,
			const struct ingot_verity_geometry *geometry,
			const struct ingot_fec_geometry *fec, struct ingot_error *err)
{
	const uint64_t offset = options->fec_offset.value;

	if (!options->fec_file && offset < geometry->end)
		return ingot_raise(err, -EINVAL,
				   "--fec-offset %llu is inside the hash area, which ends at %llu",
				   (unsigned long long)offset, (unsigned long long)geometry->end);
	if (offset % fec->block_size != 0)
		return ingot_raise(err, -EINVAL, "--fec-offset %llu is not a multiple of %u",
				   (unsigned long long)offset, fec->block_size);
	if (offset > INT64_MAX - fec->parity_size)
		return ingot_raise(err, -EFBIG, "--fec-offset %llu is too large",
				   (unsigned long long)offset);
	return 0;
}

int verity_fec_init(const struct verity_options *options, const struct ingot_verity_params *params,
		    const struct ingot_verity_geometry *geometry, uint64_t hash_size,
		    struct verity_fec *ret, struct ingot_error *err)
{
	struct verity_fec fec = {.wanted = options->fec_file || options->fec_offset.given,
				 .offset = options->fec_offset.value};
	uint64_t roots = options->fec_roots.given ? options->fec_roots.value : INGOT_FEC_ROOTS_MIN;
	int rc = 0;

	if (fec.wanted)
		rc = ingot_fec_geometry(params, geometry, (uint32_t)ingot_min(roots, UINT32_MAX),
					options->fec_file ? hash_size
							  : ingot_max(fec.offset, geometry->end),
					&fec.geometry, err);
	if (rc == 0 && fec.wanted)
		rc = check_offset(options, geometry, &fec.geometry, err);
	if (rc == 0)
		*ret = fec;
	return rc;
}

uint64_t verity_fec_end(const struct verity_fec *fec)
{
	return fec->wanted ? fec->offset + fec->geometry.parity_size : 0;
}

/* --- files ------------------------------------------------------------- */

int verity_fec_create(const char *path, const char *data_path, const char *hash_path,
		      struct verity_fec *fec, struct ingot_error *err)
{
	if (strcmp(path, "-") == 0)
		return ingot_raise(err, -EINVAL, "the parity cannot go to standard output");
	if (same_file(path, data_path) || (hash_path && same_file(path, hash_path)))
		return ingot_raise(err, -EINVAL,
				   "--fec-file '%s' has the data or the hash tree: give "
				   "--fec-offset alone to put the parity behind the tree",
				   path);
	return ingot_output_create(path, &fec->output, err);
}

void verity_fec_done(struct verity_fec *fec)
{
	ingot_output_free(fec->output);
}

/* --- parity ------------------------------------------------------------ */

int verity_fec_write(const struct verity_fec *fec, struct ingot_source *data,
		     struct ingot_sink *hash, unsigned jobs, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *tree = NULL;
	INGOT_SINK struct ingot_sink *own = NULL;
	struct ingot_fec_job job = {.data = data, .parity_offset = fec->offset, .jobs = jobs};
	int rc = 0;

	if (!fec->wanted)
		return 0;
	if (fec->output)
		rc = ingot_output_sink(fec->output, verity_fec_end(fec), &own, err);
	if (rc == 0)
		rc = ingot_sink_source(hash, &tree, err);
	if (rc < 0)
		return rc;
	job.hash = tree;
	return ingot_fec_build(&fec->geometry, &job, own ? own : hash, err);
}

int verity_fec_commit(struct verity_fec *fec, struct ingot_error *err)
{
	return fec->output ? ingot_output_commit(fec->output, err) : 0;
}

int verity_fec_report(const struct verity_fec *fec, json_t *object, struct ingot_error *err)
{
	const struct ingot_fec_geometry *g = &fec->geometry;

	if (!fec->wanted)
		return 0;
	if (json_object_set_new(object, "fec_roots", json_integer(g->roots)) < 0 ||
	    json_object_set_new(object, "fec_blocks", json_integer((json_int_t)g->blocks)) < 0 ||
	    json_object_set_new(object, "fec_offset", json_integer((json_int_t)fec->offset)) < 0 ||
	    json_object_set_new(object, "fec_size", json_integer((json_int_t)g->parity_size)) < 0)
		return ingot_raise_oom(err, 0);
	return 0;
}

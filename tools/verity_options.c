#include "verity_options.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

int verity_check_placement(const struct cli *cli, const struct verity_options *options,
			   struct ingot_error *err)
{
	if (options->fec_roots.given && !options->fec_file && !options->fec_offset.given)
		return cli_usage(cli, err,
				 "give --fec-file FILE for parity in a file of its own, or "
				 "--fec-offset BYTES for parity behind the hash tree");
	if (options->hash_file || options->hash_offset.given)
		return 0;
	return cli_usage(cli, err,
			 "give --hash-file FILE for a hash tree in a file of its own, or "
			 "--hash-offset BYTES for one behind the data in the same file");
}

static int block_size(const char *name, const struct cli_u64 *option, uint32_t *ret,
		      struct ingot_error *err)
{
	if (!option->given)
		return 0;
	if (option->value > UINT32_MAX)
		return ingot_raise(err, -EINVAL, "--%s %llu is too large", name,
				   (unsigned long long)option->value);
	*ret = (uint32_t)option->value;
	return 0;
}

int verity_params(const struct verity_options *options, struct ingot_verity_params *ret,
		  struct ingot_error *err)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	int rc;

	if (options->hash)
		params.hash = options->hash;
	params.no_superblock = options->no_superblock;
	rc = block_size("data-block-size", &options->data_block_size, &params.data_block_size, err);
	if (rc == 0)
		rc = block_size("hash-block-size", &options->hash_block_size,
				&params.hash_block_size, err);
	if (rc == 0)
		rc = ingot_verity_params_check(&params, err);
	if (rc < 0)
		return rc;
	if (options->salt && strcmp(options->salt, "-") != 0) {
		rc = ingot_unhex(options->salt, params.salt, sizeof(params.salt), &params.salt_size,
				 err);
		if (rc < 0)
			return ingot_wrap(err, rc, "--salt");
	}
	*ret = params;
	return 0;
}

static int check_given_blocks(const struct verity_options *options, uint64_t block_size,
			      const struct ingot_source *file, struct ingot_error *err)
{
	if (options->data_blocks.value <= file->size / block_size)
		return 0;
	return ingot_raise(err, -EINVAL, "'%s' has %llu blocks of %llu bytes, not %llu", file->name,
			   (unsigned long long)(file->size / block_size),
			   (unsigned long long)block_size,
			   (unsigned long long)options->data_blocks.value);
}

int verity_data_blocks(const struct verity_options *options,
		       const struct ingot_verity_params *params, const struct ingot_source *file,
		       uint64_t *ret, struct ingot_error *err)
{
	bool same_file = !options->hash_file;
	uint64_t block = params->data_block_size;

	if (options->data_blocks.given) {
		*ret = options->data_blocks.value;
		return check_given_blocks(options, block, file, err);
	}
	if (same_file && file->size > options->hash_offset.value)
		return ingot_raise(err, -EINVAL,
				   "'%s' is longer than --hash-offset: say with --data-blocks how "
				   "much of it is data",
				   file->name);
	if (file->size % block != 0)
		return ingot_raise(err, -EINVAL,
				   "the %llu bytes of '%s' are not whole blocks of %llu: say with "
				   "--data-blocks how much of it is data",
				   (unsigned long long)file->size, file->name,
				   (unsigned long long)block);
	*ret = file->size / block;
	return 0;
}

int verity_check_overlap(const struct verity_options *options,
			 const struct ingot_verity_geometry *geometry, struct ingot_error *err)
{
	if (options->hash_file || geometry->data_size <= geometry->hash_offset)
		return 0;
	return ingot_raise(
		err, -EINVAL, "the hash area at %llu starts inside the data, which ends at %llu",
		(unsigned long long)geometry->hash_offset, (unsigned long long)geometry->data_size);
}

#include "verity/params.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static const struct hash {
	const char *name;
	size_t digest_size;
} HASHES[] = {
	{"sha224", 28},
	{"sha256", 32},
	{"sha384", 48},
	{"sha512", 64},
};

static const struct hash *find(const char *name)
{
	for (size_t i = 0; i < sizeof(HASHES) / sizeof(HASHES[0]); i++)
		if (strcmp(HASHES[i].name, name) == 0)
			return &HASHES[i];
	return NULL;
}

struct ingot_verity_params ingot_verity_defaults(void)
{
	return (struct ingot_verity_params){
		.hash = "sha256",
		.data_block_size = 4096,
		.hash_block_size = 4096,
		.hash_type = 1,
	};
}

const char *ingot_verity_hash_name(const char *name)
{
	const struct hash *hash = find(name);

	return hash ? hash->name : NULL;
}

size_t ingot_verity_digest_size(const char *name)
{
	const struct hash *hash = find(name);

	return hash ? hash->digest_size : 0;
}

static int check_block_size(const char *what, uint32_t size, uint32_t max, struct ingot_error *err)
{
	if (ingot_is_power_of_two(size) && size >= INGOT_VERITY_BLOCK_MIN && size <= max)
		return 0;
	return ingot_raise(err, -EINVAL, "%s block size %u is not a power of two from %u to %u",
			   what, size, INGOT_VERITY_BLOCK_MIN, max);
}

int ingot_verity_params_check(const struct ingot_verity_params *params, struct ingot_error *err)
{
	char name[64];
	int rc;

	if (!find(params->hash))
		return ingot_raise(
			err, -EINVAL, "hash '%s' is not one of sha224, sha256, sha384, sha512",
			ingot_printable(params->hash, strlen(params->hash), name, sizeof(name)));
	rc = check_block_size("data", params->data_block_size, INGOT_VERITY_DATA_BLOCK_MAX, err);
	if (rc < 0)
		return rc;
	rc = check_block_size("hash", params->hash_block_size, INGOT_VERITY_HASH_BLOCK_MAX, err);
	if (rc < 0)
		return rc;
	if (params->hash_type > 1)
		return ingot_raise(err, -EINVAL,
				   "hash type %u is neither 1 (normal) nor 0 (ChromeOS)",
				   params->hash_type);
	if (params->salt_size > INGOT_VERITY_SALT_MAX)
		return ingot_raise(err, -EINVAL, "salt of %zu bytes is longer than %d",
				   params->salt_size, INGOT_VERITY_SALT_MAX);
	return 0;
}

int ingot_verity_parse_root(const struct ingot_verity_params *params, const char *hex,
			    uint8_t root[INGOT_VERITY_DIGEST_MAX], size_t *ret_size,
			    struct ingot_error *err)
{
	size_t want = ingot_verity_digest_size(params->hash);
	size_t size;
	int rc = ingot_unhex(hex, root, INGOT_VERITY_DIGEST_MAX, &size, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "root hash");
	if (size != want)
		return ingot_raise(err, -EINVAL, "root hash: %zu bytes, but a %s digest has %zu",
				   size, params->hash, want);
	*ret_size = size;
	return 0;
}

#include "verity/check.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

INGOT_DEFINE_CLEANUP(struct crypt_device, crypt, crypt_free)

/* The last complaint of the library, without its full stop and newline. */
static void keep_words(int level, const char *text, void *context)
{
	char *words = context;
	size_t n;

	if (level != CRYPT_LOG_ERROR)
		return;
	(void)snprintf(words, INGOT_VERITY_WORDS, "%s", text);
	n = strlen(words);
	while (n > 0 && (words[n - 1] == '\n' || words[n - 1] == '.'))
		words[--n] = '\0';
}

static int failed(int rc, const char *what, const char *words, struct ingot_error *err)
{
	if (*words)
		return ingot_raise(err, rc, "libcryptsetup: %s: %s", what, words);
	return ingot_raise_errno(err, -rc, "libcryptsetup: %s", what);
}

/* With a superblock the library reads it for itself, without one it is told. */
static int load(struct crypt_device *cd, const struct ingot_verity_params *params,
		uint64_t data_blocks, const char *data_path, uint64_t hash_offset)
{
	struct crypt_params_verity verity = {
		.hash_area_offset = hash_offset,
		.flags = CRYPT_VERITY_CHECK_HASH,
	};

	if (!params->no_superblock)
		return crypt_load(cd, CRYPT_VERITY, &verity);
	verity.hash_name = params->hash;
	verity.data_device = data_path;
	verity.salt = (const char *)params->salt;
	verity.salt_size = (uint32_t)params->salt_size;
	verity.hash_type = params->hash_type;
	verity.data_block_size = params->data_block_size;
	verity.hash_block_size = params->hash_block_size;
	verity.data_size = data_blocks;
	verity.flags |= CRYPT_VERITY_NO_HEADER;
	return crypt_format(cd, CRYPT_VERITY, /* cipher */ NULL, /* mode */ NULL, /* uuid */ NULL,
			    /* key */ NULL, 0, &verity);
}

int ingot_verity_check_cryptsetup(const struct ingot_verity_params *params, uint64_t data_blocks,
				  const char *data_path, const char *hash_path,
				  uint64_t hash_offset, const uint8_t *root, size_t root_size,
				  enum ingot_verity_verdict *ret,
				  char ret_words[INGOT_VERITY_WORDS], struct ingot_error *err)
{
	INGOT_CLEANUP(crypt_cleanup) struct crypt_device *cd = NULL;
	int rc;

	*ret = INGOT_VERITY_NOT_CHECKED;
	*ret_words = '\0';
	rc = crypt_init_data_device(&cd, hash_path, data_path);
	if (rc < 0)
		return ingot_raise_errno(err, -rc, "libcryptsetup: open '%s' and '%s'", hash_path,
					 data_path);
	crypt_set_log_callback(cd, keep_words, ret_words);
	rc = load(cd, params, data_blocks, data_path, hash_offset);
	if (rc < 0)
		return failed(rc, "load the hash area", ret_words, err);
	if ((size_t)crypt_get_volume_key_size(cd) != root_size)
		return ingot_raise(err, -EINVAL, "libcryptsetup: a root hash of %zu bytes, not %d",
				   root_size, crypt_get_volume_key_size(cd));
	/* Without a name nothing is activated: the check is all that happens. */
	rc = crypt_activate_by_volume_key(cd, /* name */ NULL, (const char *)root, root_size,
					  CRYPT_ACTIVATE_READONLY);
	/* A block that does not match is EPERM, a root hash that does not is EFAULT. */
	if (rc == -EPERM || rc == -EFAULT) {
		*ret = INGOT_VERITY_BAD;
		return 0;
	}
	if (rc < 0)
		return failed(rc, "check the hash tree", ret_words, err);
	*ret_words = '\0';
	*ret = INGOT_VERITY_GOOD;
	return 0;
}

#include "verity/check.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/*
 * One thread at a time opens or frees a device: the first to open one makes the globals of the
 * library's cryptography, every one counts the users of device-mapper, and neither has a lock.
 */
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;

static void free_device(struct crypt_device *cd)
{
	(void)pthread_mutex_lock(&door);
	crypt_free(cd);
	(void)pthread_mutex_unlock(&door);
}

INGOT_DEFINE_CLEANUP(struct crypt_device, crypt, free_device)

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

struct devices {
	const char *data, *hash; /* paths */
	uint64_t data_blocks, hash_offset;
};

/* *ret is to be freed after a failure, too. */
static int open_device(const struct ingot_verity_params *params, const struct devices *devices,
		       struct crypt_device **ret, char words[INGOT_VERITY_WORDS],
		       struct ingot_error *err)
{
	int rc = crypt_init_data_device(ret, devices->hash, devices->data);

	if (rc < 0)
		return ingot_raise_errno(err, -rc, "libcryptsetup: open '%s' and '%s'",
					 devices->hash, devices->data);
	crypt_set_log_callback(*ret, keep_words, words);
	rc = load(*ret, params, devices->data_blocks, devices->data, devices->hash_offset);
	return rc < 0 ? failed(rc, "load the hash area", words, err) : 0;
}

int ingot_verity_check_cryptsetup(const struct ingot_verity_params *params, uint64_t data_blocks,
				  const char *data_path, const char *hash_path,
				  uint64_t hash_offset, const uint8_t *root, size_t root_size,
				  enum ingot_verity_verdict *ret,
				  char ret_words[INGOT_VERITY_WORDS], struct ingot_error *err)
{
	const struct devices devices = {data_path, hash_path, data_blocks, hash_offset};
	INGOT_CLEANUP(crypt_cleanup) struct crypt_device *cd = NULL;
	int rc;

	*ret = INGOT_VERITY_NOT_CHECKED;
	*ret_words = '\0';
	(void)pthread_mutex_lock(&door);
	rc = open_device(params, &devices, &cd, ret_words, err);
	(void)pthread_mutex_unlock(&door);
	if (rc < 0)
		return rc;
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

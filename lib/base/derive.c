#include "base/derive.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/text.h"

int ingot_seed_parse(const char *hex, struct ingot_seed *ret, struct ingot_error *err)
{
	struct ingot_seed seed = {0};
	int rc = ingot_unhex(hex, seed.bytes, sizeof(seed.bytes), &seed.size, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "seed");
	if (seed.size < INGOT_SEED_MIN)
		return ingot_raise(err, -EINVAL, "seed: %zu bytes are too few (%d to %d)",
				   seed.size, INGOT_SEED_MIN, INGOT_SEED_MAX);
	*ret = seed;
	return 0;
}

int ingot_seed_from_name(const char *name, const char *version, const char *architecture,
			 struct ingot_seed *ret, struct ingot_error *err)
{
	const char *parts[] = {"ingot seed", name, version, architecture};
	INGOT_FREE char *text = NULL;
	struct ingot_seed seed = {.size = INGOT_SHA256_SIZE};
	size_t size = 0, at = 0;
	int rc;

	for (unsigned i = 0; i < 4; i++)
		size += strlen(parts[i]) + 1;
	text = ingot_alloc(size, 1, err);
	if (!text)
		return -ENOMEM;
	for (unsigned i = 0; i < 4; i++) {
		size_t n = strlen(parts[i]) + 1;

		memcpy(text + at, parts[i], n);
		at += n;
	}
	rc = ingot_sha256(text, size, seed.bytes, err);
	if (rc < 0)
		return rc;
	*ret = seed;
	return 0;
}

int ingot_derive(const struct ingot_seed *seed, const char *label, void *bytes, size_t n,
		 struct ingot_error *err)
{
	uint8_t mac[INGOT_SHA256_SIZE];
	int rc = ingot_crypto_start(err);

	assert(n <= sizeof(mac) && seed->size >= INGOT_SEED_MIN);
	if (rc < 0)
		return rc;
	if (!HMAC(EVP_sha256(), seed->bytes, (int)seed->size, (const unsigned char *)label,
		  strlen(label), mac, NULL))
		return ingot_raise(err, -EIO, "HMAC-SHA-256 failed in libcrypto");
	memcpy(bytes, mac, n);
	return 0;
}

int ingot_derive_guid(const struct ingot_seed *seed, const char *label, struct ingot_guid *ret,
		      struct ingot_error *err)
{
	struct ingot_guid guid;
	int rc = ingot_derive(seed, label, guid.bytes, sizeof(guid.bytes), err);

	if (rc < 0)
		return rc;
	guid.bytes[6] = (uint8_t)((guid.bytes[6] & 0x0f) | 0x40);
	guid.bytes[8] = (uint8_t)((guid.bytes[8] & 0x3f) | 0x80);
	*ret = guid;
	return 0;
}

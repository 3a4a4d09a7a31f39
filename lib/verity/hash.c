#include "verity/hash_internal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

struct ingot_verity_hasher {
	EVP_MD *md; /* fetched once: a lookup for every block costs more than its padding */
	EVP_MD_CTX *ctx;
	bool salt_first;
	size_t salt_size;
	uint8_t salt[INGOT_VERITY_SALT_MAX];
};

static int crypto_failed(struct ingot_error *err)
{
	return ingot_raise(err, -EIO, "a digest failed in libcrypto");
}

int ingot_verity_hasher_new(const struct ingot_verity_params *params,
			    struct ingot_verity_hasher **ret, struct ingot_error *err)
{
	struct ingot_verity_hasher *hasher = ingot_alloc(1, sizeof(*hasher), err);

	if (!hasher)
		return -ENOMEM;
	hasher->salt_first = params->hash_type == 1;
	hasher->salt_size = params->salt_size;
	memcpy(hasher->salt, params->salt, params->salt_size);
	hasher->md = EVP_MD_fetch(NULL, params->hash, NULL);
	hasher->ctx = EVP_MD_CTX_new();
	if (!hasher->md || !hasher->ctx || EVP_DigestInit_ex2(hasher->ctx, hasher->md, NULL) != 1) {
		ingot_verity_hasher_free(hasher);
		return ingot_raise(err, -EIO, "libcrypto does not offer %s", params->hash);
	}
	*ret = hasher;
	return 0;
}

void ingot_verity_hasher_free(struct ingot_verity_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	EVP_MD_free(hasher->md);
	free(hasher);
}

/* A context that starts anew with the digest it has allocates nothing; a copied one does. */
static bool hash_one(struct ingot_verity_hasher *h, const struct ingot_verity_block *block,
		     size_t block_size)
{
	EVP_MD_CTX *ctx = h->ctx;

	return EVP_DigestInit_ex2(ctx, NULL, NULL) == 1 &&
	       (!h->salt_first || EVP_DigestUpdate(ctx, h->salt, h->salt_size) == 1) &&
	       EVP_DigestUpdate(ctx, block->data, block_size) == 1 &&
	       (h->salt_first || EVP_DigestUpdate(ctx, h->salt, h->salt_size) == 1) &&
	       EVP_DigestFinal_ex(ctx, block->digest, NULL) == 1;
}

int ingot_verity_hash(struct ingot_verity_hasher *hasher, const struct ingot_verity_block *blocks,
		      size_t count, size_t block_size, struct ingot_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!hash_one(hasher, &blocks[i], block_size))
			return crypto_failed(err);
	return 0;
}

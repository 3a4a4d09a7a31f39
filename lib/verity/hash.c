#include "verity/hash_internal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/crypto.h"
#include "verity/sha256_lanes_internal.h"

/* The widest first. */
enum { KERNELS = 2 };

struct ingot_verity_hasher {
	EVP_MD *md; /* fetched once: a lookup for every block costs more than its padding */
	EVP_MD_CTX *ctx;
	bool salt_first;
	size_t salt_size;
	uint8_t salt[INGOT_VERITY_SALT_MAX];

	const struct ingot_sha256_kernel *kernels[KERNELS]; /* NULL: not here, or not this hash */
	struct ingot_sha256_salted salted;
};

static int crypto_failed(struct ingot_error *err)
{
	return ingot_raise(err, -EIO, "a digest failed in libcrypto");
}

static void find_kernels(struct ingot_verity_hasher *hasher)
{
	hasher->kernels[0] = ingot_sha256_avx512();
	hasher->kernels[1] = ingot_sha256_shani();
	for (unsigned i = 0; i < KERNELS; i++)
		if (hasher->kernels[i])
			ingot_sha256_salt(hasher->kernels[i], hasher->salt, hasher->salt_size,
					  &hasher->salted);
}

int ingot_verity_hasher_new(const struct ingot_verity_params *params,
			    struct ingot_verity_hasher **ret, struct ingot_error *err)
{
	struct ingot_verity_hasher *hasher;
	int rc = ingot_crypto_start(err);

	if (rc < 0)
		return rc;
	hasher = ingot_alloc(1, sizeof(*hasher), err);
	if (!hasher)
		return -ENOMEM;
	hasher->salt_first = params->hash_type == 1;
	hasher->salt_size = params->salt_size;
	memcpy(hasher->salt, params->salt, params->salt_size);
	if (hasher->salt_first && strcmp(params->hash, "sha256") == 0)
		find_kernels(hasher);
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

/* The widest kernel whose lanes these blocks fill at least by half; NULL: libcrypto is as fast. */
static const struct ingot_sha256_kernel *choose(const struct ingot_verity_hasher *h, size_t count)
{
	for (unsigned i = 0; i < KERNELS; i++)
		if (h->kernels[i] && 2 * count >= h->kernels[i]->lanes)
			return h->kernels[i];
	return NULL;
}

int ingot_verity_hash(struct ingot_verity_hasher *hasher, const struct ingot_verity_block *blocks,
		      size_t count, size_t block_size, struct ingot_error *err)
{
	size_t n;

	for (size_t i = 0; i < count; i += n) {
		const struct ingot_sha256_kernel *kernel = choose(hasher, count - i);

		n = kernel ? (size_t)ingot_min(kernel->lanes, count - i) : 1;
		if (kernel)
			ingot_sha256_lanes(kernel, &hasher->salted, blocks + i, n, block_size);
		else if (!hash_one(hasher, &blocks[i], block_size))
			return crypto_failed(err);
	}
	return 0;
}

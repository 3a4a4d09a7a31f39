#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "sign/keys_internal.h"

/*
 * ECDSA whose nonce comes from the key and the digest (RFC 6979), so that a signature is always
 * the same. libcrypto does that from 3.2 on, Debian 12's is older; its arithmetic is used here.
 *
 * A signature is two integers, and as DER each may be shorter by a byte or more. Where its length
 * has to be known before it is made, the RFC's candidates are gone through until both integers
 * have all their bits, one in four: as it does itself with one that gives a zero (3.2, step h.3).
 * What is thrown away is never seen, and what is kept says of its nonce what every signature does.
 */

enum { H = INGOT_SHA256_SIZE, ORDER_MAX = 48, TRIES_MAX = 1024 };

struct ecdsa {
	BN_CTX *bn;
	EC_GROUP *group;
	EC_POINT *point;
	const BIGNUM *order;
	size_t order_n; /* bytes; a multiple of 8 bits for both curves */
	BIGNUM *private_key, *z, *k, *r, *s, *blind, *t;
};

static void ecdsa_done(struct ecdsa *e)
{
	BN_clear_free(e->private_key);
	BN_clear_free(e->z);
	BN_clear_free(e->k);
	BN_clear_free(e->r);
	BN_clear_free(e->s);
	BN_clear_free(e->blind);
	BN_clear_free(e->t);
	EC_POINT_clear_free(e->point);
	EC_GROUP_free(e->group);
	BN_CTX_free(e->bn);
}

static bool prepare(struct ecdsa *e, const EVP_PKEY *pkey)
{
	bool is_p256 = EVP_PKEY_get_bits(pkey) == 256;

	e->bn = BN_CTX_secure_new();
	e->group = EC_GROUP_new_by_curve_name(is_p256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	e->point = e->group ? EC_POINT_new(e->group) : NULL;
	e->z = BN_new();
	e->k = BN_secure_new();
	e->r = BN_new();
	e->s = BN_secure_new();
	e->blind = BN_secure_new();
	e->t = BN_secure_new();
	if (!e->bn || !e->point || !e->z || !e->k || !e->r || !e->s || !e->blind || !e->t ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &e->private_key) != 1)
		return false;
	e->order = EC_GROUP_get0_order(e->group);
	e->order_n = is_p256 ? 32 : 48;
	BN_set_flags(e->private_key, BN_FLG_CONSTTIME);
	BN_set_flags(e->k, BN_FLG_CONSTTIME);
	BN_set_flags(e->s, BN_FLG_CONSTTIME);
	BN_set_flags(e->blind, BN_FLG_CONSTTIME);
	BN_set_flags(e->t, BN_FLG_CONSTTIME);
	return true;
}

/* --- RFC 6979, 3.2 ----------------------------------------------------- */

/* The state of its generator: K and V. */
struct nonce {
	uint8_t key[H], v[H];
};

static bool hmac(const uint8_t key[H], const uint8_t *data, size_t n, uint8_t out[H])
{
	uint8_t made[H];
	unsigned made_n = 0;
	bool done = HMAC(EVP_sha256(), key, H, data, n, made, &made_n) && made_n == H;

	if (done)
		memcpy(out, made, H);
	OPENSSL_cleanse(made, sizeof(made));
	return done;
}

/* K = HMAC_K(V || round || seed), V = HMAC_K(V); steps d to g, and h.3 without a seed. */
static bool stir(struct nonce *nonce, uint8_t round, const uint8_t *seed, size_t n)
{
	uint8_t data[H + 1 + 2 * ORDER_MAX];
	bool done;

	memcpy(data, nonce->v, H);
	data[H] = round;
	if (n)
		memcpy(data + H + 1, seed, n);
	done = hmac(nonce->key, data, H + 1 + n, nonce->key) &&
	       hmac(nonce->key, nonce->v, H, nonce->v);
	OPENSSL_cleanse(data, sizeof(data));
	return done;
}

/* Steps a to g. The seed is the private key and the digest, both as long as the order. */
static bool nonce_start(struct nonce *nonce, const struct ecdsa *e)
{
	uint8_t seed[2 * ORDER_MAX];
	bool done;

	memset(nonce->key, 0, H);
	memset(nonce->v, 1, H);
	done = BN_bn2binpad(e->private_key, seed, (int)e->order_n) >= 0 &&
	       BN_nnmod(e->t, e->z, e->order, e->bn) &&
	       BN_bn2binpad(e->t, seed + e->order_n, (int)e->order_n) >= 0 &&
	       stir(nonce, 0, seed, 2 * e->order_n) && stir(nonce, 1, seed, 2 * e->order_n);
	OPENSSL_cleanse(seed, sizeof(seed));
	return done;
}

/* Step h: the next candidate, which may be too large or zero. */
static bool nonce_next(struct nonce *nonce, const struct ecdsa *e)
{
	uint8_t t[2 * H];
	bool done = hmac(nonce->key, nonce->v, H, nonce->v);

	memcpy(t, nonce->v, H);
	if (done && e->order_n > H)
		done = hmac(nonce->key, nonce->v, H, nonce->v);
	memcpy(t + H, nonce->v, H);
	done = done && BN_bin2bn(t, (int)e->order_n, e->k);
	OPENSSL_cleanse(t, sizeof(t));
	return done;
}

/* --- FIPS 186-4, 6.4 --------------------------------------------------- */

/* s = (z + r d) / k, behind a random factor that falls out again: time says nothing about d. */
static bool compute_s(struct ecdsa *e)
{
	return BN_priv_rand_range(e->blind, e->order) && !BN_is_zero(e->blind) &&
	       BN_mod_mul(e->t, e->blind, e->private_key, e->order, e->bn) &&
	       BN_mod_mul(e->t, e->t, e->r, e->order, e->bn) &&
	       BN_mod_mul(e->s, e->blind, e->z, e->order, e->bn) &&
	       BN_mod_add(e->s, e->s, e->t, e->order, e->bn) &&
	       BN_mod_mul(e->t, e->blind, e->k, e->order, e->bn) &&
	       BN_mod_inverse(e->t, e->t, e->order, e->bn) &&
	       BN_mod_mul(e->s, e->s, e->t, e->order, e->bn);
}

/* The highest bit of both orders is set, and so it is of half of the numbers below. */
static bool is_good(const struct ecdsa *e, bool full)
{
	int bits = (int)(8 * e->order_n);

	if (full)
		return BN_num_bits(e->r) == bits && BN_num_bits(e->s) == bits;
	return !BN_is_zero(e->r) && !BN_is_zero(e->s);
}

static bool compute(struct ecdsa *e, struct nonce *nonce, bool full)
{
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		if (!nonce_next(nonce, e))
			return false;
		if (!BN_is_zero(e->k) && BN_ucmp(e->k, e->order) < 0) {
			if (!EC_POINT_mul(e->group, e->point, e->k, NULL, NULL, e->bn) ||
			    !EC_POINT_get_affine_coordinates(e->group, e->point, e->t, NULL,
							     e->bn) ||
			    !BN_nnmod(e->r, e->t, e->order, e->bn) || !compute_s(e))
				return false;
			if (is_good(e, full))
				return true;
		}
		if (!stir(nonce, 0, NULL, 0))
			return false;
	}
	return false;
}

/* Ecdsa-Sig-Value. r and s move into it. */
static bool encode(struct ecdsa *e, uint8_t *signature, size_t room, size_t *ret_n)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	unsigned char *p = signature;
	int n;

	if (!pair || ECDSA_SIG_set0(pair, e->r, e->s) != 1) {
		ECDSA_SIG_free(pair);
		return false;
	}
	e->r = e->s = NULL;
	n = i2d_ECDSA_SIG(pair, NULL);
	if (n > 0 && (size_t)n <= room)
		n = i2d_ECDSA_SIG(pair, &p);
	else
		n = 0;
	ECDSA_SIG_free(pair);
	*ret_n = (size_t)n;
	return n > 0;
}

int ecdsa_sign(const EVP_PKEY *pkey, const uint8_t digest[INGOT_SHA256_SIZE], bool full,
	       uint8_t signature[INGOT_RAW_SIGNATURE_MAX], size_t *ret_n, struct ingot_error *err)
{
	struct ecdsa e = {0};
	struct nonce nonce;
	bool done = prepare(&e, pkey) && BN_bin2bn(digest, H, e.z) && nonce_start(&nonce, &e) &&
		    compute(&e, &nonce, full) &&
		    encode(&e, signature, INGOT_RAW_SIGNATURE_MAX, ret_n);

	OPENSSL_cleanse(&nonce, sizeof(nonce));
	ecdsa_done(&e);
	return done ? 0 : crypto_raise(err, -EIO, "ECDSA");
}

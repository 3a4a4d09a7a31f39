#include "sign/pkcs7.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "sign/keys_internal.h"

static void pkcs7_cleanup(PKCS7 **p7)
{
	PKCS7_free(*p7); /* NULL is allowed */
}
#define CRYPTO_PKCS7 INGOT_CLEANUP(pkcs7_cleanup)

int ingot_root_hash_check(const char *hex, struct ingot_error *err)
{
	size_t n = strlen(hex);

	if (strspn(hex, "0123456789abcdef") != n)
		return ingot_raise(err, -EINVAL,
				   "root hash '%.128s' is not made of lower-case hex digits", hex);
	if (n != 64 && n != 96 && n != 128)
		return ingot_raise(err, -EINVAL,
				   "root hash '%.128s' has %zu hex digits instead of 64, 96 or 128",
				   hex, n);
	return 0;
}

/* --- signing ----------------------------------------------------------- */

static PKCS7 *sign(const struct ingot_key *key, const struct ingot_certificate *certificate,
		   BIO *text)
{
	const int flags = PKCS7_DETACHED | PKCS7_NOATTR | PKCS7_BINARY | PKCS7_PARTIAL;
	CRYPTO_PKCS7 PKCS7 *p7 = PKCS7_sign(NULL, NULL, NULL, NULL, flags);

	if (!p7)
		return NULL;
	if (!PKCS7_sign_add_signer(p7, certificate->x509, key->pkey, EVP_sha256(), flags))
		return NULL;
	if (PKCS7_final(p7, text, flags) != 1)
		return NULL;
	return INGOT_TAKE(p7);
}

static int encode(PKCS7 *p7, uint8_t **ret, size_t *ret_n, struct ingot_error *err)
{
	int n = i2d_PKCS7(p7, NULL);
	unsigned char *p;

	if (n <= 0)
		return crypto_raise(err, -EINVAL, "signature");
	p = *ret = ingot_alloc((size_t)n, 1, err);
	if (!p)
		return -ENOMEM;
	*ret_n = (size_t)i2d_PKCS7(p7, &p);
	return 0;
}

int ingot_sign_root_hash(const struct ingot_key *key, const struct ingot_certificate *certificate,
			 const char *root_hash_hex, uint8_t **der, size_t *n,
			 struct ingot_error *err)
{
	INGOT_FREE uint8_t *made = NULL;
	CRYPTO_PKCS7 PKCS7 *p7 = NULL;
	CRYPTO_BIO BIO *text = NULL;
	size_t made_n = 0;
	int rc = ingot_root_hash_check(root_hash_hex, err);

	if (rc == 0)
		rc = ingot_key_check(key, certificate, err);
	if (rc < 0)
		return rc;
	text = BIO_new_mem_buf(root_hash_hex, -1);
	p7 = text ? sign(key, certificate, text) : NULL;
	if (!p7)
		return crypto_raise(err, -EIO, "sign with key '%s'", key->name);
	rc = encode(p7, &made, &made_n, err);
	if (rc == 0) /* a signature that fails on the machine it was made for is found here */
		rc = ingot_verify_root_hash(made, made_n, root_hash_hex, certificate, err);
	if (rc < 0)
		return rc;
	*der = INGOT_TAKE(made);
	*n = made_n;
	return 0;
}

/* --- verifying --------------------------------------------------------- */

static int malformed(struct ingot_error *err, const char *why)
{
	ERR_clear_error();
	return ingot_raise(err, -EBADMSG, "the signature %s", why);
}

/* NULL: none of those that are accepted. */
static const EVP_MD *signer_digest(const PKCS7_SIGNER_INFO *signer)
{
	const ASN1_OBJECT *object = NULL;

	X509_ALGOR_get0(&object, NULL, NULL, signer->digest_alg);
	switch (OBJ_obj2nid(object)) {
	case NID_sha256:
		return EVP_sha256();
	case NID_sha384:
		return EVP_sha384();
	case NID_sha512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static int check_signer(PKCS7_SIGNER_INFO *signer, struct ingot_error *err)
{
	STACK_OF(X509_ATTRIBUTE) *attributes = PKCS7_get_signed_attributes(signer);

	if (attributes && sk_X509_ATTRIBUTE_num(attributes) > 0)
		return malformed(err, "has signed attributes");
	if (!signer_digest(signer))
		return malformed(err, "does not use SHA-256, SHA-384 or SHA-512");
	return 0;
}

/* What the kernel's parser (crypto/asymmetric_keys/pkcs7_parser.c) and dm-verity insist on. */
static int check_shape(PKCS7 *p7, PKCS7_SIGNER_INFO **ret, struct ingot_error *err)
{
	STACK_OF(PKCS7_SIGNER_INFO) *signers;
	const PKCS7 *contents;

	if (!PKCS7_type_is_signed(p7) || !p7->d.sign || !p7->d.sign->contents)
		return malformed(err, "is not PKCS#7 signed data");
	contents = p7->d.sign->contents;
	if (OBJ_obj2nid(contents->type) != NID_pkcs7_data)
		return malformed(err, "is not for plain data");
	if (contents->d.ptr)
		return malformed(err, "is not detached: it contains what it signs");
	signers = PKCS7_get_signer_info(p7);
	if (!signers || sk_PKCS7_SIGNER_INFO_num(signers) != 1)
		return malformed(err, "does not have exactly one signer");
	*ret = sk_PKCS7_SIGNER_INFO_value(signers, 0);
	return check_signer(*ret, err);
}

static int parse(const void *der, size_t n, PKCS7 **ret, struct ingot_error *err)
{
	const unsigned char *p = der;

	if (n > INGOT_SIGNATURE_MAX)
		return ingot_raise(err, -EBADMSG, "the signature is longer than %d bytes",
				   INGOT_SIGNATURE_MAX);
	*ret = d2i_PKCS7(NULL, &p, (long)n);
	if (!*ret)
		return malformed(err, "is not PKCS#7 in DER form");
	if (p != (const unsigned char *)der + n)
		return malformed(err, "has bytes behind its end");
	return 0;
}

/* The signer is named by the certificate's issuer and serial number. */
static bool is_signer(const PKCS7_SIGNER_INFO *signer, const X509 *x509)
{
	const PKCS7_ISSUER_AND_SERIAL *name = signer->issuer_and_serial;

	return X509_NAME_cmp(name->issuer, X509_get_issuer_name(x509)) == 0 &&
	       ASN1_INTEGER_cmp(name->serial, X509_get0_serialNumber(x509)) == 0;
}

/*
 * Without attributes the signature is over the text itself. (PKCS7_verify would do the same, but
 * leaks memory when the list of digests is not what it expects.)
 */
static bool is_good(const PKCS7_SIGNER_INFO *signer, X509 *x509, const char *text)
{
	EVP_PKEY *pkey = X509_get0_pubkey(x509);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA &&
		    EVP_DigestVerifyInit(ctx, NULL, signer_digest(signer), NULL, pkey) == 1 &&
		    EVP_DigestVerify(ctx, ASN1_STRING_get0_data(signer->enc_digest),
				     (size_t)ASN1_STRING_length(signer->enc_digest),
				     (const unsigned char *)text, strlen(text)) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

int ingot_verify_root_hash(const void *der, size_t n, const char *root_hash_hex,
			   const struct ingot_certificate *certificate, struct ingot_error *err)
{
	CRYPTO_PKCS7 PKCS7 *p7 = NULL;
	PKCS7_SIGNER_INFO *signer = NULL;
	int rc = ingot_root_hash_check(root_hash_hex, err);

	if (rc == 0)
		rc = parse(der, n, &p7, err);
	if (rc == 0)
		rc = check_shape(p7, &signer, err);
	if (rc < 0)
		return rc;
	if (!is_signer(signer, certificate->x509))
		return ingot_raise(err, -EKEYREJECTED,
				   "the signature of the root hash names another signer than "
				   "certificate '%s'",
				   certificate->name);
	if (!is_good(signer, certificate->x509, root_hash_hex))
		return ingot_raise(err, -EKEYREJECTED,
				   "the signature is not one of root hash %s by certificate '%s'",
				   root_hash_hex, certificate->name);
	return 0;
}

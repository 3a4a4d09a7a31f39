#include "sign/pkcs7.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "sign/keys_internal.h"
#include "sign/oid_internal.h"
#include "sign/signed_data_internal.h"

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

int ingot_root_hash_digest(const char *root_hash_hex, uint8_t digest[INGOT_SHA256_SIZE],
			   struct ingot_error *err)
{
	int rc = ingot_root_hash_check(root_hash_hex, err);

	return rc < 0 ? rc : ingot_sha256(root_hash_hex, strlen(root_hash_hex), digest, err);
}

int ingot_root_hash_assemble(const char *root_hash_hex, const struct ingot_signer *signers,
			     size_t count, uint8_t **der, size_t *n, struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	const struct signed_data data = {
		.type = {(const uint8_t *)OID_DATA, OID_SIZE(OID_DATA)},
		.digest = digest,
		.signers = signers,
		.count = count,
	};
	int rc = ingot_root_hash_digest(root_hash_hex, digest, err);

	return rc < 0 ? rc : signed_data_encode(&data, der, n, err);
}

int ingot_root_hash_placeholder(const struct ingot_certificate *const *certificates, size_t count,
				uint8_t **der, size_t *n, struct ingot_error *err)
{
	struct ingot_signer signers[INGOT_SIGNERS_MAX] = {0};
	const struct signed_data data = {
		.type = {(const uint8_t *)OID_DATA, OID_SIZE(OID_DATA)},
		.signers = signers,
		.count = count,
		.placeholder = true,
	};

	for (size_t i = 0; i < count && i < INGOT_SIGNERS_MAX; i++)
		signers[i].certificate = certificates[i];
	return signed_data_encode(&data, der, n, err);
}

int ingot_sign_root_hash(const struct ingot_key *key, const struct ingot_certificate *certificate,
			 const char *root_hash_hex, uint8_t **der, size_t *n,
			 struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE], raw[INGOT_RAW_SIGNATURE_MAX];
	struct ingot_signer signer = {.certificate = certificate, .raw = raw};
	int rc = ingot_root_hash_digest(root_hash_hex, digest, err);

	if (rc == 0)
		rc = ingot_key_check(key, certificate, err);
	if (rc == 0)
		rc = ingot_key_sign(key, digest, raw, &signer.raw_n, err);
	/* A signature that fails on the machine it was made for is found here. */
	if (rc == 0)
		rc = ingot_root_hash_assemble(root_hash_hex, &signer, 1, der, n, err);
	return rc;
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
static int check_shape(PKCS7 *p7, STACK_OF(PKCS7_SIGNER_INFO) **ret, struct ingot_error *err)
{
	STACK_OF(PKCS7_SIGNER_INFO) *signers;
	const PKCS7 *contents;
	int count, rc = 0;

	if (!PKCS7_type_is_signed(p7) || !p7->d.sign || !p7->d.sign->contents)
		return malformed(err, "is not PKCS#7 signed data");
	contents = p7->d.sign->contents;
	if (OBJ_obj2nid(contents->type) != NID_pkcs7_data)
		return malformed(err, "is not for plain data");
	if (contents->d.ptr)
		return malformed(err, "is not detached: it contains what it signs");
	signers = PKCS7_get_signer_info(p7);
	count = signers ? sk_PKCS7_SIGNER_INFO_num(signers) : 0;
	if (count < 1 || count > INGOT_SIGNERS_MAX)
		return malformed(err, "does not have one to eight signers");
	for (int i = 0; i < count && rc == 0; i++)
		rc = check_signer(sk_PKCS7_SIGNER_INFO_value(signers, i), err);
	*ret = signers;
	return rc;
}

static int parse(const void *der, size_t n, PKCS7 **ret, struct ingot_error *err)
{
	const unsigned char *p = der;

	if (n > INGOT_SIGNATURE_MAX)
		return ingot_raise(err, -EBADMSG, "the signature is longer than %d bytes",
				   INGOT_SIGNATURE_MAX);
	*ret = d2i_PKCS7(NULL, &p, (long)n);
	if (!*ret && crypto_lacks_memory())
		return ingot_raise_oom(err, n);
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
 * Without attributes the signature is over the text itself: 0, -EKEYREJECTED, -ENOMEM.
 * (PKCS7_verify would do the same, but leaks memory when the list of digests is not what it
 * expects.)
 */
static int check_text(const PKCS7_SIGNER_INFO *signer, X509 *x509, const char *text,
		      struct ingot_error *err)
{
	EVP_PKEY *pkey = X509_get0_pubkey(x509);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int kind = pkey ? EVP_PKEY_get_base_id(pkey) : EVP_PKEY_NONE;
	bool good = ctx && (kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC) &&
		    EVP_DigestVerifyInit(ctx, NULL, signer_digest(signer), NULL, pkey) == 1 &&
		    EVP_DigestVerify(ctx, ASN1_STRING_get0_data(signer->enc_digest),
				     (size_t)ASN1_STRING_length(signer->enc_digest),
				     (const unsigned char *)text, strlen(text)) == 1;

	EVP_MD_CTX_free(ctx);
	if (!good && (!ctx || crypto_lacks_memory()))
		return ingot_raise_oom(err, 0);
	ERR_clear_error();
	return good ? 0 : -EKEYREJECTED;
}

static int check_signers(STACK_OF(PKCS7_SIGNER_INFO) *signers, const char *root_hash_hex,
			 const struct ingot_certificate *certificate, struct ingot_error *err)
{
	bool named = false;

	for (int i = 0; i < sk_PKCS7_SIGNER_INFO_num(signers); i++) {
		const PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value(signers, i);
		int rc;

		if (!is_signer(signer, certificate->x509))
			continue;
		rc = check_text(signer, certificate->x509, root_hash_hex, err);
		if (rc != -EKEYREJECTED)
			return rc;
		named = true;
	}
	if (!named)
		return ingot_raise(err, -EKEYREJECTED,
				   "the signature of the root hash names another signer than "
				   "certificate '%s'",
				   certificate->name);
	return ingot_raise(err, -EKEYREJECTED,
			   "the signature is not one of root hash %s by certificate '%s'",
			   root_hash_hex, certificate->name);
}

int ingot_verify_root_hash(const void *der, size_t n, const char *root_hash_hex,
			   const struct ingot_certificate *certificate, struct ingot_error *err)
{
	STACK_OF(PKCS7_SIGNER_INFO) *signers = NULL;
	CRYPTO_PKCS7 PKCS7 *p7 = NULL;
	int rc = ingot_root_hash_check(root_hash_hex, err);

	if (rc == 0)
		rc = parse(der, n, &p7, err);
	if (rc == 0)
		rc = check_shape(p7, &signers, err);
	if (rc == 0)
		rc = check_signers(signers, root_hash_hex, certificate, err);
	return rc;
}

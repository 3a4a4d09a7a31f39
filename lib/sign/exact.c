#include "sign/exact.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "sign/der_internal.h"
#include "sign/keys_internal.h"

static void pkcs7_cleanup(PKCS7 **p7)
{
	PKCS7_free(*p7); /* NULL is allowed */
}
#define CRYPTO_PKCS7 INGOT_CLEANUP(pkcs7_cleanup)

/* Authenticode has no ContentInfo around it: it is put there, for the parser. */
static PKCS7 *parse_bare(const void *der, size_t n)
{
	const unsigned char *p = der;
	PKCS7_SIGNED *inside = d2i_PKCS7_SIGNED(NULL, &p, (long)n);
	PKCS7 *p7 = inside ? PKCS7_new() : NULL;

	if (!p7) {
		PKCS7_SIGNED_free(inside);
		return NULL;
	}
	p7->type = OBJ_nid2obj(NID_pkcs7_signed);
	p7->d.sign = inside;
	return p7;
}

static PKCS7 *parse(const void *der, size_t n)
{
	const unsigned char *p = der;
	PKCS7 *p7 = n <= INGOT_SIGNATURE_MAX ? d2i_PKCS7(NULL, &p, (long)n) : NULL;

	if (!p7 && n <= INGOT_SIGNATURE_MAX)
		p7 = parse_bare(der, n);
	if (p7 && PKCS7_type_is_signed(p7) && p7->d.sign && PKCS7_get_signer_info(p7))
		return p7;
	PKCS7_free(p7);
	return NULL;
}

/* A signature that could not be read is not exact, unless memory was what it took. */
static int not_read(struct ingot_error *err)
{
	return crypto_lacks_memory() ? ingot_raise_oom(err, 0) : 0;
}

static bool is_signer(const PKCS7_SIGNER_INFO *signer, const X509 *x509)
{
	const PKCS7_ISSUER_AND_SERIAL *name = signer->issuer_and_serial;

	return X509_NAME_cmp(name->issuer, X509_get_issuer_name(x509)) == 0 &&
	       ASN1_INTEGER_cmp(name->serial, X509_get0_serialNumber(x509)) == 0;
}

/* Not by name and number, which another one may have as well. */
static const struct ingot_certificate *find_certificate(
	const X509 *x509, const struct ingot_certificate *const *certificates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (X509_cmp(x509, certificates[i]->x509) == 0)
			return certificates[i];
	return NULL;
}

static struct ingot_signer take_signer(PKCS7_SIGNER_INFO *signer,
				       const struct ingot_certificate *certificate)
{
	return (struct ingot_signer){
		.certificate = certificate,
		.raw = ASN1_STRING_get0_data(signer->enc_digest),
		.raw_n = (size_t)ASN1_STRING_length(signer->enc_digest),
	};
}

/* What was made of the parts against what there was. A part that does not fit is no failure. */
static int compare(int rc, const struct ingot_error *why, const uint8_t *again, size_t again_n,
		   const void *der, size_t n, bool *ret, struct ingot_error *err)
{
	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", why->text);
	*ret = rc == 0 && again_n == n && memcmp(again, der, n) == 0;
	return 0;
}

static PKCS7_SIGNER_INFO *find_signer(STACK_OF(PKCS7_SIGNER_INFO) *list, const X509 *x509)
{
	for (int i = 0; i < sk_PKCS7_SIGNER_INFO_num(list); i++)
		if (is_signer(sk_PKCS7_SIGNER_INFO_value(list, i), x509))
			return sk_PKCS7_SIGNER_INFO_value(list, i);
	return NULL;
}

/*
 * In the order in which they were given when it was made. That is the order of the certificates in
 * it; the signers themselves are sorted by their bytes. False: one is missing or too many.
 */
static bool take_signers(const PKCS7 *p7, const struct ingot_certificate *const *certificates,
			 size_t count, struct ingot_signer signers[INGOT_SIGNERS_MAX],
			 size_t *ret_count)
{
	STACK_OF(PKCS7_SIGNER_INFO) *list = p7->d.sign->signer_info;
	int n = sk_PKCS7_SIGNER_INFO_num(list);

	if (n < 1 || n > INGOT_SIGNERS_MAX || sk_X509_num(p7->d.sign->cert) != n)
		return false;
	for (int i = 0; i < n; i++) {
		const X509 *x509 = sk_X509_value(p7->d.sign->cert, i);
		PKCS7_SIGNER_INFO *signer = find_signer(list, x509);
		const struct ingot_certificate *certificate =
			find_certificate(x509, certificates, count);

		if (!signer || !certificate)
			return false;
		signers[i] = take_signer(signer, certificate);
	}
	*ret_count = (size_t)n;
	return true;
}

int ingot_root_hash_is_exact(const void *der, size_t n, const char *root_hash_hex,
			     const struct ingot_certificate *const *certificates, size_t count,
			     bool *ret, struct ingot_error *err)
{
	CRYPTO_PKCS7 PKCS7 *p7 = parse(der, n);
	struct ingot_signer signers[INGOT_SIGNERS_MAX];
	INGOT_FREE uint8_t *again = NULL;
	struct ingot_error why = {0};
	size_t again_n = 0, signer_count;
	int rc;

	*ret = false;
	if (!p7)
		return not_read(err);
	if (!take_signers(p7, certificates, count, signers, &signer_count))
		return 0;
	rc = ingot_root_hash_assemble(root_hash_hex, signers, signer_count, &again, &again_n, &why);
	return compare(rc, &why, again, again_n, der, n, ret, err);
}

/* --- Authenticode, files ----------------------------------------------- */

/* The signer's among the certificates that are enclosed, as a certificate of its own. */
static int enclosed(PKCS7 *p7, const PKCS7_SIGNER_INFO *signer, struct ingot_certificate **ret,
		    struct ingot_error *err)
{
	STACK_OF(X509) *list = p7->d.sign->cert;

	for (int i = 0; list && i < sk_X509_num(list); i++) {
		X509 *x509 = sk_X509_value(list, i);
		unsigned char *der = NULL;
		int n, rc;

		if (!is_signer(signer, x509))
			continue;
		n = i2d_X509(x509, &der);
		if (n <= 0)
			return 0;
		rc = ingot_certificate_parse("enclosed", der, (size_t)n, ret, err);
		OPENSSL_free(der);
		return rc == -ENOMEM ? rc : 0;
	}
	return 0;
}

typedef int (*assemble_fn)(const uint8_t digest[INGOT_SHA256_SIZE],
			   const struct ingot_signer *signer, uint8_t **der, size_t *n,
			   struct ingot_error *err);

/* What is signed by one. */
struct single {
	struct der_view in;
	const uint8_t *digest;
	assemble_fn assemble;
	PKCS7_SIGNER_INFO *signer;
};

static int is_exact_with(const struct single *s, const struct ingot_certificate *certificate,
			 bool *ret, struct ingot_error *err)
{
	struct ingot_signer taken = take_signer(s->signer, certificate);
	INGOT_FREE uint8_t *again = NULL;
	struct ingot_error why = {0};
	size_t again_n = 0;
	int rc = s->assemble(s->digest, &taken, &again, &again_n, &why);

	return compare(rc, &why, again, again_n, s->in.p, s->in.n, ret, err);
}

/* With one that is given, if the signer is among them; the enclosed one may be anybody's. */
static int is_exact(struct single *s, const struct ingot_certificate *const *certificates,
		    size_t count, bool *ret, struct ingot_error *err)
{
	INGOT_CERTIFICATE struct ingot_certificate *own = NULL;
	CRYPTO_PKCS7 PKCS7 *p7 = parse(s->in.p, s->in.n);
	bool given = false;
	int rc = 0;

	*ret = false;
	if (!p7)
		return not_read(err);
	if (sk_PKCS7_SIGNER_INFO_num(PKCS7_get_signer_info(p7)) != 1)
		return 0;
	s->signer = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(p7), 0);
	for (size_t i = 0; rc == 0 && !*ret && i < count; i++) {
		if (!is_signer(s->signer, certificates[i]->x509))
			continue;
		given = true;
		rc = is_exact_with(s, certificates[i], ret, err);
	}
	if (rc == 0 && !given)
		rc = enclosed(p7, s->signer, &own, err);
	return rc < 0 || !own ? rc : is_exact_with(s, own, ret, err);
}

int ingot_authenticode_is_exact(const void *der, size_t n,
				const uint8_t pe_digest[INGOT_SHA256_SIZE],
				const struct ingot_certificate *const *certificates, size_t count,
				bool *ret, struct ingot_error *err)
{
	struct single s = {
		.in = {der, n}, .digest = pe_digest, .assemble = ingot_authenticode_assemble};

	return is_exact(&s, certificates, count, ret, err);
}

int ingot_cms_is_exact(const void *der, size_t n, const uint8_t file_digest[INGOT_SHA256_SIZE],
		       const struct ingot_certificate *const *certificates, size_t count, bool *ret,
		       struct ingot_error *err)
{
	struct single s = {.in = {der, n}, .digest = file_digest, .assemble = ingot_cms_assemble};

	return is_exact(&s, certificates, count, ret, err);
}

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "sign/keys_internal.h"
#include "sign/signed_data_read_internal.h"

enum { CERTIFICATES_MAX = 16, CHAIN_MAX = 8 };

/* The certificates that came with the message: helpers on the way, trusted with nothing. */
struct others {
	STACK_OF(X509) *list;
};

static void others_done(struct others *others)
{
	sk_X509_pop_free(others->list, X509_free);
}

static int read_others(struct der_view in, struct others *others, struct ingot_error *err)
{
	others->list = sk_X509_new_null();
	if (!others->list)
		return ingot_raise_oom(err, 0);
	while (in.n) {
		const unsigned char *p = in.p;
		X509 *x509 = d2i_X509(NULL, &p, (long)in.n);

		if (!x509 && crypto_lacks_memory())
			return ingot_raise_oom(err, in.n);
		ERR_clear_error();
		if (!x509)
			return ingot_raise(err, -EBADMSG,
					   "the signature has a certificate that is none");
		if (sk_X509_num(others->list) == CERTIFICATES_MAX ||
		    sk_X509_push(others->list, x509) <= 0) {
			X509_free(x509);
			return ingot_raise(err, -EBADMSG,
					   "the signature has more than %d certificates",
					   CERTIFICATES_MAX);
		}
		in.n -= (size_t)(p - in.p);
		in.p = p;
	}
	return 0;
}

/* --- the signer -------------------------------------------------------- */

static bool is_signer(const struct signed_message *m, const X509 *x509)
{
	unsigned char *name = NULL, *number = NULL;
	int name_n = i2d_X509_NAME(X509_get_issuer_name(x509), &name);
	int number_n = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &number);
	bool same = name_n > 0 && number_n > 0 && der_equal(&m->issuer, name, (size_t)name_n) &&
		    der_equal(&m->serial, number, (size_t)number_n);

	OPENSSL_free(name);
	OPENSSL_free(number);
	return same;
}

/* 0: the signature over the attributes is by this key; -EKEYREJECTED, without words: it is not. */
static int check_key(const struct signed_message *m, X509 *x509, struct ingot_error *err)
{
	DER_WRITER struct der set = {.err = err};
	EVP_PKEY *public_half = X509_get0_pubkey(x509);
	uint8_t digest[INGOT_SHA256_SIZE];
	enum ingot_key_kind kind;
	int rc;

	der_put(&set, DER_SET, m->attributes.p, m->attributes.n);
	if (set.rc < 0)
		return set.rc;
	if (!public_half || public_key_kind(public_half, &kind, err) < 0)
		return -EKEYREJECTED;
	rc = ingot_sha256(set.data, set.n, digest, err);
	return rc < 0 ? rc
		      : public_key_verify(public_half, digest, m->signature.p, m->signature.n, err);
}

/*
 * Several certificates may have the signer's name and number, an impostor's among them: the one
 * whose key made the signature counts. Negative: none has; *named: there was at least one.
 */
static int try_signer(const struct signed_message *m, X509 *x509, X509 **ret, bool *named,
		      struct ingot_error *err)
{
	int rc;

	if (!is_signer(m, x509))
		return -EKEYREJECTED;
	*named = true;
	rc = check_key(m, x509, err);
	if (rc == 0)
		*ret = x509;
	return rc;
}

static int find_signer(const struct signed_message *m, const struct others *others,
		       const struct ingot_certificate *const *certificates, size_t count,
		       X509 **ret, bool *named, struct ingot_error *err)
{
	int rc = -EKEYREJECTED;

	for (size_t i = 0; i < count && rc == -EKEYREJECTED; i++)
		rc = try_signer(m, certificates[i]->x509, ret, named, err);
	for (int i = 0; i < sk_X509_num(others->list) && rc == -EKEYREJECTED; i++)
		rc = try_signer(m, sk_X509_value(others->list, i), ret, named, err);
	return rc;
}

/* --- trust ------------------------------------------------------------- */

static bool is_chained(X509 *signer, const struct others *others, X509_STORE *store)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool good = false;

	if (ctx && X509_STORE_CTX_init(ctx, store, signer, others->list) == 1) {
		param = X509_STORE_CTX_get0_param(ctx);
		/* A certificate that is given is an anchor, be it a CA's or not. */
		X509_VERIFY_PARAM_set_flags(param,
					    X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
		X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
		good = X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	return good;
}

/* 0: one of the certificates vouches for the signer; -ENOKEY, without words: none does. */
static int check_trust(X509 *signer, const struct others *others,
		       const struct ingot_certificate *const *certificates, size_t count,
		       struct ingot_error *err)
{
	X509_STORE *store = X509_STORE_new();
	bool good = store != NULL;

	for (size_t i = 0; good && i < count; i++)
		good = X509_STORE_add_cert(store, certificates[i]->x509) == 1;
	good = good && is_chained(signer, others, store);
	X509_STORE_free(store);
	if (!good && (!store || crypto_lacks_memory()))
		return ingot_raise_oom(err, 0);
	ERR_clear_error();
	return good ? 0 : -ENOKEY;
}

/* --- both -------------------------------------------------------------- */

static int name_signer(X509 *x509, char **ret, struct ingot_error *err)
{
	const struct ingot_certificate certificate = {.x509 = x509, .name = NULL};

	return ret ? ingot_certificate_subject(&certificate, ret, err) : 0;
}

int signed_message_check(const struct signed_message *message,
			 const struct ingot_certificate *const *certificates, size_t count,
			 char **ret_signer, struct ingot_error *err)
{
	INGOT_CLEANUP(others_done) struct others others = {0};
	bool named = false;
	X509 *signer = NULL;
	int rc = read_others(message->certificates, &others, err);

	if (rc < 0)
		return rc;
	rc = find_signer(message, &others, certificates, count, &signer, &named, err);
	ERR_clear_error();
	if (rc < 0 && rc != -EKEYREJECTED)
		return rc;
	if (!signer && named)
		return ingot_raise(err, -EKEYREJECTED,
				   "the signature is not by the key of the signer that it names");
	if (!signer)
		return ingot_raise(err, -ENOKEY,
				   "the signature is by somebody whose certificate is neither in "
				   "it nor given");
	rc = name_signer(signer, ret_signer, err);
	if (rc < 0)
		return rc;
	rc = check_trust(signer, &others, certificates, count, err);
	if (rc == -ENOKEY)
		return ingot_raise(err, rc,
				   "the signature is good, but none of the certificates given "
				   "vouches for its signer");
	return rc;
}

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

/* Whether the signature over the attributes is by this key. */
static bool is_good(const struct signed_message *m, X509 *x509, struct ingot_error *err)
{
	DER_WRITER struct der set = {.err = err};
	EVP_PKEY *public_half = X509_get0_pubkey(x509);
	uint8_t digest[INGOT_SHA256_SIZE];
	enum ingot_key_kind kind;

	der_put(&set, DER_SET, m->attributes.p, m->attributes.n);
	return set.rc == 0 && public_half && public_key_kind(public_half, &kind, err) == 0 &&
	       ingot_sha256(set.data, set.n, digest, err) == 0 &&
	       public_key_verify(public_half, digest, m->signature.p, m->signature.n);
}

/*
 * Several certificates may have the signer's name and number, an impostor's among them: the one
 * whose key made the signature counts. *named: there was at least one.
 */
static X509 *find_signer(const struct signed_message *m, const struct others *others,
			 const struct ingot_certificate *const *certificates, size_t count,
			 bool *named)
{
	struct ingot_error ignored;

	for (size_t i = 0; i < count; i++) {
		if (!is_signer(m, certificates[i]->x509))
			continue;
		*named = true;
		if (is_good(m, certificates[i]->x509, &ignored))
			return certificates[i]->x509;
	}
	for (int i = 0; i < sk_X509_num(others->list); i++) {
		X509 *x509 = sk_X509_value(others->list, i);

		if (!is_signer(m, x509))
			continue;
		*named = true;
		if (is_good(m, x509, &ignored))
			return x509;
	}
	return NULL;
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

static bool is_trusted(X509 *signer, const struct others *others,
		       const struct ingot_certificate *const *certificates, size_t count)
{
	X509_STORE *store = X509_STORE_new();
	bool good = store != NULL;

	for (size_t i = 0; good && i < count; i++)
		good = X509_STORE_add_cert(store, certificates[i]->x509) == 1;
	good = good && is_chained(signer, others, store);
	X509_STORE_free(store);
	ERR_clear_error();
	return good;
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
	X509 *signer;
	int rc = read_others(message->certificates, &others, err);

	if (rc < 0)
		return rc;
	signer = find_signer(message, &others, certificates, count, &named);
	ERR_clear_error();
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
	if (!is_trusted(signer, &others, certificates, count))
		return ingot_raise(err, -ENOKEY,
				   "the signature is good, but none of the certificates given "
				   "vouches for its signer");
	return 0;
}

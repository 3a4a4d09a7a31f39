#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/crypto.h"
#include "io/source.h"
#include "sign/keys_internal.h"

static X509 *read_der(const void *data, size_t n)
{
	const unsigned char *p = data;
	X509 *x509 = d2i_X509(NULL, &p, (long)n);

	if (x509 && p != (const unsigned char *)data + n) { /* something follows */
		X509_free(x509);
		return NULL;
	}
	return x509;
}

static X509 *read_pem(const void *data, size_t n)
{
	CRYPTO_BIO BIO *bio = BIO_new_mem_buf(data, (int)n);

	return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

/* DER starts with a SEQUENCE; no PEM text starts with '0'. */
static X509 *read_any(const void *data, size_t n)
{
	return n > 0 && *(const unsigned char *)data == 0x30 ? read_der(data, n)
							     : read_pem(data, n);
}

static int encode(struct ingot_certificate *certificate, struct ingot_error *err)
{
	unsigned char *p;
	int n = i2d_X509(certificate->x509, NULL);

	if (n <= 0)
		return crypto_raise(err, -EINVAL, "certificate '%s'", certificate->name);
	certificate->der = ingot_alloc((size_t)n, 1, err);
	if (!certificate->der)
		return -ENOMEM;
	p = certificate->der;
	certificate->der_n = (size_t)i2d_X509(certificate->x509, &p);
	return 0;
}

int ingot_certificate_parse(const char *name, const void *data, size_t n,
			    struct ingot_certificate **ret, struct ingot_error *err)
{
	INGOT_CERTIFICATE struct ingot_certificate *certificate = NULL;
	int rc;

	if (n > INGOT_KEY_FILE_MAX)
		return ingot_raise(err, -EFBIG, "certificate '%s' is longer than %d bytes", name,
				   INGOT_KEY_FILE_MAX);
	rc = ingot_crypto_start(err);
	if (rc < 0)
		return ingot_wrap(err, rc, "certificate '%s'", name);
	certificate = ingot_alloc(1, sizeof(*certificate), err);
	if (!certificate)
		return -ENOMEM;
	certificate->name = ingot_strdup(name, err);
	if (!certificate->name)
		return -ENOMEM;
	certificate->x509 = read_any(data, n);
	/* A key that could not be read is left out, and nothing said. */
	if (certificate->x509 && !X509_get0_pubkey(certificate->x509)) {
		X509_free(certificate->x509);
		certificate->x509 = read_any(data, n);
	}
	if (!certificate->x509 && crypto_lacks_memory())
		return ingot_raise_oom(err, n);
	ERR_clear_error();
	if (!certificate->x509)
		return ingot_raise(err, -EINVAL, "'%s' is not a certificate in PEM or DER form",
				   name);
	rc = encode(certificate, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(certificate);
	return 0;
}

int ingot_certificate_load(const char *path, struct ingot_certificate **ret,
			   struct ingot_error *err)
{
	INGOT_FREE char *data = NULL;
	size_t n;
	int rc = ingot_load_file(path, INGOT_KEY_FILE_MAX, &data, &n, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "certificate");
	return ingot_certificate_parse(path, data, n, ret, err);
}

void ingot_certificate_free(struct ingot_certificate *certificate)
{
	if (!certificate)
		return;
	X509_free(certificate->x509);
	free(certificate->der);
	free(certificate->name);
	free(certificate);
}

const uint8_t *ingot_certificate_der(const struct ingot_certificate *certificate, size_t *ret_n)
{
	*ret_n = certificate->der_n;
	return certificate->der;
}

int ingot_certificate_pem(const struct ingot_certificate *certificate, char **ret, size_t *ret_n,
			  struct ingot_error *err)
{
	CRYPTO_BIO BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (!bio || PEM_write_bio_X509(bio, certificate->x509) != 1)
		return crypto_raise(err, -ENOMEM, "certificate '%s'", certificate->name);
	n = BIO_get_mem_data(bio, &text);
	*ret = ingot_alloc((size_t)n + 1, 1, err);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, text, (size_t)n);
	*ret_n = (size_t)n;
	return 0;
}

int ingot_certificate_fingerprint(const struct ingot_certificate *certificate,
				  uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err)
{
	return ingot_sha256(certificate->der, certificate->der_n, digest, err);
}

const char *ingot_certificate_name(const struct ingot_certificate *certificate)
{
	return certificate->name;
}

int ingot_certificate_subject(const struct ingot_certificate *certificate, char **ret,
			      struct ingot_error *err)
{
	CRYPTO_BIO BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(certificate->x509), 0,
				       XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
		return crypto_raise(err, -ENOMEM, "certificate '%s'", certificate->name);
	n = BIO_get_mem_data(bio, &text);
	*ret = ingot_alloc((size_t)n + 1, 1, err);
	if (!*ret)
		return -ENOMEM;
	if (n > 0)
		memcpy(*ret, text, (size_t)n);
	return 0;
}

/* A word that nothing but blanks and the ends of names stand around. */
static bool has_word(const char *text, const char *word)
{
	const char *ends = " ,=+";
	size_t n = strlen(word);

	for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
		if ((p == text || strchr(ends, p[-1])) && (!p[n] || strchr(ends, p[n])))
			return true;
	return false;
}

bool ingot_certificate_is_test(const struct ingot_certificate *certificate)
{
	INGOT_FREE char *subject = NULL;

	/* Whose name cannot be read is not trusted with anything that matters. */
	return ingot_certificate_subject(certificate, &subject, NULL) < 0 ||
	       has_word(subject, "TEST");
}

int ingot_certificate_key_kind(const struct ingot_certificate *certificate,
			       enum ingot_key_kind *ret, struct ingot_error *err)
{
	EVP_PKEY *public_half = X509_get0_pubkey(certificate->x509);
	int rc = public_half ? public_key_kind(public_half, ret, err)
			     : ingot_raise(err, -EINVAL, "it has no usable key");

	ERR_clear_error();
	return rc < 0 ? ingot_wrap(err, rc, "certificate '%s'", certificate->name) : 0;
}

int ingot_certificate_signature_size(const struct ingot_certificate *certificate, size_t *ret,
				     struct ingot_error *err)
{
	enum ingot_key_kind kind;
	int rc = ingot_certificate_key_kind(certificate, &kind, err);

	if (rc == 0)
		*ret = (size_t)EVP_PKEY_get_size(X509_get0_pubkey(certificate->x509));
	return rc;
}

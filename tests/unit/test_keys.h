/* Keys and certificates made on the spot, so that no private key is ever in the repository. */
#ifndef INGOT_TESTS_TEST_KEYS_H
#define INGOT_TESTS_TEST_KEYS_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static inline EVP_PKEY *test_rsa(unsigned bits)
{
	return EVP_RSA_gen(bits);
}

/* A self-signed certificate for the key, with this name and serial number. */
static inline X509 *test_certificate(EVP_PKEY *key, const char *name, long serial)
{
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
	ASN1_TIME_set_string(X509_getm_notBefore(x509), "20200101000000Z");
	ASN1_TIME_set_string(X509_getm_notAfter(x509), "20500101000000Z");
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(x509, subject);
	X509_set_pubkey(x509, key);
	X509_sign(x509, key, EVP_sha256());
	return x509;
}

/* The bytes of a memory BIO as text; the BIO is gone, the caller frees the text. */
static inline char *test_bio_text(BIO *bio)
{
	char *data, *text;
	long n = BIO_get_mem_data(bio, &data);

	text = calloc(1, (size_t)n + 1);
	memcpy(text, data, (size_t)n);
	BIO_free(bio);
	return text;
}

static inline char *test_key_pem(EVP_PKEY *key, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
				      passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
	return test_bio_text(bio);
}

static inline char *test_certificate_pem(X509 *x509)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x509);
	return test_bio_text(bio);
}

#endif

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "io/source.h"
#include "sign/keys_internal.h"

/* Called when a key is encrypted. Without it libcrypto would open the terminal and ask. */
static int no_passphrase(char *buffer, int size, int writing, void *asked)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int check_kind(const char *name, const EVP_PKEY *pkey, struct ingot_error *err)
{
	int bits = EVP_PKEY_get_bits(pkey);

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		break;
	case EVP_PKEY_EC:
		return ingot_raise(err, -EINVAL,
				   "key '%s' is an elliptic curve key: its signatures contain a "
				   "random number, so the image could not be built again bit for "
				   "bit; an RSA key is needed",
				   name);
	default:
		return ingot_raise(err, -EINVAL, "key '%s' is not an RSA key", name);
	}
	if (bits < INGOT_KEY_BITS_MIN || bits > INGOT_KEY_BITS_MAX)
		return ingot_raise(err, -EINVAL, "key '%s' has %d bits, %d to %d are accepted",
				   name, bits, INGOT_KEY_BITS_MIN, INGOT_KEY_BITS_MAX);
	return 0;
}

int ingot_key_parse(const char *name, const void *pem, size_t n, struct ingot_key **ret,
		    struct ingot_error *err)
{
	INGOT_KEY struct ingot_key *key = NULL;
	CRYPTO_BIO BIO *bio = NULL;
	bool asked = false;
	int rc;

	if (n > INGOT_KEY_FILE_MAX)
		return ingot_raise(err, -EFBIG, "key '%s' is longer than %d bytes", name,
				   INGOT_KEY_FILE_MAX);
	rc = ingot_crypto_start(err);
	if (rc < 0)
		return ingot_wrap(err, rc, "key '%s'", name);
	key = ingot_alloc(1, sizeof(*key), err);
	if (!key)
		return -ENOMEM;
	key->name = ingot_strdup(name, err);
	if (!key->name)
		return -ENOMEM;
	bio = BIO_new_mem_buf(pem, (int)n);
	if (!bio)
		return crypto_raise(err, -ENOMEM, "key '%s'", name);
	key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
	ERR_clear_error();
	if (asked)
		return ingot_raise(err, -ENOKEY,
				   "key '%s' is protected by a passphrase, which is not supported; "
				   "`openssl pkey -in KEY -out FILE` takes it off",
				   name);
	if (!key->pkey)
		return ingot_raise(err, -EINVAL, "'%s' is not a private key in PEM form", name);
	rc = check_kind(name, key->pkey, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(key);
	return 0;
}

int ingot_key_load(const char *path, struct ingot_key **ret, bool *ret_exposed,
		   struct ingot_error *err)
{
	struct stat st;
	char *pem;
	size_t n;
	int rc = ingot_load_file(path, INGOT_KEY_FILE_MAX, &pem, &n, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "key");
	rc = ingot_key_parse(path, pem, n, ret, err);
	OPENSSL_cleanse(pem, n);
	free(pem);
	if (rc == 0 && ret_exposed)
		*ret_exposed = stat(path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH));
	return rc;
}

void ingot_key_free(struct ingot_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey); /* wipes the private numbers */
	free(key->name);
	free(key);
}

int ingot_key_check(const struct ingot_key *key, const struct ingot_certificate *certificate,
		    struct ingot_error *err)
{
	EVP_PKEY *public_half = X509_get0_pubkey(certificate->x509);
	bool same = public_half && EVP_PKEY_eq(key->pkey, public_half) == 1;

	ERR_clear_error();
	if (!same)
		return ingot_raise(err, -EKEYREJECTED,
				   "key '%s' does not belong to certificate '%s'", key->name,
				   certificate->name);
	return 0;
}

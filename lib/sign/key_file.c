#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "sign/keys_internal.h"
#include "sign/secret_internal.h"

struct file_key {
	struct ingot_key key;
	EVP_PKEY *pkey;
};

/* --- what a key does --------------------------------------------------- */

static int sign_rsa(EVP_PKEY_CTX *ctx, const uint8_t digest[INGOT_SHA256_SIZE],
		    uint8_t signature[INGOT_RAW_SIGNATURE_MAX], size_t *ret_n,
		    struct ingot_error *err)
{
	*ret_n = INGOT_RAW_SIGNATURE_MAX;
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_sign(ctx, signature, ret_n, digest, INGOT_SHA256_SIZE) != 1)
		return crypto_raise(err, -EIO, "RSA");
	return 0;
}

static int sign(const struct ingot_key *key, const uint8_t digest[INGOT_SHA256_SIZE],
		uint8_t signature[INGOT_RAW_SIGNATURE_MAX], size_t *ret_n, struct ingot_error *err)
{
	const struct file_key *k = (const struct file_key *)key;
	EVP_PKEY_CTX *ctx;
	int rc;

	if (key->kind != INGOT_KEY_RSA)
		return ecdsa_sign(k->pkey, digest, true /* full */, signature, ret_n, err);
	ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
	rc = sign_rsa(ctx, digest, signature, ret_n, err);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static bool is_pair(const struct ingot_key *key, const EVP_PKEY *public_half)
{
	return EVP_PKEY_eq(((const struct file_key *)key)->pkey, public_half) == 1;
}

static void free_file_key(struct ingot_key *key)
{
	EVP_PKEY_free(((struct file_key *)key)->pkey); /* wipes the private numbers */
}

static const struct key_ops OPS = {sign, is_pair, free_file_key};

/* --- PEM --------------------------------------------------------------- */

/* What the callback works with, and what became of it. */
struct opening {
	const struct ingot_key_source *source;
	const char *what;
	struct secret secret;
	bool asked;
	int rc;
	struct ingot_error *err;
};

/* libcrypto calls it when the key is encrypted, more than once if it tries several decoders. */
static int give_passphrase(char *buffer, int size, int writing, void *context)
{
	struct opening *o = context;

	(void)writing;
	if (!o->asked) {
		o->asked = true;
		o->rc = secret_get(o->source, o->what, &o->secret, o->err);
	}
	if (o->rc == 0 && o->secret.n > (size_t)size)
		o->rc = ingot_raise(o->err, -EFBIG, "%s: longer than %d bytes", o->what, size);
	if (o->rc < 0)
		return -1;
	memcpy(buffer, o->secret.text, o->secret.n);
	return (int)o->secret.n;
}

static int read_pem(const char *name, const void *pem, size_t n, struct opening *o, EVP_PKEY **ret,
		    struct ingot_error *err)
{
	CRYPTO_BIO BIO *bio = BIO_new_mem_buf(pem, (int)n);

	if (!bio)
		return crypto_raise(err, -ENOMEM, "key '%s'", name);
	*ret = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, o);
	ERR_clear_error();
	if (o->rc < 0)
		return o->rc;
	if (!*ret && o->asked)
		return ingot_raise(err, -EKEYREJECTED, "wrong passphrase for key '%s'", name);
	if (!*ret)
		return ingot_raise(err, -EINVAL, "'%s' is not a private key in PEM form", name);
	return 0;
}

static int parse(const char *name, const void *pem, size_t n, struct opening *o,
		 struct ingot_key **ret, struct ingot_error *err)
{
	struct file_key *k = ingot_alloc(1, sizeof(*k), err);
	INGOT_KEY struct ingot_key *key = NULL;
	int rc;

	if (!k)
		return -ENOMEM;
	key = &k->key;
	key->ops = &OPS;
	key->name = ingot_strdup(name, err);
	if (!key->name)
		return -ENOMEM;
	rc = read_pem(name, pem, n, o, &k->pkey, err);
	if (rc < 0)
		return rc;
	rc = public_key_kind(k->pkey, &key->kind, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "key '%s'", name);
	*ret = INGOT_TAKE(key);
	return 0;
}

int ingot_key_parse(const char *name, const void *pem, size_t n, struct ingot_key **ret,
		    struct ingot_error *err)
{
	const struct ingot_key_source none = {.location = name};
	struct opening o = {.source = &none, .what = "passphrase", .err = err};
	int rc;

	if (n > INGOT_KEY_FILE_MAX)
		return ingot_raise(err, -EFBIG, "key '%s' is longer than %d bytes", name,
				   INGOT_KEY_FILE_MAX);
	rc = ingot_crypto_start(err);
	if (rc == 0)
		rc = parse(name, pem, n, &o, ret, err);
	return rc;
}

/* Once, by read(): a pipe from a store of passwords will do as well. The caller wipes *ret. */
static int read_all(int fd, const char *path, char **ret, size_t *ret_n, struct ingot_error *err)
{
	char *pem = ingot_alloc(INGOT_KEY_FILE_MAX + 1, 1, err);
	size_t used = 0;
	ssize_t n = 1;

	if (!pem)
		return -ENOMEM;
	*ret = pem;
	while (n != 0 && used <= INGOT_KEY_FILE_MAX) {
		n = read(fd, pem + used, INGOT_KEY_FILE_MAX + 1 - used);
		if (n < 0 && errno != EINTR)
			return ingot_raise_errno(err, errno, "read '%s'", path);
		used += n > 0 ? (size_t)n : 0;
	}
	if (used > INGOT_KEY_FILE_MAX)
		return ingot_raise(err, -EFBIG, "'%s' is longer than %d bytes", path,
				   INGOT_KEY_FILE_MAX);
	*ret_n = used;
	return 0;
}

static int load(const char *path, char **ret, size_t *ret_n, struct ingot_error *err)
{
	INGOT_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	return read_all(fd, path, ret, ret_n, err);
}

int key_file_open(const struct ingot_key_source *source, struct ingot_key **ret, unsigned *exposed,
		  struct ingot_error *err)
{
	INGOT_FREE char *what = ingot_format(err, "passphrase of key '%s'", source->location);
	struct opening o = {.source = source, .what = what, .err = err};
	char *pem = NULL;
	size_t n = 0;
	int rc;

	if (!what)
		return -ENOMEM;
	rc = load(source->location, &pem, &n, err);
	if (rc == 0)
		rc = parse(source->location, pem, n, &o, ret, err);
	else
		rc = ingot_wrap(err, rc, "key");
	if (pem)
		OPENSSL_cleanse(pem, INGOT_KEY_FILE_MAX + 1);
	free(pem);
	if (secret_file_is_exposed(source->location))
		*exposed |= INGOT_KEY_EXPOSED;
	if (o.secret.exposed)
		*exposed |= INGOT_SECRET_EXPOSED;
	secret_done(&o.secret);
	return rc;
}

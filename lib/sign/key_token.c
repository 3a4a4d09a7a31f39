#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <string.h>

#include "base/text.h"
#include "sign/keys_internal.h"
#include "sign/token_internal.h"

/*
 * An RSA key in a token. The module is called directly: no provider or engine of OpenSSL stands
 * between, for Debian 12 and 13 have none in common that does without configuration.
 */
struct token_key {
	struct ingot_key key;
	struct token token;
	struct secret pin;
	CK_OBJECT_HANDLE object;
	bool always_authenticate;
	uint8_t modulus[INGOT_RAW_SIGNATURE_MAX]; /* big-endian */
	CK_ULONG modulus_n;
};

/* --- finding the object ------------------------------------------------ */

enum { TEMPLATE_MAX = 8, MATCHES_MAX = 2 };

/* The URI's attributes (id, object), and that it is a private key. */
static int make_template(struct token_key *k, CK_ATTRIBUTE *template, CK_ULONG *ret_n,
			 struct ingot_error *err)
{
	static CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
	CK_ULONG count, n = 0;
	const CK_ATTRIBUTE *list = p11_kit_uri_get_attributes(k->token.uri, &count);

	for (CK_ULONG i = 0; list && i < count && n < TEMPLATE_MAX - 1; i++) {
		if (list[i].type != CKA_CLASS)
			template[n++] = list[i];
		else if (list[i].ulValueLen != sizeof(private_key) ||
			 memcmp(list[i].pValue, &private_key, sizeof(private_key)) != 0)
			return ingot_raise(err, -EINVAL, "its type is not private");
	}
	template[n++] = (CK_ATTRIBUTE){CKA_CLASS, &private_key, sizeof(private_key)};
	*ret_n = n;
	return 0;
}

static int search(struct token_key *k, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *found,
		  CK_ULONG *ret_count, struct ingot_error *err)
{
	CK_FUNCTION_LIST *module = k->token.module;
	CK_RV said = module->C_FindObjectsInit(k->token.session, template, n);

	if (said == CKR_OK)
		said = module->C_FindObjects(k->token.session, found, MATCHES_MAX, ret_count);
	(void)module->C_FindObjectsFinal(k->token.session);
	if (said != CKR_OK)
		return token_raise(err, -EIO, said, "token '%s' cannot be searched",
				   k->token.label);
	return 0;
}

static int find_object(struct token_key *k, struct ingot_error *err)
{
	CK_ATTRIBUTE template[TEMPLATE_MAX];
	CK_OBJECT_HANDLE found[MATCHES_MAX];
	CK_ULONG n, count = 0;
	int rc = make_template(k, template, &n, err);

	if (rc == 0)
		rc = search(k, template, n, found, &count, err);
	if (rc < 0)
		return rc;
	if (count == 0)
		return ingot_raise(err, -ENOENT, "token '%s' has no private key that matches it",
				   k->token.label);
	if (count > 1)
		return ingot_raise(err, -EEXIST,
				   "token '%s' has two private keys or more that match it; "
				   "object= and id= in the URI say which",
				   k->token.label);
	k->object = found[0];
	return 0;
}

/* --- its attributes ---------------------------------------------------- */

/* False: it has no such attribute, or one of another size. */
static bool get_attribute(const struct token_key *k, CK_ATTRIBUTE_TYPE type, void *value,
			  CK_ULONG n)
{
	CK_ATTRIBUTE attribute = {type, value, n};

	return k->token.module->C_GetAttributeValue(k->token.session, k->object, &attribute, 1) ==
		       CKR_OK &&
	       attribute.ulValueLen == n;
}

static int check_type(const struct token_key *k, struct ingot_error *err)
{
	CK_KEY_TYPE type = 0;
	CK_BBOOL may_sign = CK_FALSE;

	if (!get_attribute(k, CKA_KEY_TYPE, &type, sizeof(type)))
		return ingot_raise(err, -EIO, "token '%s' does not say of what type the key is",
				   k->token.label);
	if (type == CKK_EC)
		return ingot_raise(err, -EINVAL,
				   "it is an elliptic curve key: a token draws a random number for "
				   "each of its signatures, so the image could not be built again "
				   "bit for bit; an RSA key is needed, or a file");
	if (type != CKK_RSA)
		return ingot_raise(err, -EINVAL, "it is not an RSA key");
	if (!get_attribute(k, CKA_SIGN, &may_sign, sizeof(may_sign)) || !may_sign)
		return ingot_raise(err, -EINVAL, "it may not sign: its CKA_SIGN is false");
	return 0;
}

static int read_modulus(struct token_key *k, struct ingot_error *err)
{
	uint8_t bytes[INGOT_RAW_SIGNATURE_MAX + 1];
	CK_ATTRIBUTE attribute = {CKA_MODULUS, bytes, sizeof(bytes)};
	CK_RV said =
		k->token.module->C_GetAttributeValue(k->token.session, k->object, &attribute, 1);
	const uint8_t *p = bytes;
	CK_ULONG n = attribute.ulValueLen, bits;

	if (said != CKR_OK && said != CKR_BUFFER_TOO_SMALL)
		return token_raise(err, -EIO, said, "its modulus cannot be read");
	for (; said == CKR_OK && n > 0 && *p == 0; n--)
		p++;
	bits = n == 0 || said != CKR_OK ? 0 : n * 8 - (CK_ULONG)(__builtin_clz(*p) - 24);
	if (said != CKR_OK || bits < INGOT_KEY_BITS_MIN || bits > INGOT_KEY_BITS_MAX)
		return ingot_raise(err, -EINVAL, "its size is %s, RSA of %d to %d bits is accepted",
				   said != CKR_OK ? "larger" : "smaller", INGOT_KEY_BITS_MIN,
				   INGOT_KEY_BITS_MAX);
	memcpy(k->modulus, p, n);
	k->modulus_n = n;
	return 0;
}

static int read_attributes(struct token_key *k, struct ingot_error *err)
{
	CK_BBOOL always = CK_FALSE;
	int rc = check_type(k, err);

	if (rc == 0)
		rc = read_modulus(k, err);
	if (rc < 0)
		return rc;
	k->always_authenticate =
		get_attribute(k, CKA_ALWAYS_AUTHENTICATE, &always, sizeof(always)) && always;
	return 0;
}

/* --- what a key does --------------------------------------------------- */

static int sign(const struct ingot_key *key, const uint8_t digest[INGOT_SHA256_SIZE],
		uint8_t signature[INGOT_RAW_SIGNATURE_MAX], size_t *ret_n, struct ingot_error *err)
{
	/* RFC 8017, 9.2, note 1: DigestInfo of SHA-256, up to the digest. */
	static const uint8_t head[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
				       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	const struct token_key *k = (const struct token_key *)key;
	CK_FUNCTION_LIST *module = k->token.module;
	CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS};
	uint8_t info[sizeof(head) + INGOT_SHA256_SIZE];
	CK_ULONG n = INGOT_RAW_SIGNATURE_MAX;
	CK_RV said = module->C_SignInit(k->token.session, &mechanism, k->object);
	int rc;

	if (said != CKR_OK)
		return token_raise(err, -EIO, said, "token '%s' cannot sign with it",
				   k->token.label);
	if (k->always_authenticate) {
		rc = token_login_again(&k->token, &k->pin, err);
		if (rc < 0)
			return rc;
	}
	memcpy(info, head, sizeof(head));
	memcpy(info + sizeof(head), digest, INGOT_SHA256_SIZE);
	said = module->C_Sign(k->token.session, info, sizeof(info), signature, &n);
	if (said != CKR_OK)
		return token_raise(err, -EIO, said, "token '%s' does not sign", k->token.label);
	if (n != k->modulus_n)
		return ingot_raise(err, -EIO, "token '%s' made a signature of %lu bytes, not %lu",
				   k->token.label, n, k->modulus_n);
	*ret_n = n;
	return 0;
}

static bool is_pair(const struct ingot_key *key, const EVP_PKEY *public_half)
{
	const struct token_key *k = (const struct token_key *)key;
	BIGNUM *theirs = NULL;
	BIGNUM *ours = BN_bin2bn(k->modulus, (int)k->modulus_n, NULL);
	bool same = ours && EVP_PKEY_get_base_id(public_half) == EVP_PKEY_RSA &&
		    EVP_PKEY_get_bn_param(public_half, OSSL_PKEY_PARAM_RSA_N, &theirs) == 1 &&
		    BN_cmp(ours, theirs) == 0;

	BN_free(ours);
	BN_free(theirs);
	return same;
}

static void free_token_key(struct ingot_key *key)
{
	struct token_key *k = (struct token_key *)key;

	secret_done(&k->pin);
	token_close(&k->token);
}

static const struct key_ops OPS = {sign, is_pair, free_token_key};

static int open_key(struct token_key *k, const struct ingot_key_source *source, unsigned *exposed,
		    struct ingot_error *err)
{
	int rc = token_open(source->location, &k->token, err);

	if (rc == 0)
		rc = token_login(&k->token, source, &k->pin, err);
	if (rc == 0)
		rc = find_object(k, err);
	if (rc == 0)
		rc = read_attributes(k, err);
	if (k->pin.exposed)
		*exposed |= INGOT_SECRET_EXPOSED;
	if (!k->always_authenticate)
		secret_done(&k->pin);
	return rc;
}

/* The URI for messages; a pin-value, which is refused, is not said, nor what follows it. */
static char *make_name(const char *uri, struct ingot_error *err)
{
	static const char key[] = "pin-value=";
	char *name = ingot_strdup(uri, err);
	char *secret = name ? strcasestr(name, key) : NULL;

	if (secret)
		secret[strlen(key)] = '\0';
	return name;
}

int key_token_open(const struct ingot_key_source *source, struct ingot_key **ret, unsigned *exposed,
		   struct ingot_error *err)
{
	struct token_key *k = ingot_alloc(1, sizeof(*k), err);
	INGOT_KEY struct ingot_key *key = NULL;
	int rc;

	if (!k)
		return -ENOMEM;
	key = &k->key;
	key->ops = &OPS;
	key->kind = INGOT_KEY_RSA;
	key->name = make_name(source->location, err);
	if (!key->name)
		return -ENOMEM;
	rc = open_key(k, source, exposed, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "key '%s'", key->name);
	*ret = INGOT_TAKE(key);
	return 0;
}

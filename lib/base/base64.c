#include "base/base64.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

enum { SIZE_MAX_RAW = 1 << 30 }; /* libcrypto counts in int */

char *ingot_base64(const void *data, size_t n, struct ingot_error *err)
{
	char *text;

	if (n > SIZE_MAX_RAW) {
		(void)!ingot_raise(err, -EFBIG, "%zu bytes are too many for base64", n);
		return NULL;
	}
	text = ingot_alloc(1, n / 3 * 4 + 5, err);
	if (text)
		(void)EVP_EncodeBlock((unsigned char *)text, data, (int)n);
	return text;
}

static bool is_base64(const char *text, size_t n)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t digits = strspn(text, alphabet);

	return n > 0 && n % 4 == 0 && n - digits <= 2 && strspn(text + digits, "=") == n - digits;
}

int ingot_unbase64(const char *text, uint8_t **ret, size_t *ret_n, struct ingot_error *err)
{
	size_t n = strlen(text);
	INGOT_FREE uint8_t *bytes = NULL;

	if (n > SIZE_MAX_RAW || !is_base64(text, n))
		return ingot_raise(err, -EINVAL, "it is not base64");
	bytes = ingot_alloc(1, n / 4 * 3, err);
	if (!bytes)
		return -ENOMEM;
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)n) < 0)
		return ingot_raise(err, -EINVAL, "it is not base64");
	*ret_n = n / 4 * 3 - (text[n - 1] == '=') - (text[n - 2] == '=');
	*ret = INGOT_TAKE(bytes);
	return 0;
}

/* Signatures from anywhere, against a certificate whose name and number the seeds have. */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/test_keys.h"
#include "sign/pkcs7.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ingot_certificate *certificate(void)
{
	static struct ingot_certificate *made;
	struct ingot_error err = {0};
	EVP_PKEY *key;
	X509 *x509;
	char *pem;

	if (made)
		return made;
	key = test_rsa(2048);
	x509 = test_certificate(key, "Ingot TEST", 7);
	pem = test_certificate_pem(x509);
	if (ingot_certificate_parse("fuzz", pem, strlen(pem), &made, &err) < 0)
		abort();
	free(pem);
	X509_free(x509);
	EVP_PKEY_free(key);
	return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_certificate *foreign = NULL;
	struct ingot_error err = {0};

	/* Nobody has the key: nothing may be accepted. */
	if (ingot_verify_root_hash(data, size, HASH, certificate(), &err) == 0)
		abort();
	if (ingot_certificate_parse("fuzz", data, size, &foreign, &err) == 0)
		ingot_certificate_free(foreign);
	return 0;
}

/* Signatures of programs and files from anywhere, against the certificate that they name. */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/test_keys.h"
#include "sign/authenticode.h"
#include "sign/cms.h"

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
	static const uint8_t digest[INGOT_SHA256_SIZE];
	const struct ingot_certificate *trusted = certificate();
	struct ingot_error err = {0};
	char *signer = NULL;

	/* Nobody has the key: nothing may be accepted. */
	if (ingot_authenticode_check(data, size, digest, &trusted, 1, &signer, &err) == 0)
		abort();
	free(signer);
	signer = NULL;
	if (ingot_cms_check(data, size, digest, &trusted, 1, &signer, &err) == 0)
		abort();
	free(signer);
	return 0;
}

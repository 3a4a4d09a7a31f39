/*
 * Whose key signed the seeds of fuzz_verify: with it the checks go on to what the root hash vouches
 * for. It is for tests, which verify refuses, so nothing is good all the same. The key is gone.
 */
#ifndef INGOT_TESTS_CERTIFICATE_H
#define INGOT_TESTS_CERTIFICATE_H

#include <assert.h>
#include <string.h>

#include "sign/keys.h"

static inline const struct ingot_certificate *seed_certificate(void)
{
	static const char pem[] =
		"-----BEGIN CERTIFICATE-----\n"
		"MIIDWzCCAkOgAwIBAgIBAjANBgkqhkiG9w0BAQsFADAtMRYwFAYDVQQDDA1Jbmdv\n"
		"dCBURVNUIENBMRMwEQYDVQQKDApJbmdvdCBURVNUMCAXDTI1MDEwMTAwMDAwMFoY\n"
		"DzIwNTUwMTAxMDAwMDAwWjA8MSUwIwYDVQQDDBxJbmdvdCBURVNUIHJvb3QgaGFz\n"
		"aCBzaWduaW5nMRMwEQYDVQQKDApJbmdvdCBURVNUMIIBIjANBgkqhkiG9w0BAQEF\n"
		"AAOCAQ8AMIIBCgKCAQEAzLlBmDKzQGYQhExPmxUuAjvo1d2mOTFGTkILr7J1drUv\n"
		"gRpXTTXQnj1qpBWqgSBUHbW6x0n5heyBpbKSKUE5HDyqWuB75pWlXVtxRnGJ+25R\n"
		"9FxfbYcEk4mfNV6WQgdtevh/v7S/ao+cInHxD9E60lIcEB0wEFT5ZlfTG+YrX9tT\n"
		"dWK6fHqMxMlglACA87WPivAUcJC4ThvRDtIXB+7eMKqdfDNsuMxY3K+kuZk5AAOS\n"
		"gyErQBgaAj5s0QbNMgkp/LnrCCEaNDSvftxLHUwuBPKnh4V7WL1JGmFTOzpWUK0H\n"
		"ZVP4j8Jul/ptSWUuLPf9BWeJzulNMleYyKf/uMV20wIDAQABo3UwczAMBgNVHRMB\n"
		"Af8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDAzAdBgNV\n"
		"HQ4EFgQUofEV+BPZwNIHRWrigTXtU1PRxhMwHwYDVR0jBBgwFoAUUVD+UsHp7R59\n"
		"IU1XmOs/lQL9JkUwDQYJKoZIhvcNAQELBQADggEBAIH3zL2u0GFi3xbQ2pNX4TOM\n"
		"+Q+n+JlYsgiH0Bv9VtpZTxsDQyi+dkMaleteXMEPxAM/LWi++um04mBtp4WCXWNn\n"
		"Y71nsZYvU6j12tuBAQA1E3wcayhIUNhZIKFSNuNE60CuiONnYQ20RTgqB8AgpFnF\n"
		"jhWhg6zR6HRrwzB8JibwRMF7/U1SkLIhgdoRL5p9d8XpFlpdgmQBFPpOqT4zVQQ0\n"
		"QH3RQ0AnaKHmoPBafNNCAmiIiOgX1o8rqBI9qHHaBTj200SsOAVea9jTPRtCnKCg\n"
		"DJO8sCUbH8042CLu3J2wHziv/KfUBW+jzEqM/2GVsTxM65AdJiQB6JvlRg5hnhA=\n"
		"-----END CERTIFICATE-----\n";
	static struct ingot_certificate *made;
	struct ingot_error err = {0};

	if (!made && ingot_certificate_parse("fuzz", pem, strlen(pem), &made, &err) < 0)
		assert(false);
	return made;
}

#endif

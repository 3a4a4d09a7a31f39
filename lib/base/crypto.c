#include "base/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>

/*
 * libcrypto starts once; where that failed, asking for its default context is all that is safe, and
 * gives NULL for ever. Then OPENSSL_init_crypto reads the host's configuration.
 */
int ingot_crypto_start(struct ingot_error *err)
{
	if (!OSSL_LIB_CTX_get0_global_default() ||
	    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		return ingot_raise(err, -ENOMEM, "out of memory while libcrypto starts");
	return 0;
}

/*
 * libcrypto, started. Its first call makes what all others need. Where memory runs out in that
 * call, libcrypto 3.0 crashes in the next one, so whatever uses it asks here first.
 */
#ifndef INGOT_BASE_CRYPTO_H
#define INGOT_BASE_CRYPTO_H

#include "base/error.h"

/* Any number of times, by any thread. -ENOMEM: libcrypto must not be used in this process. */
INGOT_MUST_USE int ingot_crypto_start(struct ingot_error *err);

#endif

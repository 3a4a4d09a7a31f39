/*
 * PKCS#7 SignedData (RFC 2315, 9.1) put together around raw signatures, which somebody else may
 * have made. What is in it decides all of its bytes: no time, no random number.
 */
#ifndef INGOT_SIGN_SIGNED_DATA_INTERNAL_H
#define INGOT_SIGN_SIGNED_DATA_INTERNAL_H

#include "sign/der_internal.h"
#include "sign/keys.h"
#include "sign/pkcs7.h"

struct signed_data {
	struct der_view type;	    /* of the content: an OID's contents */
	struct der_view content;    /* its element; empty: detached */
	struct der_view attributes; /* signed ones, what a SET OF contains; empty: none */
	const uint8_t *digest;	    /* SHA-256 that was signed: of the content or the attributes */
	const struct ingot_signer *signers;
	size_t count;
	bool bare;	  /* without the ContentInfo around it */
	bool placeholder; /* zeros instead of the raw signatures, which are not there */
};

/*
 * Every raw signature is checked first; -EKEYREJECTED: one is not by its certificate's key. The
 * caller frees *ret.
 */
INGOT_MUST_USE int signed_data_encode(const struct signed_data *data, uint8_t **ret, size_t *ret_n,
				      struct ingot_error *err);

/*
 * The attributes contentType and messageDigest, and the digest that is signed for them. An
 * attacker who has a file signed must not get a signature that is good for something else: with
 * attributes, what is signed always names what it is. The caller frees *ret.
 */
INGOT_MUST_USE int signed_attributes(struct der_view type,
				     const uint8_t content_digest[INGOT_SHA256_SIZE], uint8_t **ret,
				     size_t *ret_n, uint8_t digest[INGOT_SHA256_SIZE],
				     struct ingot_error *err);

#endif

/*
 * Reading SignedData with signed attributes, strictly: DER only, one signer, SHA-256. Nothing is
 * copied; the views point into what was read.
 */
#ifndef INGOT_SIGN_SIGNED_DATA_READ_INTERNAL_H
#define INGOT_SIGN_SIGNED_DATA_READ_INTERNAL_H

#include "sign/der_internal.h"
#include "sign/keys.h"

struct signed_message {
	struct der_view type;		/* of the content: an OID's contents */
	struct der_view content;	/* what the content's element contains; p NULL: detached */
	struct der_view certificates;	/* one after the other; may be empty */
	struct der_view issuer;		/* of the signer's certificate: a whole Name */
	struct der_view serial;		/* ... a whole INTEGER */
	struct der_view attributes;	/* what the SET OF contains */
	struct der_view message_digest; /* from the attributes: SHA-256 of the content */
	struct der_view signature;
};

/* `content_tag` is that of the content's element, if it is there. -EBADMSG with a sentence. */
INGOT_MUST_USE int signed_message_read(const void *der, size_t n, uint8_t content_tag,
				       struct signed_message *ret, struct ingot_error *err);

/*
 * Who signed, and whether somebody who is trusted vouches for it: the signer's certificate, from
 * the message or from those given, is one of the given or its chain ends at one. -EKEYREJECTED: the
 * signature is not by that key; -ENOKEY: nobody vouches. ret_signer may be NULL.
 */
INGOT_MUST_USE int signed_message_check(const struct signed_message *message,
					const struct ingot_certificate *const *certificates,
					size_t count, char **ret_signer, struct ingot_error *err);

#endif

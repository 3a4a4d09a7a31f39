/*
 * DER (X.690) in both directions, as much of it as PKCS#7 needs: tags of one byte, definite
 * lengths. Written forwards, a length is put in when its contents are there.
 */
#ifndef INGOT_SIGN_DER_INTERNAL_H
#define INGOT_SIGN_DER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80,		/* primitive [0] */
	DER_CONTEXT_CONSTRUCTED = 0xa0, /* constructed [0] */
};

#define DER_MAX (1024 * 1024) /* bytes of anything written or read here */

/* --- writing ----------------------------------------------------------- */

/* Zeroed but for err. After the first failure nothing is written, and rc says so. */
struct der {
	uint8_t *data;
	size_t n, room;
	int rc;
	struct ingot_error *err;
};

static inline void der_done(struct der *der)
{
	free(der->data);
}
#define DER_WRITER INGOT_CLEANUP(der_done)

/* Bytes that are DER already. */
void der_raw(struct der *der, const void *data, size_t n);
/* A whole element. */
void der_put(struct der *der, uint8_t tag, const void *content, size_t n);
/* The start of an element; what is written until der_close is its content. */
size_t der_open(struct der *der, uint8_t tag);
void der_close(struct der *der, size_t at);

/* A finished element among those that a SET OF has to put in order. */
struct der_element {
	const uint8_t *data;
	size_t n;
};
/* X.690, 11.6: by rising encodings. */
void der_sort(struct der_element *elements, size_t count);

/* The bytes become the caller's. */
INGOT_MUST_USE int der_finish(struct der *der, uint8_t **ret, size_t *ret_n);

/* --- reading ----------------------------------------------------------- */

struct der_view {
	const uint8_t *p;
	size_t n;
};

/*
 * Takes the next element off `in`: its contents. False: nothing is left, another tag, or not DER;
 * `in` is as it was.
 */
bool der_take(struct der_view *in, uint8_t tag, struct der_view *ret);
/* The same, and the element with its tag and length. */
bool der_take_whole(struct der_view *in, uint8_t tag, struct der_view *ret, struct der_view *whole);
/* Whether the next element has this tag. */
bool der_is_next(const struct der_view *in, uint8_t tag);
bool der_equal(const struct der_view *a, const void *data, size_t n);

#endif

/*
 * Signing on a machine that is not the one that builds. A build leaves a request: what it wants
 * signed, with everything that the signatures depend on. The signing machine answers with a
 * response, the raw signatures. image/attach.h puts these into the image. Both are JSON;
 * docs/air-gap.md describes every key.
 *
 * One trip is enough for both signatures although the second covers the first. The root hash's
 * signature stands in the initrd inside the UKI, so the digest for Secure Boot depends on its
 * bytes. The request carries what the digest is made of: SHA-256 as it stands before the last
 * archive of the initrd, and all bytes of the UKI from there on, with zeros where the raw signature
 * goes. The signing machine puts the signature in and finishes the digest.
 */
#ifndef INGOT_SIGN_REQUEST_H
#define INGOT_SIGN_REQUEST_H

#include <jansson.h>

#include "base/sha256_state.h"
#include "sign/pkcs7.h"

#define INGOT_REQUEST_MAX  ((size_t)512 * 1024 * 1024) /* bytes of a request */
#define INGOT_RESPONSE_MAX ((size_t)1024 * 1024)

enum { INGOT_REQUEST_VENDORS_MAX = 64 };

/* A certificate that something is to be signed for, and the raw signature once there is one. */
struct ingot_request_signer {
	struct ingot_certificate *certificate;
	uint8_t raw[INGOT_RAW_SIGNATURE_MAX];
	size_t raw_n; /* 0: not signed yet */
};

/*
 * The unified kernel image on the ESP. A vendor's differs from the base image's in its command line
 * and in what follows from that, but not in the tail.
 */
struct ingot_request_uki {
	char *vendor; /* NULL: the base image's */
	char *path, *command_line;
	uint64_t size;		   /* bytes without the certificate table */
	uint64_t signature_offset; /* of the root hash's signature in the file */
	/* Only if it is signed for Secure Boot: */
	struct ingot_request_signer signer; /* certificate NULL: it is not */
	uint32_t checksum;		    /* with zeros for signatures */
	struct ingot_sha256_state state;    /* of the bytes before the tail */
	uint8_t *tail;			    /* request only; a vendor's is the base image's */
	size_t tail_n, tail_hole;	    /* where in it the signature stands */
	uint8_t digest[INGOT_SHA256_SIZE];  /* response only: what was signed */
};

/* A request and, with its raw signatures, a response. */
struct ingot_sign_request {
	char *name, *version, *architecture;
	char root_hash[129]; /* hex */
	size_t signer_count;
	struct ingot_request_signer signers[INGOT_SIGNERS_MAX]; /* of the root hash */
	bool has_uki;
	struct ingot_request_uki uki;
	struct ingot_request_uki *vendors; /* those that are not as the base image's */
	size_t vendor_count, vendor_room;
	json_t *files; /* request only: what went into the image, as in the manifest; for people */
};

INGOT_API void ingot_sign_request_free(struct ingot_sign_request *request); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_sign_request, ingot_sign_request, ingot_sign_request_free)
#define INGOT_SIGN_REQUEST INGOT_CLEANUP(ingot_sign_request_cleanup)

/*
 * Room for one more vendor's UKI: path, signer and tail are the base image's, all else is to be
 * filled in. *ret is the request's.
 */
INGOT_API INGOT_MUST_USE int ingot_sign_request_add_vendor(struct ingot_sign_request *request,
							   const char *vendor,
							   struct ingot_request_uki **ret,
							   struct ingot_error *err);

/* The UKI with that command line, the base image's or a vendor's; NULL: there is none. */
INGOT_API const struct ingot_request_uki *ingot_sign_request_find_uki(
	const struct ingot_sign_request *request, const char *command_line);

/* --- on paper ---------------------------------------------------------- */

/* The caller frees *ret. */
INGOT_API INGOT_MUST_USE int ingot_sign_request_write(const struct ingot_sign_request *request,
						      char **ret, struct ingot_error *err);

/*
 * Foreign bytes. -EINVAL: not a request, or one that contradicts itself: a digest in it that is not
 * that of what it shows, a tail that does not have the signature's place.
 */
INGOT_API INGOT_MUST_USE int ingot_sign_request_read(const char *text, size_t n,
						     struct ingot_sign_request **ret,
						     struct ingot_error *err);

/* All signatures are there. */
INGOT_API INGOT_MUST_USE int ingot_sign_response_write(const struct ingot_sign_request *response,
						       char **ret, struct ingot_error *err);
/* -EINVAL: not a response; -EKEYREJECTED: a signature is not by its certificate's key. */
INGOT_API INGOT_MUST_USE int ingot_sign_response_read(const char *text, size_t n,
						      struct ingot_sign_request **ret,
						      struct ingot_error *err);

/* 0: it answers this request; -EINVAL: another one. */
INGOT_API INGOT_MUST_USE int ingot_sign_response_check(const struct ingot_sign_request *response,
						       const struct ingot_sign_request *request,
						       struct ingot_error *err);

/* --- signing ----------------------------------------------------------- */

/* PKCS#7 of the root hash, with zeros for the raw signatures, or with them. The caller frees *der.
 */
INGOT_API INGOT_MUST_USE int ingot_sign_request_placeholder(
	const struct ingot_sign_request *request, uint8_t **der, size_t *n,
	struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_sign_request_assemble(const struct ingot_sign_request *request,
							 uint8_t **der, size_t *n,
							 struct ingot_error *err);

/*
 * Signs what any of the keys is for. The root hash comes first: the UKI can be signed only when all
 * of its signatures are there. Keys that are for none of the certificates, and signatures that are
 * still missing at the end, are -EKEYREJECTED.
 */
INGOT_API INGOT_MUST_USE int ingot_sign_request_sign(struct ingot_sign_request *request,
						     struct ingot_key *const *keys, size_t count,
						     struct ingot_error *err);

/* The digest of a UKI of a request with this PKCS#7 in it. */
INGOT_API INGOT_MUST_USE int ingot_sign_request_uki_digest(const struct ingot_request_uki *uki,
							   const uint8_t *der, size_t n,
							   uint8_t digest[INGOT_SHA256_SIZE],
							   struct ingot_error *err);

#endif

/*
 * Signing PE files, unified kernel images among them, for UEFI Secure Boot, and checking the
 * signatures of such files. boot/pe_sign.h and sign/authenticode.h have the parts.
 */
#ifndef INGOT_IMAGE_PE_SIGNATURE_H
#define INGOT_IMAGE_PE_SIGNATURE_H

#include "boot/pe_sign.h"
#include "sign/authenticode.h"

/*
 * The file with one more signature, behind those that it has. The source is borrowed by *ret.
 * The same key, certificate and file give the same bytes.
 */
INGOT_API INGOT_MUST_USE int ingot_pe_sign(struct ingot_source *source, const struct ingot_key *key,
					   const struct ingot_certificate *certificate,
					   struct ingot_source **ret, struct ingot_error *err);

/* The file without its signatures. -ENODATA: it has none. */
INGOT_API INGOT_MUST_USE int ingot_pe_remove(struct ingot_source *source, struct ingot_source **ret,
					     struct ingot_error *err);

/* --- checking ---------------------------------------------------------- */

enum ingot_authenticode_verdict {
	INGOT_AUTHENTICODE_NOT_CHECKED, /* something went wrong before */
	INGOT_AUTHENTICODE_GOOD,	/* of this file, by somebody trusted */
	INGOT_AUTHENTICODE_UNTRUSTED,	/* of this file, by somebody else */
	INGOT_AUTHENTICODE_BAD,		/* of another file, or not by the key it names */
	INGOT_AUTHENTICODE_MALFORMED,	/* or of a kind that is not known */
};

struct ingot_authenticode_signature {
	enum ingot_authenticode_verdict verdict;
	char *signer; /* subject, "CN=..."; NULL: not known */
	char *reason; /* a sentence for all but GOOD, else NULL */
};

struct ingot_authenticode_report {
	uint8_t digest[INGOT_SHA256_SIZE]; /* of the file */
	size_t count;
	struct ingot_authenticode_signature signatures[INGOT_PE_SIGNATURES_MAX];
};

/*
 * Every signature of the file against the certificates: a signer is trusted that has one of them,
 * or whose chain of certificates in the signature ends at one.
 *
 * 0: there is a GOOD one and none that is BAD or MALFORMED. -EKEYREJECTED: one is; -ENOKEY: all are
 * by others; -ENODATA: there is none; -EINVAL: not a file that can be signed. The error names the
 * first reason; the report, if wanted, has them all and is valid whatever is returned.
 */
INGOT_API INGOT_MUST_USE int ingot_authenticode_verify(
	struct ingot_source *source, const struct ingot_certificate *const *certificates,
	size_t count, struct ingot_authenticode_report *ret, struct ingot_error *err);
INGOT_API void ingot_authenticode_report_done(struct ingot_authenticode_report *report);

#endif

/*
 * One check of the whole chain: from the container's bytes over partition table, ESP, UKI and
 * hash tree to the signature of the root hash. docs/verify.md lists the checks.
 *
 * It fails closed. Every check is a row of the report, and a row whose check was not made is as
 * bad as one that failed. A row says that its check does not apply only where the thing itself is
 * not in the image, and never where it is asked for: without a root hash that somebody trusts (a
 * certificate that signed it, a manifest, a root hash given) nothing is good.
 */
#ifndef INGOT_IMAGE_VERIFY_H
#define INGOT_IMAGE_VERIFY_H

#include <jansson.h>

#include "base/error.h"
#include "io/copy.h"
#include "io/source.h"
#include "sign/keys.h"
#include "verity/fec_repair.h"

enum ingot_verify_verdict {
	INGOT_VERIFY_NOT_CHECKED = 0, /* nothing is known: as bad as bad */
	INGOT_VERIFY_GOOD,
	INGOT_VERIFY_BAD,
	INGOT_VERIFY_NOT_APPLICABLE, /* there is nothing to check */
};

/* "not checked", "good", "bad", "not applicable" */
INGOT_API const char *ingot_verify_verdict_name(enum ingot_verify_verdict verdict);

struct ingot_verify_row {
	const char *name; /* "gpt.primary"; it never changes */
	enum ingot_verify_verdict verdict;
	char *expected, *found; /* sentences, found may hold text from the image */
};

struct ingot_verify_options {
	/* Of the root hash; where none is given for Secure Boot, of UKIs too. */
	const struct ingot_certificate *const *certificates;
	size_t certificate_count;
	const struct ingot_certificate *const *secure_boot_certificates;
	size_t secure_boot_count;
	bool allow_test_keys;
	const json_t *manifest; /* NULL: none */
	/* The SHA-256 of its text, and what `signing.manifest` makes of it; NULL: there is none. */
	const uint8_t *manifest_digest;
	const void *manifest_signature;
	size_t manifest_signature_size;
	const uint8_t *root; /* trusted by the caller; NULL: none */
	size_t root_size;
	const char *layout; /* name or file; NULL: the manifest's, or the one that fits */
	unsigned jobs;	    /* at least 1 */
	const struct ingot_progress *progress; /* of the hash tree's check; NULL: nobody looks */
};

struct ingot_verify_report {
	const char *format; /* of the container: "raw", "qcow2", ... */
	bool good;	    /* every check that applies was made and passed */
	size_t count;
	struct ingot_verify_row *rows;
	size_t open_count;
	char **open; /* what nobody vouches for: one sentence each */
};

/*
 * `file` is the container. Negative: out of memory, or options that cannot be used; whatever is
 * wrong with the image, or cannot be read in it, is in the report. Free it with
 * ingot_verify_report_free.
 */
INGOT_API INGOT_MUST_USE int ingot_verify(struct ingot_source *file,
					  const struct ingot_verify_options *options,
					  struct ingot_verify_report **ret,
					  struct ingot_error *err);
INGOT_API void ingot_verify_report_free(struct ingot_verify_report *report);

/* The row of that name, or NULL. */
INGOT_API const struct ingot_verify_row *ingot_verify_find(const struct ingot_verify_report *report,
							   const char *name);

/* --- repair ------------------------------------------------------------ */

struct ingot_verify_repair {
	struct ingot_fec_repaired blocks;   /* what was put right, what is lost */
	struct ingot_verify_report *report; /* of the repaired disk; free it */
	bool written;			    /* the report is good, and the file has its name */
};

/*
 * The disk with /usr and its hash tree put right by their parity, as a raw image. What the root
 * hash vouches for decides, so somebody has to vouch for it. The result is verified like any image
 * before it gets its name; if it is not good, there is none, and that is no error. Negative: it
 * could not be tried (no parity, no trusted root hash, ...).
 */
INGOT_API INGOT_MUST_USE int ingot_verify_repair(struct ingot_source *file,
						 const struct ingot_verify_options *options,
						 const char *output,
						 struct ingot_verify_repair *ret,
						 struct ingot_error *err);

/* As `ingot verify --json` prints it; NULL: out of memory. */
INGOT_API json_t *ingot_verify_json(const struct ingot_verify_report *report);

#endif

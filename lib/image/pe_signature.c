#include "image/pe_signature.h"

#include <errno.h>
#include <string.h>

/* --- signing ----------------------------------------------------------- */

static int sign_digest(const struct ingot_key *key, const struct ingot_certificate *certificate,
		       struct ingot_source *source, const struct ingot_pe_place *place,
		       uint8_t **der, size_t *n, struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = ingot_pe_digest(source, place, digest, err);

	return rc < 0 ? rc : ingot_authenticode_sign(key, certificate, digest, der, n, err);
}

int ingot_pe_sign(struct ingot_source *source, const struct ingot_key *key,
		  const struct ingot_certificate *certificate, struct ingot_source **ret,
		  struct ingot_error *err)
{
	INGOT_FREE uint8_t *old = NULL, *der = NULL, *table = NULL;
	size_t old_n, der_n, n;
	struct ingot_pe_place place;
	int rc = ingot_pe_place_read(source, &place, err);

	if (rc == 0)
		rc = ingot_pe_table_load(source, &place, &old, &old_n, err);
	if (rc == 0)
		rc = sign_digest(key, certificate, source, &place, &der, &der_n, err);
	if (rc < 0)
		return rc;
	rc = ingot_pe_table_add(old, old_n, der, der_n, &table, &n, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'%s'", source->name);
	return ingot_pe_attach(source, &place, table, n, ret, err);
}

int ingot_pe_remove(struct ingot_source *source, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_pe_place place;
	int rc = ingot_pe_place_read(source, &place, err);

	if (rc < 0)
		return rc;
	if (place.table_size == 0)
		return ingot_raise(err, -ENODATA, "'%s' is not signed", source->name);
	return ingot_pe_attach(source, &place, NULL, 0, ret, err);
}

/* --- checking ---------------------------------------------------------- */

static enum ingot_authenticode_verdict verdict_of(int rc)
{
	switch (rc) {
	case 0:
		return INGOT_AUTHENTICODE_GOOD;
	case -ENOKEY:
		return INGOT_AUTHENTICODE_UNTRUSTED;
	case -EKEYREJECTED:
		return INGOT_AUTHENTICODE_BAD;
	case -EBADMSG:
		return INGOT_AUTHENTICODE_MALFORMED;
	default:
		return INGOT_AUTHENTICODE_NOT_CHECKED;
	}
}

static int check_one(const struct ingot_pe_certificate *entry,
		     const struct ingot_certificate *const *certificates, size_t count,
		     const uint8_t digest[INGOT_SHA256_SIZE],
		     struct ingot_authenticode_signature *signature, struct ingot_error *err)
{
	int rc;

	if (entry->revision != INGOT_PE_CERTIFICATE_REVISION ||
	    entry->type != INGOT_PE_CERTIFICATE_PKCS7)
		rc = ingot_raise(err, -EBADMSG,
				 "the signature is of revision 0x%x and type 0x%x, not PKCS#7",
				 entry->revision, entry->type);
	else
		rc = ingot_authenticode_check(entry->data, entry->n, digest, certificates, count,
					      &signature->signer, err);
	signature->verdict = verdict_of(rc);
	if (rc == 0)
		return 0;
	signature->reason = ingot_strdup(err->text, NULL);
	return rc;
}

/* How bad a result is: what is broken counts before what is not known. */
static int rank(int rc)
{
	return rc == 0 ? 0 : rc == -ENOKEY ? 1 : 2;
}

static int check_all(const struct ingot_pe_certificate *entries, size_t n,
		     const struct ingot_certificate *const *certificates, size_t count,
		     struct ingot_authenticode_report *report, struct ingot_error *err)
{
	int worst = 0;
	bool good = false;

	for (size_t i = 0; i < n; i++) {
		struct ingot_error inner = {0};
		int rc = check_one(&entries[i], certificates, count, report->digest,
				   &report->signatures[i], &inner);

		report->count = i + 1;
		good |= rc == 0;
		if (rank(rc) <= rank(worst))
			continue;
		worst = ingot_raise(err, rc == -EBADMSG ? -EKEYREJECTED : rc, "signature %zu: %s",
				    i + 1, inner.text);
	}
	return good && worst == -ENOKEY ? 0 : worst;
}

static int verify(struct ingot_source *source, const struct ingot_certificate *const *certificates,
		  size_t count, struct ingot_authenticode_report *report, struct ingot_error *err)
{
	struct ingot_pe_certificate entries[INGOT_PE_SIGNATURES_MAX];
	INGOT_FREE uint8_t *table = NULL;
	struct ingot_pe_place place;
	size_t table_n, n;
	int rc = ingot_pe_place_read(source, &place, err);

	if (rc == 0)
		rc = ingot_pe_digest(source, &place, report->digest, err);
	if (rc == 0)
		rc = ingot_pe_table_load(source, &place, &table, &table_n, err);
	if (rc < 0)
		return rc;
	rc = ingot_pe_table_read(table, table_n, entries, &n, err);
	if (rc == 0 && n == 0)
		return ingot_raise(err, -ENODATA, "'%s' is not signed", source->name);
	if (rc == 0)
		rc = check_all(entries, n, certificates, count, report, err);
	return rc < 0 ? ingot_wrap(err, rc, "'%s'", source->name) : 0;
}

int ingot_authenticode_verify(struct ingot_source *source,
			      const struct ingot_certificate *const *certificates, size_t count,
			      struct ingot_authenticode_report *ret, struct ingot_error *err)
{
	struct ingot_authenticode_report report = {0};
	struct ingot_error inner = {0};
	int rc = verify(source, certificates, count, &report, &inner);

	if (err && rc < 0)
		*err = inner;
	if (ret)
		*ret = report;
	else
		ingot_authenticode_report_done(&report);
	return rc;
}

void ingot_authenticode_report_done(struct ingot_authenticode_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->signatures[i].signer);
		free(report->signatures[i].reason);
	}
	*report = (struct ingot_authenticode_report){0};
}

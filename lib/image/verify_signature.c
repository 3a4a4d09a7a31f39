/* The signatures of the root hash and of the manifest, and whose they are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/verify_internal.h"
#include "sign/exact.h"

/* --- one signature ----------------------------------------------------- */

/* The verdict on a signature of the root hash, and the words for it. */
static int judge(struct verification *v, struct ingot_verify_row *row, const char *place,
		 const void *pkcs7, size_t n, struct ingot_error *err)
{
	struct ingot_error why = {0};

	if (!v->has_root)
		return ingot_raise(err, -ENODATA, "the root hash is not known");
	if (v->options->certificate_count == 0)
		return ingot_raise(err, -ENOKEY, "%s has a signature, but no certificate was given",
				   place);
	if (verify_is_signed(v, pkcs7, n, v->root_hex)) {
		bool exact;
		int rc = ingot_root_hash_is_exact(pkcs7, n, v->root_hex, v->options->certificates,
						  v->options->certificate_count, &exact, err);

		if (rc < 0 || exact)
			return rc;
		return row_bad(row,
			       "%s: the signature is good, but not the bytes around it, or it has "
			       "a signer whose certificate was not given",
			       place);
	}
	(void)!ingot_verify_root_hash(pkcs7, n, v->root_hex, v->options->certificates[0], &why);
	return row_bad(row, "%s: %s", place, why.text);
}

/* Signatures are asked for by giving certificates. */
static int no_signature(const struct verification *v, struct ingot_verify_row *row,
			const char *where, bool elsewhere)
{
	if (v->options->certificate_count > 0 && !elsewhere)
		return row_bad(row, "there is no signature %s", where);
	return row_not_applicable(row, "there is no signature %s", where);
}

int check_signature_initrd(struct verification *v, struct ingot_verify_row *row,
			   struct ingot_error *err)
{
	size_t count = 0, programs = 0;
	int rc;

	for (size_t i = 0; i < v->program_count; i++) {
		const struct verify_program *program = &v->programs[i];
		char place[96];

		programs += program->is_uki;
		if (!program->signature)
			continue;
		count++;
		(void)snprintf(place, sizeof(place), "%.60s", program->path);
		rc = judge(v, row, place, program->signature, program->signature_size, err);
		if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	if (count == 0 || (count < programs && v->options->certificate_count > 0 && !v->hash))
		return no_signature(v, row, "in an initrd", v->has_signature);
	return row_good(row, count == 1 ? "signed" : "signed, %zu times", count);
}

/* Reading is lenient, so what was read is written again and has to be the same. */
static int is_canonical(struct verification *v, bool *ret, struct ingot_error *err)
{
	INGOT_FREE uint8_t *again = NULL, *found = NULL;
	size_t n;
	int rc = ingot_verity_signature_encode(&v->signature, &again, &n, err);

	*ret = false;
	if (rc < 0)
		return rc;
	if (n > v->signature_part->size)
		return 0;
	found = ingot_alloc(1, n, err);
	if (!found)
		return -ENOMEM;
	rc = ingot_source_read(v->signature_part, 0, found, n, err);
	*ret = rc == 0 && memcmp(found, again, n) == 0;
	return rc;
}

static bool is_fingerprint_given(const struct verification *v)
{
	uint8_t digest[INGOT_SHA256_SIZE];

	for (size_t i = 0; i < v->options->certificate_count; i++)
		if (ingot_certificate_fingerprint(v->options->certificates[i], digest, NULL) == 0 &&
		    memcmp(digest, v->signature.fingerprint, sizeof(digest)) == 0)
			return true;
	return false;
}

int check_signature_partition(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err)
{
	bool canonical;
	int rc;

	if (!v->signature_part)
		return no_signature(v, row, "in a partition", true);
	if (!v->has_signature)
		return row_bad(row, "%s", v->signature_error.text);
	rc = judge(v, row, "the partition", v->signature.pkcs7, v->signature.pkcs7_size, err);
	if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
		return rc;
	rc = is_canonical(v, &canonical, err);
	if (rc < 0)
		return rc;
	if (!canonical)
		return row_bad(row, "its text is not exactly hash, signature and fingerprint");
	if (v->signature.has_fingerprint && !is_fingerprint_given(v))
		return row_bad(row, "the fingerprint is of another certificate");
	return row_good(row, "signed");
}

/* --- certificates ------------------------------------------------------ */

static bool is_given(const struct verification *v, const struct ingot_certificate *certificate)
{
	size_t n, other_n;
	const uint8_t *der = ingot_certificate_der(certificate, &n);

	for (size_t i = 0; i < v->options->certificate_count; i++) {
		const uint8_t *other = ingot_certificate_der(v->options->certificates[i], &other_n);

		if (n == other_n && memcmp(der, other, n) == 0)
			return true;
	}
	return false;
}

/* What systemd would trust: exactly the text of a certificate that was given. */
static int check_certificate(const struct verification *v, struct ingot_verify_row *row,
			     const struct verify_program *program, const struct verify_text *text,
			     struct ingot_error *err)
{
	INGOT_CERTIFICATE struct ingot_certificate *certificate = NULL;
	INGOT_FREE char *pem = NULL;
	struct ingot_error why = {0};
	size_t n;
	int rc = ingot_certificate_parse(program->path, text->data, text->size, &certificate, &why);

	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", why.text);
	if (rc < 0)
		return row_bad(row, "in the initrd of %s", why.text);
	if (!is_given(v, certificate))
		return row_bad(row, "the one in the initrd of '%s' was not given", program->path);
	rc = ingot_certificate_pem(certificate, &pem, &n, err);
	if (rc < 0)
		return rc;
	if (n != text->size || memcmp(pem, text->data, n) != 0)
		return row_bad(row, "the one in the initrd of '%s' has other text around it",
			       program->path);
	return 0;
}

/* In an initrd that has any, exactly this text. */
static int has_certificate(const struct verify_program *program,
			   const struct ingot_certificate *certificate, bool *ret,
			   struct ingot_error *err)
{
	INGOT_FREE char *pem = NULL;
	size_t n;
	int rc = ingot_certificate_pem(certificate, &pem, &n, err);

	*ret = false;
	for (size_t i = 0; rc == 0 && i < program->certificate_count; i++)
		*ret |= n == program->certificates[i].size &&
			memcmp(pem, program->certificates[i].data, n) == 0;
	return rc;
}

/* systemd takes a signature only if it knows all signers: none may be missing. */
static int check_signers(const struct verification *v, struct ingot_verify_row *row,
			 const struct verify_program *program, struct ingot_error *err)
{
	const struct ingot_verify_options *o = v->options;

	for (size_t i = 0; program->signature && v->has_root && i < o->certificate_count; i++) {
		struct ingot_error why = {0};
		bool has = true;
		int rc = ingot_verify_root_hash(program->signature, program->signature_size,
						v->root_hex, o->certificates[i], &why);

		if (rc == -ENOMEM)
			return ingot_raise(err, rc, "%s", why.text);
		if (rc == 0)
			rc = has_certificate(program, o->certificates[i], &has, err);
		else
			rc = 0; /* not a signer: another check looks at that */
		if (rc < 0)
			return rc;
		if (!has)
			return row_bad(row, "'%s', a signer, is not in the initrd of '%s'",
				       ingot_certificate_name(o->certificates[i]), program->path);
	}
	return 0;
}

static int check_program(const struct verification *v, struct ingot_verify_row *row,
			 const struct verify_program *program, struct ingot_error *err)
{
	int rc = 0;

	if (v->options->certificate_count == 0)
		return ingot_raise(err, -ENOKEY,
				   "there is one in '%s', but no certificate was given",
				   program->path);
	for (size_t i = 0; rc == 0 && i < program->certificate_count; i++) {
		rc = check_certificate(v, row, program, &program->certificates[i], err);
		if (row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	return rc < 0 ? rc : check_signers(v, row, program, err);
}

int check_signature_certificates(struct verification *v, struct ingot_verify_row *row,
				 struct ingot_error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < v->program_count; i++) {
		int rc;

		if (v->programs[i].certificate_count == 0)
			continue;
		count++;
		rc = check_program(v, row, &v->programs[i], err);
		if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	if (count == 0)
		return row_not_applicable(row, "there is none in an initrd");
	return row_good(row, "the ones given");
}

/* --- the manifest ------------------------------------------------------ */

int check_manifest_signature(struct verification *v, struct ingot_verify_row *row,
			     struct ingot_error *err)
{
	const struct ingot_verify_options *o = v->options;
	struct ingot_error why = {0};
	bool exact;
	int rc;

	if (!o->manifest)
		return row_not_applicable(row, "no manifest was given");
	if (!o->manifest_signature)
		return row_not_applicable(row, "it has no signature");
	if (o->certificate_count == 0)
		return ingot_raise(err, -ENOKEY,
				   "it has a signature, but no certificate was given");
	rc = ingot_cms_check(o->manifest_signature, o->manifest_signature_size, o->manifest_digest,
			     o->certificates, o->certificate_count, /* ret_signer */ NULL, &why);
	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", why.text);
	if (rc < 0)
		return row_bad(row, "%s", why.text);
	rc = ingot_cms_is_exact(o->manifest_signature, o->manifest_signature_size,
				o->manifest_digest, o->certificates, o->certificate_count, &exact,
				err);
	if (rc < 0 || exact)
		return rc < 0 ? rc : row_good(row, "signed");
	return row_bad(row, "the signature is good, but not the bytes around it");
}

/* --- test keys --------------------------------------------------------- */

static const struct ingot_certificate *find_test_key(const struct ingot_certificate *const *list,
						     size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ingot_certificate_is_test(list[i]))
			return list[i];
	return NULL;
}

int check_signature_test_keys(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err)
{
	const struct ingot_verify_options *o = v->options;
	const struct ingot_certificate *found =
		find_test_key(o->certificates, o->certificate_count);

	(void)err;
	if (!found)
		found = find_test_key(o->secure_boot_certificates, o->secure_boot_count);
	if (o->certificate_count + o->secure_boot_count == 0)
		return row_not_applicable(row, "no certificate was given");
	if (!found)
		return row_good(row, "none");
	if (o->allow_test_keys)
		return row_good(row, "a test key, which was allowed");
	return row_bad(row,
		       "'%s' has TEST in its subject: everybody may have its key "
		       "(--allow-test-keys)",
		       ingot_certificate_name(found));
}

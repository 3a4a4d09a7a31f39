#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "image/build_internal.h"
#include "image/pe_signature.h"
#include "sign/cms.h"
#include "verity/signature_partition.h"

/* --- keys -------------------------------------------------------------- */

static int load_key(struct build *b, const struct ingot_recipe_signer *signer,
		    struct ingot_key **ret_key, struct ingot_certificate **ret_certificate,
		    struct ingot_error *err)
{
	const struct ingot_key_source source = {
		.location = signer->key.path,
		.secret_file = signer->secret_file.path,
		.secret_variable = signer->secret_variable,
		.may_ask = b->options->may_ask,
	};
	unsigned exposed = 0;
	int rc = ingot_certificate_load(signer->certificate.path, ret_certificate, err);

	if (rc < 0 || b->options->sign_later)
		return rc;
	rc = ingot_key_open(&source, ret_key, &exposed, err);
	if (rc == 0)
		rc = ingot_key_check(*ret_key, *ret_certificate, err);
	if (rc == 0 && (exposed & INGOT_KEY_EXPOSED))
		build_note(b, "others than its owner may read or change the key '%s'",
			   signer->key.given);
	if (rc == 0 && (exposed & INGOT_SECRET_EXPOSED))
		build_note(b, "others than its owner may read or change the secret of key '%s'",
			   signer->key.given);
	return rc;
}

int build_load_keys(struct build *b, struct ingot_error *err)
{
	const struct ingot_recipe *recipe = b->recipe;
	int rc = 0;

	if (recipe->sign)
		rc = load_key(b, &recipe->signer, &b->key, &b->certificate, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "signing");
	for (size_t i = 0; i < recipe->co_signer_count; i++) {
		rc = load_key(b, &recipe->co_signers[i], &b->co_keys[i], &b->co_certificates[i],
			      err);
		if (rc < 0)
			return ingot_wrap(err, rc, "signing: co-signer %zu", i + 1);
	}
	if (recipe->secure_boot)
		rc = load_key(b, &recipe->boot_signer, &b->boot_key, &b->boot_certificate, err);
	return rc < 0 ? ingot_wrap(err, rc, "signing: secure-boot") : 0;
}

/* --- the root hash ----------------------------------------------------- */

size_t build_signers(const struct build *b, const struct ingot_certificate *ret[INGOT_SIGNERS_MAX])
{
	size_t count = 0;

	if (b->certificate)
		ret[count++] = b->certificate;
	for (size_t i = 0; i < b->recipe->co_signer_count; i++)
		ret[count++] = b->co_certificates[i];
	return count;
}

static int leave_root_hash_room(const struct build *b, struct root_hash *root,
				struct ingot_error *err)
{
	const struct ingot_certificate *certificates[INGOT_SIGNERS_MAX];
	size_t count = build_signers(b, certificates);

	return ingot_root_hash_placeholder(certificates, count, &root->signature,
					   &root->signature_size, err);
}

static int sign_by(const struct ingot_key *key, const struct ingot_certificate *certificate,
		   const uint8_t digest[INGOT_SHA256_SIZE], uint8_t *raw, struct ingot_signer *ret,
		   struct ingot_error *err)
{
	*ret = (struct ingot_signer){.certificate = certificate, .raw = raw};
	return ingot_key_sign(key, digest, raw, &ret->raw_n, err);
}

static int sign_by_all(const struct build *b, struct root_hash *root, struct ingot_error *err)
{
	uint8_t raw[INGOT_SIGNERS_MAX][INGOT_RAW_SIGNATURE_MAX], digest[INGOT_SHA256_SIZE];
	struct ingot_signer signers[INGOT_SIGNERS_MAX];
	size_t count = b->recipe->co_signer_count;
	int rc = ingot_root_hash_digest(root->hex, digest, err);

	if (rc == 0)
		rc = sign_by(b->key, b->certificate, digest, raw[0], &signers[0], err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = sign_by(b->co_keys[i], b->co_certificates[i], digest, raw[i + 1],
			     &signers[i + 1], err);
	return rc < 0 ? rc
		      : ingot_root_hash_assemble(root->hex, signers, count + 1, &root->signature,
						 &root->signature_size, err);
}

int root_hash_sign(const struct build *b, struct root_hash *root, struct ingot_error *err)
{
	ingot_hex(root->bytes, root->size, root->hex);
	if (!b->certificate)
		return 0;
	if (root->made_up || !b->key) /* no key signs what is not */
		return leave_root_hash_room(b, root, err);
	return sign_by_all(b, root, err);
}

int root_hash_partition(const struct build *b, uint8_t **ret, size_t *ret_n,
			struct ingot_error *err)
{
	struct ingot_verity_signature signature = {
		.root_size = b->root.size,
		.pkcs7 = b->root.signature,
		.pkcs7_size = b->root.signature_size,
		.has_fingerprint = true,
	};
	int rc;

	memcpy(signature.root, b->root.bytes, b->root.size);
	rc = ingot_certificate_fingerprint(b->certificate, signature.fingerprint, err);
	return rc < 0 ? rc : ingot_verity_signature_encode(&signature, ret, ret_n, err);
}

void root_hash_done(struct root_hash *root)
{
	free(root->signature);
	root->signature = NULL;
}

/* --- the UKI ----------------------------------------------------------- */

/* A table of signatures with room for ours. */
static int make_room(const struct build *b, struct ingot_source *uki, struct ingot_pe_place *place,
		     uint8_t **table, size_t *n, struct ingot_error *err)
{
	INGOT_FREE uint8_t *der = NULL;
	size_t der_n;
	int rc = ingot_pe_place_read(uki, place, err);

	if (rc == 0)
		rc = ingot_authenticode_placeholder(b->boot_certificate, &der, &der_n, err);
	if (rc == 0)
		rc = ingot_pe_table_add(NULL, 0, der, der_n, table, n, err);
	return rc;
}

static int leave_room(const struct build *b, struct ingot_source *uki, struct ingot_source **ret,
		      struct ingot_error *err)
{
	INGOT_FREE uint8_t *table = NULL;
	struct ingot_pe_place place;
	size_t n;
	int rc = make_room(b, uki, &place, &table, &n, err);

	return rc < 0 ? rc : ingot_pe_attach(uki, &place, table, n, ret, err);
}

/* As long as the signed one, of which only that counts. */
static int rehearse_uki(const struct build *b, struct ingot_source *uki, struct ingot_source **ret,
			struct ingot_error *err)
{
	struct ingot_source *pieces[2] = {NULL, NULL};
	INGOT_FREE uint8_t *table = NULL;
	struct ingot_pe_place place;
	size_t n = 0;
	int rc = make_room(b, uki, &place, &table, &n, err);

	if (rc == 0)
		rc = ingot_source_part(uki, 0, uki->size, &pieces[0], err);
	if (rc == 0)
		rc = ingot_source_zero(place.table_offset + n - uki->size, &pieces[1], err);
	if (rc == 0)
		rc = ingot_source_concat("unified kernel image", pieces, 2, ret, err);
	for (size_t i = 0; rc < 0 && i < 2; i++)
		ingot_source_free(pieces[i]);
	return rc;
}

int uki_sign(const struct build *b, const struct root_hash *root, struct ingot_source *uki,
	     struct ingot_source **ret, struct ingot_error *err)
{
	int rc;

	if (root->made_up)
		rc = rehearse_uki(b, uki, ret, err);
	else if (!b->boot_key)
		rc = leave_room(b, uki, ret, err);
	else
		rc = ingot_pe_sign(uki, b->boot_key, b->boot_certificate, ret, err);
	return rc < 0 ? ingot_wrap(err, rc, "sign") : 0;
}

/* --- the manifest ------------------------------------------------------ */

int manifest_sign(const struct build *b, const char *text, size_t n, struct ingot_output **ret,
		  struct ingot_error *err)
{
	INGOT_FREE char *path = ingot_format(err, "%s.p7s", b->summary->manifest);
	INGOT_FREE uint8_t *der = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	size_t der_n;
	int rc;

	if (!path)
		return -ENOMEM;
	rc = ingot_sha256(text, n, digest, err);
	if (rc == 0)
		rc = ingot_cms_sign(b->key, b->certificate, digest, &der, &der_n, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "manifest");
	rc = ingot_output_create(path, ret, err);
	return rc < 0 ? rc : ingot_output_write(*ret, der, der_n, err);
}

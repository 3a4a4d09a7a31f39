/* What a build without keys wants signed. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/pe_sign.h"
#include "image/build_internal.h"
#include "image/uki_digest_internal.h"

enum { TEXT_MAX = 1024 * 1024 };

/* --- before anything is written ---------------------------------------- */

static int copy_certificate(const struct ingot_certificate *from, struct ingot_certificate **ret,
			    struct ingot_error *err)
{
	size_t n;
	const uint8_t *der = ingot_certificate_der(from, &n);

	return ingot_certificate_parse(ingot_certificate_name(from), der, n, ret, err);
}

static int start_request(struct build *b, struct ingot_error *err)
{
	const struct ingot_recipe *recipe = b->recipe;
	struct ingot_sign_request *request = ingot_alloc(1, sizeof(*request), err);
	int rc;

	b->request = request;
	if (!request)
		return -ENOMEM;
	request->name = ingot_strdup(recipe->name, err);
	request->version = ingot_strdup(recipe->version, err);
	request->architecture = ingot_strdup(recipe->architecture, err);
	if (!request->name || !request->version || !request->architecture)
		return -ENOMEM;
	rc = copy_certificate(b->certificate, &request->signers[0].certificate, err);
	if (rc < 0)
		return rc;
	request->signer_count = 1;
	for (size_t i = 0; rc == 0 && i < recipe->co_signer_count; i++)
		rc = copy_certificate(b->co_certificates[i],
				      &request->signers[request->signer_count++].certificate, err);
	if (rc < 0)
		return rc;
	if (b->boot_certificate)
		rc = copy_certificate(b->boot_certificate, &request->uki.signer.certificate, err);
	return rc;
}

int request_start(struct build *b, struct ingot_error *err)
{
	const struct ingot_recipe *recipe = b->recipe;

	if (!recipe->sign)
		return ingot_raise(err, -EINVAL,
				   "there is nothing to sign later: the recipe has no 'signing:'");
	if (!b->usr_place)
		return ingot_raise(err, -EINVAL,
				   "there is nothing to sign later: the layout '%s' has no /usr",
				   b->layout->name);
	if (recipe->sign_manifest)
		build_note(
			b,
			"the manifest is not signed yet: it has the digests of signed images, so "
			"sign it with 'ingot sign file' when the signatures are attached");
	return start_request(b, err);
}

/* --- the UKI ----------------------------------------------------------- */

/* Behind `start`: the last archive of the initrd, and the kernel. */
static int load_tail(struct ingot_request_uki *u, struct ingot_source *uki,
		     const struct ingot_pe_place *place, uint64_t start, struct ingot_error *err)
{
	u->tail_n = (size_t)(place->table_offset - start);
	u->tail = ingot_alloc(u->tail_n, 1, err);
	if (!u->tail)
		return -ENOMEM;
	u->tail_hole = (size_t)(u->signature_offset - start);
	return ingot_source_read(uki, start, u->tail, place->content_size - start, err);
}

/* A vendor's has the tail of the base image's. */
static int check_tail(struct ingot_request_uki *u, struct ingot_source *uki,
		      const struct ingot_pe_place *place, uint64_t start, struct ingot_error *err)
{
	struct ingot_request_uki own = {.signature_offset = u->signature_offset};
	int rc = load_tail(&own, uki, place, start, err);
	bool same = rc == 0 && own.tail_n == u->tail_n && own.tail_hole == u->tail_hole &&
		    memcmp(own.tail, u->tail, u->tail_n) == 0;

	free(own.tail);
	if (rc == 0 && !same)
		return ingot_raise(err, -EINVAL,
				   "its initrd or kernel is not that of the base image");
	return rc;
}

static int add_secure_boot(struct ingot_request_uki *u, const struct esp *esp, uint64_t segment,
			   const struct ingot_pe_place *place, struct ingot_error *err)
{
	/* The last block that ends before the segment; headers come long before. */
	uint64_t start = (segment - UKI_NOT_DIGESTED) / INGOT_SHA256_BLOCK * INGOT_SHA256_BLOCK +
			 UKI_NOT_DIGESTED;
	uint8_t checksum[4];
	int rc = uki_digest_front(esp->uki, place, start, &u->state, err);

	if (rc == 0)
		rc = u->vendor ? check_tail(u, esp->uki, place, start, err)
			       : load_tail(u, esp->uki, place, start, err);
	if (rc == 0)
		rc = ingot_source_read(esp->signed_uki, place->checksum_offset, checksum,
				       sizeof(checksum), err);
	if (rc == 0)
		u->checksum = ingot_get_le32(checksum);
	return rc;
}

static int fill_uki(const struct build *b, const struct esp *esp, struct ingot_request_uki *u,
		    struct ingot_error *err)
{
	struct uki_signature signature;
	struct ingot_pe_place place;
	int rc = ingot_pe_place_read(esp->uki, &place, err);

	if (rc == 0)
		rc = uki_find_signature(b, esp, &signature, err);
	if (rc < 0)
		return rc;
	u->size = place.content_size;
	u->signature_offset = signature.offset;
	return u->signer.certificate ? add_secure_boot(u, esp, signature.segment, &place, err) : 0;
}

static int copy_text(struct ingot_source *source, char **ret, struct ingot_error *err)
{
	size_t n;

	return ingot_source_load(source, TEXT_MAX, ret, &n, err);
}

int request_add_uki(struct build *b, const struct esp *esp, struct ingot_error *err)
{
	struct ingot_request_uki *u = &b->request->uki;
	int rc = copy_text(esp->cmdline, &u->command_line, err);

	if (rc < 0)
		return rc;
	u->path = ingot_strdup(build_uki_path(b), err);
	if (!u->path)
		return -ENOMEM;
	b->request->has_uki = true;
	rc = fill_uki(b, esp, u, err);
	return rc < 0 ? ingot_wrap(err, rc, "request for the UKI") : 0;
}

/* With a command line that another one has, it is that one's UKI. */
int request_add_vendor(struct build *b, const char *vendor, const struct esp *esp,
		       struct ingot_error *err)
{
	INGOT_FREE char *command_line = NULL;
	struct ingot_request_uki *u;
	int rc = copy_text(esp->cmdline, &command_line, err);

	if (rc < 0 || ingot_sign_request_find_uki(b->request, command_line))
		return rc;
	rc = ingot_sign_request_add_vendor(b->request, vendor, &u, err);
	if (rc < 0)
		return rc;
	u->command_line = INGOT_TAKE(command_line);
	rc = fill_uki(b, esp, u, err);
	return rc < 0 ? ingot_wrap(err, rc, "request for the UKI") : 0;
}

/* --- the file ---------------------------------------------------------- */

int request_write(struct build *b, const json_t *manifest, struct ingot_output **ret,
		  struct ingot_error *err)
{
	struct ingot_sign_request *request = b->request;
	INGOT_FREE char *text = NULL;
	int rc;

	memcpy(request->root_hash, b->root.hex, sizeof(b->root.hex));
	request->files = json_incref(json_object_get(manifest, "inputs"));
	rc = ingot_sign_request_write(request, &text, err);
	if (rc == 0)
		rc = ingot_output_create(b->summary->request, ret, err);
	return rc < 0 ? rc : ingot_output_write(*ret, text, strlen(text), err);
}

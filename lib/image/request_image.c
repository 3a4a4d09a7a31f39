#include "image/request_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "image/request_image_internal.h"

/* --- the image --------------------------------------------------------- */

/* What `ingot verify` looks at, but for signatures, which there are none of, and for what no
 * signature will cover. */
static const char *const CHECKS[] = {
	"container.format",
	"container.structure",
	"gpt.mbr",
	"gpt.primary",
	"gpt.backup",
	"gpt.agreement",
	"gpt.partitions",
	"esp.filesystem",
	"uki.structure",
	"uki.sections",
	"uki.cmdline",
	"uki.initrd",
	"verity.superblock",
	"roothash.trust",
	"roothash.veritytab",
	"roothash.cmdline",
	"verity.tree",
	"roothash.partition-uuids",
	"verity.cryptsetup",
	"roothash.signature-partition",
	"verity.fec",
	"verity.unused",
	"usr.filesystem",
	"usr.read-only",
};

static int run_check(struct verification *v, const char *name, struct ingot_error *err)
{
	const struct ingot_verify_row *row;
	int rc = verification_run(v, name, err);

	if (rc < 0)
		return rc;
	row = ingot_verify_find(v->report, name);
	if (row &&
	    (row->verdict == INGOT_VERIFY_GOOD || row->verdict == INGOT_VERIFY_NOT_APPLICABLE))
		return 0;
	return ingot_raise(err, -EBADMSG, "%s: %s", name,
			   row ? row->found : "there is no such check");
}

static int run_checks(struct verification *v, struct ingot_error *err)
{
	int rc = v->options->layout ? run_check(v, "layout.partitions", err) : 0;

	for (size_t i = 0; rc == 0 && i < sizeof(CHECKS) / sizeof(CHECKS[0]); i++)
		rc = run_check(v, CHECKS[i], err);
	return rc;
}

/* The partition for the signature has the room, and names the first signer. */
static int check_signature_room(const struct verification *v,
				const struct ingot_sign_request *request, const uint8_t *der,
				size_t n, struct ingot_error *err)
{
	uint8_t fingerprint[INGOT_SHA256_SIZE];
	int rc = ingot_certificate_fingerprint(request->signers[0].certificate, fingerprint, err);

	if (rc < 0 || !v->signature_part)
		return rc;
	if (v->has_signature && v->signature.pkcs7_size == n &&
	    memcmp(v->signature.pkcs7, der, n) == 0 && v->signature.has_fingerprint &&
	    memcmp(v->signature.fingerprint, fingerprint, sizeof(fingerprint)) == 0)
		return 0;
	return ingot_raise(err, -EBADMSG,
			   "the partition for the signature has no room for it, or is for other "
			   "signers");
}

/* --- the UKI ----------------------------------------------------------- */

static const struct verify_program *find_program(const struct verification *v, const char *path)
{
	for (size_t i = 0; i < v->program_count; i++)
		if (strcasecmp(v->programs[i].path, path) == 0)
			return &v->programs[i];
	return NULL;
}

/* The base image's or a vendor's: its command line tells. */
static struct ingot_request_found *find_found(const struct ingot_sign_request *request,
					      const struct ingot_request_uki *uki,
					      struct ingot_request_proof *proof)
{
	return uki == &request->uki ? &proof->uki : &proof->vendors[uki - request->vendors];
}

static int check_program(const struct ingot_sign_request *request,
			 const struct verify_program *program, const uint8_t *der, size_t n,
			 const char *path, struct ingot_request_proof *proof,
			 struct ingot_error *err)
{
	const char *machine = ingot_pe_machine_name(program->pe.machine);
	struct ingot_request_found found = {.image = path};
	const struct ingot_request_uki *uki =
		program->cmdline ? ingot_sign_request_find_uki(request, program->cmdline) : NULL;
	int rc;

	if (!uki)
		return ingot_raise(err, -EBADMSG, "its command line is not the request's");
	if (strcmp(machine, request->architecture) != 0)
		return ingot_raise(err, -EBADMSG, "it is for %s, the request is for %s", machine,
				   request->architecture);
	rc = request_check_bytes(uki, program->source, der, n, err);
	if (rc == 0)
		rc = request_check_parts(request, uki, program, &found, err);
	if (rc == 0)
		*find_found(request, uki, proof) = found;
	return rc;
}

static int check_uki(const struct verification *v, const struct ingot_sign_request *request,
		     const char *path, const uint8_t *der, size_t n,
		     struct ingot_request_proof *proof, struct ingot_error *err)
{
	const struct verify_program *program;
	int rc;

	if (!request->has_uki)
		return 0;
	program = find_program(v, request->uki.path);
	if (!program || !program->is_uki)
		return ingot_raise(err, -EBADMSG, "there is no UKI '%s' on its ESP",
				   request->uki.path);
	rc = check_program(request, program, der, n, path, proof, err);
	return rc < 0 ? ingot_wrap(err, rc, "'%s' on the ESP", request->uki.path) : 0;
}

/* --- all of it --------------------------------------------------------- */

static int check(struct verification *v, const struct ingot_sign_request *request, const char *path,
		 struct ingot_request_proof *proof, struct ingot_error *err)
{
	INGOT_FREE uint8_t *der = NULL;
	size_t n;
	int rc = run_checks(v, err);

	if (rc == 0)
		rc = ingot_sign_request_placeholder(request, &der, &n, err);
	if (rc == 0)
		rc = check_signature_room(v, request, der, n, err);
	if (rc == 0)
		rc = check_uki(v, request, path, der, n, proof, err);
	if (rc < 0)
		return rc;
	proof->image = path;
	proof->usr_blocks = v->geometry.data_blocks;
	proof->usr_block_size = v->superblock.params.data_block_size;
	return 0;
}

int ingot_request_check_image(const struct ingot_sign_request *request, const char *path,
			      const char *layout, unsigned jobs, struct ingot_request_proof *proof,
			      struct ingot_error *err)
{
	INGOT_FREE struct verification *v = ingot_alloc(1, sizeof(*v), err);
	INGOT_SOURCE struct ingot_source *file = NULL;
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	struct ingot_verify_options options = {.root = root, .layout = layout, .jobs = jobs};
	int rc = v ? ingot_source_open(path, &file, err) : -ENOMEM;

	if (rc == 0)
		rc = ingot_unhex(request->root_hash, root, sizeof(root), &options.root_size, err);
	if (rc < 0)
		return rc;
	rc = verification_init(v, file, &options, err);
	if (rc == 0)
		rc = check(v, request, path, proof, err);
	verification_done(v);
	ingot_verify_report_free(v->report);
	return rc < 0 ? ingot_wrap(err, rc, "image '%s'", path) : 0;
}

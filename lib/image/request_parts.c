/*
 * What a UKI is made of: os-release, initrd, kernel. The archive at the initrd's end holds what the
 * request says of it: the room for the signature, and the signers' certificates. What a request
 * lists of the files that went in is compared where a file is in the image as it was.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "boot/initrd_read.h"
#include "image/request_image_internal.h"

enum { PADDING = 4 }; /* behind each file of an initrd, up to a multiple */

/* --- the end of the initrd --------------------------------------------- */

static const struct ingot_initrd_member *find_member(const struct ingot_initrd_archive *archive,
						     const char *path)
{
	for (size_t i = 0; i < archive->count; i++)
		if (strcmp(archive->members[i].path, path) == 0)
			return &archive->members[i];
	return NULL;
}

/* Where it is in the UKI is where the signature will be written. */
static int check_place(const struct ingot_request_uki *uki, const struct verify_program *program,
		       const struct ingot_initrd_archive *archive, struct ingot_error *err)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(&program->pe, ".initrd");
	const struct ingot_initrd_member *m = find_member(archive, "etc/usr.p7s");

	if (m && section &&
	    section->raw_offset + archive->offset + (uint64_t)(m->data - archive->bytes) ==
		    uki->signature_offset)
		return 0;
	return ingot_raise(err, -EBADMSG,
			   "the file 'etc/usr.p7s' of its initrd is not where the request has it");
}

/* What systemd will trust are the signers, all of them and in their order. */
static int check_certificates(const struct ingot_sign_request *request,
			      const struct verify_program *program, struct ingot_error *err)
{
	bool same = program->certificate_count == request->signer_count;

	for (size_t i = 0; same && i < request->signer_count; i++) {
		INGOT_FREE char *pem = NULL;
		size_t n;
		int rc = ingot_certificate_pem(request->signers[i].certificate, &pem, &n, err);

		if (rc < 0)
			return rc;
		same = n == program->certificates[i].size &&
		       memcmp(pem, program->certificates[i].data, n) == 0;
	}
	return same ? 0
		    : ingot_raise(err, -EBADMSG,
				  "the certificates in its initrd are not the signers'");
}

/* --- the files that went in -------------------------------------------- */

/* A file of the list, whose digest is that of bytes of the image. */
static int check_file(const json_t *file, const char *what, struct ingot_source *bytes,
		      struct ingot_error *err)
{
	const char *text = json_string_value(json_object_get(file, "sha256"));
	uint8_t want[INGOT_SHA256_SIZE], digest[INGOT_SHA256_SIZE];
	size_t n;
	int rc;

	rc = ingot_source_sha256(bytes, digest, err);
	if (rc < 0)
		return rc;
	if (text && ingot_unhex(text, want, sizeof(want), &n, NULL) == 0 && n == sizeof(want) &&
	    memcmp(want, digest, n) == 0)
		return 0;
	return ingot_raise(err, -EBADMSG, "its %s is not the file that the request lists", what);
}

static bool has_role(const json_t *file, const char *role)
{
	const char *found = json_string_value(json_object_get(file, "role"));

	return found && strcmp(found, role) == 0;
}

static int check_single(const json_t *files, const char *role, struct ingot_source *part,
			struct ingot_error *err)
{
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file)
	{
		int rc = has_role(file, role) ? check_file(file, role, part, err) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The initrds stand one after the other, each with its padding, and there is nothing else. */
static int check_initrds(const json_t *files, struct ingot_source *base, struct ingot_error *err)
{
	uint64_t at = 0, count = 0;
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file)
	{
		INGOT_SOURCE struct ingot_source *part = NULL;
		json_int_t size = json_integer_value(json_object_get(file, "size"));
		int rc;

		if (!has_role(file, "initrd"))
			continue;
		count++;
		if (size < 0 || !ingot_in_range(at, (uint64_t)size, base->size))
			return ingot_raise(
				err, -EBADMSG,
				"its initrd is shorter than those that the request lists");
		rc = ingot_source_part(base, at, (uint64_t)size, &part, err);
		if (rc == 0)
			rc = check_file(file, "initrd", part, err);
		if (rc < 0)
			return rc;
		at = ingot_round_up(at + (uint64_t)size, PADDING);
	}
	if (count > 0 && at != base->size)
		return ingot_raise(err, -EBADMSG,
				   "its initrd has more than the files that the request lists");
	return 0;
}

/* --- the parts --------------------------------------------------------- */

static int open_section(const struct verify_program *program, const char *name,
			struct ingot_source **ret, struct ingot_error *err)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(&program->pe, name);

	if (!section)
		return ingot_raise(err, -EBADMSG, "it has no section '%s'", name);
	return ingot_pe_section_source(program->source, section, ret, err);
}

static int measure(struct ingot_source *part, enum ingot_request_part index,
		   struct ingot_request_found *found, struct ingot_error *err)
{
	found->parts[index].size = part->size;
	return ingot_source_sha256(part, found->parts[index].digest, err);
}

static int check_section(const struct ingot_sign_request *request,
			 const struct verify_program *program, const char *name, const char *role,
			 enum ingot_request_part index, struct ingot_request_found *found,
			 struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	int rc = open_section(program, name, &part, err);

	if (rc == 0)
		rc = measure(part, index, found, err);
	return rc < 0 ? rc : check_single(request->files, role, part, err);
}

static int check_initrd(const struct ingot_sign_request *request,
			const struct ingot_request_uki *uki, const struct verify_program *program,
			struct ingot_initrd_archive *archive, struct ingot_request_found *found,
			struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *base = NULL;
	int rc = program->initrd ? ingot_initrd_last(program->initrd, archive, err)
				 : ingot_raise(err, -EBADMSG, "it has no initrd");

	if (rc == 0)
		rc = check_place(uki, program, archive, err);
	if (rc == 0)
		rc = check_certificates(request, program, err);
	if (rc == 0)
		rc = ingot_source_part(program->initrd, 0, archive->offset, &base, err);
	if (rc == 0)
		rc = measure(base, INGOT_REQUEST_INITRD, found, err);
	return rc < 0 ? rc : check_initrds(request->files, base, err);
}

int request_check_parts(const struct ingot_sign_request *request,
			const struct ingot_request_uki *uki, const struct verify_program *program,
			struct ingot_request_found *found, struct ingot_error *err)
{
	INGOT_FREE struct ingot_initrd_archive *archive = ingot_alloc(1, sizeof(*archive), err);
	int rc = archive ? check_initrd(request, uki, program, archive, found, err) : -ENOMEM;

	if (archive)
		ingot_initrd_archive_done(archive);
	if (rc == 0)
		rc = check_section(request, program, ".osrel", "os-release",
				   INGOT_REQUEST_OS_RELEASE, found, err);
	return rc < 0 ? rc
		      : check_section(request, program, ".linux", "linux", INGOT_REQUEST_LINUX,
				      found, err);
}

#include "image/request_show.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* Nothing of a stranger's text may drive the terminal. */
static void show(FILE *stream, const char *name, const char *text)
{
	char plain[4096];

	fprintf(stream, "%-16s %s\n", name,
		ingot_printable(text, strlen(text), plain, sizeof(plain)));
}

static int show_signer(const struct ingot_request_signer *signer, const char *name, FILE *stream,
		       struct ingot_error *err)
{
	INGOT_FREE char *subject = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	char hex[INGOT_SHA256_TEXT];
	int rc = ingot_certificate_subject(signer->certificate, &subject, err);

	if (rc == 0)
		rc = ingot_certificate_fingerprint(signer->certificate, digest, err);
	if (rc < 0)
		return rc;
	show(stream, name, subject);
	ingot_hex(digest, sizeof(digest), hex);
	show(stream, "", hex);
	return 0;
}

/* --- what images prove ------------------------------------------------- */

static void show_usr_proof(const struct ingot_request_proof *proof, FILE *stream)
{
	char size[INGOT_SIZE_TEXT], name[1024];

	if (!proof)
		return;
	fprintf(stream, "%-16s proven: all of /usr in '%s' was read, %llu blocks, %s\n", "",
		ingot_printable(proof->image, strlen(proof->image), name, sizeof(name)),
		(unsigned long long)proof->usr_blocks,
		ingot_size_text(proof->usr_blocks * proof->usr_block_size, size));
}

static void show_part(const struct ingot_request_found *found, enum ingot_request_part index,
		      const char *name, FILE *stream)
{
	char size[INGOT_SIZE_TEXT], hex[INGOT_SHA256_TEXT];

	ingot_hex(found->parts[index].digest, INGOT_SHA256_SIZE, hex);
	show(stream, name, ingot_size_text(found->parts[index].size, size));
	show(stream, "", hex);
}

/* Of a UKI that some image has, or that none has although there are images. */
static void show_uki_proof(const struct ingot_request_found *found, FILE *stream)
{
	char name[1024];

	if (!found)
		return;
	if (!found->image) {
		show(stream, "", "NOT proven: it is in none of the images, the build says so");
		return;
	}
	fprintf(stream, "%-16s proven: every byte to be signed is in '%s'\n", "",
		ingot_printable(found->image, strlen(found->image), name, sizeof(name)));
	show_part(found, INGOT_REQUEST_OS_RELEASE, "  os-release", stream);
	show_part(found, INGOT_REQUEST_INITRD, "  initrd", stream);
	show_part(found, INGOT_REQUEST_LINUX, "  kernel", stream);
}

/* --- what the request says --------------------------------------------- */

/* The bytes that are signed say which root hash the machine will open /usr by. */
static int check_root(const struct ingot_request_uki *uki, const char *root,
		      struct ingot_error *err)
{
	if (strstr(uki->command_line, root))
		return 0;
	if (uki->tail && memmem(uki->tail, uki->tail_hole, root, strlen(root)))
		return 0;
	if (!uki->tail)
		return 0; /* nothing of it is signed */
	return ingot_raise(err, -EINVAL,
			   "the UKI that is to be signed does not open /usr by this root hash");
}

static int show_uki(const struct ingot_sign_request *request,
		    const struct ingot_request_proof *proof, FILE *stream, struct ingot_error *err)
{
	const struct ingot_request_uki *uki = &request->uki;
	char size[INGOT_SIZE_TEXT];
	int rc = check_root(uki, request->root_hash, err);

	if (rc < 0)
		return rc;
	show(stream, "UKI", uki->path);
	show_uki_proof(proof ? &proof->uki : NULL, stream);
	show(stream, "  size", ingot_size_text(uki->size, size));
	show(stream, "  command line", uki->command_line);
	if (uki->signer.certificate)
		rc = show_signer(&uki->signer, "  signed by", stream, err);
	else
		show(stream, "  signed by", "nobody");
	return rc;
}

/* A vendor's UKI has another command line; path and signer are those above. */
static int show_vendors(const struct ingot_sign_request *request,
			const struct ingot_request_proof *proof, FILE *stream,
			struct ingot_error *err)
{
	for (size_t i = 0; i < request->vendor_count; i++) {
		const struct ingot_request_uki *uki = &request->vendors[i];
		int rc = check_root(uki, request->root_hash, err);

		if (rc < 0)
			return ingot_wrap(err, rc, "vendor '%s'", uki->vendor);
		show(stream, "UKI for", uki->vendor);
		show_uki_proof(proof ? &proof->vendors[i] : NULL, stream);
		show(stream, "  command line", uki->command_line);
	}
	return 0;
}

static void show_files(const json_t *files, bool proven, FILE *stream)
{
	const json_t *file;
	size_t i;

	if (json_array_size(files) > 0)
		fprintf(stream, "\nMade of, as the build says%s:\n",
			proven ? " (proven: linux, initrd and os-release)" : "");
	json_array_foreach(files, i, file)
	{
		const char *role = json_string_value(json_object_get(file, "role"));
		const char *name = json_string_value(json_object_get(file, "name"));
		const char *digest = json_string_value(json_object_get(file, "sha256"));

		show(stream, role ? role : "", name ? name : "");
		if (digest)
			show(stream, "", digest);
	}
}

int ingot_request_show(const struct ingot_sign_request *request,
		       const struct ingot_request_proof *proof, FILE *stream,
		       struct ingot_error *err)
{
	int rc = 0;

	show(stream, "Name", request->name);
	show(stream, "Version", request->version);
	show(stream, "Architecture", request->architecture);
	show(stream, "Root hash", request->root_hash);
	show_usr_proof(proof, stream);
	for (size_t i = 0; rc == 0 && i < request->signer_count; i++)
		rc = show_signer(&request->signers[i], "  signed by", stream, err);
	if (rc == 0 && request->has_uki)
		rc = show_uki(request, proof, stream, err);
	if (rc == 0)
		rc = show_vendors(request, proof, stream, err);
	if (rc == 0)
		show_files(request->files, proof && proof->uki.image, stream);
	return rc;
}

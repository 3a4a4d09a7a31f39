#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "image/verify.h"
#include "io/source.h"
#include "same_file.h"

enum {
	EXIT_VERIFIED = 0,
	EXIT_NOT_VERIFIED = 1,
	MANIFEST_MAX = 64 * 1024 * 1024,
	SIGNATURE_MAX = 64 * 1024
};

struct verify_options {
	struct cli_list certificates, secure_boot;
	const char *manifest, *manifest_signature, *root_hash, *layout, *repair;
	bool allow_test_keys, json;
};

/* What one call works with. */
struct verifying {
	struct ingot_certificate **certificates, **secure_boot;
	json_t *manifest;
	char *manifest_signature;
	size_t manifest_signature_size;
	uint8_t manifest_digest[INGOT_SHA256_SIZE], root[64];
	struct ingot_verify_options options;
};

/* --- what is trusted --------------------------------------------------- */

static int load_certificates(const struct cli_list *paths, struct ingot_certificate ***ret,
			     struct ingot_error *err)
{
	int rc = 0;

	*ret = ingot_alloc(paths->count + 1, sizeof(struct ingot_certificate *), err);
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < paths->count; i++)
		rc = ingot_certificate_load(paths->items[i], &(*ret)[i], err);
	return rc;
}

static int load_manifest(const char *path, struct verifying *v, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	json_error_t why;
	size_t n;
	int rc;

	rc = ingot_load_file(path, MANIFEST_MAX, &text, &n, err);
	if (rc == 0)
		rc = ingot_sha256(text, n, v->manifest_digest, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "manifest");
	rc = ingot_json_parse(text, n, &v->manifest, &why, err);
	if (rc == -EINVAL)
		return ingot_raise(err, rc, "manifest '%s': %s", path, why.text);
	if (rc == 0 && !json_is_object(v->manifest))
		return ingot_raise(err, -EINVAL, "manifest '%s': not an object", path);
	return rc;
}

/* The one that is given has to be there, the one that lies beside the manifest need not. */
static int load_manifest_signature(const struct verify_options *o, struct verifying *v,
				   struct ingot_error *err)
{
	INGOT_FREE char *beside = ingot_format(err, "%s.p7s", o->manifest);
	int rc;

	if (!beside)
		return -ENOMEM;
	rc = ingot_load_file(o->manifest_signature ? o->manifest_signature : beside, SIGNATURE_MAX,
			     &v->manifest_signature, &v->manifest_signature_size, err);
	if (rc == -ENOENT && !o->manifest_signature)
		return 0;
	return rc < 0 ? ingot_wrap(err, rc, "signature of the manifest") : 0;
}

static int load_manifest_and_signature(const struct verify_options *o, struct verifying *v,
				       struct ingot_error *err)
{
	int rc;

	if (!o->manifest && o->manifest_signature)
		return ingot_raise(err, -EINVAL, "--manifest-signature is for a --manifest");
	if (!o->manifest)
		return 0;
	rc = load_manifest(o->manifest, v, err);
	return rc < 0 ? rc : load_manifest_signature(o, v, err);
}

static int prepare(const struct cli *cli, struct verifying *v, struct ingot_error *err)
{
	const struct verify_options *o = cli->options;
	size_t root_size = 0;
	int rc = load_certificates(&o->certificates, &v->certificates, err);

	if (rc == 0)
		rc = load_certificates(&o->secure_boot, &v->secure_boot, err);
	if (rc == 0)
		rc = load_manifest_and_signature(o, v, err);
	if (rc == 0 && o->root_hash)
		rc = ingot_unhex(o->root_hash, v->root, sizeof(v->root), &root_size, err);
	if (rc < 0)
		return rc;
	v->options = (struct ingot_verify_options){
		.certificates = (const struct ingot_certificate *const *)v->certificates,
		.certificate_count = o->certificates.count,
		.secure_boot_certificates = (const struct ingot_certificate *const *)v->secure_boot,
		.secure_boot_count = o->secure_boot.count,
		.allow_test_keys = o->allow_test_keys,
		.manifest = v->manifest,
		.manifest_digest = v->manifest_digest,
		.manifest_signature = v->manifest_signature,
		.manifest_signature_size = v->manifest_signature_size,
		.root = o->root_hash ? v->root : NULL,
		.root_size = root_size,
		.layout = o->layout,
		.jobs = cli->jobs,
	};
	return 0;
}

static void verifying_done(struct verifying *v)
{
	for (size_t i = 0; v->certificates && v->certificates[i]; i++)
		ingot_certificate_free(v->certificates[i]);
	for (size_t i = 0; v->secure_boot && v->secure_boot[i]; i++)
		ingot_certificate_free(v->secure_boot[i]);
	free(v->certificates);
	free(v->secure_boot);
	json_decref(v->manifest);
	free(v->manifest_signature);
}

/* --- the report -------------------------------------------------------- */

/* Nothing in the image shall tell the terminal what to do. */
static void print_text(const char *before, char *text)
{
	ingot_utf8_tame(text);
	printf("%s%s", before, text);
}

static const char *mark(enum ingot_verify_verdict verdict)
{
	switch (verdict) {
	case INGOT_VERIFY_GOOD:
		return "good";
	case INGOT_VERIFY_NOT_APPLICABLE:
		return "-";
	case INGOT_VERIFY_BAD:
		return "BAD";
	case INGOT_VERIFY_NOT_CHECKED:
		break;
	}
	return "UNKNOWN";
}

static void print_row(const struct ingot_verify_row *row)
{
	printf("%-8s %-29s", mark(row->verdict), row->name);
	if (row->verdict != INGOT_VERIFY_NOT_APPLICABLE)
		print_text("expected: ", row->expected);
	print_text(row->verdict == INGOT_VERIFY_NOT_APPLICABLE ? "" : "; found: ", row->found);
	putchar('\n');
}

static void print_report(const struct ingot_verify_report *report, const char *name, bool quiet)
{
	size_t wrong = 0;

	for (size_t i = 0; i < report->count; i++) {
		const struct ingot_verify_row *row = &report->rows[i];
		bool fine = row->verdict == INGOT_VERIFY_GOOD ||
			    row->verdict == INGOT_VERIFY_NOT_APPLICABLE;

		wrong += !fine;
		if (!quiet || !fine)
			print_row(row);
	}
	for (size_t i = 0; !quiet && i < report->open_count; i++) {
		print_text("not covered: ", report->open[i]);
		putchar('\n');
	}
	if (report->good)
		printf("%s (%s): verified\n", name, report->format);
	else
		printf("%s (%s): NOT verified, %zu checks failed or could not be made\n", name,
		       report->format, wrong);
}

static int print(const struct cli *cli, const struct ingot_verify_report *report,
		 struct ingot_error *err)
{
	const struct verify_options *o = cli->options;
	json_t *json;
	int rc;

	if (!o->json) {
		print_report(report, cli->args[0], cli->quiet);
		return 0;
	}
	json = ingot_verify_json(report);
	rc = json ? cli_report(json, true /* json */, err) : ingot_raise_oom(err, 0);
	json_decref(json);
	return rc;
}

/* --- the command ------------------------------------------------------- */

static void print_repair(const struct ingot_verify_repair *repair, const char *output)
{
	printf("repair: %llu blocks put right, %llu lost; %s%s\n",
	       (unsigned long long)repair->blocks.repaired.count,
	       (unsigned long long)repair->blocks.lost.count,
	       repair->written ? "verified, and written to " : "not verified, and not written",
	       repair->written ? output : "");
}

/* What the image was like has been told; this tells of the repaired one. */
static int run_repair(const struct cli *cli, struct ingot_source *file, const struct verifying *v,
		      struct ingot_error *err)
{
	const struct verify_options *o = cli->options;
	struct ingot_verify_repair repair = {0};
	int rc = ingot_verify_repair(file, &v->options, o->repair, &repair, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "repair");
	rc = print(cli, repair.report, err);
	if (rc == 0 && !o->json)
		print_repair(&repair, o->repair);
	if (rc == 0)
		rc = repair.written ? EXIT_VERIFIED : EXIT_NOT_VERIFIED;
	ingot_verify_report_free(repair.report);
	return rc;
}

static int check_output(const struct cli *cli, struct ingot_error *err)
{
	const struct verify_options *o = cli->options;
	const char *files[] = {cli->args[0], o->manifest, o->manifest_signature};
	const struct cli_list *lists[] = {&o->certificates, &o->secure_boot};
	int rc;

	if (o->repair && strcmp(o->repair, "-") == 0)
		return cli_usage(cli, err,
				 "--repair has to name a file: the report goes to standard output");
	rc = same_file_refuse_all(files, CLI_COUNT(files), o->repair, err);
	for (size_t i = 0; rc == 0 && i < CLI_COUNT(lists); i++)
		rc = same_file_refuse_all(lists[i]->items, lists[i]->count, o->repair, err);
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct verify_options *o = cli->options;
	struct ingot_verify_report *report = NULL;
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct verifying v = {0};
	int rc = check_output(cli, err);

	if (rc == 0)
		rc = prepare(cli, &v, err);
	if (rc == 0)
		rc = ingot_source_open(cli->args[0], &file, err);
	if (rc == 0)
		rc = ingot_verify(file, &v.options, &report, err);
	/* As JSON there is one report: the last. */
	if (rc == 0 && (!o->json || !o->repair || report->good))
		rc = print(cli, report, err);
	if (rc == 0 && !report->good && o->repair)
		rc = run_repair(cli, file, &v, err);
	else if (rc == 0)
		rc = report->good ? EXIT_VERIFIED : EXIT_NOT_VERIFIED;
	ingot_verify_report_free(report);
	verifying_done(&v);
	return rc;
}

#define AT(member) offsetof(struct verify_options, member)
static const struct cli_option OPTIONS[] = {
	{"certificate", "FILE",
	 "the root hash has to be signed by this one; may be given several times", AT(certificates),
	 CLI_LIST, false},
	{"secure-boot-certificate", "FILE",
	 "EFI programs have to be signed by this one, or by one that it issued; may be given several "
	 "times. Without it, those of --certificate count",
	 AT(secure_boot), CLI_LIST, false},
	{"manifest", "FILE", "the image has to be the one of this manifest, byte for byte",
	 AT(manifest), CLI_TEXT, false},
	{"manifest-signature", "FILE",
	 "the manifest has to be signed by a --certificate, with this signature; without it, with the "
	 "one in MANIFEST.p7s if there is such a file",
	 AT(manifest_signature), CLI_TEXT, false},
	{"root-hash", "HEX", "the root hash has to be this one", AT(root_hash), CLI_TEXT, false},
	{"layout", "NAME|FILE",
	 "the partitions have to be those of this layout; without it, of the manifest's, or of the "
	 "built-in one that they are most like",
	 AT(layout), CLI_TEXT, false},
	{"repair", "OUTPUT",
	 "if the image is not verified: write it as a raw image with /usr and its hash tree put right "
	 "by their parity, if it is verified then",
	 AT(repair), CLI_TEXT, false},
	{"allow-test-keys", NULL, "accept certificates with TEST in their subject",
	 AT(allow_test_keys), CLI_FLAG, false},
	{"json", NULL, "report as JSON", AT(json), CLI_FLAG, false},
};

const struct cli_command cmd_verify = {
	.name = "verify",
	.arguments = "IMAGE",
	.summary = "Check a finished image from its container to the signature of its root hash",
	.description =
		"Checks everything that can be checked in a disk image, one line for each check: the "
		"container, both partition tables and the layout, the ESP, unified kernel images with "
		"their command line and initrd, every place that carries the root hash, the hash tree "
		"with all of its data (on all cores, and a second time by libcryptsetup), the signatures "
		"of the root hash, the filesystems, unused space, and with --manifest the digests. "
		"IMAGE is raw or any container that 'ingot convert' reads. No root, no mount, no copy.\n\n"
		"Somebody has to be trusted: --certificate, --manifest or --root-hash says who. What the "
		"image says of itself is never enough.\n\n"
		"Exit status 0: every check that applies was made and passed. 1: one failed, or could not "
		"be made. 2: the image could not be read, or an option is wrong. What no signature and no "
		"digest covers is listed at the end.",
	.examples =
		"ingot verify demo-1.raw --certificate root-hash.crt\n\n"
		"# byte for byte, inside a qcow2\n"
		"ingot verify demo-1.qcow2 --certificate root-hash.crt --manifest demo-1.manifest.json\n\n"
		"# which checks failed\n"
		"ingot verify demo-1.raw --certificate root-hash.crt --json | jq -r '.checks[] | "
		"select(.verdict == \"bad\").name'",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct verify_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};

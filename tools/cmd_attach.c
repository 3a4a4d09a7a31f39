/* ingot attach: signatures that were made elsewhere, into the images that wait for them. */
#include <errno.h>
#include <stdio.h>

#include "cli.h"
#include "commands.h"
#include "image/attach.h"
#include "io/source.h"

struct attach_options {
	const char *response, *request, *manifest;
	bool json;
};

/* The request is needed for nothing; who gives it wants to know that both belong together. */
static int check_request(const char *path, const struct ingot_sign_request *response,
			 struct ingot_error *err)
{
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = NULL;
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc = ingot_load_file(path, INGOT_REQUEST_MAX, &text, &n, err);

	if (rc == 0)
		rc = ingot_sign_request_read(text, n, &request, err);
	if (rc == 0)
		rc = ingot_sign_response_check(response, request, err);
	return rc < 0 ? ingot_wrap(err, rc, "request '%s'", path) : 0;
}

static int load_response(const char *path, struct ingot_sign_request **ret, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc = ingot_load_file(path, INGOT_RESPONSE_MAX, &text, &n, err);

	if (rc == 0)
		rc = ingot_sign_response_read(text, n, ret, err);
	return rc < 0 ? ingot_wrap(err, rc, "response '%s'", path) : 0;
}

/* --- images ------------------------------------------------------------ */

struct images {
	struct ingot_attach_image *list;
	size_t count;
};

static void images_done(struct images *images)
{
	ingot_attach_images_free(images->list, images->count);
}

/* Those that are named, or all of the manifest. */
static int find_images(const struct cli *cli, struct images *ret, struct ingot_error *err)
{
	const struct attach_options *o = cli->options;

	if (cli->arg_count == 0 && o->manifest)
		return ingot_attach_list(o->manifest, &ret->list, &ret->count, err);
	if (cli->arg_count == 0)
		return cli_usage(cli, err, "no IMAGE is given, and no --manifest that lists them");
	ret->list = ingot_alloc(cli->arg_count, sizeof(*ret->list), err);
	if (!ret->list)
		return -ENOMEM;
	for (; ret->count < cli->arg_count; ret->count++) {
		ret->list[ret->count].path = ingot_strdup(cli->args[ret->count], err);
		if (!ret->list[ret->count].path)
			return -ENOMEM;
	}
	return 0;
}

static int attach_all(struct images *images, const struct ingot_sign_request *response,
		      struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < images->count; i++)
		rc = ingot_attach(images->list[i].path, response, &images->list[i].report, err);
	return rc;
}

/* --- the report -------------------------------------------------------- */

static json_t *report_one(const struct ingot_attach_image *image)
{
	return json_pack("{s:s, s:s, s:i, s:I}", "image", image->path, "format",
			 image->report.format, "places", (int)image->report.places, "bytes_written",
			 (json_int_t)image->report.bytes_written);
}

/* One image is one object; several, a list of them and the sum. */
static json_t *report_all(const struct images *images)
{
	json_t *list;
	uint64_t written = 0;

	if (images->count == 1)
		return report_one(&images->list[0]);
	list = json_array();
	for (size_t i = 0; i < images->count; i++) {
		(void)json_array_append_new(list, report_one(&images->list[i]));
		written += images->list[i].report.bytes_written;
	}
	return json_pack("{s:o, s:I}", "images", list, "bytes_written", (json_int_t)written);
}

static int print(json_t *object, bool json, struct ingot_error *err)
{
	int rc = object ? cli_report(object, json, err) : ingot_raise_oom(err, 0);

	json_decref(object);
	return rc;
}

static int report(const struct cli *cli, const struct images *images, struct ingot_error *err)
{
	const struct attach_options *o = cli->options;
	int rc = 0;

	if (cli->quiet)
		return 0;
	if (o->json)
		return print(report_all(images), o->json, err);
	for (size_t i = 0; rc == 0 && i < images->count; i++) {
		if (i > 0)
			putchar('\n');
		rc = print(report_one(&images->list[i]), o->json, err);
	}
	return rc;
}

static int attach_images(const struct cli *cli, const struct ingot_sign_request *response,
			 struct images *images, struct ingot_error *err)
{
	const struct attach_options *o = cli->options;
	int rc = find_images(cli, images, err);

	if (rc == 0)
		rc = attach_all(images, response, err);
	if (rc == 0 && o->manifest)
		rc = ingot_attach_manifest(o->manifest, images->list, images->count, response,
					   cli->jobs, err);
	return rc < 0 ? rc : report(cli, images, err);
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct attach_options *o = cli->options;
	INGOT_SIGN_REQUEST struct ingot_sign_request *response = NULL;
	struct images images = {0};
	int rc = load_response(o->response, &response, err);

	if (rc == 0 && o->request)
		rc = check_request(o->request, response, err);
	if (rc == 0)
		rc = attach_images(cli, response, &images, err);
	images_done(&images);
	return rc;
}

#define AT(member) offsetof(struct attach_options, member)
static const struct cli_option OPTIONS[] = {
	{"response", "FILE", "what `ingot sign --request` made", AT(response), CLI_TEXT, true},
	{"request", "FILE", "check that the response answers this request", AT(request), CLI_TEXT,
	 false},
	{"manifest", "FILE",
	 "also finish this manifest of the build: digests of the images, and what is signed",
	 AT(manifest), CLI_TEXT, false},
	{"json", NULL, "print what was done as JSON", AT(json), CLI_FLAG, false},
};

const struct cli_command cmd_attach = {
	.name = "attach",
	.arguments = "[IMAGE...]",
	.summary = "Put signatures that were made elsewhere into finished images",
	.description =
		"Takes images of `ingot build --sign-later` and the answer of `ingot sign --request`, "
		"and writes the signatures into the room that the build left for them: into the initrd "
		"inside the unified kernel image on the ESP, at the end of that image for Secure Boot, and "
		"into the partition for the root hash's signature where the layout has one. Images may be of "
		"any format that a build makes, or that `ingot convert --room` made of one. Only sectors that "
		"change are written, and the checksums inside the container that depend on them. The image is "
		"then, byte for byte, what a build with the keys at hand makes.\n\n"
		"Without an IMAGE it is done for all outputs of the manifest.\n\n"
		"All signatures are checked against their certificates, and everything in an image is looked "
		"at, before its first byte is written: another image, room that something else stands in, or "
		"a container that was not made with room is refused. If the power fails meanwhile, run it "
		"again.\n\n"
		"With --manifest the images are read once more as a whole for their digests, and the list of "
		"blocks beside an AMI's image is renewed. `ingot verify` then checks all of it.",
	.examples =
		"# on the build machine, again\n"
		"ingot attach --response demo-1.response.json --manifest out/demo-1.manifest.json\n"
		"# one file, and nothing else is read or written\n"
		"ingot attach out/demo-1.qcow2 --response demo-1.response.json\n"
		"ingot verify out/demo-1.raw --certificate root-hash.crt "
		"--manifest out/demo-1.manifest.json",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct attach_options),
	.args_max = 256,
	.run = run,
};

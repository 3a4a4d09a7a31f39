#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "image/attach.h"
#include "image/build_internal.h"
#include "image/digest_internal.h"
#include "io/output.h"
#include "io/source.h"

enum { MANIFEST_MAX = 64 * 1024 * 1024 };

INGOT_DEFINE_CLEANUP(json_t, json, json_decref)
#define JSON INGOT_CLEANUP(json_cleanup)

static bool is_text(const json_t *object, const char *key, const char *text)
{
	const char *found = json_string_value(json_object_get(object, key));

	return found && strcmp(found, text) == 0;
}

static int load(const char *path, const struct ingot_sign_request *response, json_t **ret,
		struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	json_error_t why;
	size_t n;
	int rc = ingot_load_file(path, MANIFEST_MAX, &text, &n, err);

	if (rc < 0)
		return rc;
	*ret = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (!*ret)
		return ingot_raise(err, -EINVAL, "'%s' is not JSON: line %d: %s", path, why.line,
				   why.text);
	if (!is_text(*ret, "name", response->name) ||
	    !is_text(*ret, "version", response->version) ||
	    !is_text(json_object_get(*ret, "usr"), "root_hash", response->root_hash))
		return ingot_raise(err, -EINVAL,
				   "'%s' is of another image: its name, version or root hash is "
				   "not the response's",
				   path);
	return 0;
}

static int set(json_t *object, const char *key, json_t *value, struct ingot_error *err)
{
	return json_object_set_new(object, key, value) < 0 ? ingot_raise_oom(err, 0) : 0;
}

/* A build without digests has no such key, and so gets none. */
static int set_digests(json_t *output, const char *image, unsigned jobs, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct image_digests digests = {0};
	char text[INGOT_SHA256_TEXT];
	int rc;

	if (!json_object_get(output, "sha256"))
		return 0;
	rc = ingot_source_open(image, &source, err);
	if (rc == 0)
		rc = image_digests(source, jobs, NULL /* progress */, &digests, err);
	if (rc == 0) {
		ingot_hex(digests.whole, sizeof(digests.whole), text);
		rc = set(output, "sha256", json_string(text), err);
	}
	if (rc == 0 && json_object_get(output, "blocks"))
		rc = set(output, "blocks", manifest_blocks(&digests), err);
	image_digests_done(&digests);
	return rc;
}

static int fill(json_t *manifest, const char *image, const struct ingot_sign_request *response,
		unsigned jobs, struct ingot_error *err)
{
	json_t *outputs = json_object_get(manifest, "outputs"), *output;
	int rc = set(json_object_get(manifest, "usr"), "signed", json_true(), err);
	bool found = false;
	size_t i;

	if (rc == 0 && response->uki.signer.certificate && json_object_get(manifest, "uki"))
		rc = set(json_object_get(manifest, "uki"), "signed", json_true(), err);
	json_array_foreach(outputs, i, output)
	{
		if (rc < 0 || !is_text(output, "name", ingot_base_name(image)))
			continue;
		found = true;
		rc = set_digests(output, image, jobs, err);
	}
	if (rc == 0 && !found)
		return ingot_raise(err, -EINVAL, "the manifest has no output called '%s'",
				   ingot_base_name(image));
	return rc;
}

int ingot_attach_manifest(const char *path, const char *image,
			  const struct ingot_sign_request *response, unsigned jobs,
			  struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	JSON json_t *manifest = NULL;
	INGOT_FREE char *line = NULL;
	char *text;
	int rc = load(path, response, &manifest, err);

	if (rc == 0)
		rc = fill(manifest, image, response, jobs, err);
	if (rc < 0)
		return rc;
	text = json_dumps(manifest, JSON_INDENT(2));
	if (!text)
		return ingot_raise_oom(err, 0);
	line = ingot_format(err, "%s\n", text);
	free(text);
	if (!line)
		return -ENOMEM;
	rc = ingot_output_create(path, &output, err);
	if (rc == 0)
		rc = ingot_output_write(output, line, strlen(line), err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

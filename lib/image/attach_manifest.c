#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "image/attach_internal.h"
#include "formats/format.h"
#include "image/build_internal.h"
#include "image/digest_internal.h"
#include "image/vendor.h"
#include "io/output.h"
#include "io/pool.h"
#include "io/source.h"

enum { MANIFEST_MAX = 64 * 1024 * 1024 };

INGOT_DEFINE_CLEANUP(json_t, json, json_decref)
#define JSON INGOT_CLEANUP(json_cleanup)

/* A name beside another file; the caller frees it. */
static char *beside(const char *path, const char *name, struct ingot_error *err)
{
	return ingot_format(err, "%.*s%s", (int)(ingot_base_name(path) - path), path, name);
}

static bool is_text(const json_t *object, const char *key, const char *text)
{
	const char *found = json_string_value(json_object_get(object, key));

	return found && strcmp(found, text) == 0;
}

static int load(const char *path, json_t **ret, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	json_error_t why;
	size_t n;
	int rc = ingot_load_file(path, MANIFEST_MAX, &text, &n, err);

	if (rc < 0)
		return rc;
	*ret = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	return *ret ? 0
		    : ingot_raise(err, -EINVAL, "'%s' is not JSON: line %d: %s", path, why.line,
				  why.text);
}

static int check(const json_t *manifest, const char *path,
		 const struct ingot_sign_request *response, struct ingot_error *err)
{
	if (is_text(manifest, "name", response->name) &&
	    is_text(manifest, "version", response->version) &&
	    is_text(json_object_get(manifest, "usr"), "root_hash", response->root_hash))
		return 0;
	return ingot_raise(err, -EINVAL,
			   "'%s' is of another image: its name, version or root hash is not the "
			   "response's",
			   path);
}

static int set(json_t *object, const char *key, json_t *value, struct ingot_error *err)
{
	return json_object_set_new(object, key, value) < 0 ? ingot_raise_oom(err, 0) : 0;
}

/* The output of that name, borrowed. */
static int find_output(const json_t *manifest, const char *name, json_t **ret,
		       struct ingot_error *err)
{
	json_t *output;
	size_t i;

	json_array_foreach(json_object_get(manifest, "outputs"), i, output)
	{
		if (!is_text(output, "name", name))
			continue;
		*ret = output;
		return 0;
	}
	return ingot_raise(err, -EINVAL, "the manifest has no output called '%s'", name);
}

/* --- all images -------------------------------------------------------- */

int ingot_attach_list(const char *path, struct ingot_attach_image **ret, size_t *ret_count,
		      struct ingot_error *err)
{
	JSON json_t *manifest = NULL;
	const json_t *outputs;
	size_t count;
	int rc = load(path, &manifest, err);

	if (rc < 0)
		return rc;
	outputs = json_object_get(manifest, "outputs");
	count = json_array_size(outputs);
	*ret = ingot_alloc(ingot_max(count, 1), sizeof(**ret), err);
	if (!*ret)
		return -ENOMEM;
	*ret_count = count;
	for (size_t i = 0; i < count; i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(outputs, i), "name"));

		if (!name || strchr(name, '/') || !*name)
			return ingot_raise(err, -EINVAL, "'%s': output %zu has no name", path,
					   i + 1);
		(*ret)[i].path = beside(path, name, err);
		if (!(*ret)[i].path)
			return -ENOMEM;
	}
	return 0;
}

void ingot_attach_images_free(struct ingot_attach_image *images, size_t count)
{
	for (size_t i = 0; images && i < count; i++) {
		free(images[i].path);
		free(images[i].report.ranges);
	}
	free(images);
}

/* --- digests ----------------------------------------------------------- */

struct job {
	const struct ingot_attach_image *image;
	json_t *output;
	uint8_t digest[INGOT_SHA256_SIZE];
};

/* A raw image's digest comes with those of its blocks. */
static bool is_raw(const struct job *job)
{
	return is_text(job->output, "format", "raw") && json_object_get(job->output, "blocks");
}

/* A build without digests has no such key, and so gets none. */
static bool wants_digest(const struct job *job)
{
	return json_object_get(job->output, "sha256") && !is_raw(job);
}

static int digest_one(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct job *job = &((struct job *)context)[index];
	INGOT_SOURCE struct ingot_source *source = NULL;
	int rc = 0;

	(void)slot;
	if (!wants_digest(job))
		return 0;
	rc = ingot_source_open(job->image->path, &source, err);
	return rc < 0 ? rc : ingot_source_sha256(source, job->digest, err);
}

static int set_digest(json_t *output, const uint8_t digest[INGOT_SHA256_SIZE],
		      struct ingot_error *err)
{
	char text[INGOT_SHA256_TEXT];

	ingot_hex(digest, INGOT_SHA256_SIZE, text);
	return set(output, "sha256", json_string(text), err);
}

static int digest_blocks(const struct job *job, unsigned jobs, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct image_digests digests = {0};
	int rc = ingot_format_open(job->image->path, NULL, &source, err);

	if (rc == 0 && is_raw(job))
		rc = image_digests(source, jobs, NULL /* progress */, &digests, err);
	else if (rc == 0)
		rc = image_digests_blocks(source, NULL /* shared */, jobs, &digests, err);
	if (rc == 0 && is_raw(job))
		rc = set_digest(job->output, digests.whole, err);
	if (rc == 0)
		rc = set(job->output, "blocks", manifest_blocks(&digests), err);
	image_digests_done(&digests);
	return rc;
}

static int digest_all(struct job *list, size_t count, unsigned jobs, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = 1, .work = digest_one};
	int rc = ingot_pool_run(jobs, count, &ops, list, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (wants_digest(&list[i]))
			rc = set_digest(list[i].output, list[i].digest, err);
		if (rc == 0 && json_object_get(list[i].output, "blocks"))
			rc = digest_blocks(&list[i], jobs, err);
	}
	return rc;
}

/* --- the whole --------------------------------------------------------- */

/* Of those that stand beside an image, one depends on what is in it. */
static int renew_sidecar(const json_t *output, const struct ingot_attach_image *image,
			 struct ingot_error *err)
{
	const char *suffix = ingot_sidecar_suffix(INGOT_SIDECAR_AMI_IMPORT);
	const char *name = json_string_value(json_object_get(output, "sidecar"));
	INGOT_FREE char *path = NULL;
	size_t n = name ? strlen(name) : 0;

	if (n < strlen(suffix) || strcmp(name + n - strlen(suffix), suffix) != 0 ||
	    strchr(name, '/'))
		return 0;
	path = beside(image->path, name, err);
	return path ? attach_ami_import(path, image, err) : -ENOMEM;
}

static int fill(json_t *manifest, const struct ingot_attach_image *images, size_t count,
		const struct ingot_sign_request *response, unsigned jobs, struct ingot_error *err)
{
	INGOT_FREE struct job *list = ingot_alloc(ingot_max(count, 1), sizeof(*list), err);
	json_t *uki = json_object_get(manifest, "uki");
	int rc = list ? set(json_object_get(manifest, "usr"), "signed", json_true(), err) : -ENOMEM;

	if (rc == 0 && response->uki.signer.certificate && uki)
		rc = set(uki, "signed", json_true(), err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		list[i].image = &images[i];
		rc = find_output(manifest, ingot_base_name(images[i].path), &list[i].output, err);
	}
	if (rc == 0)
		rc = digest_all(list, count, jobs, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = renew_sidecar(list[i].output, &images[i], err);
	return rc;
}

static int replace(const char *path, const json_t *manifest, struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_FREE char *line = NULL;
	char *text = json_dumps(manifest, JSON_INDENT(2));
	int rc;

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

int ingot_attach_manifest(const char *path, const struct ingot_attach_image *images, size_t count,
			  const struct ingot_sign_request *response, unsigned jobs,
			  struct ingot_error *err)
{
	JSON json_t *manifest = NULL;
	int rc = load(path, &manifest, err);

	if (rc == 0)
		rc = check(manifest, path, response, err);
	if (rc == 0)
		rc = fill(manifest, images, count, response, jobs, err);
	return rc < 0 ? rc : replace(path, manifest, err);
}

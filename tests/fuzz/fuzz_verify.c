/*
 * Any bytes as an image that is to be verified, spread over it as sparse.h says; in front of them
 * a manifest, if the input begins with '{' and has a NUL byte. None of them is good, because their
 * signer is one for tests, and every check says something. The places of signatures that are found
 * in it lie on the disk, apart.
 */
#include "seal.h"

#include "certificate.h"

#include "image/room.h"
#include "image/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ingot_verify_report *report)
{
	json_t *json = ingot_verify_json(report);
	INGOT_FREE char *text = json_dumps(json, JSON_INDENT(2));
	json_t *again = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;

	assert(!report->good);
	for (size_t i = 0; i < report->count; i++)
		assert(report->rows[i].found && report->rows[i].expected);
	assert(again && json_equal(json, again));
	json_decref(again);
	json_decref(json);
}

static json_t *take_manifest(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size && **data == '{' ? memchr(*data, 0, *size) : NULL;
	json_t *manifest;

	if (!end)
		return NULL;
	manifest = json_loadb((const char *)*data, (size_t)(end - *data), 0, NULL);
	*size -= (size_t)(end + 1 - *data);
	*data = end + 1;
	return manifest;
}

static void verify(struct ingot_source *image, const json_t *manifest)
{
	const struct ingot_certificate *signer = seed_certificate();
	const struct ingot_verify_options options = {
		.certificates = &signer, .certificate_count = 1, .manifest = manifest, .jobs = 1};
	struct ingot_verify_report *report = NULL;
	struct ingot_error err = {0};

	if (ingot_verify(image, &options, &report, &err) == 0)
		check(report);
	ingot_verify_report_free(report);
}

static void find_room(struct ingot_source *image)
{
	INGOT_FREE struct ingot_range *room = NULL;
	struct ingot_error err = {0};
	uint64_t end = 0;
	size_t count;

	if (ingot_image_room(image, &room, &count, &err) < 0) {
		assert(err.code < 0 && *err.text);
		return;
	}
	assert(count > 0);
	for (size_t i = 0; i < count; i++) {
		assert(room[i].length > 0 && room[i].offset >= end);
		assert(ingot_in_range(room[i].offset, room[i].length, image->size));
		end = room[i].offset + room[i].length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *manifest = take_manifest(&data, &size);
	static struct sparse sparse;

	if (sparse_fill(&sparse, data, size)) {
		seal_all(&sparse);
		verify(&sparse.source, manifest);
		find_room(&sparse.source);
		sparse_empty(&sparse);
	}
	json_decref(manifest);
	return 0;
}

/*
 * Any bytes as an image that is to be verified, spread over it as sparse.h says. None of them is
 * good, because nobody vouches for its root hash, and every check says something.
 */
#include "seal.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ingot_verify_options options = {.jobs = 1};
	struct ingot_verify_report *report = NULL;
	static struct sparse sparse;
	struct ingot_error err = {0};

	if (!sparse_fill(&sparse, data, size))
		return 0;
	seal_all(&sparse);
	if (ingot_verify(&sparse.source, &options, &report, &err) == 0)
		check(report);
	ingot_verify_report_free(report);
	sparse_empty(&sparse);
	return 0;
}

/*
 * Any bytes as an image, spread over it as sparse.h says. The checksums of a partition table are
 * set right, because the fuzzer cannot guess them.
 */
#include "seal.h"

#include "image/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the bytes were, the report is JSON that says the same when it is read again. */
static void check(json_t *report)
{
	INGOT_FREE char *text = json_dumps(report, JSON_INDENT(2));
	json_t *again = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;

	assert(again && json_equal(report, again));
	json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sparse sparse;
	struct ingot_problems problems = {0};
	struct ingot_error err = {0};
	json_t *report = NULL;

	if (!sparse_fill(&sparse, data, size))
		return 0;
	seal_all(&sparse);
	if (ingot_inspect(&sparse.source, &problems, &report, &err) == 0)
		check(report);
	json_decref(report);
	ingot_problems_done(&problems);
	sparse_empty(&sparse);
	return 0;
}

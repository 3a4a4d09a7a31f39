/*
 * Any bytes as an image that signatures are put into, spread over it as sparse.h says; in front of
 * them the response, up to a NUL byte. What is planned lies on the disk, apart.
 */
#include "seal.h"

#include "image/attach_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct attach_plan *plan, const struct ingot_source *disk)
{
	for (size_t i = 0; i < plan->count; i++)
		assert(plan->patches[i].n > 0 &&
		       ingot_in_range(plan->patches[i].offset, plan->patches[i].n, disk->size));
}

static void plan(struct ingot_source *disk, const struct ingot_sign_request *response)
{
	struct attach_plan plan = {0};
	struct ingot_error err = {0};

	if (attach_plan_make(disk, response, &plan, &err) == 0)
		check(&plan, disk);
	else
		assert(err.code < 0 && *err.text);
	attach_plan_done(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	INGOT_SIGN_REQUEST struct ingot_sign_request *response = NULL;
	static struct sparse sparse;
	struct ingot_error err = {0};
	size_t n = end ? (size_t)(end - data) : 0;

	if (!end || ingot_sign_response_read((const char *)data, n, &response, &err) < 0)
		return 0;
	if (!sparse_fill(&sparse, end + 1, size - n - 1))
		return 0;
	seal_all(&sparse);
	plan(&sparse.source, response);
	sparse_empty(&sparse);
	return 0;
}

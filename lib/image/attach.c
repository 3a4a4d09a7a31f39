#include "image/attach.h"

#include <errno.h>

#include "formats/edit.h"
#include "image/attach_internal.h"

/* A patch that is there already counts as well: a checksum behind it may not be. */
static int put_all(const struct attach_plan *plan, struct ingot_edit *edit, struct ingot_error *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct attach_patch *p = &plan->patches[i];
		int rc = ingot_edit_put(edit, p->offset, p->want, p->n, err);

		if (rc < 0)
			return ingot_wrap(err, rc, "there is no room for signatures");
	}
	return 0;
}

static int list_ranges(const struct attach_plan *plan, struct ingot_attach_report *ret,
		       struct ingot_error *err)
{
	ret->ranges = ingot_alloc(ingot_max(plan->count, 1), sizeof(*ret->ranges), err);
	if (!ret->ranges)
		return -ENOMEM;
	ret->range_count = plan->count;
	for (size_t i = 0; i < plan->count; i++)
		ret->ranges[i] = (struct ingot_range){plan->patches[i].offset, plan->patches[i].n};
	return 0;
}

int ingot_attach(const char *image, const struct ingot_sign_request *response,
		 struct ingot_attach_report *ret, struct ingot_error *err)
{
	INGOT_EDIT struct ingot_edit *edit = NULL;
	struct attach_plan plan = {0};
	int rc;

	*ret = (struct ingot_attach_report){0};
	rc = ingot_edit_open(image, &ret->format, &edit, err);
	if (rc < 0)
		return rc;
	rc = attach_plan_make(ingot_edit_disk(edit), response, &plan, err);
	if (rc == 0)
		rc = list_ranges(&plan, ret, err);
	if (rc == 0)
		rc = put_all(&plan, edit, err);
	if (rc == 0)
		rc = ingot_edit_commit(edit, &ret->bytes_written, err);
	ret->places = plan.places;
	attach_plan_done(&plan);
	return rc < 0 ? ingot_wrap(err, rc, "'%s'", image) : 0;
}

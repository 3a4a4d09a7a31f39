/* Any bytes as a layout: complaints or a layout that can be placed, planned and written. */
#include <assert.h>
#include <stdint.h>

#include "disk/gpt.h"
#include "disk/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sink of any size that forgets. */
static int forget(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
		  struct ingot_error *err)
{
	(void)sink, (void)offset, (void)data, (void)n, (void)err;
	return 0;
}

static void write_layout(const struct ingot_layout *layout)
{
	static const struct ingot_sink_ops ops = {.write_at = forget};
	static const uint8_t hash[32] = {1};
	struct ingot_seed seed = {.size = 16};
	struct ingot_gpt_identity identity = {&seed, "name", "1", hash, sizeof(hash)};
	INGOT_FREE struct ingot_placement *placement = NULL;
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	struct ingot_error err;
	int rc;

	/* The parser has placed it once. */
	rc = ingot_layout_place(layout, &(struct ingot_place_options){0}, &placement, &err);
	assert(rc == 0);
	/* {name} can make two labels equal, or too long. */
	if (ingot_gpt_plan(layout, placement, &identity, &gpt, &err) == 0) {
		struct ingot_sink sink = {&ops, "forget", gpt->disk_size};

		rc = ingot_gpt_write(gpt, &sink, &err);
		assert(rc == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_problems problems = {0};
	INGOT_LAYOUT struct ingot_layout *layout = NULL;
	struct ingot_error err;
	int rc = ingot_layout_parse("fuzz", (const char *)data, size, "x86-64", &problems, &layout,
				    &err);

	/* A refusal has a reason, and nothing else has. */
	assert((rc < 0) == ingot_problems_any(&problems));
	free(ingot_problems_text(&problems));
	ingot_problems_done(&problems);
	if (rc == 0)
		write_layout(layout);
	return 0;
}

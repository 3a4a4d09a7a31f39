/* Any bytes as a vendor: complaints, or a vendor of which everything can be made. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "image/vendor_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct ingot_vendor *vendor)
{
	INGOT_FREE struct ingot_vendor_file *files = NULL;
	struct ingot_error err;
	uint64_t disk;
	size_t count;
	int rc;

	rc = ingot_vendor_oem_files(vendor, "1", &files, &count, &err);
	assert(rc == 0);
	for (size_t i = 1; i < count; i++)
		assert(strcmp(files[i - 1].path, files[i].path) < 0);
	if (ingot_vendor_size_disk(vendor, UINT64_C(5) << 30, UINT64_C(1) << 30, &disk, &err) == 0)
		assert(disk >= UINT64_C(5) << 30 && disk % vendor->round == 0);
	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++)
		free(ingot_vendor_kernel_arguments(vendor, (enum ingot_vendor_architecture)i,
						   &err));
	json_decref(ingot_vendor_report(vendor));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_problems problems = {0};
	INGOT_VENDOR struct ingot_vendor *vendor = NULL;
	struct ingot_error err;
	int rc = ingot_vendor_parse("fuzz", NULL, (const char *)data, size, &problems, &vendor,
				    &err);

	/* A refusal has a reason, and nothing else has. */
	assert((rc < 0) == ingot_problems_any(&problems));
	free(ingot_problems_text(&problems));
	ingot_problems_done(&problems);
	if (rc == 0)
		use(vendor);
	return 0;
}

/* Disk images from anywhere, as they are or as runs.h says: opened, mapped, read up to a bound. */
#include "runs.h"

#include "formats/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 64, READ = 100000 };

/* Extents cover the disk from the start without a gap; what they call a hole reads as zero. */
static void walk(struct ingot_source *disk)
{
	static unsigned char buffer[READ];
	uint64_t offset = 0;

	for (int i = 0; i < STEPS && offset < disk->size; i++) {
		struct ingot_extent run;
		size_t n;

		if (ingot_source_extent(disk, offset, &run, NULL) < 0)
			return;
		if (run.length == 0 || run.length > disk->size - offset)
			abort();
		n = (size_t)ingot_min(run.length, READ);
		if (ingot_source_read(disk, offset, buffer, n, NULL) < 0 && run.hole)
			abort();
		for (size_t j = 0; run.hole && j < n; j++)
			if (buffer[j] != 0)
				abort();
		offset += run.length;
	}
	if (disk->size > 0)
		(void)ingot_source_read(disk, disk->size - 1, buffer, 1, NULL);
}

static int open_runs(const uint8_t *data, size_t size, struct ingot_source **ret)
{
	unsigned char *file;
	size_t n;
	int rc;

	runs_make(data, size, &file, &n);
	rc = file ? ingot_source_memory("fuzz", file, n, ret, NULL) : -1;
	free(file);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_source *file = NULL, *disk = NULL;
	struct ingot_error err = {0};

	if ((runs_are(data, size) ? open_runs(data, size, &file)
				  : ingot_source_memory("fuzz", data, size, &file, NULL)) < 0)
		return 0;
	if (ingot_format_open_source(file, NULL, &disk, &err) < 0) {
		if (err.code == 0 || !err.text[0])
			abort();
		ingot_source_free(file);
		return 0;
	}
	walk(disk);
	ingot_source_free(disk);
	return 0;
}

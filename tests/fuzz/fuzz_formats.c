/* Disk images from anywhere: opened, mapped, and read up to a bound. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
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

/* --- VHDX: a small input for a file that is large and empty ------------ */

enum { SPARSE = 6 << 20, KIB = 1024 };

/* "runs", then place and length (u32 each) and the bytes of each run. Returns the file's size. */
static size_t expand(const uint8_t *data, size_t size, unsigned char *file)
{
	size_t end = 0;

	for (size_t at = 4; size - at >= 8;) {
		size_t place = ingot_get_le32(data + at) % SPARSE;
		size_t n = ingot_get_le32(data + at + 4);

		at += 8;
		n = (size_t)ingot_min(ingot_min(n, size - at), SPARSE - place);
		memcpy(file + place, data + at, n);
		at += n;
		end = (size_t)ingot_max(end, place + n);
	}
	return end;
}

static void seal(unsigned char *p, size_t n)
{
	ingot_put_le32(p + 4, 0);
	ingot_put_le32(p + 4, ingot_crc32c(0, p, n));
}

/* With checksums that are right: no input would find them. */
static int open_sparse(const uint8_t *data, size_t size, struct ingot_source **ret)
{
	unsigned char *file = calloc(1, SPARSE);
	size_t n = file ? expand(data, size, file) : 0;
	int rc;

	if (n >= KIB * KIB)
		for (size_t i = 1; i <= 2; i++) {
			seal(file + i * 64 * KIB, 4 * KIB);
			seal(file + (i + 2) * 64 * KIB, 64 * KIB);
		}
	rc = file ? ingot_source_memory("fuzz", file, n, ret, NULL) : -1;
	free(file);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_source *file = NULL, *disk = NULL;
	struct ingot_error err = {0};
	bool sparse = size >= 4 && memcmp(data, "runs", 4) == 0;

	if ((sparse ? open_sparse(data, size, &file)
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

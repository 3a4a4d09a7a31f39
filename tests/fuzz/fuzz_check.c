/*
 * Any file under any check: lines, each with its words, and a verdict. The first byte chooses the
 * rules, the next two say how the file is made of the rest: 0, it is the rest; otherwise it has so
 * many sectors, and the rest is runs of 2 bytes offset in 4 KiB, 2 bytes length, and the bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "image/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTOR = 512, SECTORS_MAX = 16384, UNIT = 4096 };

static const char *const TARGETS[] = {
	"raw",	   "qcow2",	  "qcow2-zstd", "qcow2-v2", "vmdk",	    "vmdk-sparse",
	"vhd",	   "vhd-dynamic", "vhdx",	"vdi",	    "gce",	    "ova",
	"vagrant", "azure",	  "vmware",	"hyperv",   "digitalocean", "ami",
};

static struct ingot_source *make_file(const uint8_t *data, size_t size, size_t sectors)
{
	static unsigned char file[SECTORS_MAX * SECTOR];
	struct ingot_source *source = NULL;
	size_t n = sectors * SECTOR;

	if (sectors == 0) {
		(void)ingot_source_memory("fuzz", data, size, &source, NULL);
		return source;
	}
	memset(file, 0, n);
	while (size >= 4) {
		size_t at = (size_t)ingot_get_le16(data) * UNIT, length = ingot_get_le16(data + 2);

		data += 4;
		size -= 4;
		length = length < size ? length : size;
		if (at < n)
			memcpy(file + at, data, length < n - at ? length : n - at);
		data += length;
		size -= length;
	}
	(void)ingot_source_memory("fuzz", file, n, &source, NULL);
	return source;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct ingot_problems problems = {0};
	struct ingot_check_target target;
	struct ingot_check_report report = {0};
	struct ingot_error err = {0};

	if (size < 3)
		return 0;
	file = make_file(data + 3, size - 3, ingot_get_le16(data + 1) % (SECTORS_MAX + 1));
	if (!file ||
	    ingot_check_target_find(TARGETS[data[0] % (sizeof(TARGETS) / sizeof(*TARGETS))],
				    &problems, &target, &err) < 0)
		abort();
	/* Memory can be read: there is always a verdict. */
	if (ingot_check_source(file, &target, &report, &err) < 0 || report.count == 0)
		abort();
	for (size_t i = 0; i < report.count; i++)
		if (!*report.lines[i].name || !*report.lines[i].expected)
			abort();
	ingot_check_report_done(&report);
	ingot_check_target_done(&target);
	return 0;
}

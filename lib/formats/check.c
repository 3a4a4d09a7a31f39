#include "formats/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/check_internal.h"

static const struct {
	const char *name;
	int (*check)(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err);
} CHECKERS[] = {
	{"qcow2", ingot_qcow2_check},	 {"vmdk", ingot_vmdk_check},
	{"vhd", ingot_vhd_check},	 {"vhdx", ingot_vhdx_check},
	{"vdi", ingot_vdi_check},	 {"ova", ingot_ova_check},
	{"gce", ingot_gce_check},	 {"raw.gz", ingot_gzip_check},
	{"raw.zst", ingot_packed_check}, {"raw.xz", ingot_packed_check},
};

int ingot_format_check(struct ingot_source *file, const char *format,
		       char finding[INGOT_FORMAT_FINDING], struct ingot_error *err)
{
	*finding = '\0';
	for (size_t i = 0; i < sizeof(CHECKERS) / sizeof(CHECKERS[0]); i++)
		if (strcmp(CHECKERS[i].name, format) == 0)
			return CHECKERS[i].check(file, finding, err);
	return ingot_raise(err, -ENOTSUP, "the structure of %s is not checked here", format);
}

/* --- shared ------------------------------------------------------------ */

void ingot_finding(char finding[INGOT_FORMAT_FINDING], const char *format, ...)
{
	va_list args;

	if (*finding)
		return;
	va_start(args, format);
	(void)vsnprintf(finding, INGOT_FORMAT_FINDING, format, args);
	va_end(args);
}

bool ingot_bytes_are_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

int ingot_find_nonzero(struct ingot_source *file, uint64_t from, uint64_t to, const char *what,
		       char finding[INGOT_FORMAT_FINDING], struct ingot_error *err)
{
	unsigned char buffer[4096];

	while (from < to && !*finding) {
		size_t n = (size_t)ingot_min(to - from, sizeof(buffer));
		int rc = ingot_source_read(file, from, buffer, n, err);

		if (rc < 0)
			return rc;
		if (!ingot_bytes_are_zero(buffer, n))
			ingot_finding(finding, "%s, at 0x%llx of the file: not zero", what,
				      (unsigned long long)from);
		from += n;
	}
	return 0;
}

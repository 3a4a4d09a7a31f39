/* The file around the disk. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "formats/check.h"
#include "formats/format.h"
#include "image/verify_internal.h"

/* The format that a name's ending promises, or NULL. */
static const char *promised(const char *name)
{
	static const struct {
		const char *ending, *format;
	} endings[] = {
		{".raw", "raw"},   {".qcow2", "qcow2"}, {".vmdk", "vmdk"}, {".vhd", "vhd"},
		{".vhdx", "vhdx"}, {".vdi", "vdi"},	{".ova", "ova"},
	};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t m = strlen(endings[i].ending);

		if (n > m && strcasecmp(name + n - m, endings[i].ending) == 0)
			return endings[i].format;
	}
	return NULL;
}

int check_container_format(struct verification *v, struct ingot_verify_row *row,
			   struct ingot_error *err)
{
	const char *want = promised(v->file->name);

	if (!v->disk && v->disk_error.code != -EBADMSG && v->disk_error.code != -ENOTSUP &&
	    v->disk_error.code != -EINVAL)
		return ingot_raise(err, v->disk_error.code, "%s", v->disk_error.text);
	if (!v->disk)
		return row_bad(row, "%s", v->disk_error.text);
	if (want && strcmp(want, v->report->format) != 0)
		return row_bad(row, "the name says %s, the bytes say %s", want, v->report->format);
	return row_good(row, "%s", v->report->format);
}

int check_container_structure(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err)
{
	char finding[INGOT_FORMAT_FINDING];
	int rc;

	if (!v->disk)
		return row_bad(row, "%s", v->disk_error.text);
	if (strcmp(v->report->format, "raw") == 0)
		return row_good(row, "a raw disk has none");
	rc = ingot_format_check(v->file, v->report->format, finding, err);
	if (rc < 0)
		return rc;
	v->open_box = rc > 0;
	return *finding ? row_bad(row, "%s", finding) : row_good(row, "as expected");
}

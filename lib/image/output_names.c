#include <string.h>

#include "image/outputs_internal.h"

/* What a format's files end in, where that is not the format's name. */
const char *output_suffix(const char *format)
{
	static const struct {
		const char *format, *suffix;
	} OTHERS[] = {
		{"qcow2-zstd", ".zstd.qcow2"},
		{"qcow2-v2", ".v2.qcow2"},
		{"vmdk-sparse", ".sparse.vmdk"},
		{"vhd-dynamic", ".dynamic.vhd"},
		{"gce", ".tar.gz"},
		{"vagrant", ".box"},
	};

	for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++)
		if (strcmp(OTHERS[i].format, format) == 0)
			return OTHERS[i].suffix;
	return NULL;
}

char *output_path(const struct build *b, const char *vendor, const char *suffix,
		  struct ingot_error *err)
{
	const struct ingot_recipe *r = b->recipe;

	return ingot_format(err, "%s/%s-%s%s%s%s", b->options->output_directory, r->name,
			    r->version, vendor ? "-" : "", vendor ? vendor : "", suffix);
}

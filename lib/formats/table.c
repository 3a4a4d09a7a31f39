/* Which formats there are. */
#include <stdio.h>
#include <string.h>

#include "formats/format_internal.h"

static const struct ingot_writer_ops *const WRITERS[] = {
	&ingot_raw_writer,	   &ingot_qcow2_writer,	  &ingot_qcow2_zstd_writer,
	&ingot_qcow2_v2_writer,	   &ingot_vmdk_writer,	  &ingot_vmdk_sparse_writer,
	&ingot_ova_writer,	   &ingot_vagrant_writer, &ingot_vhd_writer,
	&ingot_vhd_dynamic_writer, &ingot_vhdx_writer,	  &ingot_vdi_writer,
	&ingot_gce_writer,	   &ingot_raw_gz_writer,  &ingot_raw_zst_writer,
	&ingot_raw_xz_writer,
};

enum { WRITER_COUNT = sizeof(WRITERS) / sizeof(WRITERS[0]) };

const struct ingot_format *ingot_format_at(size_t i)
{
	return i < WRITER_COUNT ? &WRITERS[i]->format : NULL;
}

const struct ingot_writer_ops *ingot_writer_find(const char *name)
{
	for (size_t i = 0; i < WRITER_COUNT; i++)
		if (strcmp(WRITERS[i]->format.name, name) == 0)
			return WRITERS[i];
	return NULL;
}

bool ingot_format_is_known(const char *name)
{
	return ingot_writer_find(name) != NULL;
}

void ingot_writer_names(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < WRITER_COUNT && used < size; i++) {
		int n = snprintf(text + used, size - used, "%s%s", i ? ", " : "",
				 WRITERS[i]->format.name);

		used += n > 0 ? (size_t)n : 0;
	}
}

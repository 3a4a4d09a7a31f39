/* A file's format by its first and last bytes. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/edit_internal.h"
#include "formats/format_internal.h"
#include "formats/packed_internal.h"

static bool is_gzip(const struct ingot_probe *probe)
{
	return memcmp(probe->head, "\x1f\x8b\x08", 3) == 0;
}

/* A skippable frame may be the first: pzstd's file begins with one. */
static bool is_zstd(const struct ingot_probe *probe)
{
	uint32_t magic = ingot_get_le32(probe->head);

	return magic == 0xfd2fb528U || (magic & ~15U) == 0x184d2a50U;
}

static bool is_xz(const struct ingot_probe *probe)
{
	return memcmp(probe->head,
		      "\xfd"
		      "7zXZ\0",
		      6) == 0;
}

/* What starts like a container is never taken for a raw disk. */
static const struct ingot_reader_ops READERS[] = {
	{"qcow2", ingot_qcow2_probe, ingot_qcow2_open, .edit = &ingot_qcow2_edit},
	{"vmdk", ingot_vmdk_probe, ingot_vmdk_open, .edit = &ingot_vmdk_edit},
	{"ova", ingot_ova_probe, ingot_ova_open, .edit = &ingot_ova_edit},
	{"gce", ingot_gce_probe, ingot_gce_open, .edit = &ingot_gce_edit},
	{"vhd", ingot_vhd_probe, ingot_vhd_open, .edit = &ingot_vhd_edit},
	{"vhdx", ingot_vhdx_probe, ingot_vhdx_open, .edit = &ingot_blocks_edit,
	 .open_edit = ingot_vhdx_open_edit},
	{"vdi", ingot_vdi_probe, ingot_vdi_open, .edit = &ingot_blocks_edit},
};

/* What these give is unpacked. */
static const struct ingot_reader_ops PACKINGS[] = {
	{"raw.gz", is_gzip, ingot_gzip_open, .edit = &ingot_units_edit,
	 .open_edit = ingot_gzip_units_open},
	{"raw.zst", is_zstd, ingot_zst_open, .edit = &ingot_units_edit,
	 .open_edit = ingot_zst_units_open},
	{"raw.xz", is_xz, ingot_xz_open, .edit = &ingot_xz_edit, .open_edit = ingot_xz_open_own},
};

static int read_probe(struct ingot_source *file, struct ingot_probe *probe, struct ingot_error *err)
{
	size_t n = (size_t)ingot_min(file->size, sizeof(probe->head));
	int rc;

	memset(probe, 0, sizeof(*probe));
	rc = ingot_source_read(file, 0, probe->head, n, err);
	if (rc < 0)
		return rc;
	return ingot_source_read(file, file->size - n, probe->tail + sizeof(probe->tail) - n, n,
				 err);
}

static int open_with(const struct ingot_reader_ops *reader, struct ingot_source *file,
		     struct ingot_source **ret, struct ingot_error *err)
{
	int rc;

	if (!reader->open)
		return ingot_raise(err, -ENOTSUP, "'%s' is %s, which cannot be read here",
				   file->name, reader->refusal);
	rc = reader->open(file, ret, err);
	return rc < 0 ? ingot_wrap(err, rc, "%s '%s'", reader->name, file->name) : 0;
}

static const struct ingot_reader_ops *find(const struct ingot_reader_ops *table, size_t count,
					   const struct ingot_probe *probe)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].probe(probe))
			return &table[i];
	return NULL;
}

static const struct ingot_reader_ops *find_reader(const struct ingot_probe *probe)
{
	const struct ingot_reader_ops *reader =
		find(READERS, sizeof(READERS) / sizeof(READERS[0]), probe);

	return reader ? reader : ingot_reader_refused(probe);
}

/* A container, or a raw disk, which is the file itself: *name is left as it is. */
static int open_container(struct ingot_source *file, const struct ingot_probe *probe,
			  const char **name, struct ingot_source **ret, struct ingot_error *err)
{
	const struct ingot_reader_ops *reader = find_reader(probe);

	if (!reader) {
		*ret = file;
		return 0;
	}
	*name = reader->name;
	return open_with(reader, file, ret, err);
}

static const struct ingot_reader_ops *find_packing(const struct ingot_probe *probe)
{
	return find(PACKINGS, sizeof(PACKINGS) / sizeof(PACKINGS[0]), probe);
}

/* What is packed may be a container, but nothing that has to be unpacked again. */
static int open_packed(struct ingot_source *file, const struct ingot_reader_ops *packing,
		       const char **name, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_source *unpacked = NULL;
	struct ingot_probe probe;
	int rc = open_with(packing, file, &unpacked, err);

	if (rc < 0)
		return rc;
	*name = packing->name;
	rc = read_probe(unpacked, &probe, err);
	if (rc == 0 && find_packing(&probe))
		rc = ingot_raise(err, -ENOTSUP, "'%s' is compressed twice", file->name);
	if (rc == 0)
		rc = open_container(unpacked, &probe, name, ret, err);
	if (rc < 0) {
		ingot_source_free(unpacked); /* the file stays the caller's */
		return rc;
	}
	ingot_packed_own(unpacked);
	return 0;
}

int ingot_format_open_source(struct ingot_source *file, const char **ret_name,
			     struct ingot_source **ret, struct ingot_error *err)
{
	const struct ingot_reader_ops *packing;
	struct ingot_probe probe;
	const char *name = "raw";
	int rc = read_probe(file, &probe, err);

	if (rc < 0)
		return rc;
	packing = find_packing(&probe);
	if (packing)
		rc = open_packed(file, packing, &name, ret, err);
	else
		rc = open_container(file, &probe, &name, ret, err);
	if (rc < 0)
		return rc;
	if (ret_name)
		*ret_name = name;
	return 0;
}

int ingot_format_open(const char *path, const char **ret_name, struct ingot_source **ret,
		      struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	int rc = ingot_source_open(path, &file, err);

	if (rc < 0)
		return rc;
	rc = ingot_format_open_source(file, ret_name, ret, err);
	if (rc < 0)
		return rc;
	file = NULL;
	return 0;
}

/* --- for changes in place ---------------------------------------------- */

int ingot_reader_find(struct ingot_source *file, const struct ingot_reader_ops **ret,
		      struct ingot_error *err)
{
	struct ingot_probe probe;
	int rc = read_probe(file, &probe, err);

	if (rc == 0)
		*ret = find_reader(&probe);
	return rc;
}

int ingot_reader_find_packing(struct ingot_source *file, const struct ingot_reader_ops **ret,
			      struct ingot_error *err)
{
	struct ingot_probe probe;
	int rc = read_probe(file, &probe, err);

	if (rc == 0)
		*ret = find_packing(&probe);
	return rc;
}

int ingot_reader_open_edit(const struct ingot_reader_ops *reader, struct ingot_source **source,
			   struct ingot_error *err)
{
	struct ingot_reader_ops as = *reader;

	if (reader->open_edit)
		as.open = reader->open_edit;
	if (as.open && !reader->edit)
		return ingot_raise(err, -EOPNOTSUPP, "%s cannot be changed in place", reader->name);
	return open_with(&as, *source, source, err);
}

/*
 * VMDK monolithicSparse, as Workstation makes it: header, descriptor, a grain directory with its
 * tables, the same once more, then the grains in the order of the disk. All tables have their place
 * from the start; those without any grain stay holes.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/format_internal.h"
#include "formats/vmdk_internal.h"

enum {
	GRAIN = INGOT_PIECE,
	GRAIN_SECTORS = GRAIN / VMDK_SECTOR,
	TABLE = VMDK_GTES * 4,				       /* bytes */
	TABLE_SPAN = VMDK_GTES * GRAIN,			       /* disk bytes behind a grain table */
	DIRECTORY = VMDK_DESCRIPTOR + VMDK_DESCRIPTOR_SECTORS, /* the sector of the second one */
};

_Static_assert(TABLE_SPAN % INGOT_CHUNK == 0, "a grain table ends with a chunk");

struct sparse_writer {
	struct ingot_writer writer;
	struct ingot_sink *sink;
	uint64_t capacity; /* bytes, whole grains */
	const char *adapter;
	size_t tables;
	uint64_t next;	 /* the sector of the next grain */
	uint32_t *first; /* of each chunk's grains, their sector */
	unsigned char table[TABLE];
	bool table_used;
};

/* Sectors of a directory, and of one with its tables. */
static uint64_t directory_sectors(const struct sparse_writer *v)
{
	return ingot_div_up(v->tables * 4, VMDK_SECTOR);
}

static uint64_t tables_sectors(const struct sparse_writer *v)
{
	return directory_sectors(v) + v->tables * (TABLE / VMDK_SECTOR);
}

/* The sector of a directory: 1 is the second one, which comes first. */
static uint64_t directory_at(const struct sparse_writer *v, unsigned copy)
{
	return copy ? DIRECTORY : DIRECTORY + tables_sectors(v);
}

static uint64_t table_at(const struct sparse_writer *v, unsigned copy, size_t index)
{
	return directory_at(v, copy) + directory_sectors(v) + index * (TABLE / VMDK_SECTOR);
}

static uint64_t overhead(const struct sparse_writer *v)
{
	return ingot_round_up(directory_at(v, 0) + tables_sectors(v), GRAIN_SECTORS);
}

/* --- grains ------------------------------------------------------------ */

static int write_table(struct sparse_writer *v, size_t index, struct ingot_error *err)
{
	int rc = 0;

	for (unsigned copy = 0; rc == 0 && v->table_used && copy < 2; copy++)
		rc = ingot_sink_write(v->sink, table_at(v, copy, index) * VMDK_SECTOR, v->table,
				      TABLE, err);
	memset(v->table, 0, TABLE);
	v->table_used = false;
	return rc;
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	struct sparse_writer *v = (struct sparse_writer *)writer;
	uint64_t end = chunk->offset + chunk->length;

	v->first[chunk->offset / INGOT_CHUNK] = (uint32_t)v->next;
	for (size_t i = 0; i < chunk->piece_count; i++) {
		size_t entry = (size_t)((chunk->offset / GRAIN + i) % VMDK_GTES);

		if (chunk->pieces[i].zero)
			continue;
		if (v->next > UINT32_MAX)
			return ingot_raise(err, -EFBIG, "the file would be larger than 2 TiB");
		ingot_put_le32(v->table + 4 * entry, (uint32_t)v->next);
		v->table_used = true;
		v->next += GRAIN_SECTORS;
	}
	if (end % TABLE_SPAN == 0 || end == writer->size)
		return write_table(v, (size_t)(chunk->offset / TABLE_SPAN), err);
	return 0;
}

/* Grains that are neighbours on the disk are so in the file. */
static int place(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		 struct ingot_error *err)
{
	const struct sparse_writer *v = (struct sparse_writer *)writer;
	uint64_t at = (uint64_t)v->first[chunk->offset / INGOT_CHUNK] * VMDK_SECTOR;

	for (size_t i = 0, n; i < chunk->piece_count; i += n) {
		int rc;

		n = 1;
		if (chunk->pieces[i].zero)
			continue;
		while (i + n < chunk->piece_count && !chunk->pieces[i + n].zero)
			n++;
		rc = ingot_sink_write(v->sink, at, chunk->pieces[i].data, n * GRAIN, err);
		if (rc < 0)
			return rc;
		at += n * GRAIN;
	}
	return 0;
}

/* --- the end ----------------------------------------------------------- */

static int write_directory(const struct sparse_writer *v, unsigned copy, struct ingot_error *err)
{
	INGOT_FREE unsigned char *directory = ingot_alloc(v->tables, 4, err);

	if (!directory)
		return -ENOMEM;
	for (size_t i = 0; i < v->tables; i++)
		ingot_put_le32(directory + 4 * i, (uint32_t)table_at(v, copy, i));
	return ingot_sink_write(v->sink, directory_at(v, copy) * VMDK_SECTOR, directory,
				v->tables * 4, err);
}

static int write_descriptor(const struct sparse_writer *v, const struct ingot_seed *seed,
			    struct ingot_error *err)
{
	struct vmdk_description description = {.type = "monolithicSparse",
					       .adapter = v->adapter,
					       .sectors = v->capacity / VMDK_SECTOR};
	INGOT_FREE char *text = NULL;
	int rc = ingot_vmdk_derive_cid(seed, &description.cid, err);

	if (rc < 0)
		return rc;
	text = ingot_vmdk_descriptor(&description, err);
	if (!text)
		return -ENOMEM;
	return ingot_sink_write(v->sink, VMDK_DESCRIPTOR * VMDK_SECTOR, text, strlen(text), err);
}

static int write_header(const struct sparse_writer *v, struct ingot_error *err)
{
	unsigned char h[VMDK_SECTOR] = {0};

	ingot_put_le32(h, VMDK_MAGIC);
	ingot_put_le32(h + 4, 1);
	ingot_put_le32(h + 8, VMDK_FLAG_NEWLINES | VMDK_FLAG_REDUNDANT);
	ingot_put_le64(h + 12, v->capacity / VMDK_SECTOR);
	ingot_put_le64(h + 20, GRAIN_SECTORS);
	ingot_put_le64(h + 28, VMDK_DESCRIPTOR);
	ingot_put_le64(h + 36, VMDK_DESCRIPTOR_SECTORS);
	ingot_put_le32(h + 44, VMDK_GTES);
	ingot_put_le64(h + 48, directory_at(v, 1));
	ingot_put_le64(h + 56, directory_at(v, 0));
	ingot_put_le64(h + 64, overhead(v));
	memcpy(h + 73, "\n \r\n", 4);
	return ingot_sink_write(v->sink, 0, h, sizeof(h), err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	const struct sparse_writer *v = (struct sparse_writer *)writer;
	int rc = write_directory(v, 0, err);

	if (rc == 0)
		rc = write_directory(v, 1, err);
	if (rc == 0)
		rc = write_descriptor(v, seed, err);
	if (rc == 0)
		rc = write_header(v, err);
	if (rc == 0)
		rc = ingot_sink_truncate(v->sink, v->next * VMDK_SECTOR, err);
	return rc;
}

/* --- the beginning ----------------------------------------------------- */

static void sparse_free(struct ingot_writer *writer)
{
	struct sparse_writer *v = (struct sparse_writer *)writer;

	ingot_sink_free(v->sink);
	free(v->first);
	free(v);
}

static int begin(struct sparse_writer *v, const struct ingot_output *output,
		 struct ingot_error *err)
{
	v->capacity = ingot_round_up(v->writer.size, GRAIN);
	v->tables = (size_t)ingot_div_up(v->capacity, TABLE_SPAN);
	v->next = overhead(v);
	v->first =
		ingot_alloc((size_t)ingot_div_up(v->capacity, INGOT_CHUNK), sizeof(*v->first), err);
	if (!v->first)
		return -ENOMEM;
	return ingot_sink_growing(ingot_output_fd(output), ingot_output_name(output), &v->sink,
				  err);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	static const uint64_t LARGEST = UINT64_C(2) << 40; /* an extent's limit */
	struct sparse_writer *v;
	int rc;

	if (size > LARGEST)
		return ingot_raise(err, -EFBIG, "the disk is larger than 2 TiB");
	if (size == 0)
		return ingot_raise(err, -EINVAL, "a disk of 0 bytes has no place in this format");
	v = ingot_alloc(1, sizeof(*v), err);
	if (!v)
		return -ENOMEM;
	v->writer = (struct ingot_writer){ops, size};
	v->adapter = ingot_vmdk_adapter(options);
	rc = begin(v, output, err);
	if (rc < 0) {
		sparse_free(&v->writer);
		return rc;
	}
	*ret = &v->writer;
	return 0;
}

const struct ingot_writer_ops ingot_vmdk_sparse_writer = {
	.format = {"vmdk-sparse", "VMware's monolithicSparse: Workstation, VirtualBox"},
	.needs = INGOT_NEED_IDENTITY,
	.start = start,
	.append = append,
	.place = place,
	.finish = finish,
	.free = sparse_free,
};

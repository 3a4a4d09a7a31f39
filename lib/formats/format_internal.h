/*
 * The two halves of a format. A format is one or two files and a line in table.c.
 */
#ifndef INGOT_FORMATS_FORMAT_INTERNAL_H
#define INGOT_FORMATS_FORMAT_INTERNAL_H

#include "base/derive.h"
#include "formats/chunk_internal.h"
#include "formats/format.h"
#include "io/output.h"

struct ingot_writer;
struct ingot_edit_ops;

struct ingot_writer_ops {
	struct ingot_format format;
	unsigned needs; /* enum ingot_need */

	/* Output and options are borrowed. */
	int (*start)(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		     const struct ingot_format_options *options, struct ingot_writer **ret,
		     struct ingot_error *err);
	/*
	 * A chunk, in order, while all others wait: what is at the end of the file. A hole of a
	 * whole INGOT_SPAN may be left out, but not the last span. NULL: nothing.
	 */
	int (*append)(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		      struct ingot_error *err);
	/*
	 * The same chunk once more, after append has returned, by any thread in any order: what
	 * has its place in the file. NULL: nothing.
	 */
	int (*place)(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		     struct ingot_error *err);
	/*
	 * Everything is in the file afterwards. The seed stands for the content: identifiers
	 * are derived from it. NULL: nothing.
	 */
	int (*finish)(struct ingot_writer *writer, const struct ingot_seed *seed,
		      struct ingot_error *err);
	void (*free)(struct ingot_writer *writer);
};

/* Implementations put this first in a struct of their own. */
struct ingot_writer {
	const struct ingot_writer_ops *ops;
	uint64_t size; /* of the disk, bytes */
};

static inline void ingot_writer_free(struct ingot_writer *writer)
{
	if (writer)
		writer->ops->free(writer);
}

/* The chunk's pieces that are not zero to their places in a sink of the disk's size or more. */
INGOT_MUST_USE int ingot_place_pieces(struct ingot_sink *sink, const struct ingot_chunk *chunk,
				      struct ingot_error *err);

/* The same, the chunk's first byte at that offset. */
INGOT_MUST_USE int ingot_place_pieces_at(struct ingot_sink *sink, const struct ingot_chunk *chunk,
					 uint64_t offset, struct ingot_error *err);

/* NULL: there is none of that name. */
const struct ingot_writer_ops *ingot_writer_find(const char *name);
/* "raw, qcow2, ..." for an error. */
void ingot_writer_names(char *text, size_t size);

extern const struct ingot_writer_ops ingot_raw_writer;
extern const struct ingot_writer_ops ingot_qcow2_writer, ingot_qcow2_zstd_writer,
	ingot_qcow2_v2_writer;
extern const struct ingot_writer_ops ingot_vmdk_writer, ingot_vmdk_sparse_writer;
extern const struct ingot_writer_ops ingot_vhd_writer, ingot_vhd_dynamic_writer;
extern const struct ingot_writer_ops ingot_vhdx_writer, ingot_vdi_writer;
extern const struct ingot_writer_ops ingot_ova_writer, ingot_vagrant_writer;
extern const struct ingot_writer_ops ingot_gce_writer;
extern const struct ingot_writer_ops ingot_raw_gz_writer, ingot_raw_zst_writer, ingot_raw_xz_writer;

/* --- reading ----------------------------------------------------------- */

/* The first and the last bytes of a file; zeros where there are none. */
struct ingot_probe {
	unsigned char head[512], tail[512];
};

struct ingot_reader_ops {
	const char *name;
	bool (*probe)(const struct ingot_probe *probe);
	/* As ingot_format_open_source. NULL: the format is known, and refused in these words: */
	int (*open)(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);
	const char *refusal;
	const struct ingot_edit_ops *edit; /* NULL: it cannot be changed in place */
	/* The same as open for an edit, and the file is the source's at once. NULL: open does. */
	int (*open_edit)(struct ingot_source *file, struct ingot_source **ret,
			 struct ingot_error *err);
};

/* The reader of a file; *ret NULL: it is the disk itself, or it is not compressed. */
INGOT_MUST_USE int ingot_reader_find(struct ingot_source *file, const struct ingot_reader_ops **ret,
				     struct ingot_error *err);
INGOT_MUST_USE int ingot_reader_find_packing(struct ingot_source *file,
					     const struct ingot_reader_ops **ret,
					     struct ingot_error *err);
/* *source is the file before, and afterwards what is in it; on failure it stays the file. */
INGOT_MUST_USE int ingot_reader_open_edit(const struct ingot_reader_ops *reader,
					  struct ingot_source **source, struct ingot_error *err);

/* What the file is, if that is known and cannot be read; else NULL. */
const struct ingot_reader_ops *ingot_reader_refused(const struct ingot_probe *probe);

bool ingot_qcow2_probe(const struct ingot_probe *probe);
int ingot_qcow2_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);
bool ingot_vmdk_probe(const struct ingot_probe *probe);
int ingot_vmdk_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);
bool ingot_gce_probe(const struct ingot_probe *probe);
int ingot_gce_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);
bool ingot_vhd_probe(const struct ingot_probe *probe);
int ingot_vhd_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);
bool ingot_vhdx_probe(const struct ingot_probe *probe);
int ingot_vhdx_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);
int ingot_vhdx_open_edit(struct ingot_source *file, struct ingot_source **ret,
			 struct ingot_error *err);
bool ingot_vdi_probe(const struct ingot_probe *probe);
int ingot_vdi_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);
bool ingot_ova_probe(const struct ingot_probe *probe);
int ingot_ova_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err);

#endif

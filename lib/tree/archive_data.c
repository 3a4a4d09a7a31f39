/*
 * Where the contents of an archive's files are in it. Nothing is copied, and what has no holes is
 * not even read: tar and cpio keep a file's bytes together, right behind the header.
 */
#include <errno.h>

#include "tree/archive_internal.h"

/* Far above every filesystem's limit, and far from overflow. */
#define SIZE_LIMIT (UINT64_C(1) << 62)

/* What tar and cpio may put between contents and next header. */
enum { PADDING_MAX = 511 };

static int truncated(struct ingot_error *err)
{
	return ingot_raise(err, -EINVAL,
			   "its contents are not all there: the archive is truncated");
}

static int dense(struct archive_data *data, struct archive_input *input, struct contents *ret,
		 struct ingot_error *err)
{
	ret->at = (uint64_t)archive_filter_bytes(input->a, 0);
	if (!ingot_in_range(ret->at, ret->size, input->size))
		return truncated(err);
	data->end = ret->at + ret->size;
	return 0;
}

/* --- holes ------------------------------------------------------------- */

static int add_block(struct archive_data *data, struct archive_input *input, uint64_t size,
		     uint64_t offset, const void *bytes, size_t n, struct ingot_error *err)
{
	const struct run_list *stored = &data->stored;
	const struct ingot_run *last = stored->count ? &stored->list[stored->count - 1] : NULL;
	int rc;

	if (!ingot_in_range(offset, n, size) || (last && offset < last->offset + last->length))
		return ingot_raise(err, -EINVAL, "its list of holes makes no sense");
	rc = ingot_run_list_add(&data->stored, offset, n,
				(uint64_t)archive_filter_bytes(input->a, 0), err);
	if (rc < 0)
		return rc;
	return ingot_run_list_add_data(&data->runs, offset, bytes, n, err);
}

static int read_blocks(struct archive_data *data, struct archive_input *input, uint64_t size,
		       uint64_t *ret_bytes, struct ingot_error *err)
{
	const void *bytes;
	la_int64_t offset;
	size_t n;
	int r, rc;

	*ret_bytes = 0;
	while ((r = archive_read_data_block(input->a, &bytes, &n, &offset)) == ARCHIVE_OK) {
		if (n == 0)
			continue;
		rc = add_block(data, input, size, (uint64_t)offset, bytes, n, err);
		if (rc < 0)
			return rc;
		*ret_bytes += n;
	}
	return r == ARCHIVE_EOF ? 0 : ingot_archive_fail(input->a, err);
}

/* The bytes that the archive's list of data promises. */
static int promised(struct archive_entry *entry, uint64_t *ret, struct ingot_error *err)
{
	la_int64_t offset, length;

	*ret = 0;
	(void)archive_entry_sparse_reset(entry);
	while (archive_entry_sparse_next(entry, &offset, &length) == ARCHIVE_OK)
		if (length < 0 || !ingot_add(*ret, (uint64_t)length, ret))
			return ingot_raise(err, -EINVAL, "its list of holes makes no sense");
	return 0;
}

static bool has_no_hole(const struct run_list *stored, uint64_t size)
{
	return stored->count == 1 && stored->list[0].offset == 0 && stored->list[0].length == size;
}

static int sparse(struct archive_data *data, struct archive_input *input,
		  struct archive_entry *entry, struct ingot_arena *arena, struct contents *ret,
		  struct ingot_error *err)
{
	uint64_t want, have;
	int rc = promised(entry, &want, err);

	if (rc < 0)
		return rc;
	data->runs.count = data->stored.count = 0;
	rc = read_blocks(data, input, ret->size, &have, err);
	if (rc < 0)
		return rc;
	if (have != want)
		return truncated(err);
	if (has_no_hole(&data->stored, ret->size)) {
		ret->at = data->stored.list[0].at;
		return 0;
	}
	rc = ingot_run_list_keep(&data->stored, arena, ret->size, &ret->stored, err);
	if (rc < 0)
		return rc;
	return ingot_run_list_keep(&data->runs, arena, ret->size, &ret->runs, err);
}

int ingot_archive_contents(struct archive_data *data, struct archive_input *input,
			   struct archive_entry *entry, struct ingot_arena *arena,
			   struct contents *ret, struct ingot_error *err)
{
	la_int64_t size = archive_entry_size(entry);

	*ret = (struct contents){0};
	if (size < 0 || (uint64_t)size > SIZE_LIMIT)
		return ingot_raise(err, -EINVAL, "its size %lld is not possible", (long long)size);
	ret->size = (uint64_t)size;
	if (size == 0)
		return 0;
	if (archive_entry_sparse_count(entry) > 0)
		return sparse(data, input, entry, arena, ret, err);
	return dense(data, input, ret, err);
}

int ingot_archive_check_end(struct archive_data *data, struct archive_input *input,
			    struct ingot_error *err)
{
	uint64_t next = (uint64_t)archive_read_header_position(input->a), end = data->end;

	data->end = 0;
	if (end == 0)
		return 0;
	if (next < end || next - end > PADDING_MAX)
		return ingot_raise(err, -EINVAL,
				   "the file before 0x%llx is not as long as its header says",
				   (unsigned long long)next);
	return 0;
}

void ingot_archive_data_done(struct archive_data *data)
{
	ingot_run_list_done(&data->runs);
	ingot_run_list_done(&data->stored);
}

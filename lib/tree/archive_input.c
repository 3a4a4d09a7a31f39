#include <errno.h>
#include <string.h>

#include "tree/archive_internal.h"

/* Large enough for a run of small files, small enough not to read much that is then skipped. */
enum { BUFFER = 32 * 1024 };

/* --- libarchive's way to the bytes ------------------------------------- */

static la_ssize_t read_block(struct archive *a, void *context, const void **ret)
{
	struct archive_input *input = context;
	ssize_t n;

	do
		n = pread(input->fd, input->buffer, BUFFER, (off_t)input->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		/* libarchive's own printf: it knows %jx, and crashes on %llx followed by %s. */
		archive_set_error(a, EIO, "read at 0x%jx: %s", (uintmax_t)input->at,
				  strerror(errno));
		return -1;
	}
	input->at += (uint64_t)n;
	*ret = input->buffer;
	return n;
}

/* Never past the end: what is missing is then found by reading on. */
static la_int64_t skip(struct archive *a, void *context, la_int64_t request)
{
	struct archive_input *input = context;
	uint64_t left = input->at < input->size ? input->size - input->at : 0;
	uint64_t n = ingot_min((uint64_t)request, left);

	(void)a;
	input->at += n;
	return (la_int64_t)n;
}

int ingot_archive_input_open(struct archive_input *input, int fd, uint64_t size,
			     struct ingot_error *err)
{
	struct archive *a;

	*input = (struct archive_input){.fd = fd, .size = size};
	input->buffer = ingot_alloc_buffer(BUFFER, err);
	if (!input->buffer)
		return -ENOMEM;
	input->a = a = archive_read_new();
	if (!a)
		return ingot_raise_oom(err, 0);
	if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_support_format_cpio(a) != ARCHIVE_OK ||
	    archive_read_set_format_option(a, "tar", "read_concatenated_archives", "1") !=
		    ARCHIVE_OK ||
	    archive_read_set_read_callback(a, read_block) != ARCHIVE_OK ||
	    archive_read_set_skip_callback(a, skip) != ARCHIVE_OK ||
	    archive_read_set_callback_data(a, input) != ARCHIVE_OK ||
	    archive_read_open1(a) != ARCHIVE_OK)
		return ingot_archive_fail(a, err);
	return 0;
}

void ingot_archive_input_done(struct archive_input *input)
{
	if (input->a)
		(void)archive_read_free(input->a);
	free(input->buffer);
	*input = (struct archive_input){.fd = -1};
}

/* --- headers ----------------------------------------------------------- */

static bool is_cpio(struct archive *a)
{
	return (archive_format(a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_CPIO;
}

/* cpio pads with zeros; an archive that goes on is two, of which only one would be read. */
static int check_zero_to_end(struct archive_input *input, struct ingot_error *err)
{
	uint64_t at = (uint64_t)archive_filter_bytes(input->a, 0);

	while (at < input->size) {
		ssize_t n = pread(input->fd, input->buffer, BUFFER, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ingot_raise_errno(err, errno, "read");
		if (n == 0)
			return 0;
		if (!ingot_is_zero(input->buffer, (size_t)n))
			return ingot_raise(err, -EINVAL, "there is more behind the archive's end");
		at += (uint64_t)n;
	}
	return 0;
}

/*
 * A tar archive ends in blocks of zeros. libarchive takes the end of the file instead, but then
 * nobody knows what is missing.
 */
static int check_end(struct archive_input *input, struct ingot_error *err)
{
	if (is_cpio(input->a))
		return check_zero_to_end(input, err);
	if (archive_filter_bytes(input->a, 0) == archive_read_header_position(input->a))
		return ingot_raise(err, -EINVAL,
				   "the archive has no end mark, so something is missing");
	return 0;
}

/*
 * In the C locale libarchive cannot convert a name that pax has in UTF-8, warns, and gives the
 * bytes as they are: which is what is wanted. After every other warning something is missing; a
 * broken ACL leaves only the words of one.
 */
static bool is_harmless(const char *words)
{
	return !words || strstr(words, " can't be converted from ");
}

int ingot_archive_input_next(struct archive_input *input, struct archive_entry *entry,
			     struct ingot_error *err)
{
	int r = archive_read_next_header2(input->a, entry);
	const char *words = archive_error_string(input->a);

	if (r == ARCHIVE_EOF)
		return check_end(input, err);
	if (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
		if (is_harmless(words) && (words || r == ARCHIVE_OK))
			return 1;
	}
	return ingot_archive_fail(input->a, err);
}

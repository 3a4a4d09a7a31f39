#include "formats/append_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, ALIGN_MAX = 65536 };

int ingot_append_init(struct ingot_append *append, const struct ingot_output *output,
		      struct ingot_error *err)
{
	*append = (struct ingot_append){.fd = ingot_output_fd(output),
					.name = ingot_output_name(output)};
	append->buffer = ingot_alloc_buffer(BUFFER, err);
	return append->buffer ? 0 : -ENOMEM;
}

void ingot_append_done(struct ingot_append *append)
{
	free(append->buffer);
}

static int write_at(const struct ingot_append *append, uint64_t offset, const void *data, size_t n,
		    struct ingot_error *err)
{
	const unsigned char *p = data;

	while (n > 0) {
		ssize_t put = pwrite(append->fd, p, n, (off_t)(append->base + offset));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return ingot_raise_errno(
				err, put < 0 ? errno : ENOSPC, "write %zu bytes at 0x%llx of '%s'",
				n, (unsigned long long)(append->base + offset), append->name);
		p += put;
		offset += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

int ingot_append_flush(struct ingot_append *append, struct ingot_error *err)
{
	int rc = write_at(append, append->end - append->used, append->buffer, append->used, err);

	append->used = 0;
	return rc;
}

int ingot_append_bytes(struct ingot_append *append, const void *data, size_t n,
		       struct ingot_error *err)
{
	const unsigned char *p = data;

	while (n > 0) {
		size_t part = (size_t)ingot_min(n, BUFFER - append->used);
		int rc;

		memcpy(append->buffer + append->used, p, part);
		append->used += part;
		append->end += part;
		p += part;
		n -= part;
		if (append->used < BUFFER)
			continue;
		rc = ingot_append_flush(append, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_append_align(struct ingot_append *append, size_t align, struct ingot_error *err)
{
	static const unsigned char ZEROS[ALIGN_MAX];
	uint64_t rounded = ingot_round_up(append->end, align);

	assert(align <= ALIGN_MAX);
	return ingot_append_bytes(append, ZEROS, (size_t)(rounded - append->end), err);
}

int ingot_append_patch(struct ingot_append *append, uint64_t offset, const void *data, size_t n,
		       struct ingot_error *err)
{
	int rc = ingot_append_flush(append, err);

	assert(ingot_in_range(offset, n, append->end));
	if (rc < 0)
		return rc;
	return write_at(append, offset, data, n, err);
}

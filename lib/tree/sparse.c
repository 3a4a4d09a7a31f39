#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tree/sparse_internal.h"

enum { STEP = 64 * 1024 };

bool ingot_is_zero(const void *data, size_t n)
{
	const unsigned char *p = data;

	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int append(struct run_list *runs, uint64_t offset, uint64_t length, uint64_t at,
		  struct ingot_error *err)
{
	int rc = ingot_grow((void **)&runs->list, &runs->room, runs->count + 1, sizeof(*runs->list),
			    err);

	if (rc < 0)
		return rc;
	runs->list[runs->count++] = (struct ingot_run){offset, length, at};
	return 0;
}

int ingot_run_list_add(struct run_list *runs, uint64_t offset, uint64_t length, uint64_t at,
		       struct ingot_error *err)
{
	struct ingot_run *last = runs->count ? &runs->list[runs->count - 1] : NULL;

	if (last && last->offset + last->length == offset && last->at + last->length == at) {
		last->length += length;
		return 0;
	}
	return append(runs, offset, length, at, err);
}

/* The block has data. */
static int add_block(struct run_list *runs, uint64_t start, struct ingot_error *err)
{
	struct ingot_run *last = runs->count ? &runs->list[runs->count - 1] : NULL;
	uint64_t end = last ? last->offset + last->length : 0;

	if (last && end > start) /* known already, from the block's first bytes */
		return 0;
	if (last && end == start) {
		last->length += INGOT_SPARSE_BLOCK;
		return 0;
	}
	return append(runs, start, INGOT_SPARSE_BLOCK, 0, err);
}

int ingot_run_list_add_data(struct run_list *runs, uint64_t offset, const void *data, size_t n,
			    struct ingot_error *err)
{
	const unsigned char *p = data;

	while (n > 0) {
		uint64_t inside = offset % INGOT_SPARSE_BLOCK;
		size_t part = (size_t)ingot_min(n, INGOT_SPARSE_BLOCK - inside);
		int rc = ingot_is_zero(p, part) ? 0 : add_block(runs, offset - inside, err);

		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

int ingot_run_list_keep(struct run_list *runs, struct ingot_arena *arena, uint64_t size,
			const struct ingot_runs **ret, struct ingot_error *err)
{
	size_t bytes = runs->count * sizeof(runs->list[0]);
	struct ingot_runs *kept = ingot_arena_alloc(arena, sizeof(*kept) + bytes, 8, err);
	struct ingot_run *last;

	if (!kept)
		return -ENOMEM;
	kept->count = runs->count;
	if (bytes) {
		memcpy(kept->list, runs->list, bytes);
		last = &kept->list[kept->count - 1];
		last->length = ingot_min(last->length, size - last->offset);
	}
	runs->count = 0;
	*ret = kept;
	return 0;
}

/* --- a file's own holes: lseek(2) -------------------------------------- */

static int add_stretch(int fd, uint64_t offset, uint64_t end, struct run_list *runs,
		       struct ingot_error *err)
{
	unsigned char buffer[STEP];

	while (offset < end) {
		ssize_t n = pread(fd, buffer, (size_t)ingot_min(STEP, end - offset), (off_t)offset);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ingot_raise_errno(err, errno, "read");
		if (n == 0) /* shorter by now; who reads the file will say so */
			return 0;
		rc = ingot_run_list_add_data(runs, offset, buffer, (size_t)n, err);
		if (rc < 0)
			return rc;
		offset += (uint64_t)n;
	}
	return 0;
}

int ingot_sparse_scan(int fd, uint64_t size, struct run_list *runs, bool *ret_holes,
		      struct ingot_error *err)
{
	off_t hole = lseek(fd, 0, SEEK_HOLE), data = 0;

	*ret_holes = hole >= 0 && (uint64_t)hole < size;
	if (!*ret_holes)
		return 0;
	for (;;) {
		int rc;

		data = lseek(fd, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO) /* holes to the end */
			return 0;
		if (data < 0)
			return ingot_raise_errno(err, errno, "look for data");
		if ((uint64_t)data >= size)
			return 0;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return ingot_raise_errno(err, errno, "look for holes");
		rc = add_stretch(fd, (uint64_t)data, ingot_min((uint64_t)hole, size), runs, err);
		if (rc < 0)
			return rc;
		data = hole;
	}
}

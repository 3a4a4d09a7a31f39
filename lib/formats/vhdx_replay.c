/*
 * A VHDX as it will be when the changes in its log are in their place. Nothing is written: what
 * changes is read from the log. The changes are cut at each other's edges, so that each run between
 * two edges is the file's or that of the last change that has it.
 */
#include <errno.h>
#include <string.h>

#include "formats/vhdx_log_internal.h"

#define OF_FILE UINT32_MAX

struct replayed {
	struct ingot_source source;
	struct ingot_source *file;
	struct vhdx_update *updates;
	uint64_t *edges; /* rising */
	uint32_t *owner; /* of what is between an edge and the next: an update, or OF_FILE */
	size_t count;	 /* of edges */
};

/* --- who has what ------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The number of edges at or before the offset. */
static size_t edges_before(const struct replayed *r, uint64_t offset)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->edges[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void make_edges(struct replayed *r, const struct vhdx_updates *updates)
{
	size_t unique = 0;

	for (size_t i = 0; i < updates->count; i++) {
		r->edges[r->count++] = updates->items[i].offset;
		r->edges[r->count++] = updates->items[i].offset + updates->items[i].length;
	}
	qsort(r->edges, r->count, sizeof(*r->edges), by_value);
	for (size_t i = 0; i < r->count; i++)
		if (unique == 0 || r->edges[unique - 1] != r->edges[i])
			r->edges[unique++] = r->edges[i];
	r->count = unique;
}

/* The first run from i on that nobody has; next leads there, and is made shorter on the way. */
static size_t skip_owned(uint32_t *next, size_t i)
{
	while (next[i] != i) {
		next[i] = next[next[i]];
		i = next[i];
	}
	return i;
}

/* The newest first: what it has, the older ones do not get. */
static void share_out(struct replayed *r, const struct vhdx_updates *updates, uint32_t *next)
{
	for (size_t i = 0; i < r->count; i++) {
		r->owner[i] = OF_FILE;
		next[i] = (uint32_t)i;
	}
	for (size_t u = updates->count; u-- > 0;) {
		const struct vhdx_update *update = &updates->items[u];
		size_t i = skip_owned(next, edges_before(r, update->offset) - 1);

		while (r->edges[i] < update->offset + update->length) {
			r->owner[i] = (uint32_t)u;
			next[i] = (uint32_t)i + 1;
			i = skip_owned(next, i);
		}
	}
}

/* The run that the offset is in: whose it is and how long it goes on. */
static uint32_t owner_at(const struct replayed *r, uint64_t offset, uint64_t *length)
{
	size_t i = edges_before(r, offset);

	*length = (i < r->count ? r->edges[i] : r->source.size) - offset;
	return i > 0 ? r->owner[i - 1] : OF_FILE;
}

/* --- reading ----------------------------------------------------------- */

/* A change's data: a sector of the log whose ends are in the descriptor. */
static int read_update(const struct replayed *r, const struct vhdx_update *update, uint64_t offset,
		       unsigned char *data, size_t n, struct ingot_error *err)
{
	unsigned char raw[VHDX_LOG_SECTOR];
	int rc = ingot_source_read(r->file, update->data, raw, sizeof(raw), err);

	if (rc < 0)
		return rc;
	memcpy(raw, update->first, sizeof(update->first));
	memcpy(raw + sizeof(raw) - sizeof(update->last), update->last, sizeof(update->last));
	memcpy(data, raw + (offset - update->offset), n);
	return 0;
}

/* Behind its end the file is zeros. */
static int read_file(const struct replayed *r, uint64_t offset, unsigned char *data, size_t n,
		     struct ingot_error *err)
{
	size_t have = offset < r->file->size ? (size_t)ingot_min(n, r->file->size - offset) : 0;

	memset(data + have, 0, n - have);
	return have > 0 ? ingot_source_read(r->file, offset, data, have, err) : 0;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	const struct replayed *r = (const struct replayed *)source;
	unsigned char *p = data;
	int rc = 0;

	while (rc == 0 && n > 0) {
		uint64_t length;
		uint32_t owner = owner_at(r, offset, &length);
		size_t part = (size_t)ingot_min(n, length);

		if (owner == OF_FILE)
			rc = read_file(r, offset, p, part, err);
		else if (r->updates[owner].data == VHDX_LOG_ZEROS)
			memset(p, 0, part);
		else
			rc = read_update(r, &r->updates[owner], offset, p, part, err);
		p += part;
		offset += part;
		n -= part;
	}
	return rc;
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	const struct replayed *r = (const struct replayed *)source;
	uint64_t length;
	uint32_t owner = owner_at(r, offset, &length);
	int rc = 0;

	if (owner != OF_FILE)
		*ret = (struct ingot_extent){length, r->updates[owner].data == VHDX_LOG_ZEROS};
	else if (offset >= r->file->size)
		*ret = (struct ingot_extent){length, true /* hole */};
	else
		rc = ingot_source_extent(r->file, offset, ret, err);
	ret->length = ingot_min(ret->length, length);
	return rc;
}

static void replayed_free(struct ingot_source *source)
{
	struct replayed *r = (struct replayed *)source;

	ingot_source_free(r->file);
	free(r->updates);
	free(r->edges);
	free(r->owner);
	free(r);
}

static const struct ingot_source_ops REPLAYED_OPS = {read_at, extent_at, replayed_free};

/* --- opening ----------------------------------------------------------- */

int ingot_vhdx_log_replay(struct ingot_source *file, struct vhdx_updates *updates,
			  struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE uint64_t *edges = ingot_alloc(updates->count * 2 + 1, sizeof(*edges), err);
	INGOT_FREE uint32_t *owner = ingot_alloc(updates->count * 2 + 1, sizeof(*owner), err);
	INGOT_FREE uint32_t *next = ingot_alloc(updates->count * 2 + 1, sizeof(*next), err);
	struct replayed *r = ingot_alloc(1, sizeof(*r), err);

	if (!edges || !owner || !next || !r) {
		free(r);
		return -ENOMEM;
	}
	*r = (struct replayed){.source = {&REPLAYED_OPS, file->name, updates->file_size},
			       .file = file,
			       .edges = INGOT_TAKE(edges),
			       .owner = INGOT_TAKE(owner)};
	make_edges(r, updates);
	share_out(r, updates, next);
	r->updates = INGOT_TAKE(updates->items);
	*ret = &r->source;
	return 0;
}

void ingot_vhdx_log_disown(struct ingot_source *replayed)
{
	((struct replayed *)replayed)->file = NULL;
	replayed_free(replayed);
}

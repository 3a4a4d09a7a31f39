#include <errno.h>
#include <string.h>

#include "io/pool.h"
#include "verity/fec_internal.h"

/*
 * A stripe is STRIPE codewords next to each other: STRIPE bytes of every row. A few rows
 * at a time are read and added to the sums while they are in the cache. Rows lie a cache
 * line more than STRIPE apart, else bytes of one column would all want the same few lines.
 */
enum { STRIPE = 64 * 1024, PIECES = 8, STRIDE = STRIPE + 64 };

struct fec {
	const struct ingot_fec_geometry *geometry;
	const struct ingot_fec_kernel *kernel;
	uint8_t *factors;
	struct ingot_source *message; /* padded: as long as all the rows */
	uint8_t *map;		      /* a bit for each piece: not all a hole */
	struct ingot_sink *sink;      /* where the parity goes, */
	struct ingot_source *source;  /* or comes from */
	uint64_t offset;	      /* of the parity there */
	const struct ingot_progress *progress;
	bool bad; /* found by check */
	uint64_t bad_at;
};

struct slot {
	uint8_t *pieces;	    /* of PIECES rows */
	struct ingot_fec_sums sums; /* of the stripe */
	uint8_t *parity;	    /* the same as it is stored */
	uint8_t *found;		    /* what is there; check only */
	size_t size;		    /* bytes of parity */
	size_t match;		    /* of them, before the first wrong one */
};

static int slot_init(void *context, void *user, struct ingot_error *err)
{
	const struct fec *fec = context;
	const unsigned roots = fec->geometry->roots;
	struct slot *slot = user;

	slot->pieces = ingot_alloc_buffer((size_t)PIECES * STRIDE, err);
	slot->sums = (struct ingot_fec_sums){ingot_alloc(roots, STRIDE, err), STRIDE, roots};
	slot->parity = ingot_alloc(roots, STRIPE, err);
	if (!slot->pieces || !slot->sums.bytes || !slot->parity)
		return -ENOMEM;
	if (!fec->source)
		return 0;
	slot->found = ingot_alloc_buffer((size_t)roots * STRIPE, err);
	return slot->found ? 0 : -ENOMEM;
}

static void slot_done(void *context, void *user)
{
	struct slot *slot = user;

	(void)context;
	free(slot->pieces);
	free(slot->sums.bytes);
	free(slot->parity);
	free(slot->found);
}

/* --- holes -------------------------------------------------------------------------------------
 * To ask for the extent of each piece is slow: to find its end, the kernel may walk over all
 * of it. So the message is gone through once, in order, and what has data gets a bit.
 */

static uint64_t stripes(const struct fec *fec)
{
	return ingot_div_up(fec->geometry->codewords, STRIPE);
}

/* Pieces are numbered as they lie in the message. */
static uint64_t piece_at(const struct fec *fec, uint64_t offset)
{
	const uint64_t codewords = fec->geometry->codewords;

	return offset / codewords * stripes(fec) + offset % codewords / STRIPE;
}

static bool has_data(const struct fec *fec, uint64_t offset)
{
	uint64_t piece = piece_at(fec, offset);

	return fec->map[piece / 8] & 1u << piece % 8;
}

static int map_data(struct fec *fec, struct ingot_error *err)
{
	struct ingot_extent extent;

	fec->map = ingot_alloc(fec->geometry->rows * stripes(fec) / 8 + 1, 1, err);
	if (!fec->map)
		return -ENOMEM;
	for (uint64_t at = 0; at < fec->message->size; at += extent.length) {
		int rc = ingot_source_extent(fec->message, at, &extent, err);

		if (rc < 0)
			return rc;
		if (extent.hole)
			continue;
		for (uint64_t p = piece_at(fec, at); p <= piece_at(fec, at + extent.length - 1);
		     p++)
			fec->map[p / 8] |= (uint8_t)(1u << p % 8);
	}
	return 0;
}

/* --- one stripe -------------------------------------------------------- */

static int add_rows(const struct fec *fec, struct slot *slot, uint64_t first, size_t columns,
		    struct ingot_error *err)
{
	const struct ingot_fec_geometry *g = fec->geometry;
	struct ingot_fec_row rows[PIECES];
	size_t count = 0;

	for (uint32_t row = 0; row < g->rows; row++) {
		uint64_t offset = row * g->codewords + first;
		uint8_t *piece = slot->pieces + count * STRIDE;
		int rc;

		if (!has_data(fec, offset))
			continue;
		rc = ingot_source_read(fec->message, offset, piece, columns, err);
		if (rc < 0)
			return rc;
		rows[count++] = (struct ingot_fec_row){
			piece, ingot_fec_row_factors(fec->kernel, fec->factors, g->roots, row)};
		if (count < PIECES)
			continue;
		fec->kernel->add(&slot->sums, rows, count, columns);
		count = 0;
	}
	fec->kernel->add(&slot->sums, rows, count, columns);
	return 0;
}

static size_t common(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	if (memcmp(a, b, n) == 0)
		return n;
	while (a[i] == b[i])
		i++;
	return i;
}

static int work(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	const struct fec *fec = context;
	const struct ingot_fec_geometry *g = fec->geometry;
	const uint64_t first = index * STRIPE, offset = fec->offset + first * g->roots;
	const size_t columns = (size_t)ingot_min(STRIPE, g->codewords - first);
	struct slot *slot = user;
	int rc;

	memset(slot->sums.bytes, 0, (size_t)g->roots * STRIDE);
	rc = add_rows(fec, slot, first, columns, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "forward error correction");
	ingot_fec_interleave(&slot->sums, columns, slot->parity);
	slot->size = columns * g->roots;
	if (fec->sink)
		rc = ingot_sink_write(fec->sink, offset, slot->parity, slot->size, err);
	else
		rc = ingot_source_read(fec->source, offset, slot->found, slot->size, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "FEC parity");
	slot->match = fec->sink ? slot->size : common(slot->parity, slot->found, slot->size);
	return 0;
}

/* Stripes come in order, so that the first wrong byte seen is the first there is. */
static int commit(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	struct fec *fec = context;
	const struct slot *slot = user;
	uint64_t start = index * STRIPE * fec->geometry->roots;

	if (slot->match < slot->size) {
		fec->bad = true;
		fec->bad_at = start + slot->match;
		return ingot_raise(err, -ECANCELED, "a wrong byte: the rest does not matter");
	}
	ingot_progress_report(fec->progress, start + slot->size, fec->geometry->parity_size);
	return 0;
}

/* --- all of them ------------------------------------------------------- */

/* Data, hash device, zeros; each is borrowed by its part. */
static int open_message(const struct ingot_fec_geometry *g, const struct ingot_fec_job *job,
			struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_source *pieces[3] = {NULL};
	const uint64_t used = g->data_size + g->hash_size;
	uint64_t whole;
	int rc;

	if (!ingot_mul(g->codewords, g->rows, &whole))
		return ingot_raise(err, -EFBIG, "%llu codewords are too many",
				   (unsigned long long)g->codewords);
	rc = ingot_source_part(job->data, 0, g->data_size, &pieces[0], err);
	/* Nothing is left of a hash device that ends before its tree would start. */
	if (rc == 0 && g->hash_size == 0)
		rc = ingot_source_zero(0, &pieces[1], err);
	else if (rc == 0)
		rc = ingot_source_part(job->hash, g->hash_start, g->hash_size, &pieces[1], err);
	if (rc == 0)
		rc = ingot_source_zero(whole - used, &pieces[2], err);
	if (rc == 0)
		rc = ingot_source_concat("what FEC protects", pieces, 3, ret, err);
	for (unsigned i = 0; rc < 0 && i < 3; i++)
		ingot_source_free(pieces[i]);
	return rc;
}

static int prepare(struct fec *fec, const struct ingot_fec_job *job, struct ingot_error *err)
{
	int rc = open_message(fec->geometry, job, &fec->message, err);

	if (rc < 0)
		return rc;
	fec->kernel = ingot_fec_kernel();
	fec->offset = job->parity_offset;
	fec->progress = job->progress;
	rc = ingot_fec_factors(fec->kernel, fec->geometry->roots, &fec->factors, err);
	if (rc < 0)
		return rc;
	return map_data(fec, err);
}

static int run(struct fec *fec, const struct ingot_fec_job *job, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct slot),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit};
	int rc = prepare(fec, job, err);

	if (rc == 0)
		rc = ingot_pool_run(job->jobs, stripes(fec), &ops, fec, err);
	ingot_source_free(fec->message);
	free(fec->factors);
	free(fec->map);
	return rc;
}

static int too_short(const struct ingot_fec_geometry *g, uint64_t offset, const char *name,
		     uint64_t size, int rc, struct ingot_error *err)
{
	return ingot_raise(err, rc, "%llu bytes of FEC parity at %llu, but '%s' ends at %llu",
			   (unsigned long long)g->parity_size, (unsigned long long)offset, name,
			   (unsigned long long)size);
}

int ingot_fec_build(const struct ingot_fec_geometry *geometry, const struct ingot_fec_job *job,
		    struct ingot_sink *parity, struct ingot_error *err)
{
	struct fec fec = {.geometry = geometry, .sink = parity};

	if (!ingot_in_range(job->parity_offset, geometry->parity_size, parity->size))
		return too_short(geometry, job->parity_offset, parity->name, parity->size, -ENOSPC,
				 err);
	return run(&fec, job, err);
}

int ingot_fec_check(const struct ingot_fec_geometry *geometry, const struct ingot_fec_job *job,
		    struct ingot_source *parity, struct ingot_fec_result *ret,
		    struct ingot_error *err)
{
	struct fec fec = {.geometry = geometry, .source = parity};
	int rc;

	*ret = (struct ingot_fec_result){.verdict = INGOT_VERITY_NOT_CHECKED};
	if (!ingot_in_range(job->parity_offset, geometry->parity_size, parity->size))
		return too_short(geometry, job->parity_offset, parity->name, parity->size, -EINVAL,
				 err);
	rc = run(&fec, job, err);
	if (rc < 0 && !fec.bad)
		return rc;
	*ret = (struct ingot_fec_result){
		.verdict = fec.bad ? INGOT_VERITY_BAD : INGOT_VERITY_GOOD,
		.codeword = fec.bad_at / geometry->roots,
		.offset = job->parity_offset + fec.bad_at,
	};
	return 0;
}

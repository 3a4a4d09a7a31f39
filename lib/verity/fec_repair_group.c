#include "verity/fec_repair_internal.h"

#include <errno.h>
#include <string.h>

#include "verity/fec_internal.h"

/* --- numbers ----------------------------------------------------------- */

uint64_t repair_number(const struct repair *r, int level, uint64_t block)
{
	if (level == INGOT_VERITY_LEVEL_DATA)
		return block;
	return r->tree->data_blocks +
	       (r->tree->levels[level].offset - r->tree->tree_offset) / r->fec->block_size + block;
}

struct ingot_fec_block repair_place(const struct repair *r, uint64_t number)
{
	const uint64_t size = r->fec->block_size;
	uint64_t offset;
	int level = 0;

	if (number < r->tree->data_blocks)
		return (struct ingot_fec_block){INGOT_VERITY_LEVEL_DATA, number, number * size};
	offset = r->tree->tree_offset + (number - r->tree->data_blocks) * size;
	while (offset < r->tree->levels[level].offset) /* the leaves stand last */
		level++;
	return (struct ingot_fec_block){level, (offset - r->tree->levels[level].offset) / size,
					offset};
}

/* Behind the message there are zeros. */
int repair_read(struct repair *r, uint64_t number, uint8_t *bytes, struct ingot_error *err)
{
	const struct ingot_fec_geometry *g = r->fec;
	uint64_t at = number * g->block_size;

	if (number >= g->blocks) {
		memset(bytes, 0, g->block_size);
		return 0;
	}
	if (at < g->data_size)
		return ingot_source_read(r->data, at, bytes, g->block_size, err);
	return ingot_source_read(r->hash, g->hash_start + (at - g->data_size), bytes, g->block_size,
				 err);
}

/* --- a group ------------------------------------------------------------
 * Block i of each row: 255 - roots blocks of the message and a block's worth of parity columns.
 */

struct group {
	uint64_t index, stride; /* block `index` of a row; blocks in a row */
	unsigned lost;
	uint8_t rows[INGOT_FEC_ROOTS_MAX]; /* that have a lost block in this group */
};

int repair_decode_init(struct repair *r, struct ingot_error *err)
{
	size_t size = r->fec->block_size, roots = r->fec->roots;

	r->blocks = ingot_alloc(roots, size, err);
	r->row = ingot_alloc(1, size, err);
	r->parity = ingot_alloc(roots, size, err);
	r->syndromes = ingot_alloc(roots, size, err);
	return r->blocks && r->row && r->parity && r->syndromes ? 0 : -ENOMEM;
}

void repair_decode_done(struct repair *r)
{
	free(r->blocks);
	free(r->row);
	free(r->parity);
	free(r->syndromes);
}

static uint64_t number_of(const struct group *g, unsigned row)
{
	return row * g->stride + g->index;
}

enum sure { SUSPECT, LIKELY, CERTAIN, SURE_COUNT };

static bool is_lost(const struct repair *r, const struct group *g, unsigned row, enum sure sure)
{
	uint64_t number = number_of(g, row);

	if (number >= r->end || !(r->suspects[number / 8] >> (number % 8) & 1))
		return false;
	return sure == SUSPECT || (sure == LIKELY && repair_is_likely(r, number)) ||
	       repair_is_certain(r, number);
}

/* False: those are more than can be told. */
static bool find_lost(const struct repair *r, struct group *g, enum sure sure)
{
	g->lost = 0;
	for (unsigned row = 0; row < r->fec->rows; row++) {
		if (!is_lost(r, g, row, sure))
			continue;
		if (g->lost == r->fec->roots)
			return false;
		g->rows[g->lost++] = (uint8_t)row;
	}
	return true;
}

/* syndrome n = syndrome n * alpha^n + byte, for the next byte of each codeword. */
static void add_byte(uint8_t *sums, const uint8_t *bytes, size_t step, size_t n, const uint8_t *by)
{
	for (size_t i = 0; i < n; i++)
		sums[i] = by[sums[i]] ^ bytes[i * step];
}

static void add_row(const struct repair *r, uint8_t (*by)[256], const uint8_t *bytes, size_t step)
{
	for (unsigned n = 0; n < r->fec->roots; n++)
		add_byte(r->syndromes + (size_t)n * r->fec->block_size, bytes, step,
			 r->fec->block_size, by[n]);
}

static void make_factors(unsigned roots, uint8_t (*by)[256])
{
	uint8_t power = 1;

	for (unsigned n = 0; n < roots; n++) {
		for (unsigned i = 0; i < 256; i++)
			by[n][i] = ingot_gf_multiply(power, (uint8_t)i);
		power = ingot_gf_multiply(power, 2);
	}
}

/* Reads the group and keeps the lost blocks as they are. */
static int sum_up(struct repair *r, const struct group *g, struct ingot_error *err)
{
	uint8_t by[INGOT_FEC_ROOTS_MAX][256];
	const size_t size = r->fec->block_size, roots = r->fec->roots;
	unsigned lost = 0;
	int rc;

	make_factors((unsigned)roots, by);
	memset(r->syndromes, 0, roots * size);
	for (unsigned row = 0; row < r->fec->rows; row++) {
		rc = repair_read(r, number_of(g, row), r->row, err);
		if (rc < 0)
			return rc;
		add_row(r, by, r->row, 1);
		if (lost < g->lost && g->rows[lost] == row)
			memcpy(r->blocks + lost++ * size, r->row, size);
	}
	rc = ingot_source_read(r->job->parity, r->job->parity_offset + g->index * size * roots,
			       r->parity, roots * size, err);
	for (size_t n = 0; n < roots && rc == 0; n++)
		add_row(r, by, r->parity + n, roots);
	return rc;
}

/* Into the lost blocks. Wrong bytes elsewhere are somebody else's matter. */
static void decode_columns(const struct repair *r, const struct group *g)
{
	const size_t size = r->fec->block_size;
	struct ingot_fec_decoder decoder;

	ingot_fec_decoder_init(&decoder, r->fec->roots, g->rows, g->lost);
	for (size_t column = 0; column < size; column++) {
		uint8_t syndromes[INGOT_FEC_ROOTS_MAX] = {0};
		struct ingot_fec_fix fix;

		for (unsigned n = 0; n < r->fec->roots; n++)
			syndromes[n] = r->syndromes[n * size + column];
		if (!ingot_fec_decode(&decoder, syndromes, &fix))
			continue; /* the block's hash will tell */
		for (unsigned i = 0; i < fix.count; i++)
			for (unsigned k = 0; k < g->lost; k++)
				if (g->rows[k] == fix.place[i])
					r->blocks[k * size + column] ^= fix.change[i];
	}
}

static int accept_all(struct repair *r, const struct group *g, struct ingot_error *err)
{
	int rc = 0;

	for (unsigned k = 0; k < g->lost && rc == 0; k++) {
		const uint8_t *bytes = r->blocks + k * (size_t)r->fec->block_size;
		uint64_t number = number_of(g, g->rows[k]);
		bool good = false;

		if (!is_lost(r, g, g->rows[k], CERTAIN))
			continue;
		rc = repair_matches(r, number, bytes, &good, err);
		if (rc == 0 && good)
			rc = repair_accept(r, number, bytes, err);
	}
	return rc;
}

/* With all suspects lost, or only the likely ones, or those that are certainly wrong. */
int repair_decode(struct repair *r, uint64_t number, struct ingot_error *err)
{
	struct group g = {.stride = r->fec->codewords / r->fec->block_size};
	unsigned before = 0;
	int rc = 0;

	g.index = number % g.stride;
	for (enum sure sure = SUSPECT; sure < SURE_COUNT && rc == 0; sure++) {
		if (!find_lost(r, &g, sure) || g.lost == before)
			continue;
		before = g.lost;
		rc = sum_up(r, &g, err);
		if (rc < 0)
			return rc;
		decode_columns(r, &g);
		rc = accept_all(r, &g, err);
		if (!is_lost(r, &g, (unsigned)(number / g.stride), SUSPECT))
			break;
	}
	return rc;
}

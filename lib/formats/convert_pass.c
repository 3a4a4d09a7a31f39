/*
 * The pass. Chunks go by in the order of the disk. A chunk that several disks share is one task
 * for all of them; where a disk has bytes of its own, the chunk is a task for that disk alone. So
 * each disk sees its chunks in order, whatever the others do. The disks are searched for holes
 * first: what is far and wide in none of them costs nothing, and a small file may claim many TiB.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/convert_internal.h"
#include "io/pool.h"

#define SHARED UINT32_MAX

enum { SPAN_CHUNKS = INGOT_SPAN / INGOT_CHUNK };

struct task {
	uint32_t chunk;
	uint32_t disk; /* SHARED: the first, and all that have the same there */
};

struct pass {
	struct ingot_conversion *conversion;
	unsigned needs;	    /* of all disks */
	uint64_t count;	    /* of tasks */
	struct task *tasks; /* NULL: there is only one disk */
	uint32_t *spans;    /* in order, those that are gone through */
	size_t span_count, span_room;
};

struct slot {
	struct ingot_packer packer; /* first: see slot_init */
	struct task task;
	bool block_given[INGOT_CHUNK / INGOT_EBS_BLOCK];
	uint8_t blocks[INGOT_CHUNK / INGOT_EBS_BLOCK][INGOT_SHA256_SIZE];
};

/* --- who shares what --------------------------------------------------- */

static uint64_t chunk_count(const struct ingot_convert_disk *disk)
{
	return ingot_div_up(disk->source->size, INGOT_CHUNK);
}

/* Whether one of the ranges has a byte of [begin, end). */
static bool touches(const struct ingot_range *ranges, size_t count, uint64_t begin, uint64_t end)
{
	const struct ingot_range *range = ingot_range_behind(ranges, count, begin);

	return range && range->offset < end;
}

/* Bit i: piece i of the chunk is plain. */
static unsigned plain_pieces(const struct ingot_convert_disk *disk, uint64_t chunk)
{
	uint64_t begin = chunk * INGOT_CHUNK;
	unsigned pieces = 0;

	if (!touches(disk->plain, disk->plain_count, begin, begin + INGOT_CHUNK))
		return 0;
	for (unsigned i = 0; i < INGOT_CHUNK_PIECES; i++, begin += INGOT_PIECE)
		if (touches(disk->plain, disk->plain_count, begin, begin + INGOT_PIECE))
			pieces |= 1u << i;
	return pieces;
}

static bool is_own(const struct ingot_conversion *c, size_t d, uint64_t chunk)
{
	const struct ingot_convert_disk *disk = &c->disks[d];
	uint64_t begin = chunk * INGOT_CHUNK;
	uint64_t end = ingot_min(begin + INGOT_CHUNK, disk->source->size);

	if (d == 0)
		return false;
	if (end != ingot_min(begin + INGOT_CHUNK, c->disks[0].source->size))
		return true;
	return touches(disk->own, disk->own_count, begin, end) ||
	       plain_pieces(disk, chunk) != plain_pieces(&c->disks[0], chunk);
}

/* Whether the task's chunk is one of that disk's. */
static bool concerns(const struct ingot_conversion *c, const struct task *task, size_t d)
{
	if (task->disk != SHARED)
		return task->disk == d;
	return task->chunk < chunk_count(&c->disks[d]) && !is_own(c, d, task->chunk);
}

static uint64_t count_chunks(const struct ingot_conversion *c)
{
	uint64_t count = 0;

	for (size_t d = 0; d < c->disk_count; d++)
		count = ingot_max(count, chunk_count(&c->disks[d]));
	return count;
}

/* The tasks of a chunk; into the array, if there is one. */
static uint64_t list_chunk(const struct ingot_conversion *c, uint64_t chunk, struct task *tasks)
{
	uint64_t count = 0;

	for (size_t d = 0; d < c->disk_count; d++) {
		if (chunk >= chunk_count(&c->disks[d]) || (d > 0 && !is_own(c, d, chunk)))
			continue;
		if (tasks)
			tasks[count] = (struct task){(uint32_t)chunk, d ? (uint32_t)d : SHARED};
		count++;
	}
	return count;
}

/* The tasks in order. */
static uint64_t list_tasks(const struct pass *pass, struct task *tasks)
{
	const struct ingot_conversion *c = pass->conversion;
	uint64_t count = 0;

	for (size_t s = 0; s < pass->span_count; s++)
		for (uint64_t i = 0; i < SPAN_CHUNKS; i++)
			count += list_chunk(c, (uint64_t)pass->spans[s] * SPAN_CHUNKS + i,
					    tasks ? tasks + count : NULL);
	return count;
}

static int list_shared(struct pass *pass, struct ingot_error *err)
{
	pass->count = list_tasks(pass, NULL);
	pass->tasks = ingot_alloc((size_t)pass->count, sizeof(*pass->tasks), err);
	if (!pass->tasks)
		return -ENOMEM;
	(void)list_tasks(pass, pass->tasks);
	return 0;
}

/* --- which spans are gone through -------------------------------------- */

static int add_span(struct pass *pass, uint64_t span, struct ingot_error *err)
{
	void *items = pass->spans;
	int rc = ingot_grow(&items, &pass->span_room, pass->span_count + 1, sizeof(*pass->spans),
			    err);

	pass->spans = items;
	if (rc == 0)
		pass->spans[pass->span_count++] = (uint32_t)span;
	return rc;
}

/* From the offset on to where the source's next data are, at most to the end of the disk. */
static int skip_holes(struct ingot_source *source, uint64_t *offset, struct ingot_error *err)
{
	struct ingot_extent run = {.hole = true};
	int rc = 0;

	while (rc == 0 && run.hole && *offset < source->size) {
		rc = ingot_source_extent(source, *offset, &run, err);
		if (rc == 0 && run.hole)
			*offset += run.length;
	}
	return rc;
}

/*
 * The first span from that one on with data or plain pieces of the disk. Its last one counts, too:
 * at its end the writers have something to do. UINT64_MAX: it is behind that.
 */
static int next_span(const struct ingot_convert_disk *disk, uint64_t span, uint64_t *ret,
		     struct ingot_error *err)
{
	uint64_t at = span * INGOT_SPAN;
	const struct ingot_range *plain;
	int rc = 0;

	*ret = UINT64_MAX;
	if (at >= disk->source->size)
		return 0;
	plain = ingot_range_behind(disk->plain, disk->plain_count, at);
	rc = skip_holes(disk->source, &at, err);
	if (plain)
		at = ingot_min(at, ingot_max(plain->offset, span * INGOT_SPAN));
	*ret = ingot_min(at, disk->source->size - 1) / INGOT_SPAN;
	return rc;
}

/* next[d] is what next_span says of the disk, and is asked for again when it has gone by. */
static int list_spans(struct pass *pass, uint64_t *next, struct ingot_error *err)
{
	const struct ingot_conversion *c = pass->conversion;
	uint64_t end = ingot_div_up(count_chunks(c), SPAN_CHUNKS);

	for (uint64_t span = 0; span < end; span++) {
		uint64_t first = pass->needs & INGOT_NEED_HOLES ? span : UINT64_MAX;
		int rc = 0;

		for (size_t d = 0; rc == 0 && first > span && d < c->disk_count; d++) {
			if (span == 0 || next[d] < span)
				rc = next_span(&c->disks[d], span, &next[d], err);
			first = ingot_min(first, next[d]);
		}
		if (rc == 0)
			rc = add_span(pass, first, err);
		if (rc < 0)
			return rc;
		span = first;
	}
	return 0;
}

static int find_spans(struct pass *pass, struct ingot_error *err)
{
	INGOT_FREE uint64_t *next = ingot_alloc(pass->conversion->disk_count, sizeof(*next), err);

	return next ? list_spans(pass, next, err) : -ENOMEM;
}

static int make_tasks(struct pass *pass, struct ingot_error *err)
{
	const struct ingot_conversion *c = pass->conversion;
	uint64_t chunks = count_chunks(c), before;
	int rc;

	if (chunks > UINT32_MAX)
		return ingot_raise(err, -EFBIG, "the disk is larger than 4 PiB");
	if (chunks == 0)
		return 0;
	rc = find_spans(pass, err);
	if (rc < 0)
		return rc;
	if (c->disk_count > 1)
		return list_shared(pass, err);
	before = (uint64_t)pass->spans[pass->span_count - 1] * SPAN_CHUNKS;
	pass->count = (pass->span_count - 1) * SPAN_CHUNKS + (chunks - before);
	return 0;
}

static struct task task_at(const struct pass *pass, uint64_t index)
{
	if (pass->tasks)
		return pass->tasks[index];
	return (struct task){
		(uint32_t)(pass->spans[index / SPAN_CHUNKS] * SPAN_CHUNKS + index % SPAN_CHUNKS),
		SHARED};
}

/* --- work -------------------------------------------------------------- */

static int slot_init(void *context, void *slot, struct ingot_error *err)
{
	const struct pass *pass = context;
	unsigned level = pass->conversion->options->level;

	return ingot_packer_init(slot, pass->needs, level ? level : INGOT_LEVEL_DEFAULT, err);
}

static void slot_done(void *context, void *slot)
{
	(void)context;
	ingot_packer_done(slot);
}

static bool wants_blocks(const struct ingot_conversion *c, const struct task *task)
{
	for (size_t d = 0; d < c->disk_count; d++)
		if (c->disks[d].blocks && concerns(c, task, d))
			return true;
	return false;
}

/* A block that ends behind the disk ends in zeros, which the packer has put there. */
static int digest_blocks(struct slot *slot, struct ingot_error *err)
{
	enum { PIECES = INGOT_EBS_BLOCK / INGOT_PIECE };
	const struct ingot_chunk *chunk = &slot->packer.chunk;

	for (size_t i = 0; i < INGOT_CHUNK / INGOT_EBS_BLOCK; i++) {
		int rc;

		slot->block_given[i] = false;
		for (size_t p = i * PIECES; p < (i + 1) * PIECES && p < chunk->piece_count; p++)
			slot->block_given[i] |= !chunk->pieces[p].zero;
		if (!slot->block_given[i])
			continue;
		rc = ingot_sha256(slot->packer.data + i * INGOT_EBS_BLOCK, INGOT_EBS_BLOCK,
				  slot->blocks[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int work(void *context, uint64_t index, void *item, struct ingot_error *err)
{
	const struct pass *pass = context;
	const struct ingot_conversion *c = pass->conversion;
	struct slot *slot = item;
	size_t from;
	int rc;

	slot->task = task_at(pass, index);
	from = slot->task.disk == SHARED ? 0 : slot->task.disk;
	slot->packer.needs = 0;
	for (size_t d = 0; d < c->disk_count; d++)
		if (concerns(c, &slot->task, d))
			slot->packer.needs |= c->converted[d].needs;
	rc = ingot_packer_fill(&slot->packer, c->disks[from].source, slot->task.chunk,
			       plain_pieces(&c->disks[from], slot->task.chunk), err);
	if (rc == 0 && wants_blocks(c, &slot->task))
		rc = digest_blocks(slot, err);
	return rc;
}

/* --- commit ------------------------------------------------------------ */

/*
 * The identity of a disk: SHA-256 over the place and the checksums of each 64 KiB that are not
 * zero; of those that may still change, over the place only. It tells images apart, whatever made
 * them and in which format they were; against someone who wants two to look the same it is no
 * protection, nor is any identifier made from it.
 */
static int identify(struct ingot_sha256 *identity, const struct ingot_chunk *chunk,
		    struct ingot_error *err)
{
	for (size_t i = 0; i < chunk->piece_count; i++) {
		unsigned char raw[16];
		int rc;

		if (chunk->pieces[i].zero)
			continue;
		ingot_put_le64(raw, chunk->offset + i * INGOT_PIECE);
		ingot_put_le32(raw + 8, chunk->pieces[i].plain ? 0 : chunk->pieces[i].crc32);
		ingot_put_le32(raw + 12, chunk->pieces[i].plain ? 0 : chunk->pieces[i].adler32);
		rc = ingot_sha256_update(identity, raw, sizeof(raw), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_blocks(struct ingot_ebs_blocks *blocks, const struct slot *slot,
		      struct ingot_error *err)
{
	enum { PER_CHUNK = INGOT_CHUNK / INGOT_EBS_BLOCK };

	for (size_t i = 0; i < PER_CHUNK; i++) {
		void *items = blocks->items;
		int rc;

		if (!slot->block_given[i])
			continue;
		rc = ingot_grow(&items, &blocks->room, blocks->count + 1, sizeof(*blocks->items),
				err);
		blocks->items = items;
		if (rc < 0)
			return rc;
		blocks->items[blocks->count].index = (uint64_t)slot->task.chunk * PER_CHUNK + i;
		memcpy(blocks->items[blocks->count].digest, slot->blocks[i], INGOT_SHA256_SIZE);
		blocks->count++;
	}
	return 0;
}

static int commit_disks(const struct ingot_conversion *c, const struct slot *slot,
			struct ingot_error *err)
{
	int rc = 0;

	for (size_t d = 0; rc == 0 && d < c->disk_count; d++) {
		if (!concerns(c, &slot->task, d))
			continue;
		if (c->converted[d].identity)
			rc = identify(c->converted[d].identity, &slot->packer.chunk, err);
		if (rc == 0 && c->disks[d].blocks)
			rc = add_blocks(c->disks[d].blocks, slot, err);
	}
	return rc;
}

typedef int (*step)(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		    struct ingot_error *err);

/* append or place, for every output of the disks that the task concerns. */
static int for_each_target(const struct ingot_conversion *c, const struct slot *slot, bool in_order,
			   struct ingot_error *err)
{
	for (size_t i = 0; i < c->options->count; i++) {
		const struct target *target = &c->targets[i];
		step take = in_order ? target->ops->append : target->ops->place;
		int rc;

		if (!take || !concerns(c, &slot->task, c->options->outputs[i].disk))
			continue;
		rc = take(target->writer, &slot->packer.chunk, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "%s", target->ops->format.name);
	}
	return 0;
}

static int commit(void *context, uint64_t index, void *item, struct ingot_error *err)
{
	const struct pass *pass = context;
	const struct slot *slot = item;
	int rc = commit_disks(pass->conversion, slot, err);

	if (rc == 0)
		rc = for_each_target(pass->conversion, slot, true /* in order */, err);
	if (rc == 0)
		ingot_progress_report(pass->conversion->options->progress, index + 1, pass->count);
	return rc;
}

static int after(void *context, uint64_t index, void *item, struct ingot_error *err)
{
	const struct pass *pass = context;

	(void)index;
	return for_each_target(pass->conversion, item, false /* in any order */, err);
}

int conversion_pass(struct ingot_conversion *c, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct slot),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit,
						  .after = after};
	struct pass pass = {.conversion = c};
	int rc;

	for (size_t d = 0; d < c->disk_count; d++)
		pass.needs |= c->converted[d].needs;
	rc = make_tasks(&pass, err);
	if (rc == 0)
		rc = ingot_pool_run(c->options->jobs, pass.count, &ops, &pass, err);
	free(pass.tasks);
	free(pass.spans);
	return rc;
}

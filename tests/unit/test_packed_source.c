/* Places in a stream that has no points but its start, with a decoder that counts what it does. */
#include <errno.h>
#include <string.h>

#include "formats/packed_internal.h"
#include "unit.h"

#define SIZE (UINT64_C(64) << 20)

enum { STEP = 262144 };

/* What all decoders of a test did, and what they are like. */
struct counts {
	uint64_t unpacked, memory;
	unsigned alive, restarts, forks;
	bool no_forks, fork_fails;
};

struct counting {
	struct ingot_decoder decoder;
	struct counts *counts;
	uint64_t at, size;
};

static unsigned char byte_at(uint64_t offset)
{
	return (unsigned char)(offset * 7 + (offset >> 12) * 13 + (offset >> 20));
}

static int count_restart(struct ingot_decoder *decoder, const struct ingot_point *point,
			 struct ingot_error *err)
{
	struct counting *c = (struct counting *)decoder;

	(void)err;
	c->counts->restarts++;
	c->at = point->out;
	return 0;
}

static int count_read(struct ingot_decoder *decoder, void *data, size_t n, size_t *ret_n,
		      struct ingot_error *err)
{
	struct counting *c = (struct counting *)decoder;
	unsigned char *p = data;

	(void)err;
	*ret_n = (size_t)ingot_min(n, c->size - c->at);
	/* Only places that a test looks at: the rest would take longer than all else. */
	for (size_t i = 0; i < *ret_n; i += 4096)
		p[i] = byte_at(c->at + i);
	c->at += *ret_n;
	c->counts->unpacked += *ret_n;
	return 0;
}

static int count_fork(const struct ingot_decoder *decoder, struct ingot_decoder **ret,
		      struct ingot_error *err);

static uint64_t count_memory(const struct ingot_decoder *decoder)
{
	return ((const struct counting *)decoder)->counts->memory;
}

static void count_free(struct ingot_decoder *decoder)
{
	((struct counting *)decoder)->counts->alive--;
	free(decoder);
}

static struct ingot_decoder *counting_new(struct counts *counts, uint64_t size)
{
	static const struct ingot_decoder_ops ops = {count_restart, count_read, count_fork,
						     count_memory, count_free};
	static const struct ingot_decoder_ops alone = {
		.restart = count_restart, .read = count_read, .free = count_free};
	struct counting *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->decoder.ops = counts->no_forks ? &alone : &ops;
	c->counts = counts;
	c->size = size;
	counts->alive++;
	return &c->decoder;
}

static int count_fork(const struct ingot_decoder *decoder, struct ingot_decoder **ret,
		      struct ingot_error *err)
{
	const struct counting *c = (const struct counting *)decoder;

	if (c->counts->fork_fails)
		return ingot_raise(err, -ENOMEM, "no fork");
	c->counts->forks++;
	*ret = counting_new(c->counts, c->size);
	return 0;
}

struct stream {
	struct counts counts;
	struct ingot_source *file, *source;
};

static void stream_open(struct stream *s, uint64_t size)
{
	const struct ingot_point start = {0};
	struct ingot_packed_map map = {0};
	struct ingot_error err = {0};

	assert_ok(ingot_source_memory("stream", "packed", 6, &s->file, &err));
	assert_ok(ingot_packed_map_point(&map, &start, &err));
	assert_ok(ingot_packed_map_grow(&map, size, &err));
	assert_ok(ingot_packed_source(s->file, counting_new(&s->counts, size), &map, &s->source,
				      &err));
}

static void stream_close(struct stream *s)
{
	ingot_source_free(s->source);
	ingot_source_free(s->file);
	assert_int_equal(s->counts.alive, 0);
}

static void assert_reads(struct stream *s, uint64_t offset)
{
	struct ingot_error err = {0};
	unsigned char got;

	assert_ok(ingot_source_read(s->source, offset, &got, 1, &err));
	assert_int_equal(got, byte_at(offset));
}

/* So many places far apart, each read on from there, in turn. */
static void read_in_turn(struct stream *s, unsigned places)
{
	uint64_t apart = SIZE / places;

	assert_true(apart % STEP == 0);
	for (uint64_t i = 0; i < apart; i += STEP)
		for (unsigned k = 0; k < places; k++)
			assert_reads(s, k * apart + i);
}

static void each_place_has_its_decoder(void **state)
{
	(void)state;
	for (unsigned places = 1; places <= 4; places *= 2) {
		struct stream s = {.counts = {.memory = 8 << 20}};

		stream_open(&s, SIZE);
		read_in_turn(&s, places);
		assert_int_equal(s.counts.forks, places - 1);
		assert_int_equal(s.counts.restarts, places);
		/* Up to each place once, and then each stretch once. */
		assert_int_equal(s.counts.unpacked,
				 SIZE + (places - 1) * (SIZE / places) * places / 2);
		stream_close(&s);
	}
}

/* A little out of order, and twice: what was unpacked is still there. */
static void near_ones_share_one(void **state)
{
	struct stream s = {.counts = {.memory = 8 << 20}};

	(void)state;
	stream_open(&s, SIZE);
	for (uint64_t i = 0; i + 16 * STEP <= SIZE; i += 16 * STEP)
		for (unsigned k = 16; k-- > 0;)
			assert_reads(&s, i + (uint64_t)k * STEP);
	assert_int_equal(s.counts.forks, 0);
	assert_int_equal(s.counts.unpacked, SIZE);
	stream_close(&s);
}

/* One at the front is used again and again while the others run through everything else. */
static void what_is_used_stays(void **state)
{
	struct stream s = {.counts = {.memory = 8 << 20}};

	(void)state;
	stream_open(&s, SIZE);
	for (uint64_t i = 0; i < SIZE; i += STEP) {
		assert_reads(&s, 4096);
		assert_reads(&s, i);
	}
	assert_int_equal(s.counts.restarts, 1);
	assert_int_equal(s.counts.unpacked, SIZE);
	stream_close(&s);
}

/* Neither is needed for the right bytes: only time is lost. */
static void without_forks_it_starts_again(void **state)
{
	struct stream alone = {.counts = {.no_forks = true}};
	struct stream heavy = {.counts = {.memory = 64 << 20}};

	(void)state;
	stream_open(&alone, SIZE);
	stream_open(&heavy, SIZE);
	read_in_turn(&alone, 2);
	read_in_turn(&heavy, 2);
	assert_int_equal(alone.counts.forks + heavy.counts.forks, 0);
	assert_true(alone.counts.restarts > 2);
	assert_int_equal(heavy.counts.restarts, alone.counts.restarts);
	stream_close(&alone);
	stream_close(&heavy);
}

static void a_fork_that_fails_is_told(void **state)
{
	struct stream s = {.counts = {.memory = 1, .fork_fails = true}};
	struct ingot_error err = {0};
	unsigned char got;

	(void)state;
	stream_open(&s, SIZE);
	assert_reads(&s, 0);
	assert_fails(ingot_source_read(s.source, SIZE / 2, &got, 1, &err), -ENOMEM, "no fork");
	s.counts.fork_fails = false;
	assert_reads(&s, SIZE / 2);
	stream_close(&s);
}

/* Many places in turn, more than it can remember, from the back to the front, for ever. In the
 * second round forwards as well: going on over all that is not wanted is unpacking, too. */
static void it_does_not_go_back_for_ever(void **state)
{
	const uint64_t size = 16 * SIZE;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		struct stream s = {.counts = {.memory = 8 << 20}};
		struct ingot_error err = {0};
		unsigned char got;
		int rc = 0;

		stream_open(&s, size);
		for (uint64_t step = 0; rc == 0 && step < 1000; step++) {
			uint64_t place = round ? step * 7 % 16 : 15 - step % 16;

			rc = ingot_source_read(s.source, place * SIZE, &got, 1, &err);
		}
		assert_int_equal(rc, -EFBIG);
		assert_non_null(strstr(err.text, "'stream' is read back and forth"));
		assert_true(s.counts.unpacked <= 37 * size);
		stream_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place_has_its_decoder),
		cmocka_unit_test(near_ones_share_one),
		cmocka_unit_test(what_is_used_stays),
		cmocka_unit_test(without_forks_it_starts_again),
		cmocka_unit_test(a_fork_that_fails_is_told),
		cmocka_unit_test(it_does_not_go_back_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

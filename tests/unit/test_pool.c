/* The ordered pool: the same commits and the same error for any number of jobs. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "io/pool.h"
#include "unit.h"

static const unsigned JOBS[] = {1, 2, 3, 8, 64};
enum { JOBS_COUNT = sizeof(JOBS) / sizeof(JOBS[0]) };

struct run {
	uint64_t count;
	uint64_t fail_work;    /* indices at and after which work fails for multiples of 3 */
	uint64_t fail_commit;  /* the index whose commit fails */
	int fail_init;	       /* the how manieth slot_init fails; 0: none */
	uint64_t next;	       /* to be committed */
	uint64_t hash;	       /* of everything committed, in order */
	atomic_int inside;     /* threads in commit */
	atomic_int slots_made; /* slot_init calls */
	atomic_int slots_gone;
};

struct item {
	uint64_t index, value;
	char *buffer;
};

static int slot_init(void *context, void *slot, struct ingot_error *err)
{
	struct run *run = context;
	struct item *item = slot;

	if (++run->slots_made == run->fail_init)
		return ingot_raise(err, -EMFILE, "slot %d", run->fail_init);
	item->buffer = ingot_alloc(1, 100, err);
	return item->buffer ? 0 : -ENOMEM;
}

static void slot_done(void *context, void *slot)
{
	struct run *run = context;

	run->slots_gone++;
	free(((struct item *)slot)->buffer);
}

static uint64_t mix(uint64_t v)
{
	v ^= v >> 31;
	v *= UINT64_C(0x9e3779b97f4a7c15);
	return v ^ v >> 29;
}

static int work(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct run *run = context;
	struct item *item = slot;

	/* Later indices get ahead of earlier ones. */
	if (mix(index) % 7 == 0)
		(void)sched_yield();
	if (index >= run->fail_work && index % 3 == 0)
		return ingot_raise(err, -EIO, "item %llu", (unsigned long long)index);
	item->index = index;
	item->value = mix(index);
	memset(item->buffer, (int)index, 100);
	return 0;
}

static int commit(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct run *run = context;
	struct item *item = slot;

	/* Not cmocka's assertions: they jump, and this may be another thread. */
	if (++run->inside != 1 || index != run->next || item->index != index ||
	    item->buffer[99] != (char)index)
		return ingot_raise(err, -EPROTO, "out of order at %llu", (unsigned long long)index);
	run->next++;
	run->hash = mix(run->hash + item->value);
	run->inside--;
	if (index == run->fail_commit)
		return ingot_raise(err, -ENOSPC, "commit %llu", (unsigned long long)index);
	return 0;
}

static const struct ingot_pool_ops OPS = {.slot_size = sizeof(struct item),
					  .slot_init = slot_init,
					  .slot_done = slot_done,
					  .work = work,
					  .commit = commit};

static struct run fresh(uint64_t count)
{
	return (struct run){.count = count, .fail_work = UINT64_MAX, .fail_commit = UINT64_MAX};
}

static void assert_slots_released(struct run *run)
{
	assert_int_equal(run->slots_made, run->slots_gone);
}

static void test_same_commits_for_any_jobs(void **state)
{
	static const uint64_t counts[] = {0, 1, 2, 3, 17, 1000, 20000};
	struct ingot_error err = {0};

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		uint64_t want = 0;

		for (size_t j = 0; j < JOBS_COUNT; j++) {
			struct run run = fresh(counts[c]);

			assert_ok(ingot_pool_run(JOBS[j], run.count, &OPS, &run, &err));
			assert_true(run.next == run.count);
			assert_slots_released(&run);
			want = j == 0 ? run.hash : want;
			assert_true(run.hash == want);
		}
	}
}

static void test_lowest_failing_work_is_reported(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++)
		for (size_t j = 0; j < JOBS_COUNT; j++) {
			struct ingot_error err = {0};
			struct run run = fresh(1000);

			run.fail_work = 100;
			assert_fails(ingot_pool_run(JOBS[j], run.count, &OPS, &run, &err), -EIO,
				     "item 102");
			assert_int_equal(err.code, -EIO);
			assert_true(run.next == 102);
			assert_slots_released(&run);
		}
}

static void test_a_failing_commit_stops_all(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++)
		for (size_t j = 0; j < JOBS_COUNT; j++) {
			struct ingot_error err = {0};
			struct run run = fresh(1000);

			run.fail_commit = 99;
			run.fail_work = 100;
			assert_fails(ingot_pool_run(JOBS[j], run.count, &OPS, &run, &err), -ENOSPC,
				     "commit 99");
			assert_true(run.next == 100);
			assert_slots_released(&run);
		}
}

static void test_first_and_last_index_may_fail(void **state)
{
	(void)state;
	for (size_t j = 0; j < JOBS_COUNT; j++) {
		struct ingot_error err = {0};
		struct run first = fresh(50), last = fresh(50);

		first.fail_work = 0;
		assert_fails(ingot_pool_run(JOBS[j], 50, &OPS, &first, &err), -EIO, "item 0");
		assert_true(first.next == 0);
		last.fail_commit = 49;
		assert_fails(ingot_pool_run(JOBS[j], 50, &OPS, &last, &err), -ENOSPC, "commit 49");
		/* Nobody wants the words. */
		last = fresh(50);
		last.fail_commit = 49;
		assert_int_equal(ingot_pool_run(JOBS[j], 50, &OPS, &last, NULL), -ENOSPC);
	}
}

static void test_failing_slot_init(void **state)
{
	(void)state;
	for (size_t j = 0; j < JOBS_COUNT; j++) {
		struct ingot_error err = {0};
		struct run run = fresh(100000);

		run.fail_init = JOBS[j] == 1 ? 1 : (int)JOBS[j] + 1;
		assert_fails(ingot_pool_run(JOBS[j], run.count, &OPS, &run, &err), -EMFILE,
			     "slot ");
		assert_true(run.next == 0);
		assert_slots_released(&run);
	}
}

static int count_work(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	(void)index;
	(void)slot;
	(void)err;
	atomic_fetch_add((atomic_ullong *)context, 1);
	return 0;
}

static void test_without_slots_and_commit(void **state)
{
	static const struct ingot_pool_ops ops = {.work = count_work};

	(void)state;
	for (size_t j = 0; j < JOBS_COUNT; j++) {
		struct ingot_error err = {0};
		atomic_ullong done = 0;

		assert_ok(ingot_pool_run(JOBS[j], 5000, &ops, &done, &err));
		assert_int_equal(done, 5000);
	}
}

/* --- after a commit ---------------------------------------------------- */

enum { FOLLOWED = 500 };

struct followed {
	atomic_int times[FOLLOWED]; /* after ran for an index */
	atomic_int strays;	    /* ... whose slot was another's by then */
	uint64_t committed;
	uint64_t fail_after[2]; /* the indices whose after fails */
	uint64_t fail_commit;
};

static int follow_commit(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct followed *followed = context;

	*(uint64_t *)slot = index;
	followed->committed = index + 1;
	if (index == followed->fail_commit)
		return ingot_raise(err, -ENOSPC, "commit %llu", (unsigned long long)index);
	return 0;
}

static int follow_after(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct followed *followed = context;

	followed->strays += *(uint64_t *)slot != index;
	followed->times[index]++;
	if (index == followed->fail_after[0] || index == followed->fail_after[1])
		return ingot_raise(err, -EIO, "after %llu", (unsigned long long)index);
	return 0;
}

static int follow_work(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	(void)context;
	(void)index;
	(void)err;
	*(uint64_t *)slot = UINT64_MAX;
	return 0;
}

static const struct ingot_pool_ops FOLLOWING = {.slot_size = sizeof(uint64_t),
						.work = follow_work,
						.commit = follow_commit,
						.after = follow_after};

static void test_after_runs_once_for_each(void **state)
{
	(void)state;
	for (size_t j = 0; j < JOBS_COUNT; j++) {
		struct followed followed = {.fail_after = {UINT64_MAX, UINT64_MAX},
					    .fail_commit = UINT64_MAX};
		struct ingot_error err = {0};

		assert_ok(ingot_pool_run(JOBS[j], FOLLOWED, &FOLLOWING, &followed, &err));
		assert_int_equal(followed.committed, FOLLOWED);
		assert_int_equal(followed.strays, 0);
		for (size_t i = 0; i < FOLLOWED; i++)
			assert_int_equal(followed.times[i], 1);
	}
}

static void test_the_lowest_failure_is_reported(void **state)
{
	(void)state;
	for (size_t j = 0; j < JOBS_COUNT; j++) {
		struct followed after = {.fail_after = {201, 200}, .fail_commit = 202};
		struct followed commit = {.fail_after = {201, UINT64_MAX}, .fail_commit = 200};
		struct ingot_error err = {0};

		assert_fails(ingot_pool_run(JOBS[j], FOLLOWED, &FOLLOWING, &after, &err), -EIO,
			     "after 200");
		assert_fails(ingot_pool_run(JOBS[j], FOLLOWED, &FOLLOWING, &commit, &err), -ENOSPC,
			     "commit 200");
		for (size_t i = 0; i < 200; i++)
			assert_int_equal(after.times[i], 1);
		assert_int_equal(commit.times[200], 0);
	}
}

static int count_commit(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	(void)slot;
	(void)err;
	return (*(uint64_t *)context)++ == index ? 0 : -EIO;
}

static int no_work(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	(void)context;
	(void)index;
	(void)slot;
	(void)err;
	return 0;
}

/* Nothing but locking: a wake-up that gets lost would stop here. */
static void test_a_million_tiny_items(void **state)
{
	static const struct ingot_pool_ops ops = {.work = no_work, .commit = count_commit};
	struct ingot_error err = {0};

	(void)state;
	for (unsigned jobs = 1; jobs <= 4; jobs *= 4) {
		uint64_t committed = 0;

		assert_ok(ingot_pool_run(jobs, 1000000, &ops, &committed, &err));
		assert_true(committed == 1000000);
	}
}

static void test_jobs_of_the_option(void **state)
{
	cpu_set_t all, one;
	size_t first = 0;

	(void)state;
	assert_int_equal(ingot_pool_jobs(1), 1);
	assert_int_equal(ingot_pool_jobs(8), 8);
	assert_int_equal(ingot_pool_jobs(100000), 256);
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(ingot_pool_jobs(0), CPU_COUNT(&all));
	while (!CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(ingot_pool_jobs(0), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_commits_for_any_jobs),
		cmocka_unit_test(test_lowest_failing_work_is_reported),
		cmocka_unit_test(test_a_failing_commit_stops_all),
		cmocka_unit_test(test_first_and_last_index_may_fail),
		cmocka_unit_test(test_failing_slot_init),
		cmocka_unit_test(test_without_slots_and_commit),
		cmocka_unit_test(test_after_runs_once_for_each),
		cmocka_unit_test(test_the_lowest_failure_is_reported),
		cmocka_unit_test(test_a_million_tiny_items),
		cmocka_unit_test(test_jobs_of_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "io/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "base/alloc.h"

enum { JOBS_MAX = 256, SLOTS_PER_JOB = 2 };

struct slot {
	bool busy; /* from the index being taken until nothing is left to do for it */
	bool done; /* work is, commit is not */
	int rc;
	struct ingot_error err;
	void *user;
};

struct pool {
	const struct ingot_pool_ops *ops;
	void *context;
	uint64_t count;
	unsigned slot_count;
	struct slot *slots; /* index i uses slot i % slot_count */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t next;	    /* to be worked on */
	uint64_t committed; /* everything below has been committed */
	uint64_t after;	    /* everything below has been handed out once more */
	bool committing;    /* one thread is inside commit */
	bool stopped;	    /* an index failed: hand out no more, but what is below it */
	uint64_t failed;    /* the lowest index that did */
	int rc;
	struct ingot_error *err;
};

static struct slot *slot_of(const struct pool *pool, uint64_t index)
{
	return &pool->slots[index % pool->slot_count];
}

static void fail(struct pool *pool, uint64_t index)
{
	const struct slot *slot = slot_of(pool, index);

	if (pool->stopped && index > pool->failed)
		return;
	pool->stopped = true;
	pool->failed = index;
	pool->rc = slot->rc;
	if (pool->err)
		*pool->err = slot->err;
}

/* Commit what is next and done. Called and left with the lock held. */
static void commit_ready(struct pool *pool)
{
	if (pool->committing)
		return;
	pool->committing = true;
	while (!pool->stopped && pool->committed < pool->next) {
		uint64_t index = pool->committed;
		struct slot *slot = slot_of(pool, index);

		if (!slot->done)
			break;
		pthread_mutex_unlock(&pool->lock);
		if (slot->rc >= 0 && pool->ops->commit)
			slot->rc = pool->ops->commit(pool->context, index, slot->user, &slot->err);
		pthread_mutex_lock(&pool->lock);
		if (slot->rc < 0)
			fail(pool, index);
		slot->done = false;
		slot->busy = pool->ops->after != NULL;
		pool->committed++;
		pthread_cond_broadcast(&pool->changed);
	}
	pool->committing = false;
}

/* An index to go on with after its commit. One that failed, or lies behind it, has nothing. */
static bool may_follow(const struct pool *pool)
{
	return pool->ops->after && pool->after < pool->committed &&
	       (!pool->stopped || pool->after < pool->failed);
}

static bool may_take(const struct pool *pool)
{
	return !pool->stopped && pool->next < pool->count && !slot_of(pool, pool->next)->busy;
}

/* Nothing is left that another thread's progress could bring. */
static bool is_over(const struct pool *pool)
{
	return pool->stopped || pool->next >= pool->count;
}

/* The next three are called and left with the lock held. */
static void follow_one(struct pool *pool)
{
	uint64_t index = pool->after++;
	struct slot *slot = slot_of(pool, index);

	pthread_mutex_unlock(&pool->lock);
	slot->rc = pool->ops->after(pool->context, index, slot->user, &slot->err);
	pthread_mutex_lock(&pool->lock);
	if (slot->rc < 0)
		fail(pool, index);
	slot->busy = false;
	pthread_cond_broadcast(&pool->changed);
}

static void take_one(struct pool *pool)
{
	uint64_t index = pool->next++;
	struct slot *slot = slot_of(pool, index);

	slot->busy = true;
	pthread_mutex_unlock(&pool->lock);
	slot->rc = pool->ops->work(pool->context, index, slot->user, &slot->err);
	pthread_mutex_lock(&pool->lock);
	slot->done = true;
	commit_ready(pool);
}

static void *worker(void *arg)
{
	struct pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		if (may_follow(pool))
			follow_one(pool);
		else if (may_take(pool))
			take_one(pool);
		else if (is_over(pool))
			break;
		else
			pthread_cond_wait(&pool->changed, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void run_threads(struct pool *pool, unsigned jobs)
{
	pthread_t threads[JOBS_MAX];
	unsigned started = 0;

	/* A thread that cannot be had costs time, never the result. */
	while (started + 1 < jobs && pthread_create(&threads[started], NULL, worker, pool) == 0)
		started++;
	(void)worker(pool);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
}

static void run_serially(struct pool *pool)
{
	struct slot *slot = &pool->slots[0];

	for (uint64_t i = 0; i < pool->count && !pool->stopped; i++) {
		slot->rc = pool->ops->work(pool->context, i, slot->user, &slot->err);
		if (slot->rc >= 0 && pool->ops->commit)
			slot->rc = pool->ops->commit(pool->context, i, slot->user, &slot->err);
		if (slot->rc >= 0 && pool->ops->after)
			slot->rc = pool->ops->after(pool->context, i, slot->user, &slot->err);
		if (slot->rc < 0)
			fail(pool, i);
	}
}

static int make_slots(struct pool *pool, struct ingot_error *err)
{
	pool->slots = ingot_alloc(pool->slot_count, sizeof(*pool->slots), err);
	if (!pool->slots)
		return -ENOMEM;
	for (unsigned i = 0; i < pool->slot_count; i++) {
		int rc;

		pool->slots[i].user = ingot_alloc(1, pool->ops->slot_size, err);
		if (!pool->slots[i].user)
			return -ENOMEM;
		if (!pool->ops->slot_init)
			continue;
		rc = pool->ops->slot_init(pool->context, pool->slots[i].user, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void free_slots(struct pool *pool)
{
	for (unsigned i = 0; pool->slots && i < pool->slot_count; i++) {
		if (!pool->slots[i].user)
			continue;
		if (pool->ops->slot_done)
			pool->ops->slot_done(pool->context, pool->slots[i].user);
		free(pool->slots[i].user);
	}
	free(pool->slots);
}

int ingot_pool_run(unsigned jobs, uint64_t count, const struct ingot_pool_ops *ops, void *context,
		   struct ingot_error *err)
{
	struct pool pool = {.ops = ops, .context = context, .count = count, .err = err};
	int rc;

	assert(jobs > 0);
	jobs = (unsigned)ingot_min(ingot_min(jobs, JOBS_MAX), ingot_max(count, 1));
	pool.slot_count = jobs == 1 ? 1 : jobs * SLOTS_PER_JOB;
	rc = make_slots(&pool, err);
	if (rc < 0) {
		free_slots(&pool);
		return rc;
	}
	(void)pthread_mutex_init(&pool.lock, NULL);
	(void)pthread_cond_init(&pool.changed, NULL);
	if (jobs == 1)
		run_serially(&pool);
	else
		run_threads(&pool, jobs);
	(void)pthread_cond_destroy(&pool.changed);
	(void)pthread_mutex_destroy(&pool.lock);
	free_slots(&pool);
	return pool.rc;
}

unsigned ingot_pool_jobs(unsigned wanted)
{
	cpu_set_t set;
	long cores;

	if (wanted > 0)
		return wanted < JOBS_MAX ? wanted : JOBS_MAX;
	/* The set holds 1024 processors; a larger machine refuses it. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cores = CPU_COUNT(&set);
	else
		cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores < 1 ? 1 : (unsigned)ingot_min((uint64_t)cores, JOBS_MAX);
}

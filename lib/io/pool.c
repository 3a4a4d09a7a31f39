#include "io/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "base/alloc.h"

enum { JOBS_MAX = 256, SLOTS_PER_JOB = 2 };

struct slot {
	bool done;
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
	bool committing;    /* one thread is inside commit */
	bool stopped;	    /* an index failed: hand out no more */
	int rc;
	struct ingot_error *err;
};

static void fail(struct pool *pool, const struct slot *slot)
{
	pool->stopped = true;
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
		struct slot *slot = &pool->slots[index % pool->slot_count];

		if (!slot->done)
			break;
		pthread_mutex_unlock(&pool->lock);
		if (slot->rc >= 0 && pool->ops->commit)
			slot->rc = pool->ops->commit(pool->context, index, slot->user, &slot->err);
		pthread_mutex_lock(&pool->lock);
		if (slot->rc < 0)
			fail(pool, slot);
		slot->done = false;
		pool->committed++;
		pthread_cond_broadcast(&pool->changed);
	}
	pool->committing = false;
}

static bool may_take(const struct pool *pool)
{
	return pool->next - pool->committed < pool->slot_count;
}

static void *worker(void *arg)
{
	struct pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct slot *slot;
		uint64_t index;

		while (!pool->stopped && pool->next < pool->count && !may_take(pool))
			pthread_cond_wait(&pool->changed, &pool->lock);
		if (pool->stopped || pool->next >= pool->count)
			break;
		index = pool->next++;
		slot = &pool->slots[index % pool->slot_count];
		pthread_mutex_unlock(&pool->lock);
		slot->rc = pool->ops->work(pool->context, index, slot->user, &slot->err);
		pthread_mutex_lock(&pool->lock);
		slot->done = true;
		commit_ready(pool);
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
		if (slot->rc < 0)
			fail(pool, slot);
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

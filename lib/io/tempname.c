#include "io/tempname_internal.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "io/output.h"

/* The one state that outputs share: a handler gets no context. */
static struct ingot_tempname *names;
static atomic_flag locked = ATOMIC_FLAG_INIT;
static atomic_bool removed; /* by a handler, which keeps the lock until the process is dead */

/* Only what a handler may call: no mutex, no nanosleep. */
static void nap(void)
{
	(void)poll(NULL, 0, 1);
}

void ingot_tempnames_lock(sigset_t *old)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, old);
	while (atomic_flag_test_and_set(&locked))
		nap();
}

void ingot_tempnames_unlock(const sigset_t *old)
{
	atomic_flag_clear(&locked);
	(void)pthread_sigmask(SIG_SETMASK, old, NULL);
}

void ingot_tempname_add(struct ingot_tempname *name)
{
	name->next = names;
	names = name;
}

void ingot_tempname_remove(struct ingot_tempname *name)
{
	for (struct ingot_tempname **at = &names; *at; at = &(*at)->next)
		if (*at == name) {
			*at = name->next;
			return;
		}
}

/*
 * The interrupted thread does not hold the lock, or it would take no signal. A second signal may
 * arrive on another thread: it waits until the first has removed the names.
 */
static void on_signal(int number)
{
	while (!atomic_load(&removed)) {
		if (atomic_flag_test_and_set(&locked)) {
			nap();
			continue;
		}
		for (struct ingot_tempname *name = names; name; name = name->next)
			(void)unlink(name->path);
		atomic_store(&removed, true);
	}
	/* SA_RESETHAND: the second delivery kills. */
	(void)raise(number);
}

void ingot_output_handle_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	(void)sigfillset(&action.sa_mask);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		/* What the parent set to be ignored (nohup) stays ignored. */
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &action, NULL);
	}
	/* A file over the size limit is then a write that fails, with a sentence. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

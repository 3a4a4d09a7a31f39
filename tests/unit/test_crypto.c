/* The first use of libcrypto, each time in a process of its own, with one allocation that fails. */
#include "unit.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/derive.h"
#include "base/digest.h"

/*
 * STUCK: libcrypto waits for itself. Since 3.2 it does so where an allocation fails while it
 * starts, inside pthread_once: to raise the error, it starts again. Nothing that a caller could do
 * prevents it.
 */
enum outcome { GOOD, REFUSED, REFUSED_AT_START, STUCK, WRONG };

enum { PATIENCE_US = 1500000 };

static unsigned calls, fail_at;
static bool sticky;

static bool strikes(void)
{
	calls++;
	return fail_at && (calls == fail_at || (sticky && calls > fail_at));
}

static void *count_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return strikes() ? NULL : malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return strikes() ? NULL : realloc(p, n);
}

static void count_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static enum outcome refusal(int rc, const struct ingot_error *err)
{
	if (rc == -ENOMEM && strstr(err->text, "out of memory while libcrypto starts"))
		return REFUSED_AT_START;
	return rc == -EIO && strstr(err->text, "in libcrypto") ? REFUSED : WRONG;
}

/* FIPS 180-4's "abc". */
static enum outcome digest(void)
{
	struct ingot_error err;
	uint8_t bytes[INGOT_SHA256_SIZE];
	int rc = ingot_sha256("abc", 3, bytes, &err);

	if (rc < 0)
		return refusal(rc, &err);
	return memcmp(bytes, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8) == 0 ? GOOD : WRONG;
}

/* RFC 4231, test case 1. */
static enum outcome derive(void)
{
	struct ingot_seed seed = {.size = 20};
	struct ingot_error err;
	uint8_t bytes[8];
	int rc;

	memset(seed.bytes, 0x0b, seed.size);
	rc = ingot_derive(&seed, "Hi There", bytes, sizeof(bytes), &err);
	if (rc < 0)
		return refusal(rc, &err);
	return memcmp(bytes, "\xb0\x34\x4c\x61\xd8\xdb\x38\x53", 8) == 0 ? GOOD : WRONG;
}

static bool starts_anew(void)
{
	return OpenSSL_version_num() >= 0x30200000;
}

/* A second use after a first that failed is what used to crash. */
static enum outcome use_twice(enum outcome (*use)(void))
{
	enum outcome first = use(), second = use();

	if (first == WRONG || second == WRONG)
		return WRONG;
	/* A start that failed has failed for ever, but 3.2 and later read the configuration again.
	 */
	if (first == REFUSED_AT_START && second != first && !starts_anew())
		return WRONG;
	return first;
}

static enum outcome in_a_child(enum outcome (*use)(void), unsigned at)
{
	const struct itimerval patience = {
		.it_value = {PATIENCE_US / 1000000, PATIENCE_US % 1000000}};
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* cmocka would catch a crash here, too, and go on as if it were the parent. */
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		(void)setitimer(ITIMER_REAL, &patience, NULL);
		fail_at = at;
		if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
			_exit(WRONG);
		_exit((int)use_twice(use));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM && starts_anew())
		return STUCK;
	if (!WIFEXITED(status))
		fail_msg("allocation %u: signal %d", at, WTERMSIG(status));
	if (WEXITSTATUS(status) >= WRONG)
		fail_msg("allocation %u: neither right nor refused", at);
	return (enum outcome)WEXITSTATUS(status);
}

static void try_all(enum outcome (*use)(void))
{
	unsigned at_start = 0, stuck = 0;

	assert_int_equal(in_a_child(use, 0), GOOD);
	for (unsigned at = 1; at < 100; at++) {
		const enum outcome outcome = in_a_child(use, at);

		at_start += outcome == REFUSED_AT_START;
		stuck += outcome == STUCK;
	}
	for (unsigned at = 100; at < 6000; at += 199)
		(void)in_a_child(use, at);
	assert_int_not_equal(at_start + stuck, 0);
	assert_in_range(stuck, 0, 20);
}

static void one_fails(void **state)
{
	(void)state;
	sticky = false;
	try_all(digest);
	try_all(derive);
}

static void all_fail_from_there(void **state)
{
	(void)state;
	sticky = true;
	try_all(digest);
	try_all(derive);
	assert_int_not_equal(in_a_child(digest, 1), GOOD);
	assert_int_not_equal(in_a_child(derive, 1), GOOD);
}

static void *use_in_a_thread(void *outcome)
{
	*(enum outcome *)outcome = digest();
	return NULL;
}

/* This process has not used libcrypto before: the other tests' children have. */
static void threads_at_once(void **state)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	enum outcome outcomes[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_in_a_thread, &outcomes[i]),
				 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(outcomes[i], GOOD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fails),
		cmocka_unit_test(all_fail_from_there),
		cmocka_unit_test(threads_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

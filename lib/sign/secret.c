#include "sign/secret_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
	PAGES = SECRET_MAX + 2,	   /* bytes asked for; the kernel rounds up */
	SECURE_HEAP = 1024 * 1024, /* two RSA keys of 4096 bits take a tenth of it */
	SECURE_LEAST = 32,	   /* bytes of one allocation */
};

static int make_room(struct secret *secret, struct ingot_error *err)
{
	void *page = mmap(NULL, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return ingot_raise_oom(err, PAGES);
	/* Each may be forbidden here; the secret is wiped soon in any case. */
	(void)mlock(page, PAGES);
	(void)madvise(page, PAGES, MADV_DONTDUMP);
	(void)madvise(page, PAGES, MADV_WIPEONFORK);
	secret->text = page;
	return 0;
}

void secret_done(struct secret *secret)
{
	if (!secret->text)
		return;
	OPENSSL_cleanse(secret->text, PAGES);
	(void)munmap(secret->text, PAGES);
	*secret = (struct secret){0};
}

bool secret_file_is_exposed(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH));
}

/* Until the first end of line. A pipe will do as well: read() and not a mapping or a source. */
static int read_line(const char *path, struct secret *secret, struct ingot_error *err)
{
	INGOT_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	while (secret->n <= SECRET_MAX && !memchr(secret->text, '\n', secret->n)) {
		ssize_t n = read(fd, secret->text + secret->n, SECRET_MAX + 1 - secret->n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ingot_raise_errno(err, errno, "read '%s'", path);
		if (n == 0)
			break;
		secret->n += (size_t)n;
	}
	return 0;
}

static int from_file(const char *path, struct secret *secret, struct ingot_error *err)
{
	const char *end;
	int rc = read_line(path, secret, err);

	if (rc < 0)
		return rc;
	end = memchr(secret->text, '\n', secret->n);
	if (end)
		secret->n = (size_t)(end - secret->text);
	if (secret->n > SECRET_MAX)
		return ingot_raise(err, -EFBIG, "the first line of '%s' has more than %d bytes",
				   path, SECRET_MAX);
	secret->exposed = secret_file_is_exposed(path);
	return 0;
}

static int from_variable(const char *name, struct secret *secret, struct ingot_error *err)
{
	const char *value = getenv(name);

	if (!value)
		return ingot_raise(err, -ENOKEY, "there is no environment variable %s", name);
	secret->n = strlen(value);
	if (secret->n > SECRET_MAX)
		return ingot_raise(err, -EFBIG, "environment variable %s has more than %d bytes",
				   name, SECRET_MAX);
	memcpy(secret->text, value, secret->n);
	return 0;
}

static int get(const struct ingot_key_source *source, const char *what, struct secret *secret,
	       struct ingot_error *err)
{
	if (source->secret_file)
		return from_file(source->secret_file, secret, err);
	if (source->secret_variable)
		return from_variable(source->secret_variable, secret, err);
	if (source->may_ask)
		return secret_ask(what, secret->text, &secret->n, err);
	return ingot_raise(err, -ENOKEY, "it is needed, and nothing says where it comes from");
}

int secret_get(const struct ingot_key_source *source, const char *what, struct secret *ret,
	       struct ingot_error *err)
{
	int rc = make_room(ret, err);

	if (rc == 0)
		rc = get(source, what, ret, err);
	if (rc == 0 && ret->n == 0)
		rc = ingot_raise(err, -EINVAL, "it is empty");
	if (rc == 0 && memchr(ret->text, '\0', ret->n))
		rc = ingot_raise(err, -EINVAL, "it contains a NUL byte");
	if (rc < 0) {
		secret_done(ret);
		return ingot_wrap(err, rc, "%s", what);
	}
	OPENSSL_cleanse(ret->text + ret->n, PAGES - ret->n); /* what followed it in the file */
	return 0;
}

void ingot_key_protect_process(void)
{
	const struct rlimit none = {0, 0};

	/* Either would do for core dumps; the second also keeps /proc/PID/mem shut. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Where libcrypto puts private numbers; without it, among everything else. */
	(void)CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_LEAST);
}

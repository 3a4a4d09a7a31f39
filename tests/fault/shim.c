/*
 * Makes the Nth call of a kind fail, in any program that loads it with LD_PRELOAD.
 *
 *	FAULT_KIND    output: output-data and ftruncate, fallocate, fsync, rename, link
 *	              output-data: write, pwrite
 *	              input: read, pread;  open: open, openat, fopen, opendir
 *	              alloc: malloc, calloc, realloc, posix_memalign, aligned_alloc
 *	              thread: pthread_create
 *	FAULT_AT      the call that fails, from 1; 0: none, only count
 *	FAULT_ERRNO   its errno; 0: it transfers only a part (input and output)
 *	FAULT_STICKY  1: every later call fails too (of output only writes: what is full can
 *	              still be made smaller)
 *	FAULT_LOG     a file that receives "calls COUNT" when main returns, and a line
 *	              "failed FUNCTION: STACK" when the fault strikes, and "crashed ...: STACK"
 *
 * Only calls between the beginning and the end of main count. stdio's own writes cannot be
 * caught here; /dev/full is the test for those.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum kind { NONE, OUTPUT, OUTPUT_DATA, INPUT, OPEN, ALLOC, THREAD };

static enum kind kind;
static unsigned long fail_at;
static int fail_errno;
static bool sticky;
static int log_fd = -1;
static atomic_bool counting;
static atomic_ulong calls;

/* --- deciding ---------------------------------------------------------- */

/* The file name of the library or program that an address belongs to, and where in it. */
static int describe(void *address, char *text, size_t size)
{
	Dl_info info;
	const char *name;

	if (!dladdr(address, &info) || !info.dli_fname)
		return snprintf(text, size, " ?");
	name = strrchr(info.dli_fname, '/');
	return snprintf(text, size, " %s+0x%zx", name ? name + 1 : info.dli_fname,
			(size_t)((char *)address - (char *)info.dli_fbase));
}

/* A line of the log: what, and the stack without its first frames. */
static void log_stack(const char *what, const char *function, int skip)
{
	enum { FRAMES = 24 };
	void *frames[FRAMES];
	char line[2048];
	int count = backtrace(frames, FRAMES);
	int at = snprintf(line, sizeof(line), "%s %s:", what, function);

	for (int i = skip; i < count && at > 0 && (size_t)at < sizeof(line) - 200; i++)
		at += describe(frames[i], line + at, sizeof(line) - (size_t)at);
	line[at++] = '\n';
	(void)syscall(SYS_write, log_fd, line, at);
}

/* Whose fault a crash is: the stack tells. */
static void on_crash(int number)
{
	atomic_store(&counting, false);
	log_stack("crashed", number == SIGABRT ? "abort" : "signal", 2);
	(void)raise(number); /* SA_RESETHAND: this one kills */
}

/* Whether this call is the one. */
static __attribute__((noinline)) bool strikes(enum kind of, const char *function)
{
	unsigned long n;

	bool counts = of == kind || (of == OUTPUT_DATA && kind == OUTPUT);

	if (!counts || !atomic_load(&counting))
		return false;
	n = atomic_fetch_add(&calls, 1) + 1;
	if (fail_at == 0 || n < fail_at || (n > fail_at && (!sticky || of == OUTPUT)))
		return false;
	if (n == fail_at && log_fd >= 0) {
		atomic_store(&counting, false);
		log_stack("failed", function, 3);
		atomic_store(&counting, true);
	}
	return true;
}

/* A call that only succeeds or fails. */
static bool fails(enum kind of, const char *function)
{
	if (!strikes(of, function))
		return false;
	errno = fail_errno ? fail_errno : EIO;
	return true;
}

/* A call that moves *n bytes: it fails, or *n becomes smaller. */
static bool transfer_fails(enum kind of, const char *function, size_t *n)
{
	if (!strikes(of, function))
		return false;
	if (fail_errno) {
		errno = fail_errno;
		return true;
	}
	*n = *n > 1 ? *n / 2 : *n;
	return false;
}

/* --- around main ------------------------------------------------------- */

static int (*real_main)(int, char **, char **);

static unsigned long number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

static enum kind kind_of(const char *text)
{
	static const char *const names[] = {"none", "output", "output-data", "input",
					    "open", "alloc",  "thread"};

	for (unsigned i = 0; text && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return (enum kind)i;
	(void)fprintf(stderr, "fault shim: FAULT_KIND is not set or not known\n");
	_exit(99);
}

static int counted_main(int argc, char **argv, char **envp)
{
	struct sigaction crash = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
	void *frames[1];
	int rc;

	(void)backtrace(frames, 1); /* loads libgcc now, not in the middle */
	if (log_fd >= 0) {
		(void)sigaction(SIGSEGV, &crash, NULL);
		(void)sigaction(SIGBUS, &crash, NULL);
		(void)sigaction(SIGABRT, &crash, NULL);
	}
	atomic_store(&counting, true);
	rc = real_main(argc, argv, envp);
	atomic_store(&counting, false);
	if (log_fd >= 0)
		(void)dprintf(log_fd, "calls %lu\n", atomic_load(&calls));
	return rc;
}

typedef int start_function(int (*)(int, char **, char **), int, char **, void (*)(void),
			   void (*)(void), void (*)(void), void *);

start_function __libc_start_main EXPORT;

int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *stack)
{
	start_function *next;
	void *symbol = dlsym(RTLD_NEXT, "__libc_start_main");
	const char *log = getenv("FAULT_LOG");

	kind = kind_of(getenv("FAULT_KIND"));
	fail_at = number("FAULT_AT");
	fail_errno = (int)number("FAULT_ERRNO");
	sticky = number("FAULT_STICKY") != 0;
	if (log)
		log_fd = (int)syscall(SYS_openat, AT_FDCWD, log,
				      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	/* Out of the way of the descriptors that a program expects to get. */
	if (log_fd >= 0)
		log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, 200);
	real_main = program;
	memcpy(&next, &symbol, sizeof(next));
	return next(counted_main, argc, argv, init, fini, rtld_fini, stack);
}

/* --- output ------------------------------------------------------------ */

EXPORT ssize_t write(int fd, const void *data, size_t n)
{
	return transfer_fails(OUTPUT_DATA, "write", &n) ? -1 : syscall(SYS_write, fd, data, n);
}

static ssize_t put_at(int fd, const void *data, size_t n, off64_t offset)
{
	return transfer_fails(OUTPUT_DATA, "pwrite", &n)
		       ? -1
		       : syscall(SYS_pwrite64, fd, data, n, offset);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t n, off_t offset)
{
	return put_at(fd, data, n, offset);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t n, off64_t offset)
{
	return put_at(fd, data, n, offset);
}

EXPORT int ftruncate(int fd, off_t size)
{
	return fails(OUTPUT, "ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

EXPORT int ftruncate64(int fd, off64_t size)
{
	return fails(OUTPUT, "ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

EXPORT int fallocate(int fd, int mode, off_t offset, off_t size)
{
	return fails(OUTPUT, "fallocate") ? -1
					  : (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
	return fails(OUTPUT, "fallocate") ? -1
					  : (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

EXPORT int fsync(int fd)
{
	return fails(OUTPUT, "fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
	return fails(OUTPUT, "fdatasync") ? -1 : (int)syscall(SYS_fdatasync, fd);
}

EXPORT int rename(const char *from, const char *to)
{
	return fails(OUTPUT, "rename")
		       ? -1
		       : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	return fails(OUTPUT, "linkat") ? -1
				       : (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
}

/* --- input ------------------------------------------------------------- */

EXPORT ssize_t read(int fd, void *data, size_t n)
{
	return transfer_fails(INPUT, "read", &n) ? -1 : syscall(SYS_read, fd, data, n);
}

static ssize_t get_at(int fd, void *data, size_t n, off64_t offset)
{
	return transfer_fails(INPUT, "pread", &n) ? -1 : syscall(SYS_pread64, fd, data, n, offset);
}

EXPORT ssize_t pread(int fd, void *data, size_t n, off_t offset)
{
	return get_at(fd, data, n, offset);
}

EXPORT ssize_t pread64(int fd, void *data, size_t n, off64_t offset)
{
	return get_at(fd, data, n, offset);
}

/* --- open -------------------------------------------------------------- */

static int open_at(int folder, const char *path, int flags, va_list args)
{
	bool creates = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
	mode_t mode = creates ? va_arg(args, mode_t) : 0;

	if (fails(OPEN, "open"))
		return -1;
	return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define DEFINE_OPEN(name, folder, parameters, last)                                                \
	EXPORT int name parameters                                                                 \
	{                                                                                          \
		va_list args;                                                                      \
		int fd;                                                                            \
                                                                                                   \
		va_start(args, last);                                                              \
		fd = open_at(folder, path, flags, args);                                           \
		va_end(args);                                                                      \
		return fd;                                                                         \
	}

DEFINE_OPEN(open, AT_FDCWD, (const char *path, int flags, ...), flags)
DEFINE_OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), flags)
DEFINE_OPEN(openat, at, (int at, const char *path, int flags, ...), flags)
DEFINE_OPEN(openat64, at, (int at, const char *path, int flags, ...), flags)

/* The next library's function, in a variable of its type. */
#define NEXT(variable, name)                                                                       \
	do {                                                                                       \
		void *symbol_ = dlsym(RTLD_NEXT, name);                                            \
		memcpy(&(variable), &symbol_, sizeof(variable));                                   \
	} while (0)

EXPORT FILE *fopen(const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *);

	if (fails(OPEN, "fopen"))
		return NULL;
	NEXT(next, "fopen");
	return next(path, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *);

	if (fails(OPEN, "fopen"))
		return NULL;
	NEXT(next, "fopen64");
	return next(path, mode);
}

EXPORT DIR *opendir(const char *path)
{
	DIR *(*next)(const char *);

	if (fails(OPEN, "opendir"))
		return NULL;
	NEXT(next, "opendir");
	return next(path);
}

/* --- alloc ------------------------------------------------------------- */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static bool no_memory(const char *function)
{
	if (!strikes(ALLOC, function))
		return false;
	errno = ENOMEM;
	return true;
}

EXPORT void *malloc(size_t n)
{
	return no_memory("malloc") ? NULL : __libc_malloc(n);
}

EXPORT void *calloc(size_t count, size_t n)
{
	return no_memory("calloc") ? NULL : __libc_calloc(count, n);
}

EXPORT void *realloc(void *p, size_t n)
{
	return no_memory("realloc") ? NULL : __libc_realloc(p, n);
}

EXPORT int posix_memalign(void **ret, size_t align, size_t n)
{
	void *p = no_memory("posix_memalign") ? NULL : __libc_memalign(align, n);

	if (p)
		*ret = p;
	return p ? 0 : ENOMEM;
}

EXPORT void *aligned_alloc(size_t align, size_t n)
{
	return no_memory("aligned_alloc") ? NULL : __libc_memalign(align, n);
}

/* --- thread ------------------------------------------------------------ */

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *),
			  void *context)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (strikes(THREAD, "pthread_create"))
		return EAGAIN;
	NEXT(next, "pthread_create");
	return next(thread, attr, body, context);
}

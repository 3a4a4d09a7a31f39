/* Tar archives made by hand, so that a test can say any lie it likes. */
#ifndef INGOT_TESTS_TAR_SUPPORT_H
#define INGOT_TESTS_TAR_SUPPORT_H

#include "tree_support.h"

#include <sys/mman.h>

#include "tree/tree_internal.h"

struct tar {
	unsigned char *data;
	size_t size, room;
};

static inline void tar_put(struct tar *tar, const void *data, size_t n)
{
	struct ingot_error err = {0};

	assert_ok(ingot_grow((void **)&tar->data, &tar->room, tar->size + n + 512, 1, &err));
	if (n)
		memcpy(tar->data + tar->size, data, n);
	tar->size += n;
}

static inline void tar_pad(struct tar *tar)
{
	static const char zeros[512];

	tar_put(tar, zeros, (512 - tar->size % 512) % 512);
}

struct tar_header {
	const char *name, *link;
	char type;     /* 0: '0', a file */
	unsigned mode; /* 0: 0644 */
	unsigned uid, gid;
	long long size;	 /* as it claims; 0 and data: what data has */
	long long mtime; /* 0: 1600000000 */
	unsigned major, minor;
	const char *data;
	bool gnu; /* GNU magic instead of POSIX */
};

/* The header of POSIX.1-1988, "ustar"; numbers too large for octal are base 256. */
static inline void tar_number(unsigned char *p, size_t n, long long v)
{
	char text[32];

	if (v >= 0 && (n > 11 ? v < 1LL << 33 : v < 1LL << 21)) {
		snprintf(text, sizeof(text), "%0*llo", (int)n - 1, v);
		memcpy(p, text, n - 1);
		return;
	}
	for (size_t i = n; i > 0; i--, v >>= 8)
		p[i - 1] = (unsigned char)v;
	p[0] |= 0x80;
}

static inline void tar_sum(unsigned char h[512])
{
	unsigned sum = 0;
	char text[16];

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(h + 148, text, 7);
}

static inline void tar_header(struct tar *tar, const struct tar_header *e)
{
	unsigned char h[512] = {0};
	size_t length = e->data ? strlen(e->data) : 0;

	strncpy((char *)h, e->name, 100);
	tar_number(h + 100, 8, e->mode ? e->mode : e->type == '5' ? 0755 : 0644);
	tar_number(h + 108, 8, e->uid);
	tar_number(h + 116, 8, e->gid);
	tar_number(h + 124, 12, e->size ? e->size : (long long)length);
	tar_number(h + 136, 12, e->mtime ? e->mtime : 1600000000);
	h[156] = (unsigned char)(e->type ? e->type : '0');
	if (e->link)
		strncpy((char *)h + 157, e->link, 100);
	memcpy(h + 257, e->gnu ? "ustar  " : "ustar\00000", 8);
	tar_number(h + 329, 8, e->major);
	tar_number(h + 337, 8, e->minor);
	tar_sum(h);
	tar_put(tar, h, sizeof(h));
	tar_put(tar, e->data, length);
	tar_pad(tar);
}

/* TAR(&tar, .name = "a", .data = "hello"); */
#define TAR(tar, ...) tar_header((tar), &(struct tar_header){__VA_ARGS__})

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself (POSIX.1-2001, pax). */
static inline void pax_add_bytes(struct tar *pax, const char *key, const void *value, size_t n)
{
	size_t rest = strlen(key) + n + 3, total = rest + 1;
	char front[300];

	while (total != rest + (size_t)snprintf(front, sizeof(front), "%zu", total))
		total++;
	tar_put(pax, front, (size_t)snprintf(front, sizeof(front), "%zu %s=", total, key));
	tar_put(pax, value, n);
	tar_put(pax, "\n", 1);
}

static inline void pax_add(struct tar *pax, const char *key, const char *value)
{
	pax_add_bytes(pax, key, value, strlen(value));
}

/* The attributes, for the next entry. */
static inline void tar_put_pax(struct tar *tar, struct tar *pax)
{
	TAR(tar, .name = "pax", .type = 'x', .size = (long long)pax->size);
	tar_put(tar, pax->data, pax->size);
	tar_pad(tar);
	free(pax->data);
	*pax = (struct tar){0};
}

/* Only one. */
static inline void tar_pax_bytes(struct tar *tar, const char *key, const void *value, size_t n)
{
	struct tar pax = {0};

	pax_add_bytes(&pax, key, value, n);
	tar_put_pax(tar, &pax);
}

static inline void tar_pax(struct tar *tar, const char *key, const char *value)
{
	tar_pax_bytes(tar, key, value, strlen(value));
}

static inline void tar_end(struct tar *tar)
{
	static const char zeros[1024];

	tar_put(tar, zeros, sizeof(zeros));
}

static inline int bytes_fd(const void *data, size_t n)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	return fd;
}

static inline int open_bytes(const void *data, size_t n, const struct ingot_tree_options *options,
			     struct ingot_tree **ret, struct ingot_error *err)
{
	return ingot_tree_from_archive(bytes_fd(data, n), "x.tar", options, ret, err);
}

static inline void tar_done(struct tar *tar)
{
	free(tar->data);
	*tar = (struct tar){0};
}

#endif

/* Disks to convert, and looking at what became of them. */
#ifndef INGOT_TESTS_FORMATS_SUPPORT_H
#define INGOT_TESTS_FORMATS_SUPPORT_H

#include "folder.h"
#include "formats/convert.h"
#include "formats/format.h"

static inline void formats_write(int fd, uint64_t offset, size_t n, bool noisy, uint64_t size)
{
	uint64_t x = offset * 2 + 1;

	for (size_t at = 0; at < n && offset + at < size; at += 512) {
		unsigned char raw[512];
		size_t part = (size_t)ingot_min(512, size - offset - at);

		for (size_t i = 0; i < sizeof(raw); i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			raw[i] = noisy ? (unsigned char)(x >> 56) : (unsigned char)(97 + (x >> 61));
		}
		assert_int_equal(pwrite(fd, raw, part, (off_t)(offset + at)), part);
	}
}

/* Text, noise and written zeros among holes, up to the last byte. */
static inline void formats_disk(const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	formats_write(fd, 0, 512, false, size);
	formats_write(fd, 70000, 200000, false, size);
	formats_write(fd, 1 << 20, 150000, true, size);
	formats_write(fd, 541u << 20, 70000, false, size);
	if (size >= 512)
		formats_write(fd, size - 512, 512, true, size);
	(void)close(fd);
}

static inline void formats_convert(const char *in, const char *format, const char *out,
				   unsigned jobs)
{
	INGOT_SOURCE struct ingot_source *disk = NULL;
	struct ingot_convert_output output = {.format = format, .path = out};
	struct ingot_convert_options options = {.outputs = &output, .count = 1, .jobs = jobs};
	struct ingot_error err = {0};

	assert_ok(ingot_format_open(in, NULL, &disk, &err));
	assert_ok(ingot_convert(disk, &options, &err));
}

static inline unsigned char *formats_load(const char *path, size_t *n)
{
	struct ingot_error err = {0};
	char *data = NULL;

	assert_ok(ingot_load_file(path, 64 << 20, &data, n, &err));
	return (unsigned char *)data;
}

/* The disk and, if it grew to whole units, zeros. */
static inline void formats_same(const char *path, const char *disk, const char *format,
				uint64_t unit)
{
	INGOT_SOURCE struct ingot_source *a = NULL, *b = NULL, *zeros = NULL, *whole = NULL;
	struct ingot_source *pieces[2];
	struct ingot_error err = {0};
	uint8_t x[32], y[32];
	const char *name;

	assert_ok(ingot_format_open(path, &name, &a, &err));
	assert_string_equal(name, format);
	assert_ok(ingot_source_open(disk, &b, &err));
	assert_int_equal(a->size, ingot_round_up(b->size, unit));
	assert_ok(ingot_source_zero(a->size - b->size, &zeros, &err));
	pieces[0] = b;
	pieces[1] = zeros;
	assert_ok(ingot_source_concat("both", pieces, zeros->size ? 2 : 1, &whole, &err));
	if (whole) {
		b = NULL;
		if (zeros->size)
			zeros = NULL;
	}
	assert_ok(ingot_source_sha256(a, x, &err));
	assert_ok(ingot_source_sha256(whole, y, &err));
	assert_memory_equal(x, y, 32);
}

/* Disks of many sizes there and back, for any number of jobs the same bytes. */
static inline void formats_round_trips(const char *format, const char *read_as, uint64_t unit)
{
	static const uint64_t sizes[] = {1, 512, 65537, 3000000, 600000001};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *one, *eight;
		size_t n, m;

		formats_disk("disk", sizes[i]);
		formats_convert("disk", format, "one", 1);
		formats_convert("disk", format, "eight", 8);
		formats_same("one", "disk", read_as, unit);
		if (sizes[i] > 4 << 20)
			continue;
		one = formats_load("one", &n);
		eight = formats_load("eight", &m);
		assert_int_equal(n, m);
		assert_memory_equal(one, eight, n);
		free(one);
		free(eight);
	}
}

/* A good file with other bytes at one place is answered with these words when it is opened. */
static inline void formats_refused(const unsigned char *good, size_t n, size_t offset,
				   const unsigned char *bytes, size_t count, int code,
				   const char *words)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct ingot_source *disk = NULL;
	struct ingot_error err = {0};
	unsigned char *bad = malloc(n);

	assert_non_null(bad);
	memcpy(bad, good, n);
	memcpy(bad + offset, bytes, count);
	assert_ok(ingot_source_memory("bad", bad, n, &file, &err));
	assert_fails(ingot_format_open_source(file, NULL, &disk, &err), code, words);
	free(bad);
}

#endif

/* Compressed pieces read a few bytes at a time: each is unpacked once, and says the same. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "formats_support.h"

enum { STEP = 512, LARGE = 4096 /* more than any table is read with */ };

static const uint64_t SIZE = 3 << 20;

/* The bytes of another source, and how often many of them were asked for. */
struct counted {
	struct ingot_source source;
	struct ingot_source *file;
	unsigned large;
};

static int counted_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	struct counted *c = (struct counted *)source;

	c->large += n > LARGE;
	return ingot_source_read(c->file, offset, data, n, err);
}

static void counted_free(struct ingot_source *source)
{
	ingot_source_free(((struct counted *)source)->file);
}

static const struct ingot_source_ops COUNTED = {counted_read, NULL, counted_free};

static void open_counted(const char *path, struct counted *ret, struct ingot_source **ret_disk)
{
	struct ingot_error err = {0};

	*ret = (struct counted){0};
	assert_ok(ingot_source_open(path, &ret->file, &err));
	ret->source = (struct ingot_source){&COUNTED, path, ret->file->size};
	assert_ok(ingot_format_open_source(&ret->source, NULL, ret_disk, &err));
	ret->large = 0;
}

/* Text from 70000 to 270000, in four pieces of 64 KiB. */
enum { TEXT = 70000 / STEP * STEP, TEXT_END = 270000, TEXT_PIECES = 4 };

static void read_in_steps(struct ingot_source *disk, struct ingot_source *want)
{
	unsigned char a[STEP], b[STEP];
	struct ingot_error err = {0};

	for (uint64_t at = TEXT; at < TEXT_END; at += STEP) {
		assert_ok(ingot_source_read(disk, at, a, STEP, &err));
		assert_ok(ingot_source_read(want, at, b, STEP, &err));
		assert_memory_equal(a, b, STEP);
	}
}

/* The end of one piece, then the start of another, again and again. */
static void read_in_turn(struct ingot_source *disk, struct ingot_source *want)
{
	static const uint64_t places[] = {0x20000 - STEP, 0x30000, 0x20000, 0x40000};
	unsigned char a[STEP], b[STEP];
	struct ingot_error err = {0};

	for (size_t i = 0; i < 400; i++) {
		uint64_t at = places[i % 4];

		assert_ok(ingot_source_read(disk, at, a, STEP, &err));
		assert_ok(ingot_source_read(want, at, b, STEP, &err));
		assert_memory_equal(a, b, STEP);
	}
}

static void each_is_unpacked_once(void **state)
{
	static const char *const formats[] = {"qcow2", "qcow2-zstd", "vmdk"};
	INGOT_SOURCE struct ingot_source *want = NULL;
	struct ingot_error err = {0};

	(void)state;
	formats_disk("disk", SIZE);
	assert_ok(ingot_source_open("disk", &want, &err));
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct ingot_source *disk = NULL;
		struct counted file;

		formats_convert("disk", formats[i], "packed", 1);
		open_counted("packed", &file, &disk);
		read_in_steps(disk, want);
		read_in_turn(disk, want);
		assert_in_range(file.large, 1, TEXT_PIECES);
		ingot_source_free(disk);
	}
}

/* A whole piece goes where it is wanted, and two of the same place in the table are told apart. */
static void pieces_are_told_apart(void **state)
{
	enum { PIECE = 65536, FAR = 16 * PIECE };
	INGOT_SOURCE struct ingot_source *disk = NULL, *want = NULL;
	unsigned char a[STEP], b[STEP], *whole = malloc(PIECE), *other = malloc(PIECE);
	struct ingot_error err = {0};

	(void)state;
	assert_non_null(whole);
	assert_non_null(other);
	formats_disk("disk", SIZE);
	formats_convert("disk", "vmdk", "packed", 1);
	assert_ok(ingot_source_open("disk", &want, &err));
	assert_ok(ingot_format_open("packed", NULL, &disk, &err));
	for (uint64_t at = 0; at + PIECE <= SIZE - FAR; at += PIECE)
		for (unsigned i = 0; i < 4; i++) {
			uint64_t place = at + (i % 2) * FAR;

			assert_ok(ingot_source_read(disk, place + 5, a, STEP, &err));
			assert_ok(ingot_source_read(want, place + 5, b, STEP, &err));
			assert_memory_equal(a, b, STEP);
			assert_ok(ingot_source_read(disk, place, whole, PIECE, &err));
			assert_ok(ingot_source_read(want, place, other, PIECE, &err));
			assert_memory_equal(whole, other, PIECE);
		}
	free(whole);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_unpacked_once, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(pieces_are_told_apart, folder_setup,
						folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

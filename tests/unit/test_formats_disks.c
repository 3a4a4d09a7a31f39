/* Several disks in one pass: each output is as if its disk had been converted alone. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "formats_support.h"

enum { MIB = 1 << 20, BASE = 0, OTHER = 1, SHORT = 2, SAME = 3, DISKS = 4 };

static const char *const FORMATS[] = {"raw", "qcow2", "qcow2-zstd", "vmdk", "vhd"};
enum { FORMAT_COUNT = sizeof(FORMATS) / sizeof(FORMATS[0]) };

/* Text with some noise for the first 4 MiB, a hole up to 10, and more of it at the end. */
static void base_disk(const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	formats_write(fd, 0, 4 * MIB, false, size);
	formats_write(fd, MIB, 300000, true, size);
	formats_write(fd, 10 * MIB, 2 * MIB, false, size);
	(void)close(fd);
}

static void overwrite(const char *path, uint64_t offset, size_t n, uint64_t size)
{
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	formats_write(fd, offset, n, true, size);
	(void)close(fd);
}

static const struct ingot_range OTHER_OWN[] = {{2 * MIB + 1000, 70000}, {7 * MIB, 2 * MIB}};
static const struct ingot_range SHORT_OWN[] = {{0, 512}};

static void make_disks(void)
{
	base_disk("base", 14 * MIB);
	base_disk("same", 14 * MIB);
	base_disk("other", 18 * MIB + 512);
	overwrite("other", 2 * MIB + 1000, 70000, 18 * MIB);
	overwrite("other", 7 * MIB + 4096, 10000, 18 * MIB);
	overwrite("other", 18 * MIB, 512, 18 * MIB + 512); /* behind the base's end */
	base_disk("short", 11 * MIB + 700);
	overwrite("short", 0, 512, 11 * MIB);
}

struct many {
	struct ingot_convert_disk disks[DISKS];
	struct ingot_convert_output outputs[DISKS * FORMAT_COUNT];
	char names[DISKS * FORMAT_COUNT][32];
	struct ingot_ebs_blocks blocks[DISKS];
};

static void open_disks(struct many *m)
{
	static const char *const PATHS[DISKS] = {"base", "other", "short", "same"};
	struct ingot_error err = {0};

	for (size_t d = 0; d < DISKS; d++) {
		assert_ok(ingot_source_open(PATHS[d], &m->disks[d].source, &err));
		m->disks[d].blocks = &m->blocks[d];
		for (size_t f = 0; f < FORMAT_COUNT; f++) {
			size_t i = d * FORMAT_COUNT + f;

			(void)snprintf(m->names[i], sizeof(m->names[i]), "%s.%s", PATHS[d],
				       FORMATS[f]);
			m->outputs[i] = (struct ingot_convert_output){
				.format = FORMATS[f], .path = m->names[i], .disk = d};
		}
	}
	m->disks[OTHER].own = OTHER_OWN;
	m->disks[OTHER].own_count = 2;
	m->disks[SHORT].own = SHORT_OWN;
	m->disks[SHORT].own_count = 1;
}

static void close_disks(struct many *m)
{
	for (size_t d = 0; d < DISKS; d++) {
		ingot_source_free(m->disks[d].source);
		free(m->blocks[d].items);
	}
}

static void same_files(const char *a, const char *b)
{
	size_t n, m;
	unsigned char *x = formats_load(a, &n), *y = formats_load(b, &m);

	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
}

/* The digests are those of the blocks that hold something, all of them. */
static void check_blocks(const struct ingot_ebs_blocks *blocks, struct ingot_source *disk)
{
	static unsigned char data[INGOT_EBS_BLOCK];
	static const unsigned char zeros[INGOT_EBS_BLOCK];
	struct ingot_error err = {0};
	size_t at = 0;

	for (uint64_t i = 0; i * INGOT_EBS_BLOCK < disk->size; i++) {
		size_t n = (size_t)ingot_min(INGOT_EBS_BLOCK, disk->size - i * INGOT_EBS_BLOCK);
		uint8_t digest[INGOT_SHA256_SIZE];

		memset(data, 0, sizeof(data));
		assert_ok(ingot_source_read(disk, i * INGOT_EBS_BLOCK, data, n, &err));
		if (memcmp(data, zeros, sizeof(data)) == 0)
			continue;
		assert_true(at < blocks->count);
		assert_int_equal(blocks->items[at].index, i);
		assert_ok(ingot_sha256(data, sizeof(data), digest, &err));
		assert_memory_equal(blocks->items[at].digest, digest, sizeof(digest));
		at++;
	}
	assert_int_equal(at, blocks->count);
}

static void test_as_if_alone(void **state)
{
	static const unsigned JOBS[] = {1, 7};
	struct ingot_error err = {0};

	(void)state;
	make_disks();
	for (size_t j = 0; j < sizeof(JOBS) / sizeof(JOBS[0]); j++) {
		struct many m = {0};
		struct ingot_convert_options options = {
			.outputs = m.outputs, .count = DISKS * FORMAT_COUNT, .jobs = JOBS[j]};
		INGOT_CONVERSION struct ingot_conversion *c = NULL;

		open_disks(&m);
		assert_ok(ingot_conversion_run(m.disks, DISKS, &options, &c, &err));
		assert_ok(ingot_conversion_commit(c, &err));
		for (size_t i = 0; i < DISKS * FORMAT_COUNT; i++) {
			formats_convert(m.disks[m.outputs[i].disk].source->name,
					m.outputs[i].format, "alone", 2);
			same_files(m.names[i], "alone");
		}
		for (size_t d = 0; d < DISKS; d++)
			check_blocks(&m.blocks[d], m.disks[d].source);
		close_disks(&m);
	}
}

static void test_nothing_without_commit(void **state)
{
	struct many m = {0};
	struct ingot_convert_options options = {
		.outputs = m.outputs, .count = DISKS * FORMAT_COUNT, .jobs = 2};
	struct ingot_conversion *c = NULL;
	struct ingot_error err = {0};

	(void)state;
	make_disks();
	open_disks(&m);
	for (size_t i = 0; i < options.count; i++)
		(void)unlink(m.names[i]);
	assert_ok(ingot_conversion_run(m.disks, DISKS, &options, &c, &err));
	ingot_conversion_free(c);
	for (size_t i = 0; i < options.count; i++)
		assert_int_equal(access(m.names[i], F_OK), -1);
	close_disks(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_if_alone),
		cmocka_unit_test(test_nothing_without_commit),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}

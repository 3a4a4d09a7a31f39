/*
 * What `ingot verify` says where there is nothing to verify. What it says of whole images, and of
 * every byte in them, is in tests/interop/verify.sh and tamper.sh.
 */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "disk/gpt.h"
#include "image/verify.h"

static struct ingot_error err;

enum { DISK = 192 * 1024, START = 65536, SIZE = 65536 };

static struct ingot_verify_report *verify(const void *data, size_t n)
{
	const struct ingot_verify_options options = {.jobs = 1};
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct ingot_verify_report *report = NULL;

	assert_ok(ingot_source_memory("image", data, n, &file, &err));
	assert_ok(ingot_verify(file, &options, &report, &err));
	return report;
}

static enum ingot_verify_verdict verdict(const struct ingot_verify_report *report, const char *name)
{
	const struct ingot_verify_row *row = ingot_verify_find(report, name);

	assert_non_null(row);
	return row->verdict;
}

/* --- nothing is good --------------------------------------------------- */

static void test_nothing_is_not_good(void **state)
{
	static const unsigned char zeros[DISK];
	struct ingot_verify_report *report = verify(zeros, sizeof(zeros));

	(void)state;
	assert_false(report->good);
	assert_int_equal(verdict(report, "gpt.primary"), INGOT_VERIFY_BAD);
	assert_int_equal(verdict(report, "roothash.trust"), INGOT_VERIFY_BAD);
	assert_int_equal(verdict(report, "verity.tree"), INGOT_VERIFY_NOT_CHECKED);
	assert_int_equal(verdict(report, "unused.gaps"), INGOT_VERIFY_NOT_CHECKED);
	for (size_t i = 0; i < report->count; i++) {
		assert_non_null(report->rows[i].expected);
		assert_non_null(report->rows[i].found);
	}
	ingot_verify_report_free(report);
}

static void test_a_container_that_cannot_be_opened(void **state)
{
	static const unsigned char qcow2[512] = "QFI\xfb";
	struct ingot_verify_report *report = verify(qcow2, sizeof(qcow2));

	(void)state;
	assert_false(report->good);
	assert_int_equal(verdict(report, "container.structure"), INGOT_VERIFY_BAD);
	assert_int_equal(verdict(report, "gpt.primary"), INGOT_VERIFY_NOT_CHECKED);
	ingot_verify_report_free(report);
}

/* --- partition tables -------------------------------------------------- */

static unsigned char *make_disk(void)
{
	INGOT_FREE struct ingot_gpt *gpt =
		calloc(1, sizeof(*gpt) + sizeof(struct ingot_gpt_partition));
	INGOT_SINK struct ingot_sink *sink = NULL;
	unsigned char *data, *copy = malloc(DISK);

	assert_non_null(gpt);
	assert_non_null(copy);
	gpt->disk_size = DISK;
	gpt->sector_size = 512;
	gpt->count = 1;
	gpt->partitions[0] =
		(struct ingot_gpt_partition){.number = 3, .start = START, .size = SIZE};
	memset(gpt->uuid.bytes, 0x11, 16);
	memset(gpt->partitions[0].type.bytes, 0x22, 16);
	memset(gpt->partitions[0].uuid.bytes, 0x33, 16);
	strcpy(gpt->partitions[0].name, "alone");
	assert_ok(ingot_sink_memory(DISK, &sink, &data, &err));
	assert_ok(ingot_gpt_write(gpt, sink, &err));
	return memcpy(copy, data, DISK);
}

static void test_a_table_alone(void **state)
{
	static const char *const good[] = {"gpt.mbr",	       "gpt.primary",	 "gpt.backup",
					   "gpt.agreement",    "gpt.partitions", "unused.gaps",
					   "unused.partitions"};
	INGOT_FREE unsigned char *disk = make_disk();
	struct ingot_verify_report *report = verify(disk, DISK);

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(verdict(report, good[i]), INGOT_VERIFY_GOOD);
	assert_int_equal(verdict(report, "verity.superblock"), INGOT_VERIFY_BAD);
	assert_false(report->good);
	ingot_verify_report_free(report);
}

/* Every byte that is not the partition's content: one of the checks that were good is not now. */
static void test_every_byte_of_a_table(void **state)
{
	static const char *const rows[] = {"gpt.mbr",	    "gpt.primary",    "gpt.backup",
					   "gpt.agreement", "gpt.partitions", "unused.gaps"};
	INGOT_FREE unsigned char *disk = make_disk();

	(void)state;
	for (size_t at = 0; at < DISK; at += at < 1536 || at > DISK - 600 ? 1 : 499) {
		struct ingot_verify_report *report;
		size_t good = 0;

		if (at >= START && at < START + SIZE)
			continue;
		disk[at] ^= 0x10;
		report = verify(disk, DISK);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			good += verdict(report, rows[i]) == INGOT_VERIFY_GOOD;
		if (good == sizeof(rows) / sizeof(rows[0]))
			fail_msg("byte %zu may be anything", at);
		ingot_verify_report_free(report);
		disk[at] ^= 0x10;
	}
}

/* --- reads that fail --------------------------------------------------- */

struct failing {
	struct ingot_source source;
	const unsigned char *data;
	unsigned left; /* reads until one fails */
};

static int failing_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *e)
{
	struct failing *failing = (struct failing *)source;

	if (failing->left == 0)
		return ingot_raise(e, -EIO, "no luck");
	failing->left--;
	memcpy(data, failing->data + offset, n);
	return 0;
}

static const struct ingot_source_ops FAILING_OPS = {failing_read, NULL, NULL};

static void test_every_read_may_fail(void **state)
{
	const struct ingot_verify_options options = {.jobs = 1};
	INGOT_FREE unsigned char *disk = make_disk();

	(void)state;
	for (unsigned reads = 0; reads < 60; reads++) {
		struct failing failing = {{&FAILING_OPS, "image", DISK}, disk, reads};
		struct ingot_verify_report *report = NULL;

		assert_ok(ingot_verify(&failing.source, &options, &report, &err));
		assert_false(report->good);
		ingot_verify_report_free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_not_good),
		cmocka_unit_test(test_a_container_that_cannot_be_opened),
		cmocka_unit_test(test_a_table_alone),
		cmocka_unit_test(test_every_byte_of_a_table),
		cmocka_unit_test(test_every_read_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What waits in the log of a VHDX that was not closed, built entry by entry. */
#include <errno.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "formats/edit.h"
#include "formats_support.h"

enum {
	KIB = 1 << 10,
	MIB = 1 << 20,
	LOG = MIB, /* and as long */
	BAT = 3 * MIB,
	FIRST = 4 * MIB,
	SECTOR = 4096,
};

static const unsigned char GUID[16] = "0123456789abcdef";

struct update {
	uint64_t offset, zeros; /* zeros: bytes; 0: one sector of data */
	const unsigned char *data;
};

struct entry {
	uint64_t place, tail; /* in the log */
	uint64_t sequence;
	const struct update *updates;
	size_t count;
	uint64_t had, needs;
};

/* A file of a disk of 3 MiB that names a log. */
static unsigned char *make(size_t *n)
{
	unsigned char *f;

	formats_disk("disk", 3 * MIB);
	formats_convert("disk", "vhdx", "out", 1);
	f = formats_load("out", n);
	memcpy(f + 128 * KIB + 48, GUID, sizeof(GUID));
	ingot_put_le32(f + 128 * KIB + 4, 0);
	ingot_put_le32(f + 128 * KIB + 4, ingot_crc32c(0, f + 128 * KIB, 4096));
	return f;
}

static void put_descriptor(unsigned char *p, const struct update *u, uint64_t sequence)
{
	memcpy(p, u->zeros ? "zero" : "desc", 4);
	if (u->zeros) {
		ingot_put_le64(p + 8, u->zeros);
	} else {
		memcpy(p + 4, u->data + SECTOR - 4, 4);
		memcpy(p + 8, u->data, 8);
	}
	ingot_put_le64(p + 16, u->offset);
	ingot_put_le64(p + 24, sequence);
}

/* The bytes of the entry; *n of them. */
static unsigned char *build(const struct entry *e, size_t *n)
{
	size_t described = ingot_div_up(64 + 32 * e->count, SECTOR) * SECTOR;
	unsigned char *p = calloc(1, described + e->count * SECTOR);

	assert_non_null(p);
	*n = described;
	for (size_t i = 0; i < e->count; i++) {
		unsigned char *sector = p + *n;

		put_descriptor(p + 64 + 32 * i, &e->updates[i], e->sequence);
		if (e->updates[i].zeros)
			continue;
		memcpy(sector, e->updates[i].data, SECTOR);
		memcpy(sector, "data", 4);
		ingot_put_le32(sector + 4, (uint32_t)(e->sequence >> 32));
		ingot_put_le32(sector + SECTOR - 4, (uint32_t)e->sequence);
		*n += SECTOR;
	}
	memcpy(p, "loge", 4);
	ingot_put_le32(p + 8, (uint32_t)*n);
	ingot_put_le32(p + 12, (uint32_t)e->tail);
	ingot_put_le64(p + 16, e->sequence);
	ingot_put_le32(p + 24, (uint32_t)e->count);
	memcpy(p + 32, GUID, sizeof(GUID));
	ingot_put_le64(p + 48, e->had);
	ingot_put_le64(p + 56, e->needs);
	ingot_put_le32(p + 4, ingot_crc32c(0, p, *n));
	return p;
}

/* Where it ends in the log. */
static uint64_t put(unsigned char *f, const struct entry *e)
{
	size_t n;
	unsigned char *p = build(e, &n);

	for (size_t i = 0; i < n; i++)
		f[LOG + (e->place + i) % MIB] = p[i];
	free(p);
	return (e->place + n) % MIB;
}

static struct ingot_source *open_disk(const unsigned char *f, size_t n)
{
	struct ingot_source *file = NULL, *disk = NULL;
	struct ingot_error err = {0};

	assert_ok(ingot_source_memory("dirty", f, n, &file, &err));
	assert_ok(ingot_format_open_source(file, NULL, &disk, &err));
	return disk;
}

/* The disk's bytes from that offset on are these. */
static void check_bytes(const unsigned char *f, size_t n, uint64_t offset,
			const unsigned char *want, size_t count)
{
	INGOT_SOURCE struct ingot_source *disk = open_disk(f, n);
	unsigned char *got = malloc(count);
	struct ingot_error err = {0};

	assert_non_null(got);
	assert_ok(ingot_source_read(disk, offset, got, count, &err));
	assert_memory_equal(got, want, count);
	free(got);
}

static void check_refused(const unsigned char *f, size_t n, const char *words)
{
	formats_refused(f, n, 0, f, 1, -EBADMSG, words);
}

static void fill(unsigned char sector[SECTOR], unsigned seed)
{
	for (size_t i = 0; i < SECTOR; i++)
		sector[i] = (unsigned char)(i * 7 + i / 256 + seed);
}

/* --- what is replayed -------------------------------------------------- */

/* The table that was to name the blocks is still in the log, and the last block is not there. */
static void test_table(void **state)
{
	unsigned char table[SECTOR];
	const struct update update = {BAT, 0, table};
	size_t n;
	unsigned char *f = make(&n);

	(void)state;
	memcpy(table, f + BAT, SECTOR);
	memset(f + BAT, 0, SECTOR);
	put(f, &(struct entry){.sequence = 9, .updates = &update, .count = 1, .had = n});
	check_bytes(f, n, 0, f + FIRST, 3 * MIB);
	put(f, &(struct entry){
		       .sequence = 9, .updates = &update, .count = 1, .had = n - MIB, .needs = n});
	memset(f + n - MIB, 0, MIB);
	check_bytes(f, n - MIB, 0, f + FIRST, 3 * MIB);
	put(f, &(struct entry){.sequence = 9, .updates = &update, .count = 1, .had = n - MIB});
	check_refused(f, n - MIB, "not in the file");
	free(f);
}

/* Later entries go over earlier ones, zeros and data alike, also from the middle of a range. */
static void test_order(void **state)
{
	unsigned char one[SECTOR], two[SECTOR], *want;
	const struct update first[] = {{FIRST, MIB, NULL}, {FIRST + SECTOR, 0, one}};
	const struct update second[] = {{FIRST + 2 * SECTOR, 0, one},
					{FIRST + SECTOR, 0, two},
					{FIRST + 9 * SECTOR, 4 * SECTOR, NULL}};
	const struct update third[] = {{FIRST + MIB, 0, two}, {FIRST + 10 * SECTOR, 0, two}};
	struct ingot_error err = {0};
	struct ingot_extent run;
	uint64_t place;
	size_t n;
	unsigned char *f = make(&n);

	(void)state;
	fill(one, 1);
	fill(two, 2);
	want = malloc(2 * MIB);
	assert_non_null(want);
	memcpy(want, f + FIRST, 2 * MIB);
	memset(want, 0, MIB);
	memcpy(want + 2 * SECTOR, one, SECTOR);
	memcpy(want + SECTOR, two, SECTOR);
	memcpy(want + 10 * SECTOR, two, SECTOR);
	memcpy(want + MIB, two, SECTOR);
	place = put(f, &(struct entry){.sequence = 4, .updates = first, .count = 2, .had = n});
	place = put(
		f, &(struct entry){
			   .place = place, .sequence = 5, .updates = second, .count = 3, .had = n});
	put(f,
	    &(struct entry){.place = place, .sequence = 6, .updates = third, .count = 2, .had = n});
	check_bytes(f, n, 0, want, 2 * MIB);
	{
		INGOT_SOURCE struct ingot_source *disk = open_disk(f, n);

		assert_ok(ingot_source_extent(disk, 11 * SECTOR, &run, &err));
		assert_true(run.hole);
		assert_ok(ingot_source_extent(disk, 10 * SECTOR, &run, &err));
		assert_false(run.hole);
		assert_int_equal(run.length, SECTOR);
	}
	free(want);
	free(f);
}

/* An entry goes around the end of the log, and has more descriptors than one sector holds. */
static void test_ring(void **state)
{
	unsigned char data[SECTOR];
	struct update updates[130];
	uint64_t place;
	size_t n;
	unsigned char *f = make(&n), *want = malloc(MIB);

	(void)state;
	assert_non_null(want);
	fill(data, 3);
	for (size_t i = 0; i < 130; i++) {
		updates[i] = (struct update){FIRST + i * SECTOR, 0, data};
		memcpy(want + i * SECTOR, data, SECTOR);
	}
	place = put(f, &(struct entry){.place = MIB - 40 * SECTOR,
				       .tail = MIB - 40 * SECTOR,
				       .sequence = UINT64_C(1) << 40,
				       .updates = updates,
				       .count = 130,
				       .had = n});
	assert_int_equal(place, 92 * SECTOR);
	check_bytes(f, n, 0, want, 130 * SECTOR);
	put(f, &(struct entry){.place = place,
			       .tail = MIB - 40 * SECTOR,
			       .sequence = (UINT64_C(1) << 40) + 1,
			       .had = n});
	check_bytes(f, n, 0, want, 130 * SECTOR);
	free(want);
	free(f);
}

/* Only the newest sequence counts, from the entry that its last one names. */
static void test_sequences(void **state)
{
	unsigned char old[SECTOR], new[SECTOR];
	const struct update older = {FIRST, 0, old}, newer = {FIRST, 0, new};
	const struct update other = {FIRST + SECTOR, 0, old};
	uint64_t place;
	size_t n;
	unsigned char *f = make(&n), want[2 * SECTOR];

	(void)state;
	fill(old, 4);
	fill(new, 5);
	memcpy(want, new, SECTOR);
	memcpy(want + SECTOR, f + FIRST + SECTOR, SECTOR);
	/* Done with, and followed by one that says so. */
	place = put(f, &(struct entry){.place = SECTOR,
				       .tail = SECTOR,
				       .sequence = 7,
				       .updates = &other,
				       .count = 1,
				       .had = n});
	put(f, &(struct entry){.place = place,
			       .tail = place,
			       .sequence = 8,
			       .updates = &newer,
			       .count = 1,
			       .had = n});
	check_bytes(f, n, 0, want, sizeof(want));
	/* Another sequence, older, further behind. */
	put(f, &(struct entry){.place = 100 * SECTOR,
			       .tail = 100 * SECTOR,
			       .sequence = 3,
			       .updates = &older,
			       .count = 1,
			       .had = n});
	check_bytes(f, n, 0, want, sizeof(want));
	/* The next one was not written to its end. */
	place = put(f, &(struct entry){.place = 5 * SECTOR,
				       .tail = 5 * SECTOR,
				       .sequence = 9,
				       .updates = &older,
				       .count = 1,
				       .had = n});
	f[LOG + place - 1] ^= 1;
	check_bytes(f, n, 0, want, sizeof(want));
	/* One of another log. */
	f[LOG + place - 1] ^= 1;
	f[LOG + 5 * SECTOR + 32] ^= 1;
	check_bytes(f, n, 0, want, sizeof(want));
	free(f);
}

/* Nothing was ever logged, or nothing is to be done. */
static void test_nothing(void **state)
{
	struct ingot_edit *edit = NULL;
	struct ingot_error err = {0};
	size_t n;
	unsigned char *f = make(&n);
	int fd;

	(void)state;
	check_bytes(f, n, 0, f + FIRST, 3 * MIB);
	put(f, &(struct entry){.sequence = 1, .had = n});
	check_bytes(f, n, 0, f + FIRST, 3 * MIB);
	fd = open("dirty", O_RDWR | O_CREAT | O_TRUNC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, f, n), n);
	(void)close(fd);
	assert_fails(ingot_edit_open("dirty", NULL, &edit, &err), -EOPNOTSUPP, "was not closed");
	free(f);
}

/* --- what is refused --------------------------------------------------- */

static void test_refused(void **state)
{
	unsigned char data[SECTOR];
	const struct update good = {FIRST, 0, data};
	const struct update far = {UINT64_C(1) << 60, 0, data};
	const struct update wide = {SECTOR, UINT64_MAX - SECTOR + 1, NULL};
	const struct {
		struct entry entry;
		const char *words;
	} entries[] = {
		{{.sequence = 1, .updates = &good, .count = 1, .had = 64 * MIB}, "cut off"},
		{{.sequence = 1, .needs = UINT64_MAX}, "wants a file"},
		{{.sequence = 1, .updates = &far, .count = 1}, "its log changes"},
		{{.sequence = 1, .updates = &wide, .count = 1}, "its log changes"},
		{{.sequence = 0, .updates = &good, .count = 1}, "damaged"},
		{{.sequence = 1, .updates = &good, .count = 1, .tail = SECTOR}, "damaged"},
		{{.sequence = 1, .updates = &good, .count = 1, .tail = 100}, "damaged"},
		{{.sequence = 1, .updates = &good, .count = 1, .tail = MIB}, "damaged"},
	};
	size_t n;
	unsigned char *f = make(&n);

	(void)state;
	fill(data, 6);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		put(f, &entries[i].entry);
		check_refused(f, n, entries[i].words);
	}
	free(f);
}

/* Any byte of the only entry, or a log that is not where it can be. */
static void test_damaged(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
	} places[] = {{68, 0}, {68, MIB + 1}, {68, 0xfff00000}, {72, 0}, {72, LOG + 512}};
	unsigned char data[SECTOR];
	const struct update update = {FIRST, 0, data};
	size_t n;
	unsigned char *f = make(&n), *h = f + 128 * KIB;

	(void)state;
	fill(data, 7);
	put(f, &(struct entry){.sequence = 1, .updates = &update, .count = 1, .had = n});
	for (size_t at = 4; at < 2 * SECTOR; at += at < 128 ? 1 : 509) {
		f[LOG + at] ^= 0x10;
		if (at < 32 || at >= 48) /* else it is another log's */
			check_refused(f, n, "damaged");
		f[LOG + at] ^= 0x10;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		unsigned char *bad = malloc(n);

		assert_non_null(bad);
		memcpy(bad, f, n);
		ingot_put_le32(bad + (h - f) + places[i].offset, places[i].value);
		ingot_put_le32(bad + (h - f) + 4, 0);
		ingot_put_le32(bad + (h - f) + 4, ingot_crc32c(0, bad + (h - f), 4096));
		check_refused(bad, n, "a log of");
		free(bad);
	}
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_order, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_ring, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_sequences, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_nothing, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_refused, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

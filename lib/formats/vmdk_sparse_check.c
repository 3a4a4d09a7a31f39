/*
 * A monolithicSparse VMDK, held against what Ingot writes: vmdk_sparse.c says how. Grains stand in
 * the order of the disk, so the tables decide where everything is.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/check_internal.h"
#include "formats/vmdk_internal.h"

enum { GRAIN_SECTORS = 128, TABLE_SECTORS = VMDK_GTES * 4 / VMDK_SECTOR, TABLES_MAX = 1 << 20 };

struct sparse {
	struct ingot_source *file;
	char *finding;
	uint64_t capacity, tables; /* sectors; entries of the directory */
	uint64_t directory[2];	   /* sectors: the second one comes first */
	uint64_t overhead;
	uint64_t next; /* sector of the next grain */
};

#define FIND(s, ...) ingot_finding((s)->finding, __VA_ARGS__)

static void check_header(struct sparse *s, const unsigned char *h)
{
	uint64_t directory_sectors, all;

	s->capacity = ingot_get_le64(h + 12);
	if (ingot_get_le32(h + 4) != 1 ||
	    ingot_get_le32(h + 8) != (VMDK_FLAG_NEWLINES | VMDK_FLAG_REDUNDANT))
		FIND(s, "version or flags of the header");
	if (s->capacity == 0 || s->capacity % GRAIN_SECTORS || s->capacity >> 40)
		FIND(s, "a capacity of %llu sectors", (unsigned long long)s->capacity);
	s->tables = ingot_div_up(s->capacity, VMDK_GTES * GRAIN_SECTORS);
	directory_sectors = ingot_div_up(s->tables * 4, VMDK_SECTOR);
	all = directory_sectors + s->tables * TABLE_SECTORS;
	s->directory[1] = VMDK_DESCRIPTOR + VMDK_DESCRIPTOR_SECTORS;
	s->directory[0] = s->directory[1] + all;
	s->overhead = ingot_round_up(s->directory[0] + all, GRAIN_SECTORS);
	if (ingot_get_le64(h + 20) != GRAIN_SECTORS || ingot_get_le32(h + 44) != VMDK_GTES ||
	    ingot_get_le64(h + 28) != VMDK_DESCRIPTOR ||
	    ingot_get_le64(h + 36) != VMDK_DESCRIPTOR_SECTORS ||
	    ingot_get_le64(h + 48) != s->directory[1] ||
	    ingot_get_le64(h + 56) != s->directory[0] || ingot_get_le64(h + 64) != s->overhead)
		FIND(s, "the header's places and sizes");
	if (h[72] != 0 || memcmp(h + 73, "\n \r\n", 4) != 0 ||
	    !ingot_bytes_are_zero(h + 77, VMDK_SECTOR - 77))
		FIND(s, "the end of the header");
	if (s->tables > TABLES_MAX)
		FIND(s, "a directory of %llu tables", (unsigned long long)s->tables);
}

/* Both copies of a table are the same, and grains go on where the last one ended. */
static int check_table(struct sparse *s, uint64_t index, struct ingot_error *err)
{
	uint64_t in_directory = ingot_div_up(s->tables * 4, VMDK_SECTOR);
	unsigned char t[2][VMDK_GTES * 4], entry[4];

	for (unsigned copy = 0; copy < 2; copy++) {
		uint64_t at = s->directory[copy] + in_directory + index * TABLE_SECTORS;
		int rc = ingot_source_read(s->file, s->directory[copy] * VMDK_SECTOR + 4 * index,
					   entry, sizeof(entry), err);

		if (rc == 0)
			rc = ingot_source_read(s->file, at * VMDK_SECTOR, t[copy], sizeof(t[copy]),
					       err);
		if (rc < 0)
			return rc;
		if (ingot_get_le32(entry) != at)
			FIND(s, "entry %llu of grain directory %u", (unsigned long long)index,
			     copy + 1);
	}
	if (memcmp(t[0], t[1], sizeof(t[0])) != 0)
		FIND(s, "grain table %llu and its copy differ", (unsigned long long)index);
	for (unsigned i = 0; i < VMDK_GTES; i++) {
		uint32_t sector = ingot_get_le32(t[0] + 4 * (size_t)i);

		if (sector != 0 && sector != s->next)
			FIND(s, "entry %u of grain table %llu leads elsewhere", i,
			     (unsigned long long)index);
		if (sector != 0)
			s->next += GRAIN_SECTORS;
	}
	return 0;
}

static int check_tails(struct sparse *s, struct ingot_error *err)
{
	uint64_t sectors = ingot_div_up(s->tables * 4, VMDK_SECTOR);
	uint64_t end = s->directory[0] + sectors + s->tables * TABLE_SECTORS;
	int rc = ingot_find_nonzero(s->file, end * VMDK_SECTOR, s->overhead * VMDK_SECTOR,
				    "before the first grain", s->finding, err);

	for (unsigned copy = 0; rc == 0 && copy < 2; copy++)
		rc = ingot_find_nonzero(s->file, s->directory[copy] * VMDK_SECTOR + s->tables * 4,
					(s->directory[copy] + sectors) * VMDK_SECTOR,
					"behind a grain directory", s->finding, err);
	return rc;
}

int ingot_vmdk_sparse_check(struct ingot_source *file, const unsigned char *header, char *finding,
			    struct ingot_error *err)
{
	struct sparse s = {.file = file, .finding = finding};
	int rc = 0;

	check_header(&s, header);
	s.next = s.overhead;
	if (!*finding)
		rc = ingot_vmdk_check_descriptor(file, s.capacity, VMDK_DESCRIPTOR_SECTORS,
						 "monolithicSparse", finding, err);
	for (uint64_t i = 0; rc == 0 && i < s.tables && !*finding; i++)
		rc = check_table(&s, i, err);
	if (rc == 0 && !*finding)
		rc = check_tails(&s, err);
	if (rc == 0 && file->size != s.next * VMDK_SECTOR)
		FIND(&s, "the file has %llu bytes, its grains end at %llu",
		     (unsigned long long)file->size, (unsigned long long)s.next * VMDK_SECTOR);
	return rc;
}

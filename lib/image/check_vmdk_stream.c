/*
 * streamOptimized as ESXi takes it: everything in the order of the specification, read from the
 * front to the end. A grain is 8 bytes of sector, 4 bytes of size and its data; a marker is 8 bytes
 * of sectors that follow, 4 bytes of 0 and 4 bytes of kind (0 end, 1 table, 2 directory, 3 footer).
 */
#include <string.h>

#include "base/bytes.h"
#include "image/check_vmdk_internal.h"

enum {
	SECTOR = CHECK_VMDK_SECTOR,
	GTES = CHECK_VMDK_GTES,
	GRAIN_MAX = 2 * 65536, /* compressed bytes of one */
	END = 0,
	TABLE = 1,
	DIRECTORY = 2,
	FOOTER = 3,
};

/* The walk. */
struct stream {
	struct checker *c;
	struct ingot_source *vmdk;
	struct check_vmdk header;
	uint64_t at;	   /* bytes */
	uint64_t next_lba; /* the next grain is not before it */
	uint64_t grains;
	uint32_t table[GTES]; /* where the grains of the table under way are, sectors */
	uint64_t table_index; /* ... which it is */
	bool table_used;
	uint32_t *tables; /* where the tables are, sectors; 0: none */
	size_t table_count;
	uint64_t directory; /* sector of the directory; 0: not seen */
	bool footer, end;
	const char *wrong; /* NULL: nothing so far */
};

/* --- the parts --------------------------------------------------------- */

static void take_grain(struct stream *s, uint64_t lba, uint32_t size)
{
	uint64_t index = lba / 128;

	if (lba % 128 || lba >= s->header.capacity)
		s->wrong = "a grain beyond the disk, or between two";
	else if (lba < s->next_lba)
		s->wrong = "grains that are not in order";
	else if (size > GRAIN_MAX)
		s->wrong = "a grain that is too large";
	else if (s->directory)
		s->wrong = "a grain behind the directory";
	else if (s->table_used && index / GTES != s->table_index)
		s->wrong = "a grain before the table of those before it";
	if (s->wrong)
		return;
	s->table_index = index / GTES;
	s->table_used = true;
	s->table[index % GTES] = (uint32_t)(s->at / SECTOR);
	s->next_lba = lba + 128;
	s->grains++;
	s->at += ingot_round_up(12 + (uint64_t)size, SECTOR);
}

static void take_table(struct stream *s)
{
	unsigned char bytes[GTES * 4];
	struct ingot_error err;

	if (!s->table_used) {
		s->wrong = "a grain table without grains";
		return;
	}
	if (!ingot_in_range(s->at, sizeof(bytes), s->vmdk->size) ||
	    ingot_source_read(s->vmdk, s->at, bytes, sizeof(bytes), &err) < 0) {
		s->wrong = "a grain table that is cut off";
		return;
	}
	for (unsigned i = 0; i < GTES; i++)
		if (ingot_get_le32(bytes + i * 4) != s->table[i])
			s->wrong = "a grain table that does not say where its grains are";
	s->tables[s->table_index] = (uint32_t)(s->at / SECTOR);
	memset(s->table, 0, sizeof(s->table));
	s->table_used = false;
	s->at += sizeof(bytes);
}

static void take_directory(struct stream *s)
{
	size_t n = s->table_count * 4;
	INGOT_FREE unsigned char *bytes = ingot_alloc(1, n, NULL);
	struct ingot_error err;

	if (!bytes) {
		s->c->oom = true;
		s->wrong = "no memory";
		return;
	}
	if (s->table_used)
		s->wrong = "a directory before the table of the last grains";
	else if (s->directory)
		s->wrong = "two directories";
	else if (!ingot_in_range(s->at, n, s->vmdk->size) ||
		 ingot_source_read(s->vmdk, s->at, bytes, n, &err) < 0)
		s->wrong = "a directory that is cut off";
	for (size_t i = 0; i < s->table_count && !s->wrong; i++)
		if (ingot_get_le32(bytes + i * 4) != s->tables[i])
			s->wrong = "a directory that does not say where the tables are";
	s->directory = s->at / SECTOR;
	s->at += ingot_round_up(n, SECTOR);
}

static void take_footer(struct stream *s)
{
	unsigned char header[SECTOR], footer[SECTOR];
	struct ingot_error err;

	if (!s->directory) {
		s->wrong = "a footer before the directory";
		return;
	}
	if (!ingot_in_range(s->at, SECTOR, s->vmdk->size) ||
	    ingot_source_read(s->vmdk, 0, header, SECTOR, &err) < 0 ||
	    ingot_source_read(s->vmdk, s->at, footer, SECTOR, &err) < 0) {
		s->wrong = "a footer that is cut off";
		return;
	}
	if (ingot_get_le64(footer + 56) != s->directory)
		s->wrong = "a footer that does not say where the directory is";
	ingot_put_le64(header + 56, s->directory);
	if (!s->wrong && memcmp(header, footer, SECTOR) != 0)
		s->wrong = "a footer that is not a copy of the header";
	s->footer = true;
	s->at += SECTOR;
}

/* --- the walk ---------------------------------------------------------- */

static void take_marker(struct stream *s, uint64_t sectors, uint32_t kind)
{
	static const uint64_t TABLE_SECTORS = GTES * 4 / SECTOR;
	uint64_t wanted[] = {[END] = 0,
			     [TABLE] = TABLE_SECTORS,
			     [DIRECTORY] = ingot_div_up(s->table_count * 4, SECTOR),
			     [FOOTER] = 1};

	s->at += SECTOR;
	if (kind > FOOTER)
		s->wrong = "a marker of an unknown kind";
	else if (sectors != wanted[kind])
		s->wrong = "a marker of a wrong size";
	else if (kind == TABLE)
		take_table(s);
	else if (kind == DIRECTORY)
		take_directory(s);
	else if (kind == FOOTER)
		take_footer(s);
	else
		s->end = true;
}

/* Each step goes on by a sector at least, so the walk ends with the file. */
static void walk(struct stream *s)
{
	unsigned char sector[SECTOR];
	struct ingot_error err;

	while (!s->end && !s->wrong) {
		uint64_t value;
		uint32_t size;

		if (!ingot_in_range(s->at, SECTOR, s->vmdk->size)) {
			s->wrong = "a file that is cut off";
			return;
		}
		if (s->at / SECTOR > UINT32_MAX) {
			s->wrong = "more than 2 TiB";
			return;
		}
		if (ingot_source_read(s->vmdk, s->at, sector, SECTOR, &err) < 0) {
			s->wrong = "a file that cannot be read";
			return;
		}
		value = ingot_get_le64(sector);
		size = ingot_get_le32(sector + 8);
		if (size)
			take_grain(s, value, size);
		else
			take_marker(s, value, ingot_get_le32(sector + 12));
	}
}

static void check_stream(struct stream *s)
{
	struct checker *c = s->c;

	walk(s);
	check_add(c, "grains, tables, directory, footer, end", !s->wrong,
		  "in this order, each where it is said to be",
		  s->wrong ? SAY("%s, at %llu", s->wrong, (unsigned long long)s->at)
			   : SAY("%llu grains", (unsigned long long)s->grains));
	if (s->wrong)
		return;
	check_add(c, "footer", s->footer, "there", s->footer ? "there" : "missing");
	check_add(c, "end of the stream", s->at == s->vmdk->size, "the last sector",
		  SAY("%llu bytes behind it", (unsigned long long)(s->vmdk->size - s->at)));
}

static void check_extent(struct checker *c, struct ingot_source *vmdk)
{
	struct stream s = {.c = c, .vmdk = vmdk};
	struct check_vmdk *h = &s.header;
	INGOT_FREE uint32_t *tables = NULL;

	if (!check_vmdk_header(c, vmdk, h))
		return;
	check_number(c, "version", 3, h->version);
	check_add(c, "flags", (h->flags & 0x30001) == 0x30001, "compressed, with markers",
		  SAY("0x%x", h->flags));
	check_number(c, "compression", 1, h->compression);
	check_add(c, "directory's place", h->gd == UINT64_MAX, "at the end",
		  SAY("0x%llx", (unsigned long long)h->gd));
	check_vmdk_descriptor(c, vmdk, h, "streamOptimized");
	if (h->gd != UINT64_MAX || h->overhead == 0 || h->overhead > UINT32_MAX)
		return;
	s.table_count = (size_t)ingot_div_up(h->capacity, 128 * GTES);
	s.tables = tables = ingot_alloc(s.table_count, sizeof(*tables), NULL);
	s.at = h->overhead * SECTOR;
	if (tables)
		check_stream(&s);
	else
		c->oom = true;
}

/* The only .vmdk in an archive; false after a line. */
static bool find_vmdk(struct checker *c, struct check_member *ret)
{
	struct check_member members[16];
	uint64_t end;
	size_t count = check_tar_list(c->file, members, 16, &end);

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(members[i].name);

		if (n > 5 && strcmp(members[i].name + n - 5, ".vmdk") == 0 &&
		    ingot_in_range(members[i].offset, members[i].size, c->file->size)) {
			*ret = members[i];
			return true;
		}
	}
	check_add(c, "archive", false, "a .vmdk in it", "none");
	return false;
}

void check_vmdk_stream(struct checker *c, const struct ingot_check_rule *rule)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	struct check_member member;

	(void)rule;
	if (strcmp(c->format, "ova") != 0 && strcmp(c->format, "vagrant") != 0) {
		check_extent(c, c->file);
		return;
	}
	if (!find_vmdk(c, &member))
		return;
	if (ingot_source_part(c->file, member.offset, member.size, &part, NULL) < 0)
		c->oom = true;
	else
		check_extent(c, part);
}

/*
 * Everything in a VMDK but the disk's bytes: vmdk_internal.h has the header. A stream is walked
 * from its first grain to its end: every sector is a grain, a table, a marker or padding, and what
 * the tables say has to be what the walk saw. Extents without markers are in vmdk_sparse_check.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/check_internal.h"
#include "formats/vmdk_internal.h"

enum {
	DESCRIPTOR_MAX = 128 * 1024,
	TABLES_MAX = 8 << 20, /* entries of the directory */
	GRAIN_MAX = 2048,     /* sectors */
};

struct checker {
	struct ingot_source *file;
	char *finding;
	unsigned char header[VMDK_SECTOR], footer[VMDK_SECTOR];
	uint64_t capacity, grain, overhead; /* sectors */
	uint64_t descriptor, descriptor_sectors;
	uint32_t gtes;
	uint64_t tables;
	uint32_t *directory;	     /* as the walk saw the tables */
	unsigned char *table, *seen; /* a grain table in the file, and as the walk saw it */
	uint64_t current;	     /* the table that is being filled */
	bool used;		     /* it has a grain */
	bool ended;
};

#define FIND(c, ...) ingot_finding((c)->finding, __VA_ARGS__)

static int read_sector(struct checker *c, uint64_t sector, unsigned char *to,
		       struct ingot_error *err)
{
	return ingot_source_read(c->file, sector * VMDK_SECTOR, to, VMDK_SECTOR, err);
}

/* --- header and footer ------------------------------------------------- */

static void check_header(struct checker *c, const unsigned char *h)
{
	uint32_t flags = ingot_get_le32(h + 8);

	if (ingot_get_le32(h) != VMDK_MAGIC)
		FIND(c, "the magic is missing");
	if (ingot_get_le32(h + 4) != 3)
		FIND(c, "version %u", ingot_get_le32(h + 4));
	if (flags != (VMDK_FLAG_NEWLINES | VMDK_FLAG_COMPRESSED | VMDK_FLAG_MARKERS))
		FIND(c, "flags 0x%08x", flags);
	if (memcmp(h + 73, "\n \r\n", 4) != 0)
		FIND(c, "the bytes that show a transfer as text are others");
	if (ingot_get_le64(h + 48) != 0)
		FIND(c, "a redundant directory, which a stream has not");
	if (h[72] != 0)
		FIND(c, "it was not closed");
	if (ingot_get_le16(h + 77) != 1)
		FIND(c, "compression %u", ingot_get_le16(h + 77));
	if (!ingot_bytes_are_zero(h + 79, VMDK_SECTOR - 79))
		FIND(c, "the header's reserved bytes are not zero");
}

static void check_numbers(struct checker *c)
{
	uint64_t sectors = c->file->size / VMDK_SECTOR;

	if (c->grain == 0 || c->grain > GRAIN_MAX || !ingot_is_power_of_two(c->grain))
		FIND(c, "grains of %llu sectors", (unsigned long long)c->grain);
	if (c->gtes != VMDK_GTES)
		FIND(c, "grain tables of %u entries", c->gtes);
	if (c->capacity == 0 || c->capacity > INT64_MAX / VMDK_SECTOR ||
	    (c->grain && c->capacity % c->grain))
		FIND(c, "a capacity of %llu sectors", (unsigned long long)c->capacity);
	if (c->descriptor != 1 || c->descriptor_sectors == 0 ||
	    c->descriptor_sectors > DESCRIPTOR_MAX / VMDK_SECTOR ||
	    c->descriptor + c->descriptor_sectors > c->overhead || c->overhead > sectors)
		FIND(c, "descriptor and grains are not where they have to be");
	if (c->file->size % VMDK_SECTOR || sectors < c->overhead + 4)
		FIND(c, "the file is cut off");
}

/* The footer is the header, but for the place of the directory. */
static int read_ends(struct checker *c, struct ingot_error *err)
{
	unsigned char *h = c->header;
	int rc = read_sector(c, 0, h, err);

	if (rc < 0)
		return rc;
	check_header(c, h);
	c->capacity = ingot_get_le64(h + 12);
	c->grain = ingot_get_le64(h + 20);
	c->descriptor = ingot_get_le64(h + 28);
	c->descriptor_sectors = ingot_get_le64(h + 36);
	c->gtes = ingot_get_le32(h + 44);
	c->overhead = ingot_get_le64(h + 64);
	check_numbers(c);
	if (*c->finding)
		return 0;
	if (ingot_get_le64(h + 56) != VMDK_GD_AT_END)
		FIND(c, "the header says where the directory is: a stream's footer does");
	rc = read_sector(c, c->file->size / VMDK_SECTOR - 2, c->footer, err);
	if (rc < 0)
		return rc;
	if (memcmp(h, c->footer, 56) != 0 || memcmp(h + 64, c->footer + 64, VMDK_SECTOR - 64) != 0)
		FIND(c, "header and footer differ");
	return 0;
}

/* --- descriptor -------------------------------------------------------- */

/* KEY="VALUE" or KEY = "VALUE" with a value that can be. */
static bool is_property(const char *line)
{
	static const char *const numbers[] = {
		"ddb.virtualHWVersion = \"", "ddb.geometry.cylinders = \"",
		"ddb.geometry.heads = \"",   "ddb.geometry.sectors = \"",
		"ddb.toolsVersion = \"",     "ddb.toolsInstallType = \"",
	};
	static const char *const adapters[] = {"ide", "lsilogic", "buslogic", "pvscsi"};
	static const char adapter[] = "ddb.adapterType = \"";
	size_t n;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		n = strlen(numbers[i]);
		if (strncmp(line, numbers[i], n) == 0) {
			size_t digits = strspn(line + n, "0123456789");

			return digits > 0 && strcmp(line + n + digits, "\"") == 0;
		}
	}
	n = sizeof(adapter) - 1;
	for (size_t i = 0; strncmp(line, adapter, n) == 0 && i < 4; i++) {
		size_t length = strlen(adapters[i]);

		if (strncmp(line + n, adapters[i], length) == 0 &&
		    strcmp(line + n + length, "\"") == 0)
			return true;
	}
	return false;
}

static bool is_extent(uint64_t capacity, const char *line)
{
	char want[64];
	size_t n;

	(void)snprintf(want, sizeof(want), "RW %llu SPARSE \"", (unsigned long long)capacity);
	n = strlen(want);
	return strncmp(line, want, n) == 0 && strchr(line + n, '"') &&
	       strchr(line + n, '"')[1] == '\0';
}

/* Seen by number, so that each has to be there once. */
enum line { LINE_OTHER, LINE_VERSION, LINE_CID, LINE_PARENT, LINE_TYPE, LINE_EXTENT, LINE_COUNT };

static bool is_type(const char *line, const char *type)
{
	static const char before[] = "createType=\"";
	size_t n = strlen(type);

	return strncmp(line, before, sizeof(before) - 1) == 0 &&
	       strncmp(line + sizeof(before) - 1, type, n) == 0 &&
	       strcmp(line + sizeof(before) - 1 + n, "\"") == 0;
}

static bool is_line(uint64_t capacity, const char *type, const char *line, enum line *kind)
{
	static const char *const comments[] = {"# Disk DescriptorFile", "# Extent description",
					       "# The Disk Data Base", "#DDB", ""};

	*kind = LINE_OTHER;
	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++)
		if (strcmp(line, comments[i]) == 0)
			return true;
	if (strcmp(line, "version=1") == 0)
		*kind = LINE_VERSION;
	else if (strncmp(line, "CID=", 4) == 0 && strlen(line) == 12 &&
		 strspn(line + 4, "0123456789abcdef") == 8)
		*kind = LINE_CID;
	else if (strcmp(line, "parentCID=ffffffff") == 0)
		*kind = LINE_PARENT;
	else if (is_type(line, type))
		*kind = LINE_TYPE;
	else if (is_extent(capacity, line))
		*kind = LINE_EXTENT;
	return *kind != LINE_OTHER || is_property(line);
}

static void check_lines(uint64_t capacity, const char *type, char *text, char *finding)
{
	unsigned seen[LINE_COUNT] = {0};
	enum line kind;
	char *next;

	for (char *line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!is_line(capacity, type, line, &kind))
			ingot_finding(finding, "the descriptor has the line '%.60s'", line);
		seen[kind]++;
	}
	for (unsigned i = LINE_VERSION; i < LINE_COUNT; i++)
		if (seen[i] != 1)
			ingot_finding(finding, "the descriptor has not all lines, or one twice");
}

int ingot_vmdk_check_descriptor(struct ingot_source *file, uint64_t capacity, uint64_t sectors,
				const char *type, char *finding, struct ingot_error *err)
{
	size_t n = (size_t)sectors * VMDK_SECTOR, length;
	INGOT_FREE char *text = ingot_alloc(1, n + 1, err);
	int rc = text ? ingot_source_read(file, VMDK_SECTOR, text, n, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	length = strlen(text);
	if (!ingot_bytes_are_zero((const unsigned char *)text + length, n - length))
		ingot_finding(finding, "there is something behind the descriptor");
	check_lines(capacity, type, text, finding);
	return 0;
}

static int check_descriptor(struct checker *c, struct ingot_error *err)
{
	int rc = ingot_vmdk_check_descriptor(c->file, c->capacity, c->descriptor_sectors,
					     "streamOptimized", c->finding, err);

	if (rc < 0)
		return rc;
	return ingot_find_nonzero(c->file, (c->descriptor + c->descriptor_sectors) * VMDK_SECTOR,
				  c->overhead * VMDK_SECTOR, "before the first grain", c->finding,
				  err);
}

/* --- the walk ---------------------------------------------------------- */

/* A grain of compressed bytes; *sectors it takes. */
static int take_grain(struct checker *c, uint64_t at, const unsigned char *sector,
		      uint64_t *sectors, struct ingot_error *err)
{
	uint64_t lba = ingot_get_le64(sector), size = ingot_get_le32(sector + 8);
	uint64_t end = at * VMDK_SECTOR + VMDK_GRAIN_MARKER + size;
	uint64_t index = lba / c->grain;

	*sectors = ingot_div_up(VMDK_GRAIN_MARKER + size, VMDK_SECTOR);
	if (lba % c->grain || lba >= c->capacity || size > 2 * c->grain * VMDK_SECTOR ||
	    end > c->file->size || at > UINT32_MAX) {
		FIND(c, "a grain at sector %llu that cannot be", (unsigned long long)at);
		return 0;
	}
	if (c->used && index / c->gtes != c->current)
		FIND(c, "the grain at sector %llu comes before the table of those before it",
		     (unsigned long long)at);
	c->current = index / c->gtes;
	c->used = true;
	if (ingot_get_le32(c->seen + 4 * (index % c->gtes)) != 0)
		FIND(c, "two grains for sector %llu of the disk", (unsigned long long)lba);
	ingot_put_le32(c->seen + 4 * (index % c->gtes), (uint32_t)at);
	return ingot_find_nonzero(c->file, end, (at + *sectors) * VMDK_SECTOR, "behind a grain",
				  c->finding, err);
}

static int take_table(struct checker *c, uint64_t at, uint64_t sectors, struct ingot_error *err)
{
	size_t size = (size_t)c->gtes * 4;
	int rc;

	if (sectors != size / VMDK_SECTOR || !c->used || c->directory[c->current] != 0) {
		FIND(c, "a grain table at sector %llu that does not belong there",
		     (unsigned long long)at);
		return 0;
	}
	rc = ingot_source_read(c->file, (at + 1) * VMDK_SECTOR, c->table, size, err);
	if (rc < 0)
		return rc;
	if (memcmp(c->table, c->seen, size) != 0)
		FIND(c, "the grain table at sector %llu is not that of its grains",
		     (unsigned long long)at + 1);
	c->directory[c->current] = (uint32_t)(at + 1);
	memset(c->seen, 0, size);
	c->used = false;
	return 0;
}

static int take_directory(struct checker *c, uint64_t at, uint64_t sectors, struct ingot_error *err)
{
	unsigned char raw[4];
	int rc = 0;

	if (sectors != ingot_div_up(c->tables * 4, VMDK_SECTOR) || c->used)
		FIND(c, "the grain directory has %llu sectors", (unsigned long long)sectors);
	if (ingot_get_le64(c->footer + 56) != at + 1)
		FIND(c, "the footer says that the directory is in sector %llu",
		     (unsigned long long)ingot_get_le64(c->footer + 56));
	for (uint64_t i = 0; rc == 0 && i < c->tables && !*c->finding; i++) {
		rc = ingot_source_read(c->file, (at + 1) * VMDK_SECTOR + 4 * i, raw, 4, err);
		if (rc == 0 && ingot_get_le32(raw) != c->directory[i])
			FIND(c, "entry %llu of the grain directory is not its table's sector",
			     (unsigned long long)i);
	}
	if (rc < 0)
		return rc;
	return ingot_find_nonzero(c->file, (at + 1) * VMDK_SECTOR + c->tables * 4,
				  (at + 1 + sectors) * VMDK_SECTOR, "behind the grain directory",
				  c->finding, err);
}

/* The order at the end: directory, footer, end of stream. */
static int take_marker(struct checker *c, uint64_t at, const unsigned char *sector,
		       uint64_t *sectors, struct ingot_error *err)
{
	uint64_t behind = ingot_get_le64(sector), last = c->file->size / VMDK_SECTOR - 1;
	uint32_t kind = ingot_get_le32(sector + 12);

	*sectors = 1 + behind;
	if (!ingot_bytes_are_zero(sector + 16, VMDK_SECTOR - 16))
		FIND(c, "there is something behind the marker in sector %llu",
		     (unsigned long long)at);
	if (behind > last - at) {
		FIND(c, "a marker in sector %llu that leads out of the file",
		     (unsigned long long)at);
		return 0;
	}
	switch (kind) {
	case VMDK_MARKER_GT:
		return take_table(c, at, behind, err);
	case VMDK_MARKER_GD:
		if (at + 1 + behind != last - 2)
			FIND(c, "the grain directory is not before the footer");
		return take_directory(c, at, behind, err);
	case VMDK_MARKER_FOOTER:
		if (behind != 1 || at != last - 2)
			FIND(c, "the footer is not before the end");
		return 0;
	case VMDK_MARKER_END:
		c->ended = true;
		if (behind != 0 || at != last)
			FIND(c, "the stream ends before the file");
		return 0;
	default:
		FIND(c, "a marker of kind %u in sector %llu", kind, (unsigned long long)at);
		return 0;
	}
}

static int walk(struct checker *c, struct ingot_error *err)
{
	uint64_t end = c->file->size / VMDK_SECTOR, sectors;
	unsigned char sector[VMDK_SECTOR];
	int rc = 0;

	for (uint64_t at = c->overhead; at < end && !*c->finding; at += sectors) {
		rc = read_sector(c, at, sector, err);
		if (rc < 0)
			return rc;
		if (ingot_get_le32(sector + 8) != 0)
			rc = take_grain(c, at, sector, &sectors, err);
		else
			rc = take_marker(c, at, sector, &sectors, err);
		if (rc < 0)
			return rc;
	}
	if (!c->ended)
		FIND(c, "the stream has no end");
	return 0;
}

/* --- the whole --------------------------------------------------------- */

int ingot_vmdk_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err)
{
	struct checker c = {.file = file, .finding = finding};
	INGOT_FREE uint32_t *directory = NULL;
	INGOT_FREE unsigned char *tables = NULL;
	int rc = read_sector(&c, 0, c.header, err);

	if (rc < 0)
		return rc;
	if (!(ingot_get_le32(c.header + 8) & VMDK_FLAG_MARKERS))
		return ingot_vmdk_sparse_check(file, c.header, finding, err);
	rc = read_ends(&c, err);
	if (rc == 0 && !*finding)
		rc = check_descriptor(&c, err);
	if (rc < 0 || *finding)
		return rc;
	c.tables = ingot_div_up(c.capacity, c.grain * c.gtes);
	if (c.tables > TABLES_MAX)
		return ingot_raise(err, -EFBIG, "a grain directory of %llu entries",
				   (unsigned long long)c.tables);
	directory = c.directory = ingot_alloc((size_t)c.tables, sizeof(*directory), err);
	tables = directory ? ingot_alloc(2, (size_t)c.gtes * 4, err) : NULL;
	if (!tables)
		return -ENOMEM;
	c.table = tables;
	c.seen = tables + (size_t)c.gtes * 4;
	return walk(&c, err);
}

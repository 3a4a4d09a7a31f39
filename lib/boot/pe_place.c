#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/pe_internal.h"
#include "boot/pe_sign.h"

enum { OPT_DIRECTORY_COUNT_32 = 92, OPT_SIZE_32 = 96 }; /* of PE32 */

static INGOT_MUST_USE int bad(struct ingot_error *err, const struct ingot_source *source,
			      const char *why)
{
	return ingot_raise(err, -EINVAL, "'%s': cannot be signed (%s)", source->name, why);
}

/* --- headers ----------------------------------------------------------- */

struct headers {
	struct pe_coff coff;
	uint32_t size; /* SizeOfHeaders */
	uint32_t table_offset, table_size;
};

static int read_directories(struct ingot_source *source, const uint8_t *optional, size_t n,
			    struct headers *h, struct ingot_pe_place *place,
			    struct ingot_error *err)
{
	bool is_32 = n >= 2 && ingot_get_le16(optional + OPT_MAGIC) == PE32_MAGIC;
	bool is_64 = n >= 2 && ingot_get_le16(optional + OPT_MAGIC) == PE32_PLUS_MAGIC;
	size_t fixed = is_32 ? OPT_SIZE_32 : OPT_SIZE;
	size_t entry = fixed + (size_t)DIRECTORY_CERTIFICATES * DIRECTORY_SIZE;

	if (!is_32 && !is_64)
		return bad(err, source, "neither PE32 nor PE32+");
	if (n < entry + DIRECTORY_SIZE ||
	    ingot_get_le32(optional + (is_32 ? OPT_DIRECTORY_COUNT_32 : OPT_DIRECTORY_COUNT)) <=
		    DIRECTORY_CERTIFICATES)
		return bad(err, source, "its headers have no place for a signature");
	h->size = ingot_get_le32(optional + OPT_HEADERS_SIZE);
	h->table_offset = ingot_get_le32(optional + entry);
	h->table_size = ingot_get_le32(optional + entry + 4);
	place->checksum_offset = (uint64_t)h->coff.offset + COFF_SIZE + OPT_CHECKSUM;
	place->entry_offset = (uint64_t)h->coff.offset + COFF_SIZE + entry;
	return 0;
}

static int read_headers(struct ingot_source *source, struct headers *h,
			struct ingot_pe_place *place, struct ingot_error *err)
{
	uint8_t optional[OPT_SIZE + DIRECTORIES_MAX * DIRECTORY_SIZE] = {0};
	size_t n;
	uint64_t table_end;
	int rc = pe_coff_read(source, &h->coff, err);

	if (rc < 0)
		return rc;
	n = ingot_min(h->coff.optional_size, sizeof(optional));
	if (!ingot_in_range((uint64_t)h->coff.offset + COFF_SIZE, h->coff.optional_size,
			    source->size))
		return bad(err, source, "its optional header ends after the file");
	rc = ingot_source_read(source, (uint64_t)h->coff.offset + COFF_SIZE, optional, n, err);
	if (rc == 0)
		rc = read_directories(source, optional, n, h, place, err);
	if (rc < 0)
		return rc;
	table_end = (uint64_t)h->coff.offset + COFF_SIZE + h->coff.optional_size +
		    (uint64_t)h->coff.sections * SECTION_SIZE;
	if (h->coff.sections > INGOT_PE_SECTIONS_MAX || h->size > INGOT_PE_HEADERS_MAX ||
	    h->size > source->size || table_end > h->size)
		return bad(err, source, "its section table ends after its headers");
	return 0;
}

/* --- sections ---------------------------------------------------------- */

struct range {
	uint32_t offset, size;
};

static int by_offset(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The bytes from the headers to the end of the last section, which must be all of them. */
static int check_sections(struct ingot_source *source, const struct headers *h, uint64_t *ret_end,
			  struct ingot_error *err)
{
	uint8_t table[INGOT_PE_SECTIONS_MAX * SECTION_SIZE];
	struct range ranges[INGOT_PE_SECTIONS_MAX];
	uint64_t end = h->size;
	size_t count = 0;
	int rc = ingot_source_read(source,
				   (uint64_t)h->coff.offset + COFF_SIZE + h->coff.optional_size,
				   table, (size_t)h->coff.sections * SECTION_SIZE, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < h->coff.sections; i++) {
		const uint8_t *p = table + i * SECTION_SIZE;
		struct range range = {ingot_get_le32(p + SECTION_RAW_OFFSET),
				      ingot_get_le32(p + SECTION_RAW_SIZE)};

		if (range.size)
			ranges[count++] = range;
	}
	qsort(ranges, count, sizeof(*ranges), by_offset);
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].offset < end)
			return bad(err, source, "its sections overlap in the file");
		if (ranges[i].offset > end)
			return bad(err, source,
				   "between its sections are bytes that no signature would cover");
		end += ranges[i].size;
	}
	if (end > source->size)
		return bad(err, source, "a section ends after the file");
	*ret_end = end;
	return 0;
}

/* --- the place --------------------------------------------------------- */

static int check_table(struct ingot_source *source, const struct headers *h, uint64_t sections_end,
		       struct ingot_pe_place *place, struct ingot_error *err)
{
	place->content_size = source->size;
	if (h->table_size) {
		if (h->table_offset % 8 || h->table_offset < sections_end)
			return bad(err, source, "its certificate table is where it cannot be");
		if ((uint64_t)h->table_offset + h->table_size != source->size)
			return bad(err, source, "its certificate table is not its end");
		if (h->table_size > INGOT_PE_TABLE_MAX)
			return bad(err, source, "its certificate table has more than 1 MiB");
		place->content_size = h->table_offset;
	}
	place->table_size = h->table_size;
	place->table_offset = ingot_round_up(place->content_size, 8);
	if (place->table_offset > UINT32_MAX - INGOT_PE_TABLE_MAX)
		return bad(err, source, "larger than 4 GiB");
	return 0;
}

int ingot_pe_place_read(struct ingot_source *source, struct ingot_pe_place *ret,
			struct ingot_error *err)
{
	struct ingot_pe_place place = {0};
	struct headers h = {0};
	uint64_t end = 0;
	int rc = read_headers(source, &h, &place, err);

	if (rc == 0)
		rc = check_sections(source, &h, &end, err);
	if (rc == 0)
		rc = check_table(source, &h, end, &place, err);
	if (rc == 0)
		*ret = place;
	return rc;
}

#include "boot/uki_internal.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/pe_internal.h"

enum { CMDLINE_MAX = 2047 };

/* --- headers ----------------------------------------------------------- */

static void put_section(uint8_t *p, const struct ingot_pe_section *section)
{
	memcpy(p, section->name, INGOT_PE_NAME_MAX);
	ingot_put_le32(p + SECTION_VIRTUAL_SIZE, section->virtual_size);
	ingot_put_le32(p + SECTION_VIRTUAL_ADDRESS, section->virtual_address);
	ingot_put_le32(p + SECTION_RAW_SIZE, section->raw_size);
	ingot_put_le32(p + SECTION_RAW_OFFSET, section->raw_offset);
	ingot_put_le32(p + SECTION_CHARACTERISTICS, section->characteristics);
}

/* Only what depends on where the stub's section is, and what pointed at dropped symbols. */
static void move_section(uint8_t *p, uint32_t moved)
{
	uint32_t raw_offset = ingot_get_le32(p + SECTION_RAW_OFFSET);

	if (ingot_get_le32(p + SECTION_RAW_SIZE))
		ingot_put_le32(p + SECTION_RAW_OFFSET, raw_offset + moved);
	memset(p + SECTION_RELOCATIONS, 0, SECTION_CHARACTERISTICS - SECTION_RELOCATIONS);
}

static void add_le32(uint8_t *p, uint64_t more)
{
	ingot_put_le32(p, (uint32_t)(ingot_get_le32(p) + more));
}

static void put_headers(const struct uki_plan *plan, uint8_t *headers)
{
	const struct ingot_pe *pe = &plan->pe;
	uint8_t *coff = headers + pe->coff_offset, *optional = headers + pe->optional_offset;
	uint8_t *table = headers + pe->table_offset;
	uint64_t end = pe->image_size;

	for (size_t i = 0; i < pe->section_count; i++, table += SECTION_SIZE)
		move_section(table, plan->moved);
	for (size_t i = 0; i < plan->count; i++, table += SECTION_SIZE) {
		const struct ingot_pe_section *section = &plan->sections[i];
		bool is_code = section->characteristics & SECTION_CODE;

		put_section(table, section);
		add_le32(optional + (is_code ? OPT_CODE_SIZE : OPT_DATA_SIZE), section->raw_size);
		end = (uint64_t)section->virtual_address + section->virtual_size;
	}
	ingot_put_le16(coff + COFF_SECTIONS, (uint16_t)(pe->section_count + plan->count));
	ingot_put_le32(coff + COFF_SYMBOLS, 0);
	ingot_put_le32(coff + COFF_SYMBOL_COUNT, 0);
	ingot_put_le32(optional + OPT_IMAGE_SIZE,
		       (uint32_t)ingot_round_up(end, pe->section_alignment));
	ingot_put_le32(optional + OPT_HEADERS_SIZE, plan->headers_size);
	ingot_put_le32(optional + OPT_CHECKSUM, 0);
	if (pe->directory_count > DIRECTORY_CERTIFICATES)
		memset(optional + OPT_SIZE + (size_t)DIRECTORY_CERTIFICATES * DIRECTORY_SIZE, 0,
		       DIRECTORY_SIZE);
}

/* Some linkers put more into the headers than a section table; it must not be overwritten. */
static int check_gap(struct ingot_source *stub, const struct uki_plan *plan, const uint8_t *headers,
		     struct ingot_error *err)
{
	const struct ingot_pe *pe = &plan->pe;
	size_t start = pe->table_offset + pe->section_count * SECTION_SIZE;
	size_t end = start + plan->count * SECTION_SIZE;

	for (size_t i = start; i < end; i++)
		if (headers[i])
			return ingot_raise(err, -EINVAL,
					   "stub '%s': its section table is followed by data",
					   stub->name);
	return 0;
}

static int make_headers(struct ingot_source *stub, const struct uki_plan *plan,
			struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE uint8_t *headers = ingot_alloc(1, plan->headers_size, err);
	int rc;

	if (!headers)
		return -ENOMEM;
	rc = ingot_source_read(stub, 0, headers, plan->pe.headers_size, err);
	if (rc < 0)
		return rc;
	rc = check_gap(stub, plan, headers, err);
	if (rc < 0)
		return rc;
	put_headers(plan, headers);
	return ingot_source_memory("PE headers", headers, plan->headers_size, ret, err);
}

/* --- the file ---------------------------------------------------------- */

struct pieces {
	struct ingot_source **list;
	size_t count;
	uint64_t size;
};

static int add_zeros(struct pieces *pieces, uint64_t until, struct ingot_error *err)
{
	int rc = ingot_source_zero(until - pieces->size, &pieces->list[pieces->count], err);

	if (rc < 0)
		return rc;
	pieces->count++;
	pieces->size = until;
	return 0;
}

static int add_part(struct pieces *pieces, struct ingot_source *whole, uint64_t offset,
		    uint64_t size, struct ingot_error *err)
{
	int rc = ingot_source_part(whole, offset, size, &pieces->list[pieces->count], err);

	if (rc < 0)
		return rc;
	pieces->count++;
	pieces->size += size;
	return 0;
}

static int add_sections(struct pieces *pieces, const struct ingot_uki_section *sections,
			const struct uki_plan *plan, struct ingot_error *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct ingot_pe_section *section = &plan->sections[i];
		int rc = add_zeros(pieces, section->raw_offset, err);

		if (rc == 0)
			rc = add_part(pieces, sections[i].content, 0, section->virtual_size, err);
		if (rc == 0)
			rc = add_zeros(pieces, section->raw_offset + section->raw_size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int join(struct ingot_source *stub, const struct ingot_uki_section *sections,
		const struct uki_plan *plan, struct pieces *pieces, struct ingot_source **ret,
		struct ingot_error *err)
{
	int rc = make_headers(stub, plan, &pieces->list[0], err);

	if (rc < 0)
		return rc;
	pieces->count = 1;
	pieces->size = plan->headers_size;
	rc = add_zeros(pieces, plan->raw_start + plan->moved, err);
	if (rc == 0)
		rc = add_part(pieces, stub, plan->raw_start, plan->raw_end - plan->raw_start, err);
	if (rc == 0)
		rc = add_sections(pieces, sections, plan, err);
	if (rc == 0)
		rc = ingot_source_concat("unified kernel image", pieces->list, pieces->count, ret,
					 err);
	return rc;
}

int ingot_uki_source(struct ingot_source *stub, const struct ingot_uki_section *sections,
		     size_t count, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct uki_plan *plan = ingot_alloc(1, sizeof(*plan), err);
	INGOT_FREE struct ingot_pe_section *added = ingot_alloc(count + 1, sizeof(*added), err);
	INGOT_FREE struct ingot_source **list = ingot_alloc(3 * count + 3, sizeof(*list), err);
	struct pieces pieces = {.list = list};
	int rc;

	if (!plan || !added || !list)
		return -ENOMEM;
	plan->count = count;
	plan->sections = added;
	rc = ingot_uki_plan(stub, sections, plan, err);
	if (rc < 0)
		return rc;
	rc = join(stub, sections, plan, &pieces, ret, err);
	for (size_t i = 0; rc < 0 && i < pieces.count; i++)
		ingot_source_free(list[i]);
	return rc;
}

/* --- command line ------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int ingot_uki_cmdline(const char *text, size_t n, char **ret, struct ingot_error *err)
{
	char *copy;

	for (; n > 0 && is_blank(*text); n--)
		text++;
	while (n > 0 && is_blank(text[n - 1]))
		n--;
	if (n == 0)
		return ingot_raise(err, -EINVAL, "command line: empty");
	if (n > CMDLINE_MAX)
		return ingot_raise(err, -EINVAL, "command line: %zu bytes, more than %d", n,
				   CMDLINE_MAX);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return ingot_raise(err, -EINVAL,
					   "command line: a line break or control character at "
					   "byte %zu",
					   i + 1);
	copy = ingot_format(err, "%.*s", (int)n, text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

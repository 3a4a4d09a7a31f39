#include "boot/uki.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "boot/pe_internal.h"

/* "Section Flags" */
#define SECTION_CODE 0x00000020
#define SECTION_DATA 0x00000040
#define SECTION_READ 0x40000000

enum { PAGE = 4096, CMDLINE_MAX = 2047 };

/* Where everything of the stub and of the new file is. */
struct plan {
	struct ingot_pe pe;
	uint32_t headers_size;	     /* new */
	uint32_t raw_start, raw_end; /* of the stub's sections, in the stub */
	uint32_t moved;		     /* how far they move back */
	size_t count;		     /* new sections */
	struct ingot_pe_section *sections;
};

/* --- checks ---------------------------------------------------------------------------------- */

static int check_linux(struct ingot_source *stub, const struct ingot_pe *pe,
		       struct ingot_source *linux_image, struct ingot_error *err)
{
	uint16_t machine;
	int rc = ingot_pe_machine(linux_image, &machine, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "not a kernel that EFI can start");
	if (machine != pe->machine)
		return ingot_raise(err, -EINVAL,
				   "kernel '%s' is for %s (0x%x), and stub '%s' for %s (0x%x)",
				   linux_image->name, ingot_pe_machine_name(machine), machine,
				   stub->name, ingot_pe_machine_name(pe->machine), pe->machine);
	return 0;
}

static int check_section(struct ingot_source *stub, const struct ingot_pe *pe,
			 const struct ingot_uki_section *sections, size_t index,
			 struct ingot_error *err)
{
	const char *name = sections[index].name;

	if (strlen(name) > INGOT_PE_NAME_MAX || name[0] != '.')
		return ingot_raise(err, -EINVAL, "'%.80s' is no section's name", name);
	if (ingot_pe_section_find(pe, name))
		return ingot_raise(err, -EINVAL, "stub '%s' already has a section '%s'", stub->name,
				   name);
	for (size_t i = 0; i < index; i++)
		if (strcmp(sections[i].name, name) == 0)
			return ingot_raise(err, -EINVAL, "section '%s' is given twice", name);
	if (sections[index].content->size == 0)
		return ingot_raise(err, -EINVAL, "section '%s' from '%s' is empty", name,
				   sections[index].content->name);
	if (strcmp(name, ".linux") == 0)
		return check_linux(stub, pe, sections[index].content, err);
	return 0;
}

static int check_stub(struct ingot_source *stub, const struct ingot_pe *pe, size_t count,
		      struct ingot_error *err)
{
	if (pe->subsystem != INGOT_PE_EFI_APPLICATION)
		return ingot_raise(err, -EINVAL, "stub '%s': not an EFI program (subsystem %u)",
				   stub->name, pe->subsystem);
	if (pe->section_count + count > INGOT_PE_SECTIONS_MAX)
		return ingot_raise(err, -EINVAL, "stub '%s': %zu sections and %zu new ones",
				   stub->name, pe->section_count, count);
	return 0;
}

/* --- headers --------------------------------------------------------------------------------- */

static void find_raw(struct plan *plan)
{
	plan->raw_start = UINT32_MAX;
	for (size_t i = 0; i < plan->pe.section_count; i++) {
		const struct ingot_pe_section *section = &plan->pe.sections[i];

		if (section->raw_size == 0)
			continue;
		if (section->raw_offset < plan->raw_start)
			plan->raw_start = section->raw_offset;
		if (section->raw_offset + section->raw_size > plan->raw_end)
			plan->raw_end = section->raw_offset + section->raw_size;
	}
}

static int plan_headers(struct ingot_source *stub, struct plan *plan, struct ingot_error *err)
{
	const struct ingot_pe *pe = &plan->pe;
	uint64_t table_end =
		pe->table_offset + (pe->section_count + plan->count) * (uint64_t)SECTION_SIZE;
	uint64_t headers =
		ingot_max(pe->headers_size, ingot_round_up(table_end, pe->file_alignment));

	find_raw(plan);
	if (plan->raw_end == 0)
		return ingot_raise(err, -EINVAL, "stub '%s': no section has any bytes", stub->name);
	if (headers > pe->sections[0].virtual_address || headers > INGOT_PE_HEADERS_MAX)
		return ingot_raise(err, -EINVAL,
				   "stub '%s': no room in its headers for %zu more sections",
				   stub->name, plan->count);
	if (headers > plan->raw_start)
		plan->moved =
			(uint32_t)ingot_round_up(headers - plan->raw_start, pe->file_alignment);
	if ((uint64_t)plan->raw_end + plan->moved > UINT32_MAX)
		return ingot_raise(err, -EFBIG, "stub '%s': larger than 4 GiB", stub->name);
	/* The entries of the debug directory hold offsets in the file. */
	if (plan->moved && pe->debug_size)
		return ingot_raise(err, -EINVAL,
				   "stub '%s': no room in its headers for %zu more sections, and "
				   "its debug directory cannot move",
				   stub->name, plan->count);
	plan->headers_size = (uint32_t)headers;
	return 0;
}

/* --- new sections ---------------------------------------------------------------------------- */

static int plan_sections(const struct ingot_uki_section *sections, struct plan *plan,
			 struct ingot_error *err)
{
	const struct ingot_pe *pe = &plan->pe;
	const struct ingot_pe_section *last = &pe->sections[pe->section_count - 1];
	uint64_t alignment = ingot_max(pe->section_alignment, PAGE);
	uint64_t address = (uint64_t)last->virtual_address + last->virtual_size;
	uint64_t offset = (uint64_t)plan->raw_end + plan->moved;

	for (size_t i = 0; i < plan->count; i++) {
		struct ingot_pe_section *section = &plan->sections[i];
		uint64_t size = sections[i].content->size;
		uint64_t raw_size;

		address = ingot_round_up(address, alignment);
		offset = ingot_round_up(offset, pe->file_alignment);
		if (size > UINT32_MAX || address + size + alignment > UINT32_MAX ||
		    offset + size + pe->file_alignment > UINT32_MAX)
			return ingot_raise(err, -EFBIG,
					   "section '%s' from '%s': the image grows past 4 GiB",
					   sections[i].name, sections[i].content->name);
		raw_size = ingot_round_up(size, pe->file_alignment);
		memcpy(section->name, sections[i].name, strlen(sections[i].name));
		section->virtual_address = (uint32_t)address;
		section->virtual_size = (uint32_t)size;
		section->raw_offset = (uint32_t)offset;
		section->raw_size = (uint32_t)raw_size;
		/* Kernels without LoadFile2 run where they are, as code. */
		section->characteristics =
			SECTION_READ |
			(strcmp(section->name, ".linux") == 0 ? SECTION_CODE : SECTION_DATA);
		address += size;
		offset += raw_size;
	}
	return 0;
}

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

static void put_headers(const struct plan *plan, uint8_t *headers)
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
static int check_gap(struct ingot_source *stub, const struct plan *plan, const uint8_t *headers,
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

static int make_headers(struct ingot_source *stub, const struct plan *plan,
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

/* --- the file -------------------------------------------------------------------------------- */

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
			const struct plan *plan, struct ingot_error *err)
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
		const struct plan *plan, struct pieces *pieces, struct ingot_source **ret,
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

static int make_plan(struct ingot_source *stub, const struct ingot_uki_section *sections,
		     struct plan *plan, struct ingot_error *err)
{
	int rc = ingot_pe_read(stub, &plan->pe, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "stub");
	rc = check_stub(stub, &plan->pe, plan->count, err);
	for (size_t i = 0; rc == 0 && i < plan->count; i++)
		rc = check_section(stub, &plan->pe, sections, i, err);
	if (rc == 0)
		rc = plan_headers(stub, plan, err);
	if (rc == 0)
		rc = plan_sections(sections, plan, err);
	return rc;
}

int ingot_uki_source(struct ingot_source *stub, const struct ingot_uki_section *sections,
		     size_t count, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct plan *plan = ingot_alloc(1, sizeof(*plan), err);
	INGOT_FREE struct ingot_pe_section *added = ingot_alloc(count + 1, sizeof(*added), err);
	INGOT_FREE struct ingot_source **list = ingot_alloc(3 * count + 3, sizeof(*list), err);
	struct pieces pieces = {.list = list};
	int rc;

	if (!plan || !added || !list)
		return -ENOMEM;
	plan->count = count;
	plan->sections = added;
	rc = make_plan(stub, sections, plan, err);
	if (rc < 0)
		return rc;
	rc = join(stub, sections, plan, &pieces, ret, err);
	for (size_t i = 0; rc < 0 && i < pieces.count; i++)
		ingot_source_free(list[i]);
	return rc;
}

/* --- command line ---------------------------------------------------------------------------- */

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

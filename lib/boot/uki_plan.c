#include "boot/uki_internal.h"

#include <errno.h>
#include <string.h>

#include "boot/pe_internal.h"

enum { PAGE = 4096 };

/* --- checks ------------------------------------------------------------ */

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

/* --- headers ----------------------------------------------------------- */

static void find_raw(struct uki_plan *plan)
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

static int plan_headers(struct ingot_source *stub, struct uki_plan *plan, struct ingot_error *err)
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

/* --- new sections ------------------------------------------------------ */

/* A command line has whole pages, so that another one moves nothing behind it. */
static uint64_t raw_unit(const struct ingot_pe *pe, const char *name)
{
	bool is_cmdline = strcmp(name, ".cmdline") == 0;

	return is_cmdline ? ingot_max(pe->file_alignment, PAGE) : pe->file_alignment;
}

static int plan_sections(const struct ingot_uki_section *sections, struct uki_plan *plan,
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
		    offset + size + pe->file_alignment + PAGE > UINT32_MAX)
			return ingot_raise(err, -EFBIG,
					   "section '%s' from '%s': the image grows past 4 GiB",
					   sections[i].name, sections[i].content->name);
		raw_size = ingot_round_up(size, raw_unit(pe, sections[i].name));
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

int ingot_uki_plan(struct ingot_source *stub, const struct ingot_uki_section *sections,
		   struct uki_plan *plan, struct ingot_error *err)
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

#include "boot/pe.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "boot/pe_internal.h"

enum { ALIGNMENT_MAX = 16 * 1024 * 1024 };

static INGOT_MUST_USE int bad(struct ingot_error *err, const struct ingot_source *source,
			      const char *why)
{
	return ingot_raise(err, -EINVAL, "'%s': not a usable PE file (%s)", source->name, why);
}

/* --- DOS and COFF headers ---------------------------------------------- */

int pe_coff_read(struct ingot_source *source, struct pe_coff *ret, struct ingot_error *err)
{
	uint8_t dos[DOS_SIZE], head[4 + COFF_SIZE];
	uint32_t offset;
	int rc;

	if (source->size < DOS_SIZE)
		return ingot_raise(err, -EINVAL, "'%s': not a PE file (only %llu bytes)",
				   source->name, (unsigned long long)source->size);
	rc = ingot_source_read(source, 0, dos, sizeof(dos), err);
	if (rc < 0)
		return rc;
	if (memcmp(dos, "MZ", 2) != 0)
		return ingot_raise(err, -EINVAL, "'%s': not a PE file (no MZ signature)",
				   source->name);
	offset = ingot_get_le32(dos + DOS_PE_OFFSET);
	if (offset > INGOT_PE_HEADERS_MAX || !ingot_in_range(offset, sizeof(head), source->size))
		return ingot_raise(err, -EINVAL, "'%s': not a PE file (header at 0x%x)",
				   source->name, offset);
	rc = ingot_source_read(source, offset, head, sizeof(head), err);
	if (rc < 0)
		return rc;
	if (memcmp(head, "PE\0\0", 4) != 0)
		return ingot_raise(err, -EINVAL, "'%s': not a PE file (no PE signature)",
				   source->name);
	ret->offset = offset + 4;
	ret->machine = ingot_get_le16(head + 4 + COFF_MACHINE);
	ret->sections = ingot_get_le16(head + 4 + COFF_SECTIONS);
	ret->optional_size = ingot_get_le16(head + 4 + COFF_OPTIONAL_SIZE);
	return 0;
}

int ingot_pe_machine(struct ingot_source *source, uint16_t *ret, struct ingot_error *err)
{
	struct pe_coff coff;
	int rc = pe_coff_read(source, &coff, err);

	if (rc < 0)
		return rc;
	*ret = coff.machine;
	return 0;
}

const char *ingot_pe_machine_name(uint16_t machine)
{
	switch (machine) {
	case INGOT_PE_I386:
		return "x86";
	case INGOT_PE_X86_64:
		return "x86-64";
	case INGOT_PE_ARM64:
		return "arm64";
	case INGOT_PE_RISCV64:
		return "riscv64";
	case INGOT_PE_LOONGARCH64:
		return "loongarch64";
	default:
		return "unknown";
	}
}

/* --- optional header --------------------------------------------------- */

static int read_certificates(struct ingot_source *source, const uint8_t *entry, struct ingot_pe *pe,
			     struct ingot_error *err)
{
	pe->certificates_offset = ingot_get_le32(entry);
	pe->certificates_size = ingot_get_le32(entry + 4);
	if (!ingot_in_range(pe->certificates_offset, pe->certificates_size, source->size))
		return bad(err, source, "its certificate table ends after the file");
	return 0;
}

static int check_optional(struct ingot_source *source, const struct ingot_pe *pe,
			  struct ingot_error *err)
{
	if (!ingot_is_power_of_two(pe->file_alignment) ||
	    !ingot_is_power_of_two(pe->section_alignment) ||
	    pe->file_alignment > pe->section_alignment || pe->section_alignment > ALIGNMENT_MAX)
		return bad(err, source, "its alignments are none");
	if (pe->headers_size > INGOT_PE_HEADERS_MAX || pe->headers_size > source->size)
		return bad(err, source, "its headers are larger than they can be");
	return 0;
}

static int read_optional(struct ingot_source *source, const struct pe_coff *coff,
			 struct ingot_pe *pe, struct ingot_error *err)
{
	uint8_t head[OPT_SIZE + DIRECTORIES_MAX * DIRECTORY_SIZE] = {0};
	size_t size = ingot_min(coff->optional_size, sizeof(head));
	int rc;

	if (!ingot_in_range(pe->optional_offset, coff->optional_size, source->size))
		return bad(err, source, "its optional header ends after the file");
	rc = ingot_source_read(source, pe->optional_offset, head, size, err);
	if (rc < 0)
		return rc;
	if (ingot_get_le16(head + OPT_MAGIC) == PE32_MAGIC)
		return bad(err, source, "PE32, for 32 bits; only PE32+ is read");
	if (size < OPT_SIZE || ingot_get_le16(head + OPT_MAGIC) != PE32_PLUS_MAGIC)
		return bad(err, source, "no PE32+ header");
	pe->directory_count = ingot_get_le32(head + OPT_DIRECTORY_COUNT);
	if (pe->directory_count > DIRECTORIES_MAX ||
	    OPT_SIZE + pe->directory_count * DIRECTORY_SIZE > coff->optional_size)
		return bad(err, source, "more directories than there is room for");
	pe->section_alignment = ingot_get_le32(head + OPT_SECTION_ALIGNMENT);
	pe->file_alignment = ingot_get_le32(head + OPT_FILE_ALIGNMENT);
	pe->image_size = ingot_get_le32(head + OPT_IMAGE_SIZE);
	pe->headers_size = ingot_get_le32(head + OPT_HEADERS_SIZE);
	pe->subsystem = ingot_get_le16(head + OPT_SUBSYSTEM);
	if (pe->directory_count > DIRECTORY_DEBUG)
		pe->debug_size = ingot_get_le32(head + OPT_SIZE + 4 +
						(size_t)DIRECTORY_DEBUG * DIRECTORY_SIZE);
	rc = check_optional(source, pe, err);
	if (rc < 0 || pe->directory_count <= DIRECTORY_CERTIFICATES)
		return rc;
	return read_certificates(
		source, head + OPT_SIZE + (size_t)DIRECTORY_CERTIFICATES * DIRECTORY_SIZE, pe, err);
}

/* --- sections ---------------------------------------------------------- */

static INGOT_MUST_USE int bad_section(struct ingot_error *err, const struct ingot_source *source,
				      const struct ingot_pe_section *section, const char *why)
{
	char name[64];

	return ingot_raise(
		err, -EINVAL, "'%s': not a usable PE file (section '%s' %s)", source->name,
		ingot_printable(section->name, strlen(section->name), name, sizeof(name)), why);
}

static uint64_t memory_end(const struct ingot_pe_section *section)
{
	return (uint64_t)section->virtual_address + section->virtual_size;
}

static uint64_t file_end(const struct ingot_pe_section *section)
{
	return (uint64_t)section->raw_offset + section->raw_size;
}

static int check_section(struct ingot_source *source, const struct ingot_pe *pe, size_t index,
			 struct ingot_error *err)
{
	const struct ingot_pe_section *section = &pe->sections[index];
	uint64_t start = index ? memory_end(section - 1) : pe->headers_size;

	if (section->virtual_address < start)
		return bad_section(err, source, section, "overlaps what is before it in memory");
	if (memory_end(section) > pe->image_size)
		return bad_section(err, source, section, "ends after the image in memory");
	if (section->raw_size == 0)
		return 0;
	if (section->raw_offset < pe->headers_size)
		return bad_section(err, source, section, "overlaps the headers");
	if (file_end(section) > ingot_min(source->size, UINT32_MAX))
		return bad_section(err, source, section, "ends after the file");
	for (size_t i = 0; i < index; i++) {
		const struct ingot_pe_section *other = &pe->sections[i];

		if (other->raw_size && section->raw_offset < file_end(other) &&
		    other->raw_offset < file_end(section))
			return bad_section(err, source, section, "overlaps another in the file");
	}
	return 0;
}

static void get_section(const uint8_t *p, struct ingot_pe_section *section)
{
	memcpy(section->name, p, INGOT_PE_NAME_MAX);
	section->virtual_size = ingot_get_le32(p + SECTION_VIRTUAL_SIZE);
	section->virtual_address = ingot_get_le32(p + SECTION_VIRTUAL_ADDRESS);
	section->raw_size = ingot_get_le32(p + SECTION_RAW_SIZE);
	section->raw_offset = ingot_get_le32(p + SECTION_RAW_OFFSET);
	section->characteristics = ingot_get_le32(p + SECTION_CHARACTERISTICS);
	if (section->raw_size == 0)
		section->raw_offset = 0; /* means nothing, and may lead anywhere */
	if (section->virtual_size == 0)	 /* old linkers; loaders take the other one */
		section->virtual_size = section->raw_size;
}

static int read_sections(struct ingot_source *source, struct ingot_pe *pe, struct ingot_error *err)
{
	if (!ingot_in_range(pe->table_offset, pe->section_count * SECTION_SIZE, pe->headers_size))
		return bad(err, source, "its section table ends after the headers");
	for (size_t i = 0; i < pe->section_count; i++) {
		uint8_t entry[SECTION_SIZE];
		int rc = ingot_source_read(source, pe->table_offset + i * SECTION_SIZE, entry,
					   sizeof(entry), err);

		if (rc < 0)
			return rc;
		get_section(entry, &pe->sections[i]);
		rc = check_section(source, pe, i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_pe_read(struct ingot_source *source, struct ingot_pe *ret, struct ingot_error *err)
{
	struct pe_coff coff;
	int rc = pe_coff_read(source, &coff, err);

	if (rc < 0)
		return rc;
	*ret = (struct ingot_pe){
		.machine = coff.machine,
		.coff_offset = coff.offset,
		.optional_offset = coff.offset + COFF_SIZE,
		.table_offset = coff.offset + COFF_SIZE + coff.optional_size,
		.section_count = coff.sections,
	};
	if (coff.sections == 0 || coff.sections > INGOT_PE_SECTIONS_MAX)
		return bad(err, source, "no sections, or more than 96");
	rc = read_optional(source, &coff, ret, err);
	if (rc < 0)
		return rc;
	return read_sections(source, ret, err);
}

const struct ingot_pe_section *ingot_pe_section_find(const struct ingot_pe *pe, const char *name)
{
	for (size_t i = 0; i < pe->section_count; i++)
		if (strcmp(pe->sections[i].name, name) == 0)
			return &pe->sections[i];
	return NULL;
}

int ingot_pe_section_source(struct ingot_source *source, const struct ingot_pe_section *section,
			    struct ingot_source **ret, struct ingot_error *err)
{
	return ingot_source_part(source, section->raw_offset,
				 ingot_min(section->virtual_size, section->raw_size), ret, err);
}

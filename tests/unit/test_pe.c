/* Reading PE files: a good one, and every lie that one can tell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/pe.h"
#include "pe_image.h"
#include "unit.h"

static int read_bytes(const uint8_t *bytes, size_t n, struct ingot_pe *pe, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;

	if (ingot_source_memory("x.efi", bytes, n, &source, err) < 0)
		abort();
	return ingot_pe_read(source, pe, err);
}

static void test_reads_a_program(void **state)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SOURCE struct ingot_source *sbat = NULL;
	const struct ingot_pe_section *section;
	struct ingot_error err = {0};
	uint8_t bytes[PE_IMAGE_MAX];
	struct ingot_pe pe;
	size_t n = pe_image(bytes, INGOT_PE_ARM64, 0x400);
	uint16_t machine;

	(void)state;
	assert_ok(ingot_source_memory("x.efi", bytes, n, &source, &err));
	assert_ok(ingot_pe_read(source, &pe, &err));
	assert_int_equal(pe.machine, INGOT_PE_ARM64);
	assert_string_equal(ingot_pe_machine_name(pe.machine), "arm64");
	assert_int_equal(pe.subsystem, INGOT_PE_EFI_APPLICATION);
	assert_int_equal(pe.section_count, 2);
	assert_null(ingot_pe_section_find(&pe, ".linux"));
	section = ingot_pe_section_find(&pe, ".sbat");
	assert_non_null(section);
	assert_int_equal(section->raw_offset, 0x600);
	assert_ok(ingot_pe_section_source(source, section, &sbat, &err));
	assert_int_equal(sbat->size, 0x123);
	assert_ok(ingot_pe_machine(source, &machine, &err));
	assert_int_equal(machine, INGOT_PE_ARM64);
}

/* One number put into a good file, and what the sentence must say then. */
static void test_refuses_lies(void **state)
{
	static const struct {
		size_t at, width;
		uint32_t value;
		const char *words;
	} cases[] = {
		{0, 2, 0x457f, "not a PE file (no MZ signature)"},
		{60, 4, 0xffffffff, "not a PE file (header at 0xffffffff)"},
		{60, 4, 0x7f0, "not a PE file (header at 0x7f0)"},
		{PE_AT, 4, 0x4550454e, "no PE signature"},
		{COFF_AT + 2, 2, 0, "no sections"},
		{COFF_AT + 2, 2, 97, "more than 96"},
		{COFF_AT + 2, 2, 96, "section table ends after the headers"},
		{COFF_AT + 16, 2, 0xffff, "optional header ends after the file"},
		{COFF_AT + 16, 2, 100, "no PE32+ header"},
		{COFF_AT + 16, 2, 120, "more directories"},
		{OPT_AT, 2, 0x10b, "only PE32+"},
		{OPT_AT, 2, 0x107, "no PE32+ header"},
		{OPT_AT + 32, 4, 0x1001, "alignments"},
		{OPT_AT + 32, 4, 0x80000000, "alignments"},
		{OPT_AT + 36, 4, 0, "alignments"},
		{OPT_AT + 36, 4, 0x2000, "alignments"},
		{OPT_AT + 56, 4, 0x2000, "'.sbat' ends after the image in memory"},
		{OPT_AT + 60, 4, 0x10000000, "headers are larger"},
		{OPT_AT + 60, 4, 0x7ff, "overlaps the headers"},
		{OPT_AT + 108, 4, 17, "more directories"},
		{DIRECTORIES_AT + 32, 4, 0x900, "certificate table ends after the file"},
		{DIRECTORIES_AT + 36, 4, 0x801, "certificate table ends after the file"},
		{TABLE_AT + 8, 4, 0x1001, "'.sbat' overlaps what is before it in memory"},
		{TABLE_AT + 8, 4, 0xfffff000, "ends after the image in memory"},
		{TABLE_AT + 12, 4, 0x3ff, "'.text' overlaps what is before it in memory"},
		{TABLE_AT + 12, 4, 0x2800, "overlaps what is before it in memory"},
		{TABLE_AT + 16, 4, 0x201, "'.sbat' overlaps another in the file"},
		{TABLE_AT + 16, 4, 0xfffffe00, "'.text' ends after the file"},
		{TABLE_AT + 20, 4, 0xfffffe00, "'.text' ends after the file"},
		{TABLE_AT + 20, 4, 0x3ff, "'.text' overlaps the headers"},
	};
	uint8_t bytes[PE_IMAGE_MAX];
	struct ingot_error err = {0};
	struct ingot_pe pe;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = pe_image(bytes, INGOT_PE_X86_64, 0x400);

		if (cases[i].width == 2)
			ingot_put_le16(bytes + cases[i].at, (uint16_t)cases[i].value);
		else
			ingot_put_le32(bytes + cases[i].at, cases[i].value);
		assert_fails(read_bytes(bytes, n, &pe, &err), -EINVAL, cases[i].words);
		assert_non_null(strstr(err.text, "'x.efi'"));
	}
}

/* However short the file is. */
static void test_refuses_every_truncation(void **state)
{
	uint8_t bytes[PE_IMAGE_MAX];
	struct ingot_error err = {0};
	struct ingot_pe pe;
	size_t size = pe_image(bytes, INGOT_PE_X86_64, 0x400);

	(void)state;
	assert_ok(read_bytes(bytes, size, &pe, &err));
	for (size_t n = 0; n < size; n++)
		assert_int_equal(read_bytes(bytes, n, &pe, &err), -EINVAL);
}

/* A name with all 8 bytes, and a virtual size of 0, which means the size in the file. */
static void test_old_linkers(void **state)
{
	uint8_t bytes[PE_IMAGE_MAX];
	struct ingot_error err = {0};
	struct ingot_pe pe;
	size_t n = pe_image(bytes, INGOT_PE_X86_64, 0x400);

	(void)state;
	memcpy(bytes + TABLE_AT, ".sdmagic", 8);
	ingot_put_le32(bytes + TABLE_AT + 8, 0);
	assert_ok(read_bytes(bytes, n, &pe, &err));
	assert_non_null(ingot_pe_section_find(&pe, ".sdmagic"));
	assert_int_equal(pe.sections[0].virtual_size, 0x200);
}

/* A section without bytes may say that they are anywhere. */
static void test_a_section_without_bytes(void **state)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SOURCE struct ingot_source *none = NULL;
	uint8_t bytes[PE_IMAGE_MAX];
	struct ingot_error err = {0};
	struct ingot_pe pe;
	size_t n = pe_image(bytes, INGOT_PE_X86_64, 0x400);

	(void)state;
	ingot_put_le32(bytes + TABLE_AT + 16, 0);
	ingot_put_le32(bytes + TABLE_AT + 20, 0xff000000);
	assert_ok(ingot_source_memory("x.efi", bytes, n, &source, &err));
	assert_ok(ingot_pe_read(source, &pe, &err));
	assert_ok(ingot_pe_section_source(source, &pe.sections[0], &none, &err));
	assert_int_equal(none->size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_program),
		cmocka_unit_test(test_refuses_lies),
		cmocka_unit_test(test_refuses_every_truncation),
		cmocka_unit_test(test_old_linkers),
		cmocka_unit_test(test_a_section_without_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

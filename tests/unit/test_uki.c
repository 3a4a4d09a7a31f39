/* Unified kernel images: sections where they belong, headers that agree, stubs refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/uki.h"
#include "pe_image.h"
#include "unit.h"

static uint8_t stub_bytes[PE_IMAGE_MAX], kernel_bytes[PE_IMAGE_MAX];

static struct ingot_source *memory(const char *name, const void *data, size_t n)
{
	struct ingot_source *source;

	if (ingot_source_memory(name, data, n, &source, NULL) < 0)
		abort();
	return source;
}

/* The stub as it is now, with two sections; the image's bytes are the caller's. */
static int assemble(size_t stub_size, uint8_t **ret, size_t *ret_n, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *stub = memory("stub", stub_bytes, stub_size);
	INGOT_SOURCE struct ingot_source *kernel =
		memory("vmlinuz", kernel_bytes, pe_image(kernel_bytes, INGOT_PE_X86_64, 0x400));
	INGOT_SOURCE struct ingot_source *line = memory("line", "quiet", 5);
	const struct ingot_uki_section sections[] = {{".cmdline", line}, {".linux", kernel}};
	INGOT_SOURCE struct ingot_source *image = NULL;
	int rc = ingot_uki_source(stub, sections, 2, &image, err);

	return rc < 0 ? rc : ingot_source_load(image, 1 << 20, (char **)ret, ret_n, err);
}

static void check_section(const uint8_t *image, const struct ingot_pe_section *section,
			  const char *name, uint32_t address, const void *data, size_t n)
{
	assert_string_equal(section->name, name);
	assert_int_equal(section->virtual_address, address);
	assert_int_equal(section->virtual_size, n);
	assert_int_equal(section->raw_offset % 0x200, 0);
	assert_int_equal(section->raw_size % 0x200, 0);
	assert_memory_equal(image + section->raw_offset, data, n);
}

static void check_image(const uint8_t *image, size_t n, uint32_t headers)
{
	INGOT_SOURCE struct ingot_source *source = memory("image", image, n);
	struct ingot_error err = {0};
	struct ingot_pe pe;

	assert_ok(ingot_pe_read(source, &pe, &err));
	assert_int_equal(pe.section_count, 4);
	assert_int_equal(pe.headers_size, headers);
	assert_int_equal(pe.image_size, 0x5000);
	assert_string_equal(pe.sections[0].name, ".text");
	assert_int_equal(pe.sections[0].virtual_address, 0x1000);
	check_section(image, &pe.sections[2], ".cmdline", 0x3000, "quiet", 5);
	check_section(image, &pe.sections[3], ".linux", 0x4000, kernel_bytes, 0x800);
	assert_int_equal(n, headers + 0x400 + 0x1000 + 0x800);
	assert_int_equal(image[pe.sections[0].raw_offset + 0x122], 'T');
	assert_int_equal(image[pe.sections[1].raw_offset + 0x122], 'S');
	assert_int_equal(ingot_get_le32(image + OPT_AT + 4), 0x200 + 0x800);
	assert_int_equal(ingot_get_le32(image + OPT_AT + 8), 0x200 + 0x1000);
	assert_int_equal(ingot_get_le32(image + OPT_AT + 64), 0);
	assert_int_equal(pe.sections[2].characteristics, 0x40000040);
	assert_int_equal(pe.sections[3].characteristics, 0x40000020);
}

static void test_adds_sections(void **state)
{
	struct ingot_error err = {0};
	INGOT_FREE uint8_t *image = NULL;
	size_t n;

	(void)state;
	assert_ok(assemble(pe_image(stub_bytes, INGOT_PE_X86_64, 0x400), &image, &n, &err));
	check_image(image, n, 0x400);
}

/* A table that ends 40 bytes before the first section: the sections move in the file. */
static void test_makes_room_in_the_headers(void **state)
{
	struct ingot_error err = {0};
	INGOT_FREE uint8_t *image = NULL;
	size_t size, n;

	(void)state;
	size = pe_image(stub_bytes, INGOT_PE_X86_64, 0x200);
	assert_ok(assemble(size, &image, &n, &err));
	check_image(image, n, 0x400);

	ingot_put_le32(stub_bytes + DIRECTORIES_AT + 52, 28); /* debug directory */
	assert_fails(assemble(size, &image, &n, &err), -EINVAL, "debug directory cannot move");
	size = pe_image(stub_bytes, INGOT_PE_X86_64, 0x200);
	ingot_put_le32(stub_bytes + TABLE_AT + 12, 0x200);
	assert_fails(assemble(size, &image, &n, &err), -EINVAL, "no room in its headers");
}

/* What followed the sections is gone, and nothing points at it any more. */
static void test_drops_signature_and_symbols(void **state)
{
	struct ingot_error err = {0};
	INGOT_FREE uint8_t *image = NULL;
	size_t n, size = pe_image(stub_bytes, INGOT_PE_X86_64, 0x400);

	(void)state;
	memset(stub_bytes + size, 'C', 0x100);
	ingot_put_le32(stub_bytes + DIRECTORIES_AT + 32, (uint32_t)size);
	ingot_put_le32(stub_bytes + DIRECTORIES_AT + 36, 0x100);
	ingot_put_le32(stub_bytes + COFF_AT + 8, (uint32_t)size);
	ingot_put_le32(stub_bytes + COFF_AT + 12, 7);
	assert_ok(assemble(size + 0x100, &image, &n, &err));
	assert_null(memchr(image, 'C', n));
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(image[DIRECTORIES_AT + 32 + i] | image[COFF_AT + 8 + i], 0);
	check_image(image, n, 0x400);
}

static void test_refuses_stubs(void **state)
{
	struct ingot_error err = {0};
	INGOT_FREE uint8_t *image = NULL;
	size_t n, size = pe_image(stub_bytes, INGOT_PE_ARM64, 0x400);

	(void)state;
	assert_fails(assemble(size, &image, &n, &err), -EINVAL,
		     "kernel 'vmlinuz' is for x86-64 (0x8664), and stub 'stub' for arm64 (0xaa64)");
	size = pe_image(stub_bytes, INGOT_PE_X86_64, 0x400);
	ingot_put_le16(stub_bytes + OPT_AT + 68, 3);
	assert_fails(assemble(size, &image, &n, &err), -EINVAL, "not an EFI program (subsystem 3)");
	size = pe_image(stub_bytes, INGOT_PE_X86_64, 0x400);
	memcpy(stub_bytes + TABLE_AT, ".linux\0", 8);
	assert_fails(assemble(size, &image, &n, &err), -EINVAL, "already has a section '.linux'");
	size = pe_image(stub_bytes, INGOT_PE_X86_64, 0x400);
	stub_bytes[TABLE_AT + 2 * 40] = 1;
	assert_fails(assemble(size, &image, &n, &err), -EINVAL, "followed by data");
	memcpy(stub_bytes,
	       "\x7f"
	       "ELF",
	       4);
	assert_fails(assemble(size, &image, &n, &err), -EINVAL,
		     "stub: 'stub': not a PE file (no MZ signature)");
}

static void test_refuses_sections(void **state)
{
	INGOT_SOURCE struct ingot_source *stub =
		memory("stub", stub_bytes, pe_image(stub_bytes, INGOT_PE_X86_64, 0x400));
	INGOT_SOURCE struct ingot_source *text = memory("text", "hello", 5);
	INGOT_SOURCE struct ingot_source *none = memory("none", "", 0);
	INGOT_SOURCE struct ingot_source *huge = NULL;
	INGOT_SOURCE struct ingot_source *image = NULL;
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_source_zero(UINT32_MAX, &huge, &err));
	const struct {
		struct ingot_uki_section sections[2];
		int code;
		const char *words;
	} cases[] = {
		{{{".linux", text}, {".a", text}}, -EINVAL, "not a kernel that EFI can start"},
		{{{".a", text}, {".a", text}}, -EINVAL, "given twice"},
		{{{".a", text}, {".initrd", none}}, -EINVAL, "'.initrd' from 'none' is empty"},
		{{{".a", text}, {".toolong1", text}}, -EINVAL, "no section's name"},
		{{{".a", text}, {".initrd", huge}}, -EFBIG, "past 4 GiB"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_fails(ingot_uki_source(stub, cases[i].sections, 2, &image, &err),
			     cases[i].code, cases[i].words);
}

static void test_cmdline(void **state)
{
	struct ingot_error err = {0};
	char *line = NULL;
	char big[2049];

	(void)state;
	assert_ok(ingot_uki_cmdline(" \n root=x  rw\t\n\n", 16, &line, &err));
	assert_string_equal(line, "root=x  rw");
	free(line);
	assert_fails(ingot_uki_cmdline("a\nb", 3, &line, &err), -EINVAL, "at byte 2");
	assert_fails(ingot_uki_cmdline("a\0b", 3, &line, &err), -EINVAL, "at byte 2");
	assert_fails(ingot_uki_cmdline(" \n", 2, &line, &err), -EINVAL, "empty");
	memset(big, 'x', sizeof(big));
	assert_fails(ingot_uki_cmdline(big, 2048, &line, &err), -EINVAL, "2048 bytes");
	assert_ok(ingot_uki_cmdline(big, 2047, &line, &err));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adds_sections),
		cmocka_unit_test(test_makes_room_in_the_headers),
		cmocka_unit_test(test_drops_signature_and_symbols),
		cmocka_unit_test(test_refuses_stubs),
		cmocka_unit_test(test_refuses_sections),
		cmocka_unit_test(test_cmdline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

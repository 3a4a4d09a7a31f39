/* Stubs and images from anywhere: read, searched, and built upon. */
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "boot/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int rc)
{
	if (rc < 0)
		abort();
}

static void read_all(struct ingot_source *source)
{
	INGOT_FREE char *bytes = NULL;
	struct ingot_error err = {0};
	size_t n;

	must(ingot_source_load(source, 1 << 26, &bytes, &n, &err));
}

/* What the reader lets through, it must be able to hand out. */
static void read_sections(struct ingot_source *source, const struct ingot_pe *pe)
{
	struct ingot_error err = {0};

	for (size_t i = 0; i < pe->section_count; i++) {
		INGOT_SOURCE struct ingot_source *section = NULL;

		must(ingot_pe_section_source(source, &pe->sections[i], &section, &err));
		read_all(section);
	}
}

/* A kernel for the stub's machine, as far as anybody looks. */
static void make_kernel(uint8_t kernel[128], uint16_t machine)
{
	memset(kernel, 0, 128);
	memcpy(kernel, "MZ", 2);
	kernel[60] = 64;
	memcpy(kernel + 64, "PE\0\0", 4);
	ingot_put_le16(kernel + 68, machine);
}

/* What the writer makes, the reader must accept, with the sections that went in. */
static void check_image(struct ingot_source *image)
{
	const struct ingot_pe_section *section;
	struct ingot_error err = {0};
	struct ingot_pe pe;

	must(ingot_pe_read(image, &pe, &err));
	section = ingot_pe_section_find(&pe, ".cmdline");
	if (!section || section->virtual_size != 5 || !ingot_pe_section_find(&pe, ".linux"))
		abort();
	read_sections(image, &pe);
	read_all(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	INGOT_SOURCE struct ingot_source *stub = NULL;
	INGOT_SOURCE struct ingot_source *line = NULL;
	INGOT_SOURCE struct ingot_source *linux_image = NULL;
	INGOT_SOURCE struct ingot_source *image = NULL;
	struct ingot_error err = {0};
	struct ingot_pe pe;
	uint8_t kernel[128];

	must(ingot_source_memory("stub", data, size, &stub, &err));
	if (ingot_pe_read(stub, &pe, &err) < 0)
		return 0;
	read_sections(stub, &pe);
	make_kernel(kernel, pe.machine);
	must(ingot_source_memory("line", "quiet", 5, &line, &err));
	must(ingot_source_memory("kernel", kernel, sizeof(kernel), &linux_image, &err));
	const struct ingot_uki_section sections[] = {{".cmdline", line}, {".linux", linux_image}};

	if (ingot_uki_source(stub, sections, 2, &image, &err) == 0)
		check_image(image);
	return 0;
}

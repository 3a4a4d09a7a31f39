/*
 * Reading PE32+ files: EFI programs and unified kernel images. (Microsoft, PE Format; the
 * sections named below are its.) Nothing in the file is believed: every offset is checked
 * against the file, sections may not overlap in the file or in memory, and what cannot be
 * true is one sentence with the file's name.
 */
#ifndef INGOT_BOOT_PE_H
#define INGOT_BOOT_PE_H

#include "io/source.h"

#define INGOT_PE_SECTIONS_MAX 96	  /* "COFF File Header" */
#define INGOT_PE_HEADERS_MAX  (64 * 1024) /* bytes before the first section */
#define INGOT_PE_NAME_MAX     8

enum ingot_pe_machine {
	INGOT_PE_I386 = 0x014c,
	INGOT_PE_X86_64 = 0x8664,
	INGOT_PE_ARM64 = 0xaa64,
	INGOT_PE_RISCV64 = 0x5064,
	INGOT_PE_LOONGARCH64 = 0x6264,
};

enum { INGOT_PE_EFI_APPLICATION = 10 }; /* subsystem */

/* "Section Table" */
struct ingot_pe_section {
	char name[INGOT_PE_NAME_MAX + 1];
	uint32_t virtual_address;
	uint32_t virtual_size; /* bytes in memory */
	uint32_t raw_offset;   /* in the file */
	uint32_t raw_size;     /* bytes in the file, a multiple of the alignment */
	uint32_t characteristics;
};

struct ingot_pe {
	uint16_t machine;
	uint16_t subsystem;
	uint32_t coff_offset;	  /* of the COFF file header, behind "PE\0\0" */
	uint32_t optional_offset; /* of the optional header */
	uint32_t table_offset;	  /* of the section table */
	uint32_t directory_count;
	uint32_t section_alignment, file_alignment;
	uint32_t image_size, headers_size;
	uint32_t certificates_offset, certificates_size; /* 0: not signed */
	uint32_t debug_size;				 /* of the debug directory */
	size_t section_count;
	struct ingot_pe_section sections[INGOT_PE_SECTIONS_MAX]; /* by rising address */
};

INGOT_API INGOT_MUST_USE int ingot_pe_read(struct ingot_source *source, struct ingot_pe *ret,
					   struct ingot_error *err);

/* Only the machine, from any PE file: kernels have section tables of their own kind. */
INGOT_API INGOT_MUST_USE int ingot_pe_machine(struct ingot_source *source, uint16_t *ret,
					      struct ingot_error *err);

/* "x86-64"; "unknown" for what is not in the enum. */
INGOT_API const char *ingot_pe_machine_name(uint16_t machine);

/* The section of that name (".cmdline"), or NULL. */
INGOT_API const struct ingot_pe_section *ingot_pe_section_find(const struct ingot_pe *pe,
							       const char *name);

/* The bytes that the section has in the file, without the padding. The file is borrowed. */
INGOT_API INGOT_MUST_USE int ingot_pe_section_source(struct ingot_source *source,
						     const struct ingot_pe_section *section,
						     struct ingot_source **ret,
						     struct ingot_error *err);

#endif

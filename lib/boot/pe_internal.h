/* Offsets that the reader and the writer of PE files share (PE Format). */
#ifndef INGOT_BOOT_PE_INTERNAL_H
#define INGOT_BOOT_PE_INTERNAL_H

#include "boot/pe.h"

/* What the DOS and COFF headers say. */
struct pe_coff {
	uint32_t offset; /* of the COFF header */
	uint16_t machine, sections, optional_size;
};

INGOT_MUST_USE int pe_coff_read(struct ingot_source *source, struct pe_coff *ret,
				struct ingot_error *err);

enum {
	/* "MS-DOS Stub" */
	DOS_SIZE = 64,
	DOS_PE_OFFSET = 60,

	/* "COFF File Header" */
	COFF_MACHINE = 0,
	COFF_SECTIONS = 2,
	COFF_SYMBOLS = 8,
	COFF_SYMBOL_COUNT = 12,
	COFF_OPTIONAL_SIZE = 16,
	COFF_SIZE = 20,

	/* "Optional Header" of PE32+ */
	OPT_MAGIC = 0,
	OPT_CODE_SIZE = 4,
	OPT_DATA_SIZE = 8,
	OPT_SECTION_ALIGNMENT = 32,
	OPT_FILE_ALIGNMENT = 36,
	OPT_IMAGE_SIZE = 56,
	OPT_HEADERS_SIZE = 60,
	OPT_CHECKSUM = 64,
	OPT_SUBSYSTEM = 68,
	OPT_DIRECTORY_COUNT = 108,
	OPT_SIZE = 112, /* followed by the directories */

	DIRECTORY_SIZE = 8,
	DIRECTORIES_MAX = 16,
	DIRECTORY_CERTIFICATES = 4, /* its offset is one in the file */
	DIRECTORY_DEBUG = 6,

	/* "Section Table" */
	SECTION_VIRTUAL_SIZE = 8,
	SECTION_VIRTUAL_ADDRESS = 12,
	SECTION_RAW_SIZE = 16,
	SECTION_RAW_OFFSET = 20,
	SECTION_RELOCATIONS = 24, /* this and line numbers, with their counts: 12 bytes */
	SECTION_CHARACTERISTICS = 36,
	SECTION_SIZE = 40,
};

#define PE32_MAGIC	0x10b
#define PE32_PLUS_MAGIC 0x20b

#endif

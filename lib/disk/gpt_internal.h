/*
 * What the writer and the reader of GUID partition tables share. UEFI 2.10, tables 5.5 (header)
 * and 5.6 (entry), little-endian:
 *
 *	 0  8  "EFI PART"              0 16  type GUID
 *	 8  4  revision 0x00010000    16 16  partition GUID
 *	12  4  header size            32  8  first sector
 *	16  4  CRC-32 of the header   40  8  last sector
 *	20  4  zero                   48  8  attributes
 *	24  8  own sector             56 72  name, UTF-16LE
 *	32  8  the other's sector
 *	40  8  first usable sector
 *	48  8  last usable sector
 *	56 16  disk GUID
 *	72  8  sector of the entries
 *	80  4  number of entries
 *	84  4  size of an entry
 *	88  4  CRC-32 of the entries
 *
 * The header's CRC is made with its own field zero.
 */
#ifndef INGOT_DISK_GPT_INTERNAL_H
#define INGOT_DISK_GPT_INTERNAL_H

#include "disk/gpt.h"

#define INGOT_GPT_SIGNATURE	 "EFI PART"
#define INGOT_GPT_SIGNATURE_SIZE 8
#define INGOT_GPT_REVISION	 0x00010000
#define INGOT_GPT_HEADER_SIZE	 92
#define INGOT_GPT_ENTRY_SIZE	 128

#endif

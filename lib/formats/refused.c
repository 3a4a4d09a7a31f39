/*
 * Formats that are known and cannot be read. Their files are no disks as they are, so none is taken
 * for one: a container of a compressed file, or of another container, is of use to nobody.
 */
#include <string.h>

#include "base/bytes.h"
#include "formats/format_internal.h"

static bool begins(const struct ingot_probe *probe, const char *magic, size_t n)
{
	return memcmp(probe->head, magic, n) == 0;
}

static bool is_cowd(const struct ingot_probe *probe)
{
	return begins(probe, "COWD", 4);
}

static bool is_descriptor(const struct ingot_probe *probe)
{
	return begins(probe, "# Disk DescriptorFile", 21);
}

static bool is_qed(const struct ingot_probe *probe)
{
	return begins(probe, "QED\0", 4);
}

static bool is_parallels(const struct ingot_probe *probe)
{
	return begins(probe, "WithoutFreeSpace", 16) || begins(probe, "WithouFreSpacExt", 16);
}

static bool is_dmg(const struct ingot_probe *probe)
{
	return memcmp(probe->tail, "koly\0\0\0\4", 8) == 0;
}

/* Behind its level it goes on with the digits of pi. */
static bool is_bzip2(const struct ingot_probe *probe)
{
	return begins(probe, "BZh", 3) && memcmp(probe->head + 4, "1AY&SY", 6) == 0;
}

/* The second is the older of two, as of Linux kernels. */
static bool is_lz4(const struct ingot_probe *probe)
{
	return begins(probe, "\x04\x22\x4d\x18", 4) || begins(probe, "\x02\x21\x4c\x18", 4);
}

/*
 * .lzma has no magic: the usual parameters, a window of 2^n bytes or half as many more, a size that
 * is unknown (all ones) or less than 256 GiB, and the encoder's first byte, always 0.
 */
static bool is_lzma(const struct ingot_probe *probe)
{
	uint32_t window = ingot_get_le32(probe->head + 1), low = window & (0U - window);
	uint64_t size = ingot_get_le64(probe->head + 5);

	return probe->head[0] == 0x5d && window >= 4096 &&
	       (window == low || window == 3 * (uint64_t)low) &&
	       (size == UINT64_MAX || size >> 38 == 0) && probe->head[13] == 0;
}

static bool is_lzip(const struct ingot_probe *probe)
{
	return begins(probe, "LZIP\1", 5);
}

static bool is_lzop(const struct ingot_probe *probe)
{
	return begins(probe, "\x89LZO\0\r\n\x1a\n", 9);
}

/* The third byte: codes of 9 to 16 bits. */
static bool is_compress(const struct ingot_probe *probe)
{
	unsigned bits = probe->head[2] & 0x1f;

	return begins(probe, "\x1f\x9d", 2) && bits >= 9 && bits <= 16;
}

static bool is_rar(const struct ingot_probe *probe)
{
	return begins(probe, "Rar!\x1a\7", 6);
}

static bool is_bochs(const struct ingot_probe *probe)
{
	return begins(probe, "Bochs Virtual HD Image", 23);
}

static bool is_zip(const struct ingot_probe *probe)
{
	return begins(probe, "PK\3\4", 4);
}

static bool is_seven_zip(const struct ingot_probe *probe)
{
	return begins(probe, "7z\xbc\xaf\x27\x1c", 6);
}

static const struct ingot_reader_ops REFUSED[] = {
	{"cowd", is_cowd, .refusal = "a sparse VMDK of ESX"},
	{"vmdk", is_descriptor, .refusal = "the descriptor of a VMDK in several files"},
	{"qed", is_qed, .refusal = "a QED image"},
	{"parallels", is_parallels, .refusal = "a disk of Parallels"},
	{"dmg", is_dmg, .refusal = "a DMG image"},
	{"bzip2", is_bzip2, .refusal = "compressed with bzip2"},
	{"bochs", is_bochs, .refusal = "a disk of Bochs"},
	{"lz4", is_lz4, .refusal = "compressed with LZ4"},
	{"lzma", is_lzma, .refusal = "compressed with LZMA"},
	{"lzip", is_lzip, .refusal = "compressed with lzip"},
	{"lzop", is_lzop, .refusal = "compressed with lzop"},
	{"compress", is_compress, .refusal = "compressed with compress"},
	{"rar", is_rar, .refusal = "a RAR archive"},
	{"zip", is_zip, .refusal = "a ZIP archive"},
	{"7z", is_seven_zip, .refusal = "a 7z archive"},
};

const struct ingot_reader_ops *ingot_reader_refused(const struct ingot_probe *probe)
{
	for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++)
		if (REFUSED[i].probe(probe))
			return &REFUSED[i];
	return NULL;
}

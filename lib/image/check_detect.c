/* What a file is, by its own bytes. */
#include <string.h>

#include "base/bytes.h"
#include "image/check_internal.h"

enum { EDGE = 512, MEMBERS = 16 };

static const char *of_qcow2(const unsigned char *head)
{
	if (ingot_get_be32(head + 4) < 3)
		return "qcow2-v2";
	/* The compression stands in the header if it is long enough, and counts if bit 3 says so.
	 */
	if (ingot_get_be32(head + 100) > 104 && (head[79] & 8) && head[104] == 1)
		return "qcow2-zstd";
	return "qcow2";
}

static const char *of_tar(struct ingot_source *file)
{
	struct check_member members[MEMBERS];
	uint64_t end;
	size_t count = check_tar_list(file, members, MEMBERS, &end);

	for (size_t i = 0; i < count; i++)
		if (strcmp(members[i].name, "metadata.json") == 0 ||
		    strcmp(members[i].name, "Vagrantfile") == 0)
			return "vagrant";
	return count > 0 ? "ova" : "raw";
}

/* A tar in gzip is what GCE imports, or an older kind of box. */
static const char *of_gzip(struct ingot_source *file)
{
	struct check_gunzip *g = check_gunzip_new(file);
	unsigned char block[512] = {0};
	struct check_member member = {0};
	bool is_tar = g && check_gunzip_read(g, block, sizeof(block)) == (int64_t)sizeof(block) &&
		      memcmp(block + 257, "ustar", 5) == 0 && check_tar_header(block, &member) == 1;
	bool oom = !g || check_gunzip_is_oom(g);

	check_gunzip_free(g);
	return oom ? NULL : is_tar ? "gce" : "raw.gz";
}

const char *check_detect(struct ingot_source *file)
{
	unsigned char head[EDGE] = {0}, tail[EDGE] = {0};
	size_t n = (size_t)ingot_min(file->size, EDGE);

	if (ingot_source_read(file, 0, head, n, NULL) < 0 ||
	    ingot_source_read(file, file->size - n, tail + EDGE - n, n, NULL) < 0)
		return "raw";
	if (memcmp(head, "QFI\xfb", 4) == 0)
		return of_qcow2(head);
	if (memcmp(head, "KDMV", 4) == 0)
		return ingot_get_le32(head + 8) & (1 << 16) ? "vmdk" : "vmdk-sparse";
	if (memcmp(head, "vhdxfile", 8) == 0)
		return "vhdx";
	if (ingot_get_le32(head + 64) == 0xbeda107fU)
		return "vdi";
	if (memcmp(head, "\x1f\x8b", 2) == 0)
		return of_gzip(file);
	if (ingot_get_le32(head) == 0xfd2fb528U || (ingot_get_le32(head) & ~0xfU) == 0x184d2a50U)
		return "raw.zst";
	if (memcmp(head,
		   "\xfd"
		   "7zXZ",
		   6) == 0)
		return "raw.xz";
	if (memcmp(head + 257, "ustar", 5) == 0)
		return of_tar(file);
	if (memcmp(tail, "conectix", 8) == 0)
		return ingot_get_be32(tail + 60) == 2 ? "vhd" : "vhd-dynamic";
	return memcmp(head, "conectix", 8) == 0 ? "vhd-dynamic" : "raw";
}

bool check_format_fits(const char *wanted, const char *found)
{
	return strcmp(wanted, found) == 0 ||
	       (strcmp(wanted, "qcow2") == 0 && strcmp(found, "qcow2-v2") == 0);
}

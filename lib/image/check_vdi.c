/* VDI (QEMU, block/vdi.c; VirtualBox, VDICore.h). Little-endian. */
#include <string.h>

#include "base/bytes.h"
#include "image/check_internal.h"

enum { HEADER = 512, CHUNK = 16384 }; /* entries of the map read at once */

#define NOT_ALLOCATED 0xfffffffeU /* and above */

struct map {
	uint64_t offset;
	uint32_t blocks, allocated;
	unsigned char *seen; /* a bit for each allocated block */
	uint32_t count;	     /* ... of those that the map names */
	const char *wrong;   /* NULL: nothing */
};

static void see(struct map *map, uint32_t entry)
{
	if (entry >= NOT_ALLOCATED || map->wrong)
		return;
	if (entry >= map->allocated)
		map->wrong = "a block beyond the last";
	else if (map->seen[entry / 8] & 1 << entry % 8)
		map->wrong = "one block twice";
	else
		map->seen[entry / 8] |= (unsigned char)(1 << entry % 8);
	map->count++;
}

/* The map lies in the file, so its size is bounded by that of the file. */
static void check_map(struct checker *c, struct map *map)
{
	INGOT_FREE unsigned char *seen = ingot_alloc(map->allocated / 8 + 1, 1, NULL);
	INGOT_FREE unsigned char *entries = ingot_alloc(CHUNK, 4, NULL);

	if (!seen || !entries) {
		c->oom = true;
		return;
	}
	map->seen = seen;
	for (uint32_t at = 0; at < map->blocks && !map->wrong; at += CHUNK) {
		uint32_t n = map->blocks - at < CHUNK ? map->blocks - at : CHUNK;

		if (!check_read(c, c->file, map->offset + (uint64_t)at * 4, entries, (size_t)n * 4,
				"map"))
			return;
		for (uint32_t i = 0; i < n; i++)
			see(map, ingot_get_le32(entries + (size_t)i * 4));
		if (at > UINT32_MAX - CHUNK)
			break;
	}
	check_add(c, "map", !map->wrong && map->count == map->allocated,
		  SAY("each of %u blocks once", map->allocated),
		  map->wrong ? map->wrong : SAY("%u blocks", map->count));
}

static void check_places(struct checker *c, const unsigned char *h)
{
	uint32_t map_at = ingot_get_le32(h + 340), data_at = ingot_get_le32(h + 344);
	uint64_t size = ingot_get_le64(h + 368);
	uint32_t block = ingot_get_le32(h + 376), blocks = ingot_get_le32(h + 384);
	uint32_t allocated = ingot_get_le32(h + 388);
	struct map map = {.offset = map_at, .blocks = blocks, .allocated = allocated};
	bool map_ok = map_at >= HEADER && map_at % 512 == 0 &&
		      ingot_in_range(map_at, (uint64_t)blocks * 4, data_at);
	bool data_ok = data_at % 512 == 0 && allocated <= blocks &&
		       ingot_in_range(data_at, (uint64_t)allocated * block, c->file->size);

	check_number(c, "block size", 1 << 20, block);
	check_number(c, "blocks", ingot_div_up(size, 1 << 20), blocks);
	check_add(c, "map's place", map_ok, "at a whole sector, before the data",
		  SAY("%u entries at %u", blocks, map_at));
	check_add(c, "data's place", data_ok, "at a whole sector, in the file",
		  SAY("%u blocks at %u", allocated, data_at));
	if (map_ok && data_ok && block)
		check_map(c, &map);
}

void check_vdi(struct checker *c, const struct ingot_check_rule *rule)
{
	unsigned char h[HEADER];
	uint32_t type;

	(void)rule;
	if (!check_read(c, c->file, 0, h, HEADER, NULL))
		return;
	check_hex(c, "signature", 0xbeda107f, ingot_get_le32(h + 64));
	if (ingot_get_le32(h + 64) != 0xbeda107f)
		return;
	check_hex(c, "version", 0x00010001, ingot_get_le32(h + 68));
	check_add(c, "header size", ingot_get_le32(h + 72) >= 0x180, "384 or more",
		  SAY("%u", ingot_get_le32(h + 72)));
	type = ingot_get_le32(h + 76);
	check_add(c, "type", type == 1 || type == 2, "1 (grows) or 2 (fixed)", SAY("%u", type));
	check_number(c, "sector size", 512, ingot_get_le32(h + 360));
	check_add(c, "id", memcmp(h + 392, (unsigned char[16]){0}, 16) != 0, "not zero",
		  SAY("%08x...", ingot_get_be32(h + 392)));
	check_add(c, "parent",
		  memcmp(h + 424, (unsigned char[16]){0}, 16) == 0 &&
			  memcmp(h + 440, (unsigned char[16]){0}, 16) == 0,
		  "none", SAY("%08x...", ingot_get_be32(h + 424) | ingot_get_be32(h + 440)));
	check_places(c, h);
}

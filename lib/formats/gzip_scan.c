/*
 * The map of a gzip file. Members that say where they end are jumped over. From the first one on
 * that does not, all is unpacked: nothing else tells the size.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/gzip_read_internal.h"
#include "io/nonzero.h"

enum {
	HEAD = 64, /* as much of a header as is looked at, ours and bgzip's are shorter */
	TAIL = 8,
	DEFLATE_MAX = 1032, /* nothing grows more */
	STEP = 65536,
};

/* --- jumping ----------------------------------------------------------- */

struct jump {
	struct ingot_source *file;
	struct ingot_gzip_decoder *gzip;
	struct ingot_packed_map *map;
	struct ingot_zero_units *zeros;
	uint64_t in; /* the next member */
	bool has_total;
	uint64_t total;
};

/* The member there, if it says where it ends. *ret_n: its bytes, unpacked. */
static int look(const struct jump *jump, struct ingot_gzip_head *head, uint64_t *ret_n, bool *known,
		struct ingot_error *err)
{
	unsigned char raw[HEAD], tail[4];
	size_t n = (size_t)ingot_min(HEAD, jump->file->size - jump->in);
	int rc = ingot_source_read(jump->file, jump->in, raw, n, err);

	*known = rc == 0 && ingot_gzip_parse_head(raw, n, head) && head->member != 0;
	if (rc < 0 || !*known)
		return rc;
	if (head->member <= head->length + TAIL)
		return ingot_raise(err, -EBADMSG, "the member at 0x%llx is not as long as it says",
				   (unsigned long long)jump->in);
	if (!ingot_in_range(jump->in, head->member, jump->file->size))
		return ingot_raise(err, -EBADMSG, "it is cut off");
	rc = ingot_source_read(jump->file, jump->in + head->member - 4, tail, 4, err);
	*ret_n = ingot_get_le32(tail);
	if (rc == 0 && *ret_n / DEFLATE_MAX > head->member)
		return ingot_raise(err, -EBADMSG, "the member at 0x%llx is not as long as it says",
				   (unsigned long long)jump->in);
	return rc;
}

static int jump_over(struct jump *jump, struct ingot_error *err)
{
	bool known = true;

	while (jump->in < jump->file->size) {
		const struct ingot_point point = {.in = jump->in, .out = jump->map->size};
		struct ingot_gzip_head head;
		uint64_t n = 0;
		int rc = look(jump, &head, &n, &known, err);

		if (rc < 0 || !known)
			return rc;
		if (jump->in == 0 && head.first) {
			jump->has_total = true;
			jump->total = head.total;
		}
		rc = ingot_packed_map_unit(jump->map, jump->zeros, jump->file, &jump->gzip->decoder,
					   &point, head.member, n, err);
		if (rc < 0)
			return rc;
		jump->in += head.member;
	}
	return 0;
}

/* --- unpacking --------------------------------------------------------- */

struct unpack {
	struct ingot_gzip_decoder *gzip;
	struct ingot_packed_map *map;
	unsigned char *data; /* STEP bytes, from a multiple of STEP on */
	unsigned char *window;
};

static int add_point(struct unpack *unpack, enum ingot_gzip_event event, struct ingot_error *err)
{
	struct ingot_gzip_decoder *gzip = unpack->gzip;
	struct ingot_point point = {.in = gzip->member_in, .out = unpack->map->size};
	unsigned n = INGOT_WINDOW;

	if (!ingot_packed_map_wants(unpack->map, point.out))
		return 0;
	if (event == INGOT_GZIP_MEMBER)
		return ingot_packed_map_point(unpack->map, &point, err);
	if (inflateGetDictionary(&gzip->z, unpack->window, &n) != Z_OK || n != INGOT_WINDOW)
		return 0; /* too early: the member's start is near */
	point.in = ingot_input_position(&gzip->input);
	point.bits = (unsigned)gzip->z.data_type & 7;
	point.window = unpack->window;
	return ingot_packed_map_point(unpack->map, &point, err);
}

/* The step that ends at the map's size is complete. */
static int end_step(const struct unpack *unpack, struct ingot_error *err)
{
	uint64_t end = unpack->map->size;

	if (end % STEP != 0 || ingot_first_nonzero(unpack->data, STEP) < STEP)
		return 0;
	return ingot_packed_map_zeros(unpack->map, end - STEP, end, err);
}

static int unpack_all(struct unpack *unpack, struct ingot_error *err)
{
	enum ingot_gzip_event event = INGOT_GZIP_DATA;
	bool dirty = unpack->map->size % STEP != 0; /* the first step was begun by a jump */

	while (event != INGOT_GZIP_END) {
		size_t used = (size_t)(unpack->map->size % STEP), got;
		int rc = ingot_gzip_step(unpack->gzip, unpack->data + used, STEP - used,
					 /* blocks */ true, &got, &event, err);

		if (rc == 0)
			rc = ingot_packed_map_grow(unpack->map, got, err);
		if (rc == 0 && (event == INGOT_GZIP_MEMBER || event == INGOT_GZIP_BLOCK))
			rc = add_point(unpack, event, err);
		if (rc == 0 && got > 0 && unpack->map->size % STEP == 0) {
			rc = dirty ? 0 : end_step(unpack, err);
			dirty = false;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int unpack_from(struct ingot_gzip_decoder *gzip, uint64_t in, struct ingot_packed_map *map,
		       struct ingot_error *err)
{
	const struct ingot_point start = {.in = in, .out = map->size};
	INGOT_FREE unsigned char *data = ingot_alloc_buffer(STEP, err);
	INGOT_FREE unsigned char *window = data ? ingot_alloc(1, INGOT_WINDOW, err) : NULL;
	struct unpack unpack = {gzip, map, data, window};
	int rc = window ? gzip->decoder.ops->restart(&gzip->decoder, &start, err) : -ENOMEM;

	return rc < 0 ? rc : unpack_all(&unpack, err);
}

int ingot_gzip_scan(struct ingot_source *file, struct ingot_gzip_decoder *gzip,
		    struct ingot_packed_map *map, struct ingot_error *err)
{
	INGOT_FREE struct ingot_zero_units *zeros = ingot_alloc(1, sizeof(*zeros), err);
	struct jump jump = {file, gzip, map, zeros, 0, false, 0};
	int rc = zeros ? jump_over(&jump, err) : -ENOMEM;

	if (rc == 0 && jump.in < file->size)
		rc = unpack_from(gzip, jump.in, map, err);
	if (rc == 0 && jump.has_total && jump.total != map->size)
		return ingot_raise(err, -EBADMSG,
				   "it is cut off: it gives %llu bytes, and says %llu",
				   (unsigned long long)map->size, (unsigned long long)jump.total);
	return rc;
}

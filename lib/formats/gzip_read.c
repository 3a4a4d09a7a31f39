#include "formats/gzip_read_internal.h"

#include <errno.h>
#include <libdeflate.h>
#include <string.h>

#include "base/bytes.h"

enum {
	FIXED_HEAD = 10,
	TAIL = 8,
	TEXT_MAX = 65536, /* a name or a comment */
	HAS_CRC = 1 << 1,
	HAS_EXTRA = 1 << 2,
	HAS_NAME = 1 << 3,
	HAS_COMMENT = 1 << 4,
	RESERVED = 0xe0,
};

/* --- headers ----------------------------------------------------------- */

/* The subfields: ours, "IG", and bgzip's, "BC". */
static void parse_extra(const unsigned char *p, size_t n, struct ingot_gzip_head *ret)
{
	while (n >= 4) {
		size_t length = ingot_get_le16(p + 2);

		if (length > n - 4)
			return;
		if (memcmp(p, "IG", 2) == 0 && (length == 4 || length == 12)) {
			ret->member = ingot_get_le32(p + 4);
			ret->first = length == 12;
			ret->total = ret->first ? ingot_get_le64(p + 8) : 0;
		}
		if (memcmp(p, "BC", 2) == 0 && length == 2)
			ret->member = ingot_get_le16(p + 4) + UINT64_C(1);
		p += 4 + length;
		n -= 4 + length;
	}
}

bool ingot_gzip_parse_head(const unsigned char *data, size_t n, struct ingot_gzip_head *ret)
{
	size_t extra = 0;

	*ret = (struct ingot_gzip_head){.length = FIXED_HEAD};
	if (n < FIXED_HEAD + 2 || memcmp(data, "\x1f\x8b\x08", 3) != 0 ||
	    (data[3] & ~HAS_EXTRA) != 0)
		return false;
	if (data[3] & HAS_EXTRA)
		extra = 2 + (size_t)ingot_get_le16(data + FIXED_HEAD);
	if (extra > n - FIXED_HEAD)
		return false;
	ret->length += extra;
	if (extra)
		parse_extra(data + FIXED_HEAD + 2, extra - 2, ret);
	return true;
}

static int skip_text(struct ingot_input *input, struct ingot_error *err)
{
	for (int i = 0; i < TEXT_MAX; i++) {
		unsigned char c;
		int rc = ingot_input_take(input, &c, 1, err);

		if (rc < 0 || c == 0)
			return rc;
	}
	return ingot_raise(err, -EBADMSG, "a member's name is too long");
}

static int read_extra(struct ingot_gzip_decoder *gzip, struct ingot_error *err)
{
	struct ingot_gzip_head head = {0};
	unsigned char raw[2], *extra;
	size_t n;
	int rc = ingot_input_take(&gzip->input, raw, 2, err);

	if (rc < 0)
		return rc;
	n = ingot_get_le16(raw);
	extra = ingot_alloc(1, n + 1, err);
	if (!extra)
		return -ENOMEM;
	rc = ingot_input_take(&gzip->input, extra, n, err);
	if (rc == 0)
		parse_extra(extra, n, &head);
	free(extra);
	gzip->claimed = head.member;
	return rc;
}

static int read_head(struct ingot_gzip_decoder *gzip, struct ingot_error *err)
{
	unsigned char h[FIXED_HEAD], crc[2];
	int rc = ingot_input_take(&gzip->input, h, sizeof(h), err);

	if (rc < 0)
		return rc;
	if (memcmp(h, "\x1f\x8b\x08", 3) != 0 || h[3] & RESERVED)
		return ingot_raise(err, -EBADMSG, "what is at 0x%llx is no gzip member",
				   (unsigned long long)gzip->member_in);
	gzip->claimed = 0;
	if (h[3] & HAS_EXTRA)
		rc = read_extra(gzip, err);
	if (rc == 0 && h[3] & HAS_NAME)
		rc = skip_text(&gzip->input, err);
	if (rc == 0 && h[3] & HAS_COMMENT)
		rc = skip_text(&gzip->input, err);
	if (rc == 0 && h[3] & HAS_CRC)
		rc = ingot_input_take(&gzip->input, crc, 2, err);
	return rc;
}

/* --- members ----------------------------------------------------------- */

/* Zeros up to the end, as on a tape, are the end. */
static int at_end(struct ingot_input *input, bool *ret, struct ingot_error *err)
{
	int rc = ingot_input_fill(input, err);

	*ret = rc == 0 && input->at == input->end;
	if (rc < 0 || *ret || input->buffer[input->at] != 0)
		return rc;
	do {
		while (input->at < input->end)
			if (input->buffer[input->at++] != 0)
				return ingot_raise(err, -EBADMSG,
						   "there is something behind its last member");
		rc = ingot_input_fill(input, err);
	} while (rc == 0 && input->at < input->end);
	*ret = true;
	return rc;
}

static int begin_member(struct ingot_gzip_decoder *gzip, bool *end, struct ingot_error *err)
{
	int rc = at_end(&gzip->input, end, err);

	if (rc < 0 || *end)
		return rc;
	gzip->member_in = ingot_input_position(&gzip->input);
	rc = read_head(gzip, err);
	if (rc < 0)
		return rc;
	if (inflateReset(&gzip->z) != Z_OK)
		return ingot_raise(err, -EIO, "zlib cannot start");
	gzip->inside = gzip->whole = true;
	gzip->crc32 = 0;
	gzip->count = 0;
	return 0;
}

static int end_member(struct ingot_gzip_decoder *gzip, struct ingot_error *err)
{
	unsigned char tail[TAIL];
	uint64_t length;
	int rc = ingot_input_take(&gzip->input, tail, sizeof(tail), err);

	gzip->inside = false;
	if (rc < 0 || !gzip->whole)
		return rc;
	if (ingot_get_le32(tail) != gzip->crc32)
		return ingot_raise(err, -EBADMSG, "the checksum of the member at 0x%llx is wrong",
				   (unsigned long long)gzip->member_in);
	length = ingot_input_position(&gzip->input) - gzip->member_in;
	if (ingot_get_le32(tail + 4) != (uint32_t)gzip->count ||
	    (gzip->claimed && gzip->claimed != length))
		return ingot_raise(err, -EBADMSG, "the member at 0x%llx is not as long as it says",
				   (unsigned long long)gzip->member_in);
	return 0;
}

/* --- steps ------------------------------------------------------------- */

static int inflate_failed(struct ingot_gzip_decoder *gzip, int code, struct ingot_error *err)
{
	if (code == Z_MEM_ERROR)
		return ingot_raise_oom(err, 0);
	return ingot_raise(err, -EBADMSG, "the member at 0x%llx is damaged: %s",
			   (unsigned long long)gzip->member_in,
			   gzip->z.msg ? gzip->z.msg : "no deflate stream");
}

static int inflate_some(struct ingot_gzip_decoder *gzip, unsigned char *data, size_t n, bool blocks,
			size_t *ret_n, enum ingot_gzip_event *event, struct ingot_error *err)
{
	struct ingot_input *input = &gzip->input;
	size_t given;
	int rc = ingot_input_fill(input, err), code;

	if (rc < 0)
		return rc;
	given = input->end - input->at;
	gzip->z.next_in = input->buffer + input->at;
	gzip->z.avail_in = (unsigned)given;
	gzip->z.next_out = data;
	gzip->z.avail_out = (unsigned)ingot_min(n, INGOT_INPUT_BUFFER);
	n = gzip->z.avail_out;
	code = inflate(&gzip->z, blocks ? Z_BLOCK : Z_NO_FLUSH);
	input->at += given - gzip->z.avail_in;
	*ret_n = n - gzip->z.avail_out;
	gzip->count += *ret_n;
	if (gzip->whole)
		gzip->crc32 = libdeflate_crc32(gzip->crc32, data, *ret_n);
	if (code == Z_STREAM_END)
		return end_member(gzip, err);
	if (code != Z_OK && code != Z_BUF_ERROR)
		return inflate_failed(gzip, code, err);
	if (code == Z_BUF_ERROR && n > 0)
		return ingot_raise(err, -EBADMSG, given ? "it is damaged" : "it is cut off");
	if (code == Z_BUF_ERROR)
		*event = INGOT_GZIP_FULL;
	else if (blocks && (gzip->z.data_type & 128) && !(gzip->z.data_type & 64))
		*event = INGOT_GZIP_BLOCK;
	return 0;
}

int ingot_gzip_step(struct ingot_gzip_decoder *gzip, void *data, size_t n, bool blocks,
		    size_t *ret_n, enum ingot_gzip_event *event, struct ingot_error *err)
{
	bool end;
	int rc;

	*ret_n = 0;
	*event = INGOT_GZIP_DATA;
	if (gzip->inside)
		return inflate_some(gzip, data, n, blocks, ret_n, event, err);
	*event = INGOT_GZIP_FULL;
	if (n == 0)
		return 0;
	rc = begin_member(gzip, &end, err);
	*event = end ? INGOT_GZIP_END : INGOT_GZIP_MEMBER;
	return rc;
}

/* --- the decoder ------------------------------------------------------- */

/* With no room left, steps go on as long as something happens: a member may end here. */
static int read_some(struct ingot_decoder *decoder, void *data, size_t n, size_t *ret_n,
		     struct ingot_error *err)
{
	struct ingot_gzip_decoder *gzip = (struct ingot_gzip_decoder *)decoder;
	enum ingot_gzip_event event = INGOT_GZIP_DATA;

	*ret_n = 0;
	while (event != INGOT_GZIP_END && event != INGOT_GZIP_FULL) {
		size_t got;
		int rc = ingot_gzip_step(gzip, (unsigned char *)data + *ret_n, n - *ret_n,
					 /* blocks */ false, &got, &event, err);

		if (rc < 0)
			return rc;
		*ret_n += got;
	}
	return 0;
}

static int enter(struct ingot_gzip_decoder *gzip, const struct ingot_point *point,
		 struct ingot_error *err)
{
	unsigned char before;

	ingot_input_seek(&gzip->input, point->in - (point->bits ? 1 : 0));
	if (inflateReset(&gzip->z) != Z_OK)
		return ingot_raise(err, -EIO, "zlib cannot start");
	if (point->bits) {
		int rc = ingot_input_take(&gzip->input, &before, 1, err);

		if (rc < 0)
			return rc;
		(void)inflatePrime(&gzip->z, (int)point->bits, before >> (8 - point->bits));
	}
	if (inflateSetDictionary(&gzip->z, point->window, INGOT_WINDOW) != Z_OK)
		return ingot_raise(err, -EIO, "zlib cannot start in the middle");
	gzip->inside = true;
	gzip->whole = false;
	return 0;
}

static int restart(struct ingot_decoder *decoder, const struct ingot_point *point,
		   struct ingot_error *err)
{
	struct ingot_gzip_decoder *gzip = (struct ingot_gzip_decoder *)decoder;

	gzip->member_in = point->in;
	if (point->window)
		return enter(gzip, point, err);
	ingot_input_seek(&gzip->input, point->in);
	gzip->inside = false;
	return 0;
}

static void decoder_free(struct ingot_decoder *decoder)
{
	struct ingot_gzip_decoder *gzip = (struct ingot_gzip_decoder *)decoder;

	(void)inflateEnd(&gzip->z);
	free(gzip);
}

static const struct ingot_decoder_ops GZIP_OPS = {
	.restart = restart, .read = read_some, .free = decoder_free};

int ingot_gzip_decoder_new(struct ingot_source *file, struct ingot_gzip_decoder **ret,
			   struct ingot_error *err)
{
	struct ingot_gzip_decoder *gzip = ingot_alloc(1, sizeof(*gzip), err);

	if (!gzip)
		return -ENOMEM;
	gzip->decoder.ops = &GZIP_OPS;
	gzip->input.file = file;
	if (inflateInit2(&gzip->z, -MAX_WBITS) != Z_OK) {
		free(gzip);
		return ingot_raise_oom(err, 0);
	}
	*ret = gzip;
	return 0;
}

int ingot_gzip_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_packed_map map = {0};
	struct ingot_gzip_decoder *gzip = NULL;
	int rc = ingot_gzip_decoder_new(file, &gzip, err);

	if (rc == 0)
		rc = ingot_gzip_scan(file, gzip, &map, err);
	if (rc == 0)
		rc = ingot_packed_source(file, &gzip->decoder, &map, ret, err);
	ingot_packed_map_done(&map);
	if (rc < 0 && gzip)
		ingot_decoder_free(&gzip->decoder);
	return rc;
}

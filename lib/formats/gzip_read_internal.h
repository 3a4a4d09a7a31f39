/* Unpacking gzip files (RFC 1952), by anybody. */
#ifndef INGOT_FORMATS_GZIP_READ_INTERNAL_H
#define INGOT_FORMATS_GZIP_READ_INTERNAL_H

#include <zlib.h>

#include "formats/packed_internal.h"

struct ingot_gzip_head {
	size_t length; /* of the header */
	/* Of the member, header included, by its own word: ours, and bgzip's. 0: it does not say.
	 */
	uint64_t member;
	bool first;	/* ours, with: */
	uint64_t total; /* bytes of the whole, unpacked */
};

/* Whether it is a plain header, with an extra field only or none, whole within n bytes. */
bool ingot_gzip_parse_head(const unsigned char *data, size_t n, struct ingot_gzip_head *ret);

struct ingot_gzip_decoder {
	struct ingot_decoder decoder;
	struct ingot_input input;
	z_stream z;
	bool inside;	    /* a member's deflate stream */
	bool whole;	    /* it was unpacked from its start: checksums can be looked at */
	uint64_t member_in; /* where its header is */
	uint64_t claimed;   /* ingot_gzip_head.member */
	uint32_t crc32;	    /* of the member so far */
	uint64_t count;	    /* bytes of the member so far */
};

INGOT_MUST_USE int ingot_gzip_decoder_new(struct ingot_source *file,
					  struct ingot_gzip_decoder **ret, struct ingot_error *err);

enum ingot_gzip_event {
	INGOT_GZIP_DATA,   /* nothing special */
	INGOT_GZIP_MEMBER, /* a header was read */
	INGOT_GZIP_BLOCK,  /* a deflate block has ended: unpacking could start here */
	INGOT_GZIP_FULL,   /* nothing more happens without room */
	INGOT_GZIP_END,
};

/* A step: up to n bytes, to the next event. blocks: stop behind deflate blocks. */
INGOT_MUST_USE int ingot_gzip_step(struct ingot_gzip_decoder *gzip, void *data, size_t n,
				   bool blocks, size_t *ret_n, enum ingot_gzip_event *event,
				   struct ingot_error *err);

/* The file's map, by jumping from member to member as far as they say where they end. */
INGOT_MUST_USE int ingot_gzip_scan(struct ingot_source *file, struct ingot_gzip_decoder *gzip,
				   struct ingot_packed_map *map, struct ingot_error *err);

#endif

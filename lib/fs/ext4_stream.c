#include <errno.h>
#include <string.h>

#include "fs/ext4_internal.h"

/*
 * Files that stand next to each other on the disk are written together: the gap between
 * one's end and the next one's block is part of the write, as zeros.
 */
enum { ROOM = 1024 * 1024 };

struct ext4_stream {
	uint64_t at; /* of data[0] in the sink */
	size_t used;
	unsigned char data[ROOM];
};

int ext4_stream_new(struct ext4_stream **ret, struct ingot_error *err)
{
	*ret = ingot_alloc(1, sizeof(**ret), err);
	return *ret ? 0 : -ENOMEM;
}

void ext4_stream_free(struct ext4_stream *stream)
{
	free(stream);
}

int ext4_stream_flush(struct ext4 *e, struct ingot_error *err)
{
	struct ext4_stream *stream = e->stream;
	size_t n = stream->used;

	stream->used = 0;
	return ingot_sink_write(e->sink, stream->at, stream->data, n, err);
}

/* Be ready to take bytes for `to`. */
static int seek(struct ext4 *e, uint64_t to, struct ingot_error *err)
{
	struct ext4_stream *stream = e->stream;
	uint64_t end = stream->at + stream->used;
	int rc;

	if (stream->used && to >= end && to - end < EXT4_BLOCK && to - stream->at < ROOM) {
		memset(stream->data + stream->used, 0, (size_t)(to - end));
		stream->used += (size_t)(to - end);
		return 0;
	}
	rc = ext4_stream_flush(e, err);
	stream->at = to;
	return rc;
}

int ext4_stream_copy(struct ext4 *e, const struct ingot_node *file, uint64_t offset, uint64_t n,
		     uint64_t to, struct ingot_error *err)
{
	struct ext4_stream *stream = e->stream;

	while (n > 0) {
		size_t take;
		int rc = seek(e, to, err);

		if (rc < 0)
			return rc;
		take = (size_t)ingot_min(n, ROOM - stream->used);
		rc = ingot_tree_read(e->reader, file, offset, stream->data + stream->used, take,
				     err);
		if (rc < 0)
			return rc;
		stream->used += take;
		offset += take;
		to += take;
		n -= take;
	}
	return 0;
}

#include "io/sink.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static int out_of_range(const struct ingot_sink *sink, const char *verb, uint64_t offset, size_t n,
			struct ingot_error *err)
{
	return ingot_raise(err, -EFBIG, "%s %zu bytes at 0x%llx of '%s': past its end at 0x%llx",
			   verb, n, (unsigned long long)offset, sink->name,
			   (unsigned long long)sink->size);
}

int ingot_sink_write(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
		     struct ingot_error *err)
{
	if (!ingot_in_range(offset, n, sink->size))
		return out_of_range(sink, "write", offset, n, err);
	if (n == 0)
		return 0;
	return sink->ops->write_at(sink, offset, data, n, err);
}

int ingot_sink_read(struct ingot_sink *sink, uint64_t offset, void *data, size_t n,
		    struct ingot_error *err)
{
	if (!ingot_in_range(offset, n, sink->size))
		return out_of_range(sink, "read", offset, n, err);
	if (n == 0)
		return 0;
	return sink->ops->read_at(sink, offset, data, n, err);
}

void ingot_sink_free(struct ingot_sink *sink)
{
	if (sink)
		sink->ops->free(sink);
}

/* --- file -------------------------------------------------------------- */

struct fd_sink {
	struct ingot_sink sink;
	int fd;
	char name[];
};

static int fd_write(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
		    struct ingot_error *err)
{
	const unsigned char *p = data;

	while (n > 0) {
		ssize_t put = pwrite(((struct fd_sink *)sink)->fd, p, n, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return ingot_raise_errno(err, put < 0 ? errno : ENOSPC,
						 "write %zu bytes at 0x%llx of '%s'", n,
						 (unsigned long long)offset, sink->name);
		p += put;
		offset += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

static int fd_read(struct ingot_sink *sink, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	unsigned char *p = data;

	while (n > 0) {
		ssize_t got = pread(((struct fd_sink *)sink)->fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ingot_raise_errno(err, errno, "read %zu bytes at 0x%llx of '%s'", n,
						 (unsigned long long)offset, sink->name);
		if (got == 0)
			return ingot_raise(err, -EIO,
					   "read %zu bytes at 0x%llx of '%s': "
					   "the file has become shorter",
					   n, (unsigned long long)offset, sink->name);
		p += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static void plain_free(struct ingot_sink *sink)
{
	free(sink);
}

static const struct ingot_sink_ops FD_OPS = {fd_write, fd_read, plain_free};

static int new_fd(int fd, const char *name, uint64_t size, struct ingot_sink **ret,
		  struct ingot_error *err)
{
	struct fd_sink *sink = ingot_alloc(1, sizeof(*sink) + strlen(name) + 1, err);

	if (!sink)
		return -ENOMEM;
	strcpy(sink->name, name);
	sink->fd = fd;
	sink->sink = (struct ingot_sink){&FD_OPS, sink->name, size};
	*ret = &sink->sink;
	return 0;
}

int ingot_sink_fd(int fd, const char *name, uint64_t size, struct ingot_sink **ret,
		  struct ingot_error *err)
{
	if (size > INT64_MAX)
		return ingot_raise(err, -EFBIG, "'%s' is too large for a file", name);
	if (ftruncate(fd, (off_t)size) < 0)
		return ingot_raise_errno(err, errno, "make '%s' %llu bytes long", name,
					 (unsigned long long)size);
	return new_fd(fd, name, size, ret, err);
}

int ingot_sink_growing(int fd, const char *name, struct ingot_sink **ret, struct ingot_error *err)
{
	return new_fd(fd, name, INT64_MAX, ret, err);
}

int ingot_sink_truncate(struct ingot_sink *sink, uint64_t length, struct ingot_error *err)
{
	assert(sink->ops == &FD_OPS && length <= sink->size);
	if (ftruncate(((struct fd_sink *)sink)->fd, (off_t)length) < 0)
		return ingot_raise_errno(err, errno, "make '%s' %llu bytes long", sink->name,
					 (unsigned long long)length);
	return 0;
}

/* --- part -------------------------------------------------------------- */

struct part_sink {
	struct ingot_sink sink;
	struct ingot_sink *whole;
	uint64_t offset;
};

static int part_write(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
		      struct ingot_error *err)
{
	struct part_sink *part = (struct part_sink *)sink;

	return ingot_sink_write(part->whole, part->offset + offset, data, n, err);
}

static int part_read(struct ingot_sink *sink, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	struct part_sink *part = (struct part_sink *)sink;

	return ingot_sink_read(part->whole, part->offset + offset, data, n, err);
}

static const struct ingot_sink_ops PART_OPS = {part_write, part_read, plain_free};

int ingot_sink_part(struct ingot_sink *whole, uint64_t offset, uint64_t length,
		    struct ingot_sink **ret, struct ingot_error *err)
{
	struct part_sink *part;

	if (!ingot_in_range(offset, length, whole->size))
		return ingot_raise(err, -EINVAL, "'%s' has no %llu bytes at 0x%llx", whole->name,
				   (unsigned long long)length, (unsigned long long)offset);
	part = ingot_alloc(1, sizeof(*part), err);
	if (!part)
		return -ENOMEM;
	part->sink = (struct ingot_sink){&PART_OPS, whole->name, length};
	part->whole = whole;
	part->offset = offset;
	*ret = &part->sink;
	return 0;
}

/* --- memory ------------------------------------------------------------ */

struct memory_sink {
	struct ingot_sink sink;
	unsigned char data[];
};

static int memory_write(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
			struct ingot_error *err)
{
	(void)err;
	memcpy(((struct memory_sink *)sink)->data + offset, data, n);
	return 0;
}

static int memory_read(struct ingot_sink *sink, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	(void)err;
	memcpy(data, ((struct memory_sink *)sink)->data + offset, n);
	return 0;
}

static const struct ingot_sink_ops MEMORY_OPS = {memory_write, memory_read, plain_free};

int ingot_sink_memory(size_t size, struct ingot_sink **ret, unsigned char **ret_data,
		      struct ingot_error *err)
{
	struct memory_sink *memory;

	if (size > SIZE_MAX - sizeof(*memory))
		return ingot_raise_oom(err, size);
	memory = ingot_alloc(1, sizeof(*memory) + size, err);
	if (!memory)
		return -ENOMEM;
	memory->sink = (struct ingot_sink){&MEMORY_OPS, "memory", size};
	*ret = &memory->sink;
	if (ret_data)
		*ret_data = memory->data;
	return 0;
}

/* --- to be read -------------------------------------------------------- */

struct sink_source {
	struct ingot_source source;
	struct ingot_sink *sink;
};

static int source_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	return ingot_sink_read(((struct sink_source *)source)->sink, offset, data, n, err);
}

static void source_free(struct ingot_source *source)
{
	free(source);
}

static const struct ingot_source_ops SOURCE_OPS = {source_read, /* extent_at */ NULL, source_free};

int ingot_sink_source(struct ingot_sink *sink, struct ingot_source **ret, struct ingot_error *err)
{
	struct sink_source *source = ingot_alloc(1, sizeof(*source), err);

	if (!source)
		return -ENOMEM;
	source->source = (struct ingot_source){&SOURCE_OPS, sink->name, sink->size};
	source->sink = sink;
	*ret = &source->source;
	return 0;
}

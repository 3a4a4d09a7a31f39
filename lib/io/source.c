#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/text.h"

int ingot_source_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		      struct ingot_error *err)
{
	if (!ingot_in_range(offset, n, source->size))
		return ingot_raise(
			err, -EIO, "read %zu bytes at 0x%llx of '%s': past its end at 0x%llx", n,
			(unsigned long long)offset, source->name, (unsigned long long)source->size);
	if (n == 0)
		return 0;
	return source->ops->read_at(source, offset, data, n, err);
}

int ingot_source_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			struct ingot_error *err)
{
	if (offset >= source->size)
		return ingot_raise(err, -EIO, "no extent at 0x%llx of '%s': past its end",
				   (unsigned long long)offset, source->name);
	if (!source->ops->extent_at) {
		*ret = (struct ingot_extent){.length = source->size - offset};
		return 0;
	}
	return source->ops->extent_at(source, offset, ret, err);
}

void ingot_source_free(struct ingot_source *source)
{
	if (source)
		source->ops->free(source);
}

/* --- file
 * ------------------------------------------------------------------------------------------ */

struct file_source {
	struct ingot_source source;
	int fd;
	pthread_mutex_t lock;
	uint64_t data_start, data_end; /* the data run seen last */
	char name[];
};

static int file_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	struct file_source *file = (struct file_source *)source;
	unsigned char *p = data;

	while (n > 0) {
		ssize_t got = pread(file->fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ingot_raise_errno(err, errno, "read %zu bytes at 0x%llx of '%s'", n,
						 (unsigned long long)offset, file->name);
		if (got == 0)
			return ingot_raise(err, -EIO,
					   "read %zu bytes at 0x%llx of '%s': "
					   "the file has become shorter",
					   n, (unsigned long long)offset, file->name);
		p += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* No data from offset on: a hole up to the end, unless the end has moved. */
static int last_hole(const struct file_source *file, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat '%s'", file->name);
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < file->source.size)
		return ingot_raise(err, -EIO, "'%s' has become shorter while it was read",
				   file->name);
	*ret = (struct ingot_extent){.length = file->source.size - offset, .hole = true};
	return 0;
}

/*
 * The end of a data run costs the kernel a walk over all its cached pages, so that asking for it
 * once a piece is quadratic. Data that has become a hole since still reads as zero; a hole is
 * never remembered.
 */
static bool in_last_run(struct file_source *file, uint64_t offset, struct ingot_extent *ret)
{
	bool inside;

	(void)pthread_mutex_lock(&file->lock);
	inside = offset >= file->data_start && offset < file->data_end;
	if (inside)
		*ret = (struct ingot_extent){.length = file->data_end - offset};
	(void)pthread_mutex_unlock(&file->lock);
	return inside;
}

static void remember_run(struct file_source *file, uint64_t start, uint64_t end)
{
	(void)pthread_mutex_lock(&file->lock);
	file->data_start = start;
	file->data_end = end;
	(void)pthread_mutex_unlock(&file->lock);
}

static int seek_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	struct file_source *file = (struct file_source *)source;
	off_t data = lseek(file->fd, (off_t)offset, SEEK_DATA);
	off_t hole;

	if (data < 0 && errno == ENXIO)
		return last_hole(file, offset, ret, err);
	if (data < 0 && errno == EINVAL) { /* no holes to be known here */
		*ret = (struct ingot_extent){.length = source->size - offset};
		return 0;
	}
	if (data < 0)
		return ingot_raise_errno(err, errno, "seek to 0x%llx of '%s'",
					 (unsigned long long)offset, file->name);
	if ((uint64_t)data > offset) {
		*ret = (struct ingot_extent){
			.length = ingot_min((uint64_t)data, source->size) - offset, .hole = true};
		return 0;
	}
	hole = lseek(file->fd, (off_t)offset, SEEK_HOLE);
	if (hole < 0)
		return ingot_raise_errno(err, errno, "seek to 0x%llx of '%s'",
					 (unsigned long long)offset, file->name);
	*ret = (struct ingot_extent){.length = ingot_min((uint64_t)hole, source->size) - offset};
	remember_run(file, offset, offset + ret->length);
	return 0;
}

static int file_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	if (in_last_run((struct file_source *)source, offset, ret))
		return 0;
	return seek_extent(source, offset, ret, err);
}

static void file_free(struct ingot_source *source)
{
	struct file_source *file = (struct file_source *)source;

	(void)close(file->fd);
	(void)pthread_mutex_destroy(&file->lock);
	free(file);
}

static const struct ingot_source_ops FILE_OPS = {file_read, file_extent, file_free};

static int check_kind(const struct stat *st, const char *path, struct ingot_error *err)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode))
		return ingot_raise(err, -EISDIR, "'%s' is a folder, not a file", path);
	if (S_ISFIFO(st->st_mode))
		return ingot_raise(err, -EINVAL,
				   "'%s' is a pipe and this is read more than once: "
				   "a file is needed",
				   path);
	return ingot_raise(err, -EINVAL, "'%s' is neither a file nor a block device", path);
}

static int size_of(int fd, const char *path, uint64_t *ret, struct ingot_error *err)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat '%s'", path);
	rc = check_kind(&st, path, err);
	if (rc < 0)
		return rc;
	*ret = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, ret) < 0)
		return ingot_raise_errno(err, errno, "size of '%s'", path);
	return 0;
}

int ingot_source_open(const char *path, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_CLOSE int fd = -1;
	struct file_source *file;
	struct stat st;
	uint64_t size;
	int rc;

	/* To open a FIFO waits for its writer, to open a device may do something: look before. */
	if (stat(path, &st) < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	rc = check_kind(&st, path, err);
	if (rc < 0)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	rc = size_of(fd, path, &size, err);
	if (rc < 0)
		return rc;
	file = ingot_alloc(1, sizeof(*file) + strlen(path) + 1, err);
	if (!file)
		return -ENOMEM;
	strcpy(file->name, path);
	file->source = (struct ingot_source){&FILE_OPS, file->name, size};
	file->fd = fd;
	(void)pthread_mutex_init(&file->lock, NULL);
	fd = -1;
	*ret = &file->source;
	return 0;
}

/* --- memory
 * ---------------------------------------------------------------------------------------- */

struct memory_source {
	struct ingot_source source;
	char *name;
	unsigned char data[];
};

static int memory_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	(void)err;
	memcpy(data, ((struct memory_source *)source)->data + offset, n);
	return 0;
}

static void memory_free(struct ingot_source *source)
{
	free(((struct memory_source *)source)->name);
	free(source);
}

static const struct ingot_source_ops MEMORY_OPS = {memory_read, NULL, memory_free};

int ingot_source_memory(const char *name, const void *data, size_t n, struct ingot_source **ret,
			struct ingot_error *err)
{
	struct memory_source *memory = ingot_alloc(1, sizeof(*memory) + n, err);

	if (!memory)
		return -ENOMEM;
	memory->name = ingot_strdup(name, err);
	if (!memory->name) {
		free(memory);
		return -ENOMEM;
	}
	if (n)
		memcpy(memory->data, data, n);
	memory->source = (struct ingot_source){&MEMORY_OPS, memory->name, n};
	*ret = &memory->source;
	return 0;
}

/* --- part
 * ------------------------------------------------------------------------------------------ */

struct part_source {
	struct ingot_source source;
	struct ingot_source *whole;
	uint64_t offset;
};

static int part_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	struct part_source *part = (struct part_source *)source;

	return ingot_source_read(part->whole, part->offset + offset, data, n, err);
}

static int part_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	struct part_source *part = (struct part_source *)source;
	int rc = ingot_source_extent(part->whole, part->offset + offset, ret, err);

	if (rc < 0)
		return rc;
	ret->length = ingot_min(ret->length, source->size - offset);
	return 0;
}

static void part_free(struct ingot_source *source)
{
	free(source);
}

static const struct ingot_source_ops PART_OPS = {part_read, part_extent, part_free};

int ingot_source_part(struct ingot_source *whole, uint64_t offset, uint64_t length,
		      struct ingot_source **ret, struct ingot_error *err)
{
	struct part_source *part;

	if (!ingot_in_range(offset, length, whole->size))
		return ingot_raise(err, -EINVAL, "'%s' has no %llu bytes at 0x%llx", whole->name,
				   (unsigned long long)length, (unsigned long long)offset);
	part = ingot_alloc(1, sizeof(*part), err);
	if (!part)
		return -ENOMEM;
	part->source = (struct ingot_source){&PART_OPS, whole->name, length};
	part->whole = whole;
	part->offset = offset;
	*ret = &part->source;
	return 0;
}

/* --- concat
 * ---------------------------------------------------------------------------------------- */

struct concat_source {
	struct ingot_source source;
	char *name;
	size_t count;
	struct piece {
		struct ingot_source *source;
		uint64_t start;
	} pieces[];
};

/* The piece that holds the byte at offset: the last that starts at or before it. */
static struct piece *piece_at(struct concat_source *concat, uint64_t offset)
{
	size_t low = 0, high = concat->count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (concat->pieces[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	return &concat->pieces[low];
}

static int concat_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	unsigned char *p = data;

	while (n > 0) {
		struct piece *piece = piece_at((struct concat_source *)source, offset);
		uint64_t inside = offset - piece->start;
		size_t part = (size_t)ingot_min(n, piece->source->size - inside);
		int rc = ingot_source_read(piece->source, inside, p, part, err);

		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static int concat_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			 struct ingot_error *err)
{
	struct piece *piece = piece_at((struct concat_source *)source, offset);

	return ingot_source_extent(piece->source, offset - piece->start, ret, err);
}

static void concat_free(struct ingot_source *source)
{
	struct concat_source *concat = (struct concat_source *)source;

	for (size_t i = 0; i < concat->count; i++)
		ingot_source_free(concat->pieces[i].source);
	free(concat->name);
	free(concat);
}

static const struct ingot_source_ops CONCAT_OPS = {concat_read, concat_extent, concat_free};

int ingot_source_concat(const char *name, struct ingot_source **pieces, size_t count,
			struct ingot_source **ret, struct ingot_error *err)
{
	struct concat_source *concat;
	uint64_t size = 0;

	concat = ingot_alloc(1, sizeof(*concat) + count * sizeof(concat->pieces[0]), err);
	if (!concat)
		return -ENOMEM;
	concat->name = ingot_strdup(name, err);
	if (!concat->name) {
		free(concat);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		concat->pieces[i] = (struct piece){pieces[i], size};
		if (!ingot_add(size, pieces[i]->size, &size)) {
			free(concat->name);
			free(concat);
			return ingot_raise(err, -EOVERFLOW, "'%s' is too large", name);
		}
	}
	concat->count = count;
	concat->source = (struct ingot_source){&CONCAT_OPS, concat->name, size};
	*ret = &concat->source;
	return 0;
}

/* --- zero
 * ------------------------------------------------------------------------------------------ */

static int zero_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	(void)source;
	(void)offset;
	(void)err;
	memset(data, 0, n);
	return 0;
}

static int zero_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	(void)err;
	*ret = (struct ingot_extent){.length = source->size - offset, .hole = true};
	return 0;
}

static void zero_free(struct ingot_source *source)
{
	free(source);
}

static const struct ingot_source_ops ZERO_OPS = {zero_read, zero_extent, zero_free};

int ingot_source_zero(uint64_t size, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_source *source = ingot_alloc(1, sizeof(*source), err);

	if (!source)
		return -ENOMEM;
	*source = (struct ingot_source){&ZERO_OPS, "zero", size};
	*ret = source;
	return 0;
}

/* --- the whole of a source
 * ------------------------------------------------------------------------- */

int ingot_source_load(struct ingot_source *source, size_t max, char **ret, size_t *ret_n,
		      struct ingot_error *err)
{
	INGOT_FREE char *data = NULL;
	char limit[INGOT_SIZE_TEXT];
	int rc;

	if (source->size > max || source->size == SIZE_MAX)
		return ingot_raise(err, -EFBIG, "'%s' is larger than %s", source->name,
				   ingot_size_text(max, limit));
	data = ingot_alloc(1, (size_t)source->size + 1, err);
	if (!data)
		return -ENOMEM;
	rc = ingot_source_read(source, 0, data, (size_t)source->size, err);
	if (rc < 0)
		return rc;
	*ret_n = (size_t)source->size;
	*ret = INGOT_TAKE(data);
	return 0;
}

int ingot_load_file(const char *path, size_t max, char **ret, size_t *ret_n,
		    struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	int rc = ingot_source_open(path, &source, err);

	if (rc < 0)
		return rc;
	return ingot_source_load(source, max, ret, ret_n, err);
}

enum { HASH_STEP = 256 * 1024 };

/* One run of a source into the digest; a hole is hashed from a buffer of zeros, not read. */
static int hash_run(struct ingot_source *source, uint64_t offset, const struct ingot_extent *run,
		    unsigned char *buffer, struct ingot_sha256 *sha, struct ingot_error *err)
{
	if (run->hole)
		memset(buffer, 0, HASH_STEP);
	for (uint64_t at = 0; at < run->length; at += HASH_STEP) {
		size_t n = (size_t)ingot_min(HASH_STEP, run->length - at);
		int rc = run->hole ? 0 : ingot_source_read(source, offset + at, buffer, n, err);

		if (rc < 0)
			return rc;
		rc = ingot_sha256_update(sha, buffer, n, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_source_sha256(struct ingot_source *source, uint8_t digest[32], struct ingot_error *err)
{
	INGOT_FREE unsigned char *buffer = ingot_alloc(1, HASH_STEP, err);
	INGOT_SHA256 struct ingot_sha256 *sha = buffer ? ingot_sha256_new(err) : NULL;
	struct ingot_extent run;

	if (!sha)
		return -ENOMEM;
	for (uint64_t offset = 0; offset < source->size; offset += run.length) {
		int rc = ingot_source_extent(source, offset, &run, err);

		if (rc < 0)
			return rc;
		rc = hash_run(source, offset, &run, buffer, sha, err);
		if (rc < 0)
			return rc;
	}
	return ingot_sha256_final(sha, digest, err);
}

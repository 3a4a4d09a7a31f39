#include "formats/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "formats/edit_internal.h"
#include "formats/format_internal.h"
#include "io/sink.h"

enum { SECTOR = 512, LAYERS_MAX = 2, BLOCK = 64 * 1024, BLOCKS = 16 };

/* A container, or what is compressed: its disk is the next layer's file. */
struct layer {
	const struct ingot_edit_ops *ops; /* NULL: the disk is the file */
	struct ingot_source *disk;	  /* owned by the outermost */
};

/* Bytes of the disk that were read, which is in small steps and from few places. */
struct block {
	bool filled;
	uint64_t number;
};

struct ingot_edit {
	struct ingot_source disk;    /* stored pieces past their checksums */
	struct block blocks[BLOCKS]; /* a block's place is its number, modulo BLOCKS */
	unsigned char *data;	     /* of the blocks, one after the other */
	int fd;
	char *path;
	struct layer layers[LAYERS_MAX]; /* the last one has the file itself */
	size_t count;
	struct ingot_source *file; /* owned by layers[0].disk */
	struct ingot_changes changes;
	struct ingot_range *edited; /* of the disk */
	size_t edited_count, edited_room;
};

/* --- where bytes are --------------------------------------------------- */

/* Through all layers; *ret_seal: the offset in what the last layer has. */
static int find_place(const struct ingot_edit *edit, uint64_t offset, struct ingot_place *ret,
		      uint64_t *ret_seal, struct ingot_error *err)
{
	struct ingot_place place;

	*ret = (struct ingot_place){edit->disk.size - offset, true, offset};
	for (size_t i = 0; i < edit->count; i++) {
		int rc;

		*ret_seal = ret->at;
		rc = edit->layers[i].ops->place(edit->layers[i].disk, ret->at, &place, err);
		if (rc < 0)
			return rc;
		place.length = ingot_min(place.length, ret->length);
		*ret = place;
		if (!place.stored)
			return 0;
	}
	return 0;
}

static const struct ingot_edit_ops *last_ops(const struct ingot_edit *edit)
{
	return edit->count ? edit->layers[edit->count - 1].ops : NULL;
}

/* --- the disk ---------------------------------------------------------- */

/* In a format without checksums the disk is as its reader has it. */
static int read_part(struct ingot_edit *edit, uint64_t offset, unsigned char *data, size_t n,
		     size_t *ret_n, struct ingot_error *err)
{
	const struct ingot_edit_ops *ops = last_ops(edit);
	struct ingot_place place = {.length = n};
	uint64_t inner;
	int rc = ops && ops->seal ? find_place(edit, offset, &place, &inner, err) : 0;

	if (rc < 0)
		return rc;
	*ret_n = (size_t)ingot_min(n, place.length);
	return place.stored ? ingot_source_read(edit->file, place.at, data, *ret_n, err)
			    : ingot_source_read(edit->layers[0].disk, offset, data, *ret_n, err);
}

static int load_block(struct ingot_edit *edit, uint64_t number, const unsigned char **ret,
		      struct ingot_error *err)
{
	struct block *block = &edit->blocks[number % BLOCKS];
	uint64_t start = number * BLOCK;
	size_t n = (size_t)ingot_min(BLOCK, edit->disk.size - start);
	unsigned char *data;

	if (!edit->data)
		edit->data = ingot_alloc(BLOCKS, BLOCK, err);
	if (!edit->data)
		return -ENOMEM;
	*ret = data = edit->data + number % BLOCKS * BLOCK;
	if (block->filled && block->number == number)
		return 0;
	block->filled = false;
	for (size_t at = 0, part; at < n; at += part) {
		int rc = read_part(edit, start + at, data + at, n - at, &part, err);

		if (rc < 0)
			return rc;
	}
	*block = (struct block){.filled = true, .number = number};
	return 0;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct ingot_edit *edit = (struct ingot_edit *)source;
	unsigned char *p = data;

	if (edit->count == 0)
		return ingot_source_read(edit->file, offset, data, n, err);
	while (n > 0) {
		size_t inside = (size_t)(offset % BLOCK);
		size_t part = (size_t)ingot_min(n, BLOCK - inside);
		const unsigned char *block;
		int rc = load_block(edit, offset / BLOCK, &block, err);

		if (rc < 0)
			return rc;
		memcpy(p, block + inside, part);
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static const struct ingot_source_ops DISK_OPS = {.read_at = read_at};

struct ingot_source *ingot_edit_disk(const struct ingot_edit *edit)
{
	return (struct ingot_source *)(uintptr_t)&edit->disk;
}

/* --- opening ----------------------------------------------------------- */

/* What is in the last disk so far becomes a layer over it. */
static int add_layer(struct ingot_edit *edit, const struct ingot_reader_ops *reader,
		     const char **name, struct ingot_error *err)
{
	int rc = ingot_reader_open_edit(reader, &edit->layers[0].disk, err);

	if (rc < 0)
		return rc;
	edit->layers[0].ops = reader->edit;
	edit->count++;
	memset(edit->blocks, 0, sizeof(edit->blocks)); /* they were another disk's */
	edit->disk.size = edit->layers[0].disk->size;
	*name = reader->name;
	return 0;
}

/* The file, then what is packed in it, then the container. */
static int open_layers(struct ingot_edit *edit, const char **name, struct ingot_error *err)
{
	const struct ingot_reader_ops *packing, *reader;
	int rc = ingot_reader_find_packing(edit->file, &packing, err);

	*name = "raw";
	if (rc == 0 && packing)
		rc = add_layer(edit, packing, name, err);
	if (rc == 0)
		rc = ingot_reader_find(&edit->disk, &reader, err);
	if (rc < 0 || !reader)
		return rc;
	if (packing && (!reader->edit || reader->edit->seal))
		return ingot_raise(err, -EOPNOTSUPP, "a compressed %s cannot be changed in place",
				   reader->name);
	if (packing)
		edit->layers[1] = edit->layers[0];
	return add_layer(edit, reader, name, err);
}

static int open_file(struct ingot_edit *edit, const char *path, struct ingot_error *err)
{
	int copy, rc;

	edit->path = ingot_strdup(path, err);
	if (!edit->path)
		return -ENOMEM;
	edit->fd = open(path, O_RDWR | O_CLOEXEC);
	if (edit->fd < 0)
		return ingot_raise_errno(err, errno, "open it for writing");
	copy = fcntl(edit->fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return ingot_raise_errno(err, errno, "open it twice");
	rc = ingot_source_fd(copy, edit->path, &edit->file, err);
	if (rc < 0) {
		(void)close(copy);
		return rc;
	}
	edit->changes.file = edit->file;
	edit->layers[0].disk = edit->file;
	edit->disk = (struct ingot_source){&DISK_OPS, edit->path, edit->file->size};
	return 0;
}

int ingot_edit_open(const char *path, const char **ret_name, struct ingot_edit **ret,
		    struct ingot_error *err)
{
	INGOT_EDIT struct ingot_edit *edit = ingot_alloc(1, sizeof(*edit), err);
	const char *name;
	int rc;

	if (!edit)
		return -ENOMEM;
	edit->fd = -1;
	rc = open_file(edit, path, err);
	if (rc == 0)
		rc = open_layers(edit, &name, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'%s'", path);
	if (ret_name)
		*ret_name = name;
	*ret = INGOT_TAKE(edit);
	return 0;
}

void ingot_edit_free(struct ingot_edit *edit)
{
	if (!edit)
		return;
	ingot_source_free(edit->layers[0].disk);
	ingot_changes_done(&edit->changes);
	free(edit->edited);
	free(edit->data);
	free(edit->path);
	if (edit->fd >= 0)
		(void)close(edit->fd);
	free(edit);
}

/* --- changes ----------------------------------------------------------- */

static int remember(struct ingot_edit *edit, uint64_t offset, size_t n, struct ingot_error *err)
{
	void *items = edit->edited;
	int rc = ingot_grow(&items, &edit->edited_room, edit->edited_count + 1,
			    sizeof(*edit->edited), err);

	edit->edited = items;
	if (rc == 0)
		edit->edited[edit->edited_count++] = (struct ingot_range){offset, n};
	return rc;
}

static int put_part(struct ingot_edit *edit, uint64_t offset, const unsigned char *data, size_t n,
		    size_t *ret_n, struct ingot_error *err)
{
	struct ingot_place place;
	uint64_t inner;
	int rc = find_place(edit, offset, &place, &inner, err);

	if (rc < 0)
		return rc;
	if (!place.stored)
		return ingot_raise(err, -EINVAL,
				   "it is compressed or left out, and cannot be changed in place");
	*ret_n = (size_t)ingot_min(n, place.length);
	rc = ingot_changes_add(&edit->changes, place.at, data, *ret_n, err);
	return rc < 0 ? rc : remember(edit, offset, *ret_n, err);
}

int ingot_edit_put(struct ingot_edit *edit, uint64_t offset, const void *data, size_t n,
		   struct ingot_error *err)
{
	if (!ingot_in_range(offset, n, edit->disk.size))
		return ingot_raise(err, -EINVAL, "byte 0x%llx is past the end of '%s'",
				   (unsigned long long)offset, edit->path);
	for (size_t at = 0, part; at < n; at += part) {
		int rc = put_part(edit, offset + at, (const unsigned char *)data + at, n - at,
				  &part, err);

		if (rc < 0)
			return ingot_wrap(err, rc, "byte 0x%llx of the disk in '%s'",
					  (unsigned long long)(offset + at), edit->path);
	}
	return 0;
}

/* Checksums that depend on what has changed: of each piece once, mostly. */
static int seal(struct ingot_edit *edit, struct ingot_error *err)
{
	const struct ingot_edit_ops *ops = last_ops(edit);
	struct ingot_source *disk = edit->count ? edit->layers[edit->count - 1].disk : NULL;
	uint64_t sealed = 0, end = 0; /* from there to there it is done */
	int rc = 0;

	for (size_t i = 0; ops && ops->seal && rc == 0 && i < edit->edited_count; i++) {
		struct ingot_place place;
		uint64_t inner = 0;

		rc = find_place(edit, edit->edited[i].offset, &place, &inner, err);
		if (rc < 0 || (sealed <= inner && inner < end))
			continue;
		sealed = inner;
		rc = ops->seal(disk, inner, &edit->changes, &end, err);
	}
	if (rc == 0 && ops && ops->finish)
		rc = ops->finish(disk, &edit->changes, err);
	return rc;
}

/* --- writing ----------------------------------------------------------- */

/* The sectors of one change in which a byte changes. */
static int write_change(const struct ingot_change *change, struct ingot_source *file,
			struct ingot_sink *sink, uint64_t *written, struct ingot_error *err)
{
	uint64_t end = change->at + change->n;

	for (uint64_t at = change->at / SECTOR * SECTOR; at < end; at += SECTOR) {
		uint64_t from = ingot_max(at, change->at);
		size_t n = (size_t)(ingot_min(at + SECTOR, end) - from);
		size_t whole = (size_t)ingot_min(SECTOR, file->size - at);
		unsigned char sector[SECTOR], *changed = sector + (from - at);
		int rc = ingot_source_read(file, at, sector, whole, err);

		if (rc < 0)
			return rc;
		if (memcmp(changed, change->data + (from - change->at), n) == 0)
			continue;
		memcpy(changed, change->data + (from - change->at), n);
		rc = ingot_sink_write(sink, at, sector, whole, err);
		if (rc < 0)
			return rc;
		*written += whole;
	}
	return 0;
}

int ingot_edit_commit(struct ingot_edit *edit, uint64_t *ret_written, struct ingot_error *err)
{
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_sink_growing(edit->fd, edit->path, &sink, err);

	*ret_written = 0;
	memset(edit->blocks, 0, sizeof(edit->blocks));
	if (rc == 0)
		rc = seal(edit, err);
	for (size_t i = 0; rc == 0 && i < edit->changes.count; i++)
		rc = write_change(&edit->changes.items[i], edit->file, sink, ret_written, err);
	if (rc == 0 && *ret_written && fsync(edit->fd) < 0)
		return ingot_raise_errno(err, errno, "write '%s' to the disk", edit->path);
	return rc;
}

#include "boot/cpio.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct bytes {
	void *data;
	size_t used, room;
	struct ingot_error *err; /* of a failed allocation */
};

struct writer {
	struct archive *archive;
	const struct ingot_cpio_entry *entries;
	struct bytes bytes;
	int64_t epoch;
	int64_t inode; /* the last one given */
};

static INGOT_MUST_USE int raise_archive(struct archive *archive, struct ingot_error *err,
					const char *what)
{
	const char *why = archive ? archive_error_string(archive) : NULL;

	return ingot_raise(err, -EIO, "cpio archive: %s: %s", what, why ? why : "out of memory");
}

static la_ssize_t append(struct archive *archive, void *context, const void *data, size_t n)
{
	struct bytes *bytes = context;

	if (ingot_grow(&bytes->data, &bytes->room, bytes->used + n, 1, bytes->err) < 0) {
		archive_set_error(archive, ENOMEM, "out of memory");
		return -1;
	}
	if (n)
		memcpy((char *)bytes->data + bytes->used, data, n);
	bytes->used += n;
	return (la_ssize_t)n;
}

/* --- checks ------------------------------------------------------------ */

static bool is_bad_name(const char *name, size_t n)
{
	return n == 0 || (n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0);
}

static bool is_bad_path(const char *path)
{
	const char *name = path;

	for (const char *p = path;; p++) {
		if (*p != '/' && *p != '\0') {
			if (*p <= ' ' || *p > '~')
				return true;
			continue;
		}
		if (is_bad_name(name, (size_t)(p - name)))
			return true;
		if (*p == '\0')
			return p - path > 1000;
		name = p + 1;
	}
}

static int check_entry(const struct ingot_cpio_entry *entry, struct ingot_error *err)
{
	if (is_bad_path(entry->path))
		return ingot_raise(err, -EINVAL, "cpio path '%.80s': not a plain relative path",
				   entry->path);
	if (!S_ISREG(entry->mode) && !S_ISLNK(entry->mode))
		return ingot_raise(err, -EINVAL, "cpio path '%s': neither a file nor a link",
				   entry->path);
	if (S_ISLNK(entry->mode) && (entry->size == 0 || memchr(entry->data, 0, entry->size)))
		return ingot_raise(err, -EINVAL, "cpio path '%s': not a link's target",
				   entry->path);
	return 0;
}

/* Whether path[0 .. n) is a folder of one of the first `count` entries' paths. */
static bool has_folder(const struct ingot_cpio_entry *entries, size_t count, const char *path,
		       size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(entries[i].path, path, n) == 0 && entries[i].path[n] == '/')
			return true;
	return false;
}

/* Nothing may stand in the way of an earlier entry. */
static int check_clash(const struct ingot_cpio_entry *entries, size_t index,
		       struct ingot_error *err)
{
	const char *path = entries[index].path;

	for (size_t i = 0; i < index; i++) {
		size_t n = strlen(entries[i].path);

		if (strcmp(entries[i].path, path) == 0)
			return ingot_raise(err, -EINVAL, "cpio path '%s': given twice", path);
		if (strncmp(entries[i].path, path, n) == 0 && path[n] == '/')
			return ingot_raise(err, -EINVAL, "cpio path '%s': '%s' is not a folder",
					   path, entries[i].path);
	}
	if (has_folder(entries, index, path, strlen(path)))
		return ingot_raise(err, -EINVAL, "cpio path '%s': is a folder", path);
	return 0;
}

static int check_all(const struct ingot_cpio_entry *entries, size_t count, int64_t epoch,
		     struct ingot_error *err)
{
	if (epoch < 0 || epoch > UINT32_MAX)
		return ingot_raise(err, -EINVAL, "cpio archive: a time of %lld does not fit",
				   (long long)epoch);
	for (size_t i = 0; i < count; i++) {
		int rc = check_entry(&entries[i], err);

		if (rc == 0)
			rc = check_clash(entries, i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- writing ----------------------------------------------------------- */

static int put_entry(struct writer *writer, struct archive_entry *entry,
		     const struct ingot_cpio_entry *from, struct ingot_error *err)
{
	archive_entry_set_mode(entry, (mode_t)from->mode);
	archive_entry_set_mtime(entry, writer->epoch, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_ino64(entry, ++writer->inode);
	archive_entry_set_nlink(entry, S_ISDIR(from->mode) ? 2 : 1);
	archive_entry_set_size(entry, S_ISREG(from->mode) ? (int64_t)from->size : 0);
	if (archive_write_header(writer->archive, entry) != ARCHIVE_OK)
		return raise_archive(writer->archive, err, archive_entry_pathname(entry));
	if (S_ISREG(from->mode) && from->size > 0 &&
	    archive_write_data(writer->archive, from->data, from->size) != (la_ssize_t)from->size)
		return raise_archive(writer->archive, err, archive_entry_pathname(entry));
	return 0;
}

static int put(struct writer *writer, const char *path, const struct ingot_cpio_entry *from,
	       struct ingot_error *err)
{
	struct archive_entry *entry = archive_entry_new();
	INGOT_FREE char *target = NULL;
	int rc;

	if (!entry)
		return ingot_raise_oom(err, 1);
	archive_entry_set_pathname(entry, path);
	if (S_ISLNK(from->mode)) {
		target = ingot_format(err, "%.*s", (int)from->size, (const char *)from->data);
		if (!target) {
			archive_entry_free(entry);
			return -ENOMEM;
		}
		archive_entry_set_symlink(entry, target);
	}
	rc = put_entry(writer, entry, from, err);
	archive_entry_free(entry);
	return rc;
}

static int put_folders(struct writer *writer, size_t index, struct ingot_error *err)
{
	static const struct ingot_cpio_entry folder = {.mode = S_IFDIR | 0755};
	const char *path = writer->entries[index].path;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		INGOT_FREE char *name = NULL;
		int rc;

		if (has_folder(writer->entries, index, path, (size_t)(slash - path)))
			continue;
		name = ingot_format(err, "%.*s", (int)(slash - path), path);
		if (!name)
			return -ENOMEM;
		rc = put(writer, name, &folder, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int put_all(struct writer *writer, size_t count, struct ingot_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int rc = put_folders(writer, i, err);

		if (rc == 0)
			rc = put(writer, writer->entries[i].path, &writer->entries[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int write_archive(struct writer *writer, size_t count, struct ingot_error *err)
{
	struct archive *archive = writer->archive;
	int rc;

	/* No blocks: nothing behind the trailer but its own padding to 4. */
	if (archive_write_set_format_cpio_newc(archive) != ARCHIVE_OK ||
	    archive_write_add_filter_none(archive) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(archive, 0) != ARCHIVE_OK ||
	    archive_write_open(archive, &writer->bytes, NULL, append, NULL) != ARCHIVE_OK)
		return raise_archive(archive, err, "start");
	rc = put_all(writer, count, err);
	if (rc < 0)
		return rc;
	if (archive_write_close(archive) != ARCHIVE_OK)
		return raise_archive(archive, err, "end");
	return 0;
}

int ingot_cpio_source(const struct ingot_cpio_entry *entries, size_t count, int64_t epoch,
		      struct ingot_source **ret, struct ingot_error *err)
{
	struct writer writer = {.entries = entries, .bytes.err = err, .epoch = epoch};
	int rc = check_all(entries, count, epoch, err);

	if (rc < 0)
		return rc;
	writer.archive = archive_write_new();
	rc = writer.archive ? write_archive(&writer, count, err)
			    : raise_archive(NULL, err, "start");
	/* Without a word, libarchive writes a trailer even now, and crashes if memory is short. */
	if (rc < 0 && writer.archive)
		(void)archive_write_fail(writer.archive);
	archive_write_free(writer.archive);
	if (rc == 0)
		rc = ingot_source_memory("cpio archive", writer.bytes.data, writer.bytes.used, ret,
					 err);
	free(writer.bytes.data);
	return rc;
}

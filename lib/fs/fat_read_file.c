#include <errno.h>
#include <string.h>

#include "fs/fat_read_internal.h"

/* A file as a source: its runs of clusters that follow each other, found once. */

struct run {
	uint32_t first; /* cluster */
	uint32_t index; /* of that cluster in the file */
};

struct fat_file {
	struct ingot_source source;
	struct ingot_fat_volume volume;
	struct run *runs;
	size_t count;
	char name[];
};

/* The last run that starts at or before a cluster of the file. */
static size_t run_at(const struct fat_file *file, uint32_t index)
{
	size_t low = 0, high = file->count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (file->runs[middle].index <= index)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Where a byte of the file stands in the volume, and how many follow it there. */
static uint64_t locate(const struct fat_file *file, uint64_t offset, uint64_t *ret_length)
{
	uint32_t cluster_size = file->volume.cluster_size;
	size_t i = run_at(file, (uint32_t)(offset / cluster_size));
	const struct run *run = &file->runs[i];
	uint64_t start = (uint64_t)run->index * cluster_size;
	uint64_t end =
		i + 1 < file->count ? (uint64_t)run[1].index * cluster_size : file->source.size;

	*ret_length = end - offset;
	return fat_cluster_offset(&file->volume, run->first) + (offset - start);
}

static int file_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	const struct fat_file *file = (const struct fat_file *)source;
	unsigned char *p = data;

	while (n > 0) {
		uint64_t length, at = locate(file, offset, &length);
		size_t part = (size_t)ingot_min(n, length);
		int rc = ingot_source_read(file->volume.source, at, p, part, err);

		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static int file_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	const struct fat_file *file = (const struct fat_file *)source;
	uint64_t length, at = locate(file, offset, &length);
	int rc = ingot_source_extent(file->volume.source, at, ret, err);

	if (rc < 0)
		return rc;
	ret->length = ingot_min(ret->length, length);
	return 0;
}

static void file_free(struct ingot_source *source)
{
	struct fat_file *file = (struct fat_file *)source;

	free(file->runs);
	free(file);
}

static const struct ingot_source_ops FILE_OPS = {file_read, file_extent, file_free};

uint64_t ingot_fat_file_place(const struct ingot_source *file, uint64_t offset,
			      uint64_t *ret_length)
{
	return locate((const struct fat_file *)file, offset, ret_length);
}

/* --- finding the runs -------------------------------------------------- */

static int add_run(struct fat_file *file, size_t *room, struct run run, struct ingot_error *err)
{
	int rc = ingot_grow((void **)&file->runs, room, file->count + 1, sizeof(run), err);

	if (rc < 0)
		return rc;
	file->runs[file->count++] = run;
	return 0;
}

/* No more of the chain is followed than the file is long: one that loops ends, too. */
static int find_runs(struct fat_file *file, uint32_t cluster, uint32_t clusters,
		     struct ingot_error *err)
{
	struct fat_window window = {0};
	size_t room = 0;
	uint32_t before = 0;

	for (uint32_t i = 0; i < clusters; i++) {
		int rc = 0;

		if (!fat_is_cluster(&file->volume, cluster))
			return ingot_fat_corrupt(
				err, i ? "a file's chain is shorter than the file"
				       : "a file starts at a cluster that is not there");
		if (i == 0 || cluster != before + 1)
			rc = add_run(file, &room, (struct run){cluster, i}, err);
		before = cluster;
		if (rc == 0 && i + 1 < clusters)
			rc = ingot_fat_next_cluster(&file->volume, &window, before, &cluster, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_fat_file_source(const struct ingot_fat_volume *v, const struct ingot_fat_entry *entry,
			  struct ingot_source **ret, struct ingot_error *err)
{
	uint64_t clusters = ingot_div_up(entry->size, v->cluster_size);
	struct fat_file *file;
	int rc;

	if (clusters > v->cluster_count)
		return ingot_fat_corrupt(err, "a file is larger than the volume");
	file = ingot_alloc(1, sizeof(*file) + strlen(entry->path) + 1, err);
	if (!file)
		return -ENOMEM;
	strcpy(file->name, entry->path);
	file->source = (struct ingot_source){&FILE_OPS, file->name, entry->size};
	file->volume = *v;
	rc = find_runs(file, entry->cluster, (uint32_t)clusters, err);
	if (rc < 0) {
		file_free(&file->source);
		return rc;
	}
	*ret = &file->source;
	return 0;
}

/* gzip from the front to the end, by libarchive: not by what wrote the file. */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "image/check_internal.h"

enum { STEP = 256 * 1024 };

struct check_gunzip {
	struct archive *archive;
	struct ingot_source *source;
	uint64_t at;
	unsigned char in[STEP], out[STEP];
};

static la_ssize_t feed(struct archive *archive, void *context, const void **ret)
{
	struct check_gunzip *g = context;
	size_t n = (size_t)ingot_min(STEP, g->source->size - g->at);
	struct ingot_error err;

	if (ingot_source_read(g->source, g->at, g->in, n, &err) < 0) {
		archive_set_error(archive, -1, "%s", err.text);
		return -1;
	}
	g->at += n;
	*ret = g->in;
	return (la_ssize_t)n;
}

struct check_gunzip *check_gunzip_new(struct ingot_source *source)
{
	struct check_gunzip *g = ingot_alloc(1, sizeof(*g), NULL);
	struct archive_entry *entry;

	if (!g)
		return NULL;
	g->source = source;
	g->archive = archive_read_new();
	if (g->archive && archive_read_support_filter_gzip(g->archive) == ARCHIVE_OK &&
	    archive_read_support_format_raw(g->archive) == ARCHIVE_OK &&
	    archive_read_open(g->archive, g, NULL, feed, NULL) == ARCHIVE_OK)
		(void)archive_read_next_header(g->archive, &entry);
	return g;
}

int64_t check_gunzip_read(struct check_gunzip *g, void *data, uint64_t n)
{
	uint64_t done = 0;

	if (!g->archive)
		return -1;
	while (done < n) {
		void *to = data ? (unsigned char *)data + done : g->out;
		size_t want = (size_t)ingot_min(n - done, STEP);
		la_ssize_t got = archive_read_data(g->archive, to, want);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (uint64_t)got;
	}
	return (int64_t)done;
}

const char *check_gunzip_why(struct check_gunzip *g)
{
	const char *why = g->archive ? archive_error_string(g->archive) : NULL;

	return why ? why : "it cannot be unpacked";
}

void check_gunzip_free(struct check_gunzip *g)
{
	if (!g)
		return;
	if (g->archive)
		(void)archive_read_free(g->archive);
	free(g);
}

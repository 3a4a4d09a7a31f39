/* gzip from the front to the end, member after member (RFC 1952), by zlib. */
#include <string.h>
#include <zlib.h>

#include "image/check_internal.h"

enum { STEP = 256 * 1024, GZIP = 16 }; /* zlib: the window's bits, and gzip around it */

struct check_gunzip {
	z_stream z;
	struct ingot_source *source;
	uint64_t at;
	bool ready, end, oom;
	struct ingot_error err; /* of a read */
	const char *why;	/* NULL: nothing is wrong */
	unsigned char in[STEP], out[STEP];
};

struct check_gunzip *check_gunzip_new(struct ingot_source *source)
{
	struct check_gunzip *g = ingot_alloc(1, sizeof(*g), NULL);

	if (!g)
		return NULL;
	g->source = source;
	g->ready = inflateInit2(&g->z, MAX_WBITS + GZIP) == Z_OK;
	g->oom = !g->ready;
	return g;
}

/* More input; false: there is none, or it cannot be read. */
static bool feed(struct check_gunzip *g)
{
	size_t n = (size_t)ingot_min(STEP, g->source->size - g->at);

	if (n > 0 && ingot_source_read(g->source, g->at, g->in, n, &g->err) < 0) {
		g->why = g->err.text;
		return false;
	}
	g->at += n;
	g->z.next_in = g->in;
	g->z.avail_in = (uInt)n;
	return n > 0;
}

/* Behind a member stands another one, or zeros, or nothing. */
static void next_member(struct check_gunzip *g)
{
	if (g->z.avail_in == 0 && !feed(g)) {
		g->end = true;
		return;
	}
	while (*g->z.next_in == 0) {
		g->z.next_in++;
		g->z.avail_in--;
		if (g->z.avail_in == 0 && !feed(g)) {
			g->end = true;
			return;
		}
	}
	(void)inflateReset(&g->z);
}

/* Some bytes to g->z.next_out; sets why or end. */
static void step(struct check_gunzip *g)
{
	int rc;

	if (g->z.avail_in == 0 && !feed(g)) {
		g->why = g->why ? g->why : "the gzip stream is cut off";
		return;
	}
	rc = inflate(&g->z, Z_NO_FLUSH);
	g->oom |= rc == Z_MEM_ERROR;
	if (rc == Z_STREAM_END)
		next_member(g);
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		g->why = g->z.msg ? g->z.msg : "the gzip stream is damaged";
}

int64_t check_gunzip_read(struct check_gunzip *g, void *data, uint64_t n)
{
	uint64_t done = 0;

	while (done < n && g->ready && !g->end && !g->why) {
		uInt want = (uInt)ingot_min(n - done, STEP);

		g->z.next_out = data ? (unsigned char *)data + done : g->out;
		g->z.avail_out = want;
		while (g->z.avail_out && !g->end && !g->why)
			step(g);
		done += want - g->z.avail_out;
	}
	return g->why || !g->ready ? -1 : (int64_t)done;
}

bool check_gunzip_is_oom(const struct check_gunzip *g)
{
	return g->oom;
}

const char *check_gunzip_why(struct check_gunzip *g)
{
	return g->why ? g->why : "it cannot be unpacked";
}

void check_gunzip_free(struct check_gunzip *g)
{
	if (!g)
		return;
	if (g->ready)
		(void)inflateEnd(&g->z);
	free(g);
}

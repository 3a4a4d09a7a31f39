/*
 * What Compute Engine imports: a tar of GNU's old kind in gzip, its only member disk.raw, which may
 * be sparse (type S: 482 says whether blocks of more pieces follow, 483 the whole size).
 */
#include <string.h>

#include "image/check_internal.h"

enum { BLOCK = 512, RECORD_MAX = 1024 * 1024 };

/* The extension blocks of a sparse member; false: cut off. */
static bool skip_pieces(struct check_gunzip *g, const unsigned char header[BLOCK])
{
	unsigned char block[BLOCK];
	bool more = header[482];

	while (more) {
		if (check_gunzip_read(g, block, BLOCK) != BLOCK)
			return false;
		more = block[504];
	}
	return true;
}

/* Behind the only member: zeros, at least two blocks of them, to the end. */
static void check_end(struct checker *c, struct check_gunzip *g)
{
	unsigned char block[BLOCK];
	static const unsigned char zero[BLOCK];
	uint64_t blocks = 0;
	int64_t n = BLOCK;
	bool zeros = true;

	while (zeros && blocks < RECORD_MAX / BLOCK && n == BLOCK) {
		n = check_gunzip_read(g, block, BLOCK);
		if (n == BLOCK) {
			zeros = memcmp(block, zero, BLOCK) == 0;
			blocks += zeros;
		}
	}
	check_add(c, "members", zeros, "only disk.raw",
		  zeros ? "only disk.raw" : "something behind it");
	if (!zeros)
		return;
	if (n < 0)
		check_add(c, "end", false, "two blocks of zeros", check_gunzip_why(g));
	else
		check_add(c, "end", blocks >= 2 && n == 0, "two blocks of zeros, at most 1 MiB",
			  SAY("%llu blocks%s", (unsigned long long)blocks,
			      n == 0 ? "" : ", and more"));
}

static void check_tar(struct checker *c, struct check_gunzip *g)
{
	unsigned char header[BLOCK] = {0};
	struct check_member m = {0};
	int64_t n = check_gunzip_read(g, header, BLOCK);
	uint64_t padded;
	int kind;

	if (n != BLOCK) {
		check_add(c, "tar", false, "a header",
			  n < 0 ? check_gunzip_why(g) : "less than 512 bytes");
		return;
	}
	kind = check_tar_header(header, &m);
	check_add(c, "first member", kind == 1 && strcmp(m.name, "disk.raw") == 0, "disk.raw",
		  kind == 0 ? "none" : SAY("'%s'", m.name));
	check_add(c, "tar format", m.oldgnu, "oldgnu",
		  m.oldgnu  ? "oldgnu"
		  : m.ustar ? "POSIX"
			    : "another");
	check_add(c, "header's checksum", m.checksum_ok, "right",
		  m.checksum_ok ? "right" : "wrong");
	check_add(c, "type", m.type == '0' || m.type == '\0' || m.type == 'S',
		  "a file, or a sparse one", SAY("%d", (unsigned char)m.type));
	if (kind != 1 || !m.checksum_ok || m.size > INT64_MAX)
		return;
	padded = ingot_round_up(m.size, BLOCK);
	if (m.type == 'S' && !skip_pieces(g, header)) {
		check_add(c, "content", false, "the list of pieces", "cut off");
		return;
	}
	n = check_gunzip_read(g, NULL, padded);
	check_add(c, "content", n == (int64_t)padded, SAY("%llu bytes", (unsigned long long)padded),
		  n < 0 ? check_gunzip_why(g) : SAY("%lld bytes", (long long)n));
	if (n == (int64_t)padded)
		check_end(c, g);
}

void check_gce(struct checker *c, const struct ingot_check_rule *rule)
{
	unsigned char magic[3];
	struct check_gunzip *g;
	bool gzip;

	(void)rule;
	if (!check_read(c, c->file, 0, magic, sizeof(magic), "gzip"))
		return;
	gzip = memcmp(magic, "\x1f\x8b\x08", 3) == 0;
	check_add(c, "gzip", gzip, "deflate in gzip", gzip ? "deflate in gzip" : "something else");
	if (!gzip)
		return;
	g = check_gunzip_new(c->file);
	if (g)
		check_tar(c, g);
	c->oom |= !g || check_gunzip_is_oom(g);
	check_gunzip_free(g);
}

/*
 * The disk in a tar archive as Google Compute Engine wants it: the first file, disk.raw, plain or
 * sparse, in ustar, GNU's formats, or pax.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "formats/format_internal.h"
#include "formats/gce_internal.h"
#include "formats/ustar_internal.h"

enum { KIND = 156, MEMBERS_MAX = 64, PAX_MAX = 1 << 20, NAME_MAX_BYTES = 256 };

struct member {
	struct ingot_ustar_member header;
	unsigned char raw[USTAR_BLOCK];
	char name[NAME_MAX_BYTES];
	uint64_t at; /* its data */
	/* From a pax header in front of it. */
	bool named, sized, sparse, realsized;
	bool old_sparse; /* 0.0 and 0.1 */
	uint64_t size, realsize;
};

/* A tar whose first member is a file or says something about one. */
bool ingot_gce_probe(const struct ingot_probe *probe)
{
	struct ingot_ustar_member member;

	/* The oldest tar has the checksum only; one that was damaged has the word. */
	return memcmp(probe->head + 257, "ustar", 5) == 0 ||
	       ingot_ustar_parse(probe->head, &member, NULL) == 1;
}

/* --- pax --------------------------------------------------------------- */

static bool is(const char *key, size_t n, const char *want)
{
	return strlen(want) == n && memcmp(key, want, n) == 0;
}

static void set_name(struct member *member, const char *value, size_t n)
{
	n = (size_t)ingot_min(n, sizeof(member->name) - 1);
	memcpy(member->name, value, n);
	member->name[n] = '\0';
	member->named = true;
}

/* The value ends in '\n', which is a NUL here. */
static int set(struct member *member, const char *key, size_t n, const char *value, size_t value_n,
	       struct ingot_error *err)
{
	int rc = 0;

	if (is(key, n, "path") && !member->named) {
		set_name(member, value, value_n);
	} else if (is(key, n, "GNU.sparse.name")) {
		set_name(member, value, value_n);
	} else if (is(key, n, "size")) {
		member->sized = true;
		rc = ingot_parse_u64(value, &member->size, err);
	} else if (is(key, n, "GNU.sparse.realsize")) {
		member->realsized = true;
		rc = ingot_parse_u64(value, &member->realsize, err);
	} else if (is(key, n, "GNU.sparse.major")) {
		member->sparse = strcmp(value, "1") == 0;
		member->old_sparse = !member->sparse;
	} else if (is(key, n, "GNU.sparse.map") || is(key, n, "GNU.sparse.numblocks")) {
		member->old_sparse = true;
	}
	return rc < 0 ? ingot_wrap(err, rc, "pax header, %.*s", (int)n, key) : 0;
}

/* "LENGTH KEY=VALUE\n", LENGTH being that of the whole. Returns it, or 0. */
static size_t split_record(char *p, size_t n, char **key, char **value)
{
	size_t length = 0, i = 0;

	for (; i < n && i < 8 && p[i] >= '0' && p[i] <= '9'; i++)
		length = length * 10 + (size_t)(p[i] - '0');
	if (i == n || p[i] != ' ' || length > n || length < i + 4 || p[length - 1] != '\n')
		return 0;
	p[length - 1] = '\0';
	*key = p + i + 1;
	*value = memchr(*key, '=', length - i - 2);
	return *value ? length : 0;
}

static int read_pax(struct ingot_source *archive, struct member *member, struct ingot_error *err)
{
	size_t n = (size_t)member->header.size, used;
	INGOT_FREE char *text = NULL;
	int rc;

	if (member->header.size > PAX_MAX)
		return ingot_raise(err, -EFBIG, "a pax header is larger than 1 MiB");
	text = ingot_alloc(1, n + 1, err);
	rc = text ? ingot_source_read(archive, member->at, text, n, err) : -ENOMEM;
	for (char *p = text; rc == 0 && n > 0; p += used, n -= used) {
		char *key, *value;

		used = split_record(p, n, &key, &value);
		if (used == 0)
			return ingot_raise(err, -EBADMSG, "a pax header is damaged");
		rc = set(member, key, (size_t)(value - key), value + 1,
			 (size_t)(p + used - 1 - (value + 1)), err);
	}
	return rc;
}

/* GNU's name of more than 100 bytes. */
static int read_long_name(struct ingot_source *archive, struct member *member,
			  struct ingot_error *err)
{
	size_t n = (size_t)ingot_min(member->header.size, sizeof(member->name) - 1);
	char name[NAME_MAX_BYTES];
	int rc = ingot_source_read(archive, member->at, name, n, err);

	if (rc == 0)
		set_name(member, name, n);
	return rc;
}

/* --- members ----------------------------------------------------------- */

/* *file: it is one; otherwise something that stands in front of one. */
static int read_member(struct ingot_source *archive, uint64_t at, struct member *member, bool *file,
		       struct ingot_error *err)
{
	int rc;

	*file = false;
	if (!ingot_in_range(at, USTAR_BLOCK, archive->size))
		return ingot_raise(err, -EBADMSG, "it is cut off");
	rc = ingot_source_read(archive, at, member->raw, USTAR_BLOCK, err);
	if (rc == 0)
		rc = ingot_ustar_parse(member->raw, &member->header, err);
	if (rc == 0)
		return ingot_raise(err, -EBADMSG, "there is no disk.raw in the archive");
	if (rc < 0)
		return rc;
	member->at = at + USTAR_BLOCK;
	switch (member->raw[KIND]) {
	case 'x':
		return read_pax(archive, member, err);
	case 'L':
		return read_long_name(archive, member, err);
	case 'g':
	case 'V': /* a label */
	case '5': /* a folder */
		return 0;
	default:
		*file = true;
		return 0;
	}
}

static int find_disk(struct ingot_source *archive, struct member *member, struct ingot_error *err)
{
	uint64_t at = 0, data;

	for (int i = 0; i < MEMBERS_MAX; i++) {
		bool file;
		int rc = read_member(archive, at, member, &file, err);

		if (rc < 0 || file)
			return rc;
		if (member->raw[KIND] == '5')
			*member = (struct member){0};
		data = member->raw[KIND] ? ingot_round_up(member->header.size & INT64_MAX, 512) : 0;
		if (!ingot_add(at, USTAR_BLOCK + data, &at))
			break;
	}
	return ingot_raise(err, -EBADMSG, "there is no disk.raw in the archive");
}

static int check_name(struct member *member, struct ingot_error *err)
{
	const char *name;
	char text[64];

	if (!member->named)
		set_name(member, member->header.name, strlen(member->header.name));
	name = strncmp(member->name, "./", 2) == 0 ? member->name + 2 : member->name;
	if (strcmp(name, "disk.raw") == 0)
		return 0;
	return ingot_raise(err, -ENOTSUP, "the archive's first file is '%s', not disk.raw",
			   ingot_printable(name, strlen(name), text, sizeof(text)));
}

/* The map of a plain member is one piece. */
static int make_map(struct ingot_source *archive, struct member *member, struct ingot_tar_map *map,
		    uint64_t *size, struct ingot_error *err)
{
	uint64_t stored = member->sized ? member->size : member->header.size, end;

	if (member->old_sparse)
		return ingot_raise(err, -ENOTSUP,
				   "disk.raw is sparse in an old way (before pax sparse 1.0)");
	*size = stored;
	if (member->raw[KIND] == 'S')
		return ingot_tar_map_old(map, archive, member->raw, &member->at, size, err);
	if (member->raw[KIND] != '0' && member->raw[KIND] != '\0')
		return ingot_raise(err, -ENOTSUP, "disk.raw is no plain file");
	if (!ingot_in_range(member->at, stored, archive->size))
		return ingot_raise(err, -EBADMSG, "it is cut off");
	if (!member->sparse)
		return ingot_tar_map_add(map, 0, stored, err);
	if (!member->realsized)
		return ingot_raise(err, -EBADMSG, "a sparse member does not say its size");
	*size = member->realsize;
	end = member->at + stored;
	return ingot_tar_map_text(map, archive, &member->at, end, err);
}

int ingot_gce_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_tar_map map = {0};
	struct member member = {0};
	uint64_t size = 0;
	int rc = find_disk(file, &member, err);

	if (rc == 0)
		rc = check_name(&member, err);
	if (rc == 0)
		rc = make_map(file, &member, &map, &size, err);
	if (rc == 0 && size > INT64_MAX)
		rc = ingot_raise(err, -EFBIG, "a disk of 2^63 bytes is impossible");
	if (rc == 0)
		rc = ingot_tar_map_source(&map, file, member.at, size, ret, err);
	free(map.pieces);
	return rc;
}

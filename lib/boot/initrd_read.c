#include "boot/initrd_read.h"

#include <errno.h>
#include <string.h>

/*
 * newc (kernel, Documentation/driver-api/early-userspace/buffer-format.rst): a header of 110
 * characters, "070701" and thirteen numbers of eight hex digits, then name and data, each
 * padded to 4. The archive is found from its end: its members are the places from which one
 * leads to the next and the last to a trailer with nothing but zeros behind it.
 */

enum { HEAD = 110, FIELD_MODE = 1, FIELD_MTIME = 5, FIELD_SIZE = 6, FIELD_NAME = 11 };

struct member {
	const char *name;
	const char *data;
	size_t size;
	size_t next; /* where the next one starts */
	uint32_t mode, mtime;
};

static bool field(const char *head, int index, uint32_t *ret)
{
	const char *p = head + 6 + 8 * index;
	uint32_t v = 0;

	for (int i = 0; i < 8; i++) {
		char c = p[i];
		unsigned digit = c >= '0' && c <= '9'	? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
							: 16;

		if (digit > 15)
			return false;
		v = v << 4 | digit;
	}
	*ret = v;
	return true;
}

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* The member at `at`, and what is behind it; false: there is none. */
static bool read_member(const char *data, size_t size, size_t at, struct member *ret)
{
	uint32_t name_size, data_size, mode, mtime;
	size_t name = at + HEAD, content;

	if (!ingot_in_range(at, HEAD, size) || memcmp(data + at, "070701", 6) != 0 ||
	    !field(data + at, FIELD_SIZE, &data_size) || !field(data + at, FIELD_NAME, &name_size))
		return false;
	if (name_size == 0 || name_size > size - name || data[name + name_size - 1] != '\0')
		return false;
	content = pad4(name + name_size);
	if (content > size || data_size > size - content)
		return false;
	if (!field(data + at, FIELD_MODE, &mode) || !field(data + at, FIELD_MTIME, &mtime))
		return false;
	*ret = (struct member){data + name, data + content, data_size, pad4(content + data_size),
			       mode,	    mtime};
	return true;
}

static bool is_trailer(const struct member *m)
{
	return strcmp(m->name, "TRAILER!!!") == 0;
}

/* Where the bytes that are not zero end. */
static size_t text_end(const char *data, size_t size)
{
	while (size > 0 && data[size - 1] == '\0')
		size--;
	return size;
}

/* The last member with that path; NULL: only learn what leads to the end. From the end backwards,
 * so that each place is looked at once. */
static bool search(const char *data, size_t size, const char *path, bool *leads_to_end,
		   struct member *ret)
{
	size_t end = text_end(data, size);

	for (size_t i = size / 4 + 1; i-- > 0;) {
		if (!read_member(data, size, 4 * i, ret))
			continue;
		if (is_trailer(ret))
			leads_to_end[i] = ret->next >= end;
		else if (ret->next < size)
			leads_to_end[i] = leads_to_end[ret->next / 4];
		if (leads_to_end[i] && path && strcmp(ret->name, path) == 0)
			return true;
	}
	return false;
}

/* The bytes at the end; members start at multiples of 4, counted from the start of the whole. */
static int load_end(struct ingot_source *initrd, char **ret, size_t *ret_n, uint64_t *ret_from,
		    struct ingot_error *err)
{
	uint64_t from = initrd->size > INGOT_SEGMENT_MAX
				? ingot_round_up(initrd->size - INGOT_SEGMENT_MAX, 4)
				: 0;
	size_t n = (size_t)(initrd->size - from);
	INGOT_FREE char *data = ingot_alloc(1, n + 1, err);
	int rc = data ? ingot_source_read(initrd, from, data, n, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(data);
	*ret_n = n;
	*ret_from = from;
	return 0;
}

int ingot_initrd_find(struct ingot_source *initrd, const char *path, char **ret, size_t *ret_size,
		      struct ingot_error *err)
{
	INGOT_FREE char *data = NULL;
	INGOT_FREE bool *leads_to_end = NULL;
	struct member found;
	uint64_t from;
	size_t n;
	char *copy;
	int rc = load_end(initrd, &data, &n, &from, err);

	if (rc < 0)
		return rc;
	leads_to_end = ingot_alloc(n / 4 + 1, sizeof(bool), err);
	if (!leads_to_end)
		return -ENOMEM;
	if (!search(data, n, path, leads_to_end, &found))
		return ingot_raise(err, -ENODATA, "'%s' has no '%s' in its last archive",
				   initrd->name, path);
	copy = ingot_alloc(1, found.size + 1, err);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, found.data, found.size);
	*ret = copy;
	*ret_size = found.size;
	return 0;
}

/* --- all of it --------------------------------------------------------- */

static int add_member(const struct ingot_source *initrd, const struct member *m,
		      struct ingot_initrd_archive *archive, struct ingot_error *err)
{
	if (archive->count == INGOT_INITRD_MEMBERS_MAX)
		return ingot_raise(err, -E2BIG, "the last archive of '%s' has more than %d members",
				   initrd->name, INGOT_INITRD_MEMBERS_MAX);
	archive->members[archive->count++] =
		(struct ingot_initrd_member){m->name, m->mode, m->mtime, m->data, m->size};
	return 0;
}

int ingot_initrd_last(struct ingot_source *initrd, struct ingot_initrd_archive *ret,
		      struct ingot_error *err)
{
	INGOT_FREE bool *leads_to_end = NULL;
	struct member m;
	size_t n, at = 0;
	uint64_t from;
	int rc;

	*ret = (struct ingot_initrd_archive){0};
	rc = load_end(initrd, &ret->bytes, &n, &from, err);
	if (rc < 0)
		return rc;
	leads_to_end = ingot_alloc(n / 4 + 1, sizeof(bool), err);
	if (!leads_to_end)
		return -ENOMEM;
	(void)search(ret->bytes, n, NULL, leads_to_end, &m);
	while (at < n && !leads_to_end[at / 4])
		at += 4;
	if (at >= n)
		return ingot_raise(err, -ENODATA, "'%s' does not end in an archive", initrd->name);
	ret->offset = from + at;
	ret->size = n - at;
	memmove(ret->bytes, ret->bytes + at, ret->size);
	for (at = 0; read_member(ret->bytes, ret->size, at, &m) && !is_trailer(&m); at = m.next) {
		rc = add_member(initrd, &m, ret, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void ingot_initrd_archive_done(struct ingot_initrd_archive *archive)
{
	free(archive->bytes);
	*archive = (struct ingot_initrd_archive){0};
}

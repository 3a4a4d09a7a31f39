/*
 * OVA (DMTF DSP0243 2.1: 5.1 manifest, 5.3 the order in the archive, 7.1 References, 9.1
 * DiskSection). The XML is looked through for the elements that count; it is not validated.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/text.h"
#include "image/check_internal.h"
#include "image/check_xml_internal.h"

enum { MEMBERS = 64, TEXT_MAX = 1024 * 1024, VALUE_MAX = CHECK_XML_VALUE };

#define STREAM_URI "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"

struct package {
	struct checker *c;
	struct check_member members[MEMBERS];
	size_t count;
	char *ovf, *manifest; /* texts; NULL: not there */
	size_t manifest_index;
};

/* --- members ----------------------------------------------------------- */

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static size_t find(const struct package *p, const char *name)
{
	size_t i = 0;

	while (i < p->count && strcmp(p->members[i].name, name) != 0)
		i++;
	return i;
}

/* A small member as text. */
static char *load(struct package *p, size_t i)
{
	const struct check_member *m = &p->members[i];
	char *text;

	if (m->size > TEXT_MAX)
		return NULL;
	text = ingot_alloc((size_t)m->size + 1, 1, NULL);
	if (!text)
		p->c->oom = true;
	else if (ingot_source_read(p->c->file, m->offset, text, (size_t)m->size, NULL) < 0)
		free(INGOT_TAKE(text));
	return text;
}

/* The archive: only POSIX headers, the description first, zeros at the end. */
static bool check_archive(struct package *p)
{
	struct checker *c = p->c;
	unsigned char end[1024];
	static const unsigned char zero[1024];
	const char *odd = NULL;
	uint64_t at;

	p->count = check_tar_list(c->file, p->members, MEMBERS, &at);
	for (size_t i = 0; i < p->count && !odd; i++)
		if (!p->members[i].ustar || (p->members[i].type != '0' && p->members[i].type))
			odd = p->members[i].name;
	check_add(c, "archive", p->count > 0 && !odd, "USTAR, only files",
		  odd ? SAY("'%s' is something else", odd) : SAY("%zu files", p->count));
	if (p->count == 0)
		return false;
	check_add(c, "first file", ends_in(p->members[0].name, ".ovf"), "NAME.ovf",
		  SAY("%s", p->members[0].name));
	if (check_read(c, c->file, at, end, sizeof(end), "end of the archive"))
		check_add(c, "end of the archive", memcmp(end, zero, sizeof(end)) == 0,
			  "1024 bytes of zeros",
			  memcmp(end, zero, sizeof(end)) == 0 ? "zeros" : "something else");
	return ends_in(p->members[0].name, ".ovf");
}

/* --- the manifest ------------------------------------------------------ */

static bool has_digest(struct package *p, const struct check_member *m, const char *wanted)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	char text[INGOT_SHA256_TEXT];
	struct ingot_error err = {0};

	if (ingot_source_part(p->c->file, m->offset, m->size, &part, &err) < 0 ||
	    ingot_source_sha256(part, digest, &err) < 0) {
		p->c->failure = err; /* the range is in the file: it is not the file's fault */
		return false;
	}
	ingot_hex(digest, sizeof(digest), text);
	return strncasecmp(text, wanted, 64) == 0 && !wanted[64];
}

/* "SHA256(NAME)= HEX"; the member, or the count: no such line. */
static size_t parse_line(const struct package *p, char *line, const char **ret_hex)
{
	char *close = strstr(line, ")=");

	if (strncmp(line, "SHA256(", 7) != 0 || !close)
		return p->count;
	*close = '\0';
	*ret_hex = close + 2 + strspn(close + 2, " ");
	return find(p, line + 7);
}

static void check_manifest(struct package *p)
{
	bool listed[MEMBERS] = {false};
	const char *wrong = NULL, *hex = NULL;
	size_t files = 0;
	char *rest = NULL;

	for (char *line = strtok_r(p->manifest, "\r\n", &rest); line && !wrong;
	     line = strtok_r(NULL, "\r\n", &rest)) {
		size_t i = parse_line(p, line, &hex);

		if (i == p->count)
			wrong = "a line without a file, or not of SHA-256";
		else if (listed[i])
			wrong = "a file twice";
		else if (!has_digest(p, &p->members[i], hex))
			wrong = p->members[i].name;
		if (wrong)
			break;
		listed[i] = true;
		files++;
	}
	for (size_t i = 0; i < p->count && !wrong; i++)
		if (!listed[i] && !ends_in(p->members[i].name, ".mf") &&
		    !ends_in(p->members[i].name, ".cert"))
			wrong = p->members[i].name;
	check_add(p->c, "manifest", !wrong, "the SHA-256 of every file",
		  wrong ? SAY("not of: %s", wrong) : SAY("of %zu files", files));
}

/* Right behind the description, or behind everything (5.3). */
static void check_manifest_place(struct package *p)
{
	size_t i = p->manifest_index, last = p->count - 1;

	if (ends_in(p->members[last].name, ".cert") && i != last)
		last--;
	check_add(p->c, "manifest's place", i == 1 || i == last, "behind the .ovf, or the last",
		  SAY("file %zu of %zu", i + 1, p->count));
}

/* --- the description --------------------------------------------------- */

/* Files in the order of References, of the size that it says. */
static void check_references(struct package *p)
{
	const char *end, *at = p->ovf, *wrong = NULL;
	char name[VALUE_MAX], size[VALUE_MAX];
	size_t files = 0, before = 0;
	uint64_t bytes;

	while (!wrong && (at = check_xml_element(at, "File", &end))) {
		size_t i = find(p, check_xml_attribute(at, end, "href", name));

		(void)check_xml_attribute(at, end, "size", size);
		if (i == p->count)
			wrong = "a file that is not there";
		else if (i <= before)
			wrong = "files in another order";
		else if (*size &&
			 (ingot_parse_u64(size, &bytes, NULL) < 0 || bytes != p->members[i].size))
			wrong = "a file of another size";
		before = i;
		files++;
		at = end;
	}
	check_add(p->c, "References", !wrong && files > 0, "the files, in their order and size",
		  wrong	  ? SAY("%s: '%s'", wrong, name)
		  : files ? SAY("%zu files", files)
			  : "none");
}

/* "byte", "byte * 2^30" (9.1) to bytes; 0: something else. */
static uint64_t unit(const char *text)
{
	unsigned power = 0;
	int n = 0;

	if (!*text || strcmp(text, "byte") == 0)
		return 1;
	if (sscanf(text, "byte * 2^%2u%n", &power, &n) == 1 && !text[n] && power < 60)
		return UINT64_C(1) << power;
	return 0;
}

/* The capacity in the header of the sparse extent that the member begins with, bytes; 0: none. */
static uint64_t vmdk_capacity(struct package *p, const struct check_member *m)
{
	unsigned char header[20];

	if (m->size < sizeof(header) ||
	    ingot_source_read(p->c->file, m->offset, header, sizeof(header), NULL) < 0 ||
	    memcmp(header, "KDMV", 4) != 0 || ingot_get_le64(header + 12) > UINT64_MAX / 512)
		return 0;
	return ingot_get_le64(header + 12) * 512;
}

/* The href of the file with that id; "" if there is none. */
static const char *file_of(const struct package *p, const char *id, char name[VALUE_MAX])
{
	const char *end, *at = p->ovf;
	char value[VALUE_MAX];

	while ((at = check_xml_element(at, "File", &end))) {
		if (strcmp(check_xml_attribute(at, end, "id", value), id) == 0)
			return check_xml_attribute(at, end, "href", name);
		at = end;
	}
	return "";
}

static void check_disk_element(struct package *p, const char *at, const char *end)
{
	char value[VALUE_MAX], units[VALUE_MAX], name[VALUE_MAX];
	uint64_t capacity = 0, found = 0;
	size_t i;

	(void)check_xml_attribute(at, end, "format", value);
	check_add(p->c, "disk's format", strcmp(value, STREAM_URI) == 0, STREAM_URI, value);
	i = find(p, file_of(p, check_xml_attribute(at, end, "fileRef", value), name));
	if (i == p->count) {
		check_add(p->c, "disk's file", false, "one of References", SAY("'%s'", value));
		return;
	}
	(void)check_xml_attribute(at, end, "capacityAllocationUnits", units);
	if (ingot_parse_u64(check_xml_attribute(at, end, "capacity", value), &capacity, NULL) < 0 ||
	    !ingot_mul(capacity, unit(units), &capacity))
		capacity = 0;
	found = vmdk_capacity(p, &p->members[i]);
	check_add(p->c, "disk's capacity", capacity && capacity == found,
		  SAY("%llu bytes, as %s has", (unsigned long long)found, name),
		  SAY("%llu bytes", (unsigned long long)capacity));
}

static void check_description(struct package *p)
{
	const char *end, *at = p->ovf;
	size_t disks = 0;

	check_references(p);
	while (disks < MEMBERS && (at = check_xml_element(at, "Disk", &end))) {
		check_disk_element(p, at, end);
		disks++;
		at = end;
	}
	if (!disks)
		check_add(p->c, "disk's file", false, "a Disk in the DiskSection", "none");
}

static void check_package(struct package *p)
{
	if (!check_archive(p))
		return;
	p->ovf = load(p, 0);
	if (p->ovf)
		check_description(p);
	else
		check_add(p->c, "description", false, "at most 1 MiB", "larger");
	for (size_t i = 1; i < p->count && !p->manifest_index; i++)
		if (ends_in(p->members[i].name, ".mf"))
			p->manifest_index = i;
	if (p->manifest_index)
		p->manifest = load(p, p->manifest_index);
	if (p->manifest) {
		check_manifest_place(p);
		check_manifest(p);
	} else {
		check_add(p->c, "manifest", false, "NAME.mf, at most 1 MiB", "none");
	}
}

void check_ovf(struct checker *c, const struct ingot_check_rule *rule)
{
	INGOT_FREE struct package *p = ingot_alloc(1, sizeof(*p), NULL);

	(void)rule;
	if (!p) {
		c->oom = true;
		return;
	}
	p->c = c;
	check_package(p);
	free(p->ovf);
	free(p->manifest);
}

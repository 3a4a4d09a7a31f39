/*
 * Disk images from anywhere, changed in place: the first bytes of an input say what, the rest is
 * the file, as it is or as runs.h says. What was put is what is read, and a file is as long as
 * before.
 */
#include "runs.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 8, LONGEST = 200000 };

/* On success *ret_read: what is there afterwards. */
static int change(const char *path, uint64_t offset, const unsigned char *bytes, size_t n,
		  unsigned char *ret_read, struct ingot_error *err)
{
	struct ingot_edit *edit;
	uint64_t written;
	int rc = ingot_edit_open(path, NULL, &edit, err);

	if (rc < 0)
		return rc;
	rc = ingot_edit_put(edit, offset, bytes, n, err);
	if (rc == 0)
		rc = ingot_edit_commit(edit, &written, err);
	if (rc == 0)
		rc = ingot_source_read(ingot_edit_disk(edit), offset, ret_read, n, err);
	ingot_edit_free(edit);
	return rc;
}

static void edit(const uint8_t head[HEAD], const uint8_t *file, size_t size)
{
	static unsigned char bytes[LONGEST], found[LONGEST];
	struct ingot_error err = {0};
	struct stat st;
	char path[64];
	size_t n = ingot_get_le16(head + 6) * (size_t)4 % LONGEST;
	int fd = memfd_create("fuzz", MFD_CLOEXEC), rc;

	if (fd < 0 || write(fd, file, size) != (ssize_t)size)
		abort();
	memset(bytes, head[5], n);
	(void)sprintf(path, "/proc/self/fd/%d", fd);
	rc = change(path, ingot_get_le32(head), bytes, n, found, &err);
	if (rc < 0 && (err.code == 0 || !err.text[0]))
		abort();
	if (rc == 0 && memcmp(bytes, found, n) != 0)
		abort();
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != size)
		abort();
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *file;
	size_t n;

	if (size < HEAD)
		return 0;
	if (!runs_are(data + HEAD, size - HEAD)) {
		edit(data, data + HEAD, size - HEAD);
		return 0;
	}
	runs_make(data + HEAD, size - HEAD, &file, &n);
	if (file)
		edit(data, file, n);
	free(file);
	return 0;
}

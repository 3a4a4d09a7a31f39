/*
 * Disk images from anywhere, changed in place: the first bytes of an input say what, the rest is
 * the file. What was put is what is read, and a file is as long as before.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char bytes[LONGEST], found[LONGEST];
	struct ingot_error err = {0};
	struct stat st;
	char path[64];
	size_t n;
	int fd, rc;

	if (size < HEAD)
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data + HEAD, size - HEAD) != (ssize_t)(size - HEAD))
		abort();
	n = ingot_get_le16(data + 6) * (size_t)4 % LONGEST;
	memset(bytes, data[5], n);
	(void)sprintf(path, "/proc/self/fd/%d", fd);
	rc = change(path, ingot_get_le32(data), bytes, n, found, &err);
	if (rc < 0 && (err.code == 0 || !err.text[0]))
		abort();
	if (rc == 0 && memcmp(bytes, found, n) != 0)
		abort();
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != size - HEAD)
		abort();
	(void)close(fd);
	return 0;
}

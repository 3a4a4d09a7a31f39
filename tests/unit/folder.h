/* A folder of a test's own, in the current directory's filesystem or $TMPDIR, gone afterwards. */
#ifndef INGOT_TESTS_FOLDER_H
#define INGOT_TESTS_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/* cmocka setup: makes the folder and goes there; the state is the way back. */
static inline int folder_setup(void **state)
{
	static char before[4096];
	char path[] = "ingot-test-XXXXXX";

	if (!getcwd(before, sizeof(before)))
		return -1;
	*state = before;
	return mkdtemp(path) && chdir(path) == 0 ? 0 : -1;
}

/* The folder holds files only, or empty folders. */
static inline int folder_teardown(void **state)
{
	char here[4096];
	DIR *dir = opendir(".");
	struct dirent *e;

	if (!dir || !getcwd(here, sizeof(here)))
		return -1;
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)remove(e->d_name);
	(void)closedir(dir);
	if (chdir(*state) < 0)
		return -1;
	return rmdir(here);
}

static inline size_t folder_count(void)
{
	DIR *dir = opendir(".");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

static inline void file_put(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	assert_int_equal(close(fd), 0);
}

/* The file's first bytes as text, "" if it is not there. */
static inline const char *file_get(const char *path, char text[64])
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, 63);

	assert_true(n >= 0);
	text[n] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return text;
}

#endif

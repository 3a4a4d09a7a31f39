/* make_fat SIZE SECTOR_SIZE LABEL EPOCH OUTPUT [PATH=FILE...]: a FAT32 volume, for fat.sh. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fs/fat.h"
#include "io/copy.h"
#include "io/output.h"

static int write_volume(struct ingot_source *volume, const char *path, struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_output_create(path, &output, err);

	if (rc == 0)
		rc = ingot_output_sink(output, volume->size, &sink, err);
	if (rc == 0)
		rc = ingot_copy(volume, sink, 2, NULL, err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

static int make(char **argv, struct ingot_fat_file *files, size_t count, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_fat_options options = {.volume_id = 0x1de0c0de, .label = argv[3]};
	uint64_t sector_size, epoch;
	int rc = ingot_parse_size(argv[1], &options.size, err);

	if (rc == 0)
		rc = ingot_parse_u64(argv[2], &sector_size, err);
	if (rc == 0)
		rc = ingot_parse_u64(argv[4], &epoch, err);
	if (rc < 0)
		return rc;
	options.sector_size = (uint32_t)sector_size;
	options.epoch = (int64_t)epoch;
	rc = ingot_fat_source(&options, files, count, &volume, err);
	return rc < 0 ? rc : write_volume(volume, argv[5], err);
}

/* "PATH=FILE", which is cut in two. */
static int open_file(char *argument, struct ingot_fat_file *file, struct ingot_source **content,
		     struct ingot_error *err)
{
	char *equals = strchr(argument, '=');
	int rc;

	if (!equals)
		return ingot_raise(err, -EINVAL, "'%s' is not PATH=FILE", argument);
	*equals = '\0';
	rc = ingot_source_open(equals + 1, content, err);
	*file = (struct ingot_fat_file){argument, *content};
	return rc;
}

int main(int argc, char **argv)
{
	struct ingot_error err = {0};
	size_t count = argc > 6 ? (size_t)argc - 6 : 0;
	INGOT_FREE struct ingot_fat_file *files = ingot_alloc(count + 1, sizeof(*files), &err);
	INGOT_FREE struct ingot_source **contents = ingot_alloc(count + 1, sizeof(*contents), &err);
	int rc = argc < 6 ? ingot_raise(&err, -EINVAL, "see the first line of make_fat.c") : 0;

	if (!files || !contents)
		rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = open_file(argv[6 + i], &files[i], &contents[i], &err);
	if (rc == 0)
		rc = make(argv, files, count, &err);
	if (rc < 0)
		(void)fprintf(stderr, "make_fat: %s\n", err.text);
	for (size_t i = 0; contents && i < count; i++)
		ingot_source_free(contents[i]);
	return rc < 0 ? 2 : 0;
}

/* make_ext4 TREE|- OUTPUT SIZE [EPOCH]: an ext4 filesystem ("-": an empty one), for ext4.sh. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fs/ext4.h"
#include "io/output.h"

static int write_output(const char *path, const struct ingot_ext4_options *options,
			struct ingot_tree *tree, struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_output_create(path, &output, err);

	if (rc == 0)
		rc = ingot_output_sink(output, options->size, &sink, err);
	if (rc == 0)
		rc = ingot_ext4_write(sink, options, tree, tree ? ingot_tree_root(tree) : NULL,
				      err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

static int make(int argc, char **argv, struct ingot_error *err)
{
	INGOT_TREE struct ingot_tree *tree = NULL;
	struct ingot_ext4_options options = {.label = "TEST", .reserved_percent = 5};
	struct ingot_tree_options tree_options = {0};
	uint64_t epoch = 1700000000;
	int rc = ingot_parse_size(argv[3], &options.size, err);

	if (rc == 0 && argc > 4)
		rc = ingot_parse_u64(argv[4], &epoch, err);
	tree_options.epoch = options.epoch = (int64_t)epoch;
	memset(options.uuid.bytes, 0x42, sizeof(options.uuid.bytes));
	memset(options.hash_seed.bytes, 0x43, sizeof(options.hash_seed.bytes));
	if (rc == 0 && strcmp(argv[1], "-") != 0)
		rc = ingot_tree_open(argv[1], &tree_options, &tree, err);
	return rc < 0 ? rc : write_output(argv[2], &options, tree, err);
}

int main(int argc, char **argv)
{
	struct ingot_error err = {0};

	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: make_ext4 TREE|- OUTPUT SIZE [EPOCH]\n");
		return 2;
	}
	if (make(argc, argv, &err) < 0) {
		fprintf(stderr, "make_ext4: %s\n", err.text);
		return 2;
	}
	return 0;
}

#include "verity_device.h"

/* With a superblock an option could only contradict it. */
static int check_options(const struct cli *cli, const struct verity_options *o,
			 struct ingot_error *err)
{
	if (o->no_superblock && !o->salt)
		return cli_usage(cli, err,
				 "without a superblock the salt is not known: give --salt HEX, or "
				 "--salt - if there is none");
	if (!o->no_superblock && (o->salt || o->hash || o->data_blocks.given ||
				  o->data_block_size.given || o->hash_block_size.given))
		return cli_usage(
			cli, err,
			"--salt, --hash, --data-blocks and block sizes are in the superblock; "
			"they go with --no-superblock");
	return 0;
}

/* With a superblock everything is in it. */
static int read_superblock(const struct verity_options *o, struct verity_device *device,
			   struct ingot_error *err)
{
	struct ingot_verity_superblock *superblock = &device->superblock;
	int rc;

	if (!o->no_superblock)
		return ingot_verity_superblock_read(device->hash, o->hash_offset.value, superblock,
						    err);
	rc = verity_params(o, &superblock->params, err);
	if (rc == 0)
		rc = verity_data_blocks(o, &superblock->params, device->data,
					&superblock->data_blocks, err);
	return rc;
}

static int open_files(const struct verity_options *o, struct verity_device *device,
		      struct ingot_error *err)
{
	int rc = ingot_source_open(device->data_path, &device->data, err);

	if (rc == 0 && o->hash_file)
		rc = ingot_source_open(o->hash_file, &device->own_hash, err);
	if (rc == 0 && o->fec_file)
		rc = ingot_source_open(o->fec_file, &device->own_parity, err);
	device->hash = device->own_hash ? device->own_hash : device->data;
	device->parity = device->own_parity ? device->own_parity : device->hash;
	return rc;
}

int verity_device_open(const struct cli *cli, const struct verity_options *o, const char *root_hash,
		       struct verity_device *device, struct ingot_error *err)
{
	int rc = verity_check_placement(cli, o, err);

	*device = (struct verity_device){
		.data_path = cli->args[0],
		.hash_path = o->hash_file ? o->hash_file : cli->args[0],
	};
	device->fec_path = o->fec_file ? o->fec_file : device->hash_path;
	if (rc == 0)
		rc = check_options(cli, o, err);
	if (rc == 0)
		rc = open_files(o, device, err);
	if (rc == 0)
		rc = read_superblock(o, device, err);
	if (rc == 0)
		rc = ingot_verity_geometry(&device->superblock.params,
					   device->superblock.data_blocks, o->hash_offset.value,
					   &device->geometry, err);
	if (rc == 0)
		rc = verity_check_overlap(o, &device->geometry, err);
	if (rc == 0)
		rc = verity_fec_init(o, &device->superblock.params, &device->geometry,
				     device->hash->size, &device->fec, err);
	if (rc == 0)
		rc = ingot_verity_parse_root(&device->superblock.params, root_hash, device->root,
					     &device->root_size, err);
	return rc;
}

void verity_device_close(struct verity_device *device)
{
	ingot_source_free(device->own_parity);
	ingot_source_free(device->own_hash);
	ingot_source_free(device->data);
}

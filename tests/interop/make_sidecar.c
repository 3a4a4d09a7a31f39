/* A file that stands beside an image, on standard output: make_sidecar VENDOR ARCHITECTURE RAW */
#include <stdio.h>
#include <string.h>

#include "image/sidecar.h"

/* The blocks of the raw disk, as a conversion finds them. */
static int make_ami(const char *path, enum ingot_vendor_architecture architecture, char **ret,
		    struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *disk = NULL;
	INGOT_CONVERSION struct ingot_conversion *conversion = NULL;
	struct ingot_ebs_blocks blocks = {0};
	struct ingot_convert_output output = {.format = "raw", .path = "copy.raw"};
	struct ingot_convert_options options = {.outputs = &output, .count = 1, .jobs = 2};
	struct ingot_convert_disk source = {.blocks = &blocks};
	struct ingot_ami_import import = {.name = "demo-1",
					  .architecture = architecture,
					  .boot = INGOT_AMI_UEFI,
					  .blocks = &blocks};
	size_t n;
	int rc = ingot_source_open(path, &disk, err);

	source.source = disk;
	if (rc == 0)
		rc = ingot_conversion_run(&source, 1, &options, &conversion, err);
	if (rc == 0) {
		import.disk_size = disk->size;
		rc = ingot_sidecar_ami(&import, ret, &n, err);
	}
	free(blocks.items);
	return rc;
}

static int make(struct ingot_vendor *vendor, enum ingot_vendor_architecture architecture,
		const char *raw, char **ret, struct ingot_error *err)
{
	struct ingot_sidecar_machine machine = {.name = "demo & <1>",
						.disk = "demo.img",
						.disk_format = vendor->outputs[0].format,
						.architecture = architecture,
						.uuid = {{0x71, 0x30, 0xc9, 0x4a}}};
	enum ingot_sidecar kind = INGOT_SIDECAR_NONE;

	for (size_t i = 0; i < vendor->output_count; i++)
		if (vendor->outputs[i].sidecar != INGOT_SIDECAR_NONE)
			kind = vendor->outputs[i].sidecar;
	switch (kind) {
	case INGOT_SIDECAR_AMI_IMPORT:
		return make_ami(raw, architecture, ret, err);
	case INGOT_SIDECAR_LIBVIRT_XML:
		return ingot_sidecar_libvirt(&vendor->hardware, &machine, ret, err);
	case INGOT_SIDECAR_VMX:
		return ingot_sidecar_vmx(&vendor->hardware, &machine, ret, err);
	case INGOT_SIDECAR_XL:
		return ingot_sidecar_xl(&vendor->hardware, &machine, ret, err);
	case INGOT_SIDECAR_NONE:
		break;
	}
	return ingot_raise(err, -1, "vendor '%s' has no such file", vendor->name);
}

int main(int argc, char **argv)
{
	struct ingot_problems problems = {0};
	INGOT_VENDOR struct ingot_vendor *vendor = NULL;
	enum ingot_vendor_architecture architecture;
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};

	if (argc != 4 || !ingot_vendor_architecture_find(argv[2], &architecture))
		return 2;
	if (ingot_vendor_load(argv[1], &problems, &vendor, &err) < 0 ||
	    make(vendor, architecture, argv[3], &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	return fputs(text, stdout) < 0;
}

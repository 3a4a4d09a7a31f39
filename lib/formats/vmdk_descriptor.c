#include "formats/vmdk_internal.h"

#include <string.h>

#include "base/bytes.h"

/* The name in the extent's line is not looked at in a file that holds its descriptor. */
char *ingot_vmdk_descriptor(const struct vmdk_description *d, struct ingot_error *err)
{
	return ingot_format(err,
			    "# Disk DescriptorFile\n"
			    "version=1\n"
			    "CID=%08x\n"
			    "parentCID=ffffffff\n"
			    "createType=\"%s\"\n"
			    "\n"
			    "# Extent description\n"
			    "RW %llu SPARSE \"disk.vmdk\"\n"
			    "\n"
			    "# The Disk Data Base\n"
			    "#DDB\n"
			    "\n"
			    "ddb.virtualHWVersion = \"4\"\n"
			    "ddb.geometry.cylinders = \"%llu\"\n"
			    "ddb.geometry.heads = \"255\"\n"
			    "ddb.geometry.sectors = \"63\"\n"
			    "ddb.adapterType = \"%s\"\n"
			    "ddb.toolsVersion = \"2147483647\"\n",
			    d->cid, d->type, (unsigned long long)d->sectors,
			    (unsigned long long)ingot_max(d->sectors / (255 * 63), 1), d->adapter);
}

int ingot_vmdk_derive_cid(const struct ingot_seed *seed, uint32_t *ret, struct ingot_error *err)
{
	unsigned char raw[4];
	int rc = ingot_derive(seed, "vmdk content identifier", raw, sizeof(raw), err);

	if (rc < 0)
		return rc;
	*ret = ingot_get_be32(raw);
	if (*ret >= 0xfffffffeU) /* no identifier, no parent */
		*ret &= 0x7fffffff;
	return 0;
}

const char *ingot_vmdk_adapter(const struct ingot_format_options *options)
{
	if (options->disk && strcmp(options->disk, "ide") == 0)
		return "ide";
	if (options->disk && strcmp(options->disk, "buslogic") == 0)
		return "buslogic";
	return "lsilogic";
}

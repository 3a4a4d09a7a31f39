#include "boot/verity_unit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "boot/device.h"

enum {
	SYSTEMD_VERITYTAB = 248,   /* knows /etc/veritytab */
	SYSTEMD_HASH_OFFSET = 254, /* ... and its option hash-offset= */
};

bool ingot_verity_needs_unit(const struct ingot_initrd_verity *verity)
{
	unsigned version = verity->systemd_version;

	if (version == 0)
		return false;
	return version < SYSTEMD_VERITYTAB ||
	       (version < SYSTEMD_HASH_OFFSET && verity->hash_offset > 0);
}

/* Whether the kernel gets the signature to check. */
static bool is_handed_over(const struct ingot_initrd_verity *verity)
{
	return verity->signature && !verity->keep_signature;
}

char *ingot_veritytab_line(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	INGOT_FREE char *offset =
		verity->hash_offset ? ingot_format(err, "hash-offset=%" PRIu64, verity->hash_offset)
				    : ingot_strdup("", err);
	const char *signature =
		is_handed_over(verity) ? "root-hash-signature=" INGOT_VERITY_SIGNATURE_PATH : "";

	if (!offset)
		return NULL;
	return ingot_format(err, "usr %s %s %s%s%s%s%s\n", verity->data_device, verity->hash_device,
			    verity->root_hash, *offset || *signature ? " " : "", offset,
			    *offset && *signature ? "," : "", signature);
}

/*
 * What systemd-veritysetup-generator writes for a line of veritytab, with two differences:
 * the program, and no ExecStop, because /usr stays until the machine is off.
 */
static const char UNIT[] = "[Unit]\n"
			   "Description=dm-verity device usr\n"
			   "Documentation=man:veritysetup(8)\n"
			   "DefaultDependencies=no\n"
			   "IgnoreOnIsolate=true\n"
			   "BindsTo=%s%s%s\n"
			   "After=veritysetup-pre.target systemd-udevd-kernel.socket %s%s%s\n"
			   "Before=veritysetup.target blockdev@dev-mapper-usr.target\n"
			   "Wants=blockdev@dev-mapper-usr.target\n"
			   "\n"
			   "[Service]\n"
			   "Type=oneshot\n"
			   "RemainAfterExit=yes\n"
			   "ExecStart=veritysetup open %s%s%s usr %s %s\n";

char *ingot_verity_unit(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	INGOT_FREE char *data = ingot_device_path(verity->data_device, err);
	INGOT_FREE char *hash = ingot_device_path(verity->hash_device, err);
	INGOT_FREE char *data_unit = data ? ingot_unit_name(data, ".device", err) : NULL;
	INGOT_FREE char *hash_unit = hash ? ingot_unit_name(hash, ".device", err) : NULL;
	INGOT_FREE char *offset =
		verity->hash_offset
			? ingot_format(err, "--hash-offset=%" PRIu64 " ", verity->hash_offset)
			: ingot_strdup("", err);
	const char *signature = is_handed_over(verity)
					? "--root-hash-signature=" INGOT_VERITY_SIGNATURE_PATH " "
					: "";
	const char *other, *blank;

	if (!data_unit || !hash_unit || !offset)
		return NULL;
	other = strcmp(data_unit, hash_unit) == 0 ? "" : hash_unit;
	blank = *other ? " " : "";
	return ingot_format(err, UNIT, data_unit, blank, other, data_unit, blank, other, offset,
			    signature, data, hash, verity->root_hash);
}

#include "boot/verity_unit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "boot/device.h"

enum {
	SYSTEMD_VERITYTAB = 248,   /* knows /etc/veritytab */
	SYSTEMD_HASH_OFFSET = 254, /* ... and its options hash-offset=, fec-device=, ... */
};

bool ingot_verity_needs_unit(const struct ingot_initrd_verity *verity)
{
	unsigned version = verity->systemd_version;

	if (version == 0)
		return false;
	return version < SYSTEMD_VERITYTAB ||
	       (version < SYSTEMD_HASH_OFFSET && (verity->hash_offset > 0 || verity->fec_device));
}

/* Whether the kernel gets the signature to check. */
static bool is_handed_over(const struct ingot_initrd_verity *verity)
{
	return verity->signature && !verity->keep_signature;
}

/* One list of options: `before` and what is in front of it are "" or end in a comma. */
static char *join(const char *before, char *option, struct ingot_error *err)
{
	INGOT_FREE char *own = option;

	if (!own)
		return NULL;
	return ingot_format(err, "%s%s%s", before, *before && *own ? "," : "", own);
}

/* "hash-offset=...,fec-device=...,...,root-hash-signature=..." or "" */
static char *veritytab_options(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	INGOT_FREE char *offset =
		verity->hash_offset ? ingot_format(err, "hash-offset=%" PRIu64, verity->hash_offset)
				    : ingot_strdup("", err);
	INGOT_FREE char *fec =
		offset ? join(offset, ingot_verity_fec_options(verity, err), err) : NULL;
	const char *signature =
		is_handed_over(verity) ? "root-hash-signature=" INGOT_VERITY_SIGNATURE_PATH : "";

	return fec ? join(fec, ingot_strdup(signature, err), err) : NULL;
}

char *ingot_verity_fec_options(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	if (!verity->fec_device)
		return ingot_strdup("", err);
	return ingot_format(err, "fec-device=%s,fec-offset=%" PRIu64 ",fec-roots=%u",
			    verity->fec_device, verity->fec_offset, verity->fec_roots);
}

char *ingot_veritytab_line(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	INGOT_FREE char *options = veritytab_options(verity, err);

	if (!options)
		return NULL;
	return ingot_format(err, "usr %s %s %s%s%s\n", verity->data_device, verity->hash_device,
			    verity->root_hash, *options ? " " : "", options);
}

/* "--hash-offset=... --fec-device=... ... --root-hash-signature=... " or "" */
static char *veritysetup_options(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	INGOT_FREE char *fec_path =
		verity->fec_device ? ingot_device_path(verity->fec_device, err) : NULL;
	INGOT_FREE char *offset =
		verity->hash_offset
			? ingot_format(err, "--hash-offset=%" PRIu64 " ", verity->hash_offset)
			: ingot_strdup("", err);
	INGOT_FREE char *fec =
		fec_path ? ingot_format(err,
					"--fec-device=%s --fec-offset=%" PRIu64 " --fec-roots=%u ",
					fec_path, verity->fec_offset, verity->fec_roots)
			 : ingot_strdup("", err);
	const char *signature = is_handed_over(verity)
					? "--root-hash-signature=" INGOT_VERITY_SIGNATURE_PATH " "
					: "";

	if (!offset || !fec || (verity->fec_device && !fec_path))
		return NULL;
	return ingot_format(err, "%s%s%s", offset, fec, signature);
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
			   "BindsTo=%s\n"
			   "After=veritysetup-pre.target systemd-udevd-kernel.socket %s\n"
			   "Before=veritysetup.target blockdev@dev-mapper-usr.target\n"
			   "Wants=blockdev@dev-mapper-usr.target\n"
			   "\n"
			   "[Service]\n"
			   "Type=oneshot\n"
			   "RemainAfterExit=yes\n"
			   "ExecStart=veritysetup open %s%s usr %s %s\n";

/* The units of all devices, each once. */
static char *device_units(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	const char *devices[] = {verity->data_device, verity->hash_device, verity->fec_device};
	INGOT_FREE char *list = ingot_strdup("", err);

	for (size_t i = 0; i < 3 && list; i++) {
		INGOT_FREE char *path = devices[i] ? ingot_device_path(devices[i], err) : NULL;
		INGOT_FREE char *unit = path ? ingot_unit_name(path, ".device", err) : NULL;
		char *longer;

		if (!devices[i])
			continue;
		if (!unit)
			return NULL;
		if (strstr(list, unit))
			continue;
		longer = ingot_format(err, "%s%s%s", list, *list ? " " : "", unit);
		free(list);
		list = longer;
	}
	return INGOT_TAKE(list);
}

char *ingot_verity_unit(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	INGOT_FREE char *data = ingot_device_path(verity->data_device, err);
	INGOT_FREE char *hash = ingot_device_path(verity->hash_device, err);
	INGOT_FREE char *units = device_units(verity, err);
	INGOT_FREE char *options = veritysetup_options(verity, err);

	if (!data || !hash || !units || !options)
		return NULL;
	return ingot_format(err, UNIT, units, units, options, data, hash, verity->root_hash);
}

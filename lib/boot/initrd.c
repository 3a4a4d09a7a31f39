#include "boot/initrd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "boot/cpio.h"
#include "boot/device.h"
#include "boot/verity_unit.h"

enum { HASH_MIN = 20, HASH_MAX = 64 }; /* bytes: SHA-1 to SHA-512 */

/* --- checks ------------------------------------------------------------ */

static int check_hash(const char *text, char hex[2 * HASH_MAX + 1], struct ingot_error *err)
{
	uint8_t bytes[HASH_MAX];
	size_t n;
	int rc = ingot_unhex(text, bytes, sizeof(bytes), &n, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "root hash");
	if (n < HASH_MIN)
		return ingot_raise(err, -EINVAL, "root hash '%s': shorter than %d bytes", text,
				   HASH_MIN);
	ingot_hex(bytes, n, hex);
	return 0;
}

static int check_certificates(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";

	if (verity->certificate_count > INGOT_INITRD_CERTIFICATES_MAX)
		return ingot_raise(err, -EINVAL, "%zu certificates, at most %d are possible",
				   verity->certificate_count, INGOT_INITRD_CERTIFICATES_MAX);
	for (size_t i = 0; i < verity->certificate_count; i++)
		if (!memmem(verity->certificates[i].pem, verity->certificates[i].size, begin,
			    sizeof(begin) - 1))
			return ingot_raise(err, -EINVAL, "certificate %zu: not PEM (no '%s')",
					   i + 1, begin);
	return 0;
}

static int check_files(const struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	const uint8_t *der = verity->signature;

	if (der && (verity->signature_size < 2 || der[0] != 0x30))
		return ingot_raise(err, -EINVAL, "root hash signature: not PKCS#7 in DER");
	return check_certificates(verity, err);
}

static int check(const struct ingot_initrd_verity *verity, char hex[2 * HASH_MAX + 1],
		 struct ingot_error *err)
{
	int rc = check_hash(verity->root_hash, hex, err);

	if (rc == 0 && verity->data_device)
		rc = ingot_device_check(verity->data_device, "data device", err);
	if (rc == 0 && verity->data_device)
		rc = ingot_device_check(verity->hash_device, "hash device", err);
	if (rc == 0 && verity->data_device && verity->fec_device)
		rc = ingot_device_check(verity->fec_device, "FEC device", err);
	if (rc < 0)
		return rc;
	if (verity->hash_offset % 512)
		return ingot_raise(err, -EINVAL, "hash offset %" PRIu64 ": not a multiple of 512",
				   verity->hash_offset);
	return check_files(verity, err);
}

/* --- segment ----------------------------------------------------------- */

enum { ENTRIES_MAX = 4 + INGOT_INITRD_CERTIFICATES_MAX };

struct entries {
	struct ingot_cpio_entry list[ENTRIES_MAX];
	size_t count;
	char paths[INGOT_INITRD_CERTIFICATES_MAX][INGOT_INITRD_CERTIFICATE_PATH];
};

static void add(struct entries *entries, const char *path, uint32_t mode, const void *data,
		size_t size)
{
	entries->list[entries->count++] = (struct ingot_cpio_entry){path, mode, data, size};
}

static void add_unit(struct entries *entries, const char *text)
{
	static const char target[] = "../ingot-verity-usr.service";

	add(entries, "etc/systemd/system/ingot-verity-usr.service", S_IFREG | 0644, text,
	    strlen(text));
	/* Whoever asks for the device starts the service ... */
	add(entries, "etc/systemd/system/dev-mapper-usr.device.requires/ingot-verity-usr.service",
	    S_IFLNK | 0777, target, sizeof(target) - 1);
	/* ... and it starts even if that is not systemd. */
	add(entries, "etc/systemd/system/sysinit.target.wants/ingot-verity-usr.service",
	    S_IFLNK | 0777, target, sizeof(target) - 1);
}

/* What opens the device: veritytab, or a unit for a systemd that cannot read it. */
static int add_table(struct entries *entries, const struct ingot_initrd_verity *verity,
		     char **ret_text, struct ingot_error *err)
{
	bool unit = ingot_verity_needs_unit(verity);

	*ret_text = unit ? ingot_verity_unit(verity, err) : ingot_veritytab_line(verity, err);
	if (!*ret_text)
		return -ENOMEM;
	if (unit)
		add_unit(entries, *ret_text);
	else
		add(entries, "etc/veritytab", S_IFREG | 0644, *ret_text, strlen(*ret_text));
	return 0;
}

const char *ingot_initrd_certificate_path(size_t index, char path[INGOT_INITRD_CERTIFICATE_PATH])
{
	if (index == 0)
		(void)snprintf(path, INGOT_INITRD_CERTIFICATE_PATH, "etc/verity.d/ingot.crt");
	else
		(void)snprintf(path, INGOT_INITRD_CERTIFICATE_PATH, "etc/verity.d/ingot-%zu.crt",
			       index + 1);
	return path;
}

static void add_certificates(struct entries *entries, const struct ingot_initrd_verity *verity)
{
	for (size_t i = 0; i < verity->certificate_count; i++)
		add(entries, ingot_initrd_certificate_path(i, entries->paths[i]), S_IFREG | 0644,
		    verity->certificates[i].pem, verity->certificates[i].size);
}

int ingot_initrd_segment(const struct ingot_initrd_verity *verity, struct ingot_source **ret,
			 struct ingot_error *err)
{
	struct ingot_initrd_verity checked = *verity;
	struct entries entries = {0};
	INGOT_FREE char *text = NULL;
	char hex[2 * HASH_MAX + 1];
	int rc = check(verity, hex, err);

	checked.root_hash = hex;
	if (rc == 0 && verity->data_device)
		rc = add_table(&entries, &checked, &text, err);
	if (rc < 0)
		return rc;
	if (verity->signature)
		add(&entries, "etc/usr.p7s", S_IFREG | 0644, verity->signature,
		    verity->signature_size);
	add_certificates(&entries, verity);
	return ingot_cpio_source(entries.list, entries.count, verity->epoch, ret, err);
}

/* --- one after the other ----------------------------------------------- */

/* The part and its padding, at pieces[0] and [1]. */
static int add_part(struct ingot_source *part, struct ingot_source **pieces,
		    struct ingot_error *err)
{
	int rc = ingot_source_part(part, 0, part->size, &pieces[0], err);

	if (rc < 0)
		return rc;
	return ingot_source_zero((4 - part->size % 4) % 4, &pieces[1], err);
}

int ingot_initrd_source(struct ingot_source *const *parts, size_t count, struct ingot_source **ret,
			struct ingot_error *err)
{
	INGOT_FREE struct ingot_source **pieces = ingot_alloc(2 * count + 1, sizeof(*pieces), err);
	int rc = pieces ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_part(parts[i], &pieces[2 * i], err);
	if (rc == 0)
		rc = ingot_source_concat("initrd", pieces, 2 * count, ret, err);
	for (size_t i = 0; rc < 0 && pieces && i < 2 * count; i++)
		ingot_source_free(pieces[i]);
	return rc;
}

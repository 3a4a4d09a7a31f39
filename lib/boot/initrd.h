/*
 * The initrd's share of a verified boot: a cpio segment, appended to the distribution's
 * initrd, that tells systemd how to open /dev/mapper/usr.
 *
 *	/etc/veritytab            usr DATA HASH ROOTHASH OPTIONS   (veritytab(5))
 *	/etc/usr.p7s              the root hash's signature, handed to the kernel
 *	/etc/verity.d/ingot.crt   the certificate, where systemd looks for trusted ones; of several
 *	                          signers /etc/verity.d/ingot-2.crt and so on, because it reads
 *	                          one of each file
 *
 * systemd before 254 has no options hash-offset= and fec-...= there, and before 248 no veritytab at
 * all. Where that matters the segment has a service instead, which calls `veritysetup open`; the
 * initrd must then have that program:
 *
 *	/etc/systemd/system/ingot-verity-usr.service
 *	/etc/systemd/system/{dev-mapper-usr.device.requires,sysinit.target.wants}/...
 */
#ifndef INGOT_BOOT_INITRD_H
#define INGOT_BOOT_INITRD_H

#include "io/source.h"

struct ingot_initrd_certificate {
	const void *pem; /* X.509 */
	size_t size;
};

enum { INGOT_INITRD_CERTIFICATES_MAX = 8, INGOT_INITRD_CERTIFICATE_PATH = 32 };

struct ingot_initrd_verity {
	const char *root_hash;	 /* hex */
	const char *data_device; /* as in device.h; NULL: systemd finds /usr by usrhash=, so that
				  * only the files below go in */
	const char *hash_device;
	uint64_t hash_offset;	/* bytes from the start of hash_device to the superblock */
	const char *fec_device; /* of the parity, as above; NULL: there is none */
	uint64_t fec_offset;	/* bytes from its start */
	unsigned fec_roots;
	const void *signature; /* PKCS#7, DER; NULL: none */
	size_t signature_size;
	bool keep_signature; /* only put the file there: a kernel that is handed a signature by a
			      * certificate not in its keyring refuses the device */
	/* Of all signers of the root hash: systemd takes no signature if it does not know them all.
	 */
	const struct ingot_initrd_certificate *certificates;
	size_t certificate_count;
	unsigned systemd_version; /* in the initrd; 0: a recent one */
	int64_t epoch;
};

/* Where one of several certificates goes, counted from 0; returns path. */
INGOT_API const char *ingot_initrd_certificate_path(size_t index,
						    char path[INGOT_INITRD_CERTIFICATE_PATH]);

/*
 * "fec-device=...,fec-offset=...,fec-roots=...", as veritytab and systemd.verity_usr_options= want
 * it, or "". The caller frees it; NULL: an error was raised.
 */
INGOT_API char *ingot_verity_fec_options(const struct ingot_initrd_verity *verity,
					 struct ingot_error *err);

INGOT_API INGOT_MUST_USE int ingot_initrd_segment(const struct ingot_initrd_verity *verity,
						  struct ingot_source **ret,
						  struct ingot_error *err);

/*
 * Archives one after the other, each followed by zeros up to a multiple of 4: the kernel
 * silently skips an archive that starts elsewhere. The parts are borrowed.
 */
INGOT_API INGOT_MUST_USE int ingot_initrd_source(struct ingot_source *const *parts, size_t count,
						 struct ingot_source **ret,
						 struct ingot_error *err);

#endif

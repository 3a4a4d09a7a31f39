#include "image/verify.h"

#include <errno.h>
#include <string.h>

#include "formats/format.h"
#include "image/verify_internal.h"

/* --- the list ---------------------------------------------------------- */

const struct verify_entry verify_checks[] = {
	{"container.format", "the format that the file's name promises", check_container_format},
	{"container.structure", "every byte of its metadata as it has to be",
	 check_container_structure},
	{"gpt.mbr", "one protective entry over the whole disk, all else zero", check_gpt_mbr},
	{"gpt.primary", "header and entries match their checksums", check_gpt_primary},
	{"gpt.backup", "header and entries match their checksums", check_gpt_backup},
	{"gpt.agreement", "table and copy say the same of each other and of the disk",
	 check_gpt_agreement},
	{"gpt.partitions", "inside the disk, aligned, no overlap, nothing twice",
	 check_gpt_partitions},
	{"layout.partitions", "types, labels, attributes and UUIDs as the layout has them",
	 check_layout},
	{"unused.gaps", "zero between the partitions", check_unused_gaps},
	{"unused.partitions", "zero in partitions without content", check_unused_partitions},
	{"esp.filesystem", "a FAT volume whose structures agree", check_esp},
	{"uki.structure", "EFI programs are PE files for one machine", check_uki_structure},
	{"uki.sections", "those of a unified kernel image, zeros between them", check_uki_sections},
	{"uki.cmdline", "one line that says where /usr is", check_uki_cmdline},
	{"uki.initrd", "ends in an archive of known files", check_uki_initrd},
	{"uki.signature", "Authenticode by a given certificate", check_uki_signature},
	{"verity.superblock", "a superblock for a tree that fits", check_verity_superblock},
	{"roothash.trust", "a root hash that a given certificate, manifest or hash vouches for",
	 check_roothash_trust},
	{"roothash.veritytab", "the root hash", check_roothash},
	{"roothash.cmdline", "the root hash", check_roothash},
	{"roothash.partition-uuids", "the halves of the root hash", check_roothash},
	{"roothash.signature-partition", "the root hash", check_roothash},
	{"roothash.manifest", "the root hash", check_roothash},
	{"verity.tree", "every block of tree and data matches the root hash", check_verity_tree},
	{"verity.cryptsetup", "libcryptsetup finds the same", check_verity_cryptsetup},
	{"verity.fec", "the parity of data and tree", check_verity_fec},
	{"verity.unused", "zero around filesystem and tree", check_verity_unused},
	{"signature.initrd", "the root hash signed by a given certificate", check_signature_initrd},
	{"signature.partition", "the root hash signed by a given certificate",
	 check_signature_partition},
	{"signature.certificates", "certificates in the image are the signer's",
	 check_signature_certificates},
	{"signature.test-keys", "no key that is for tests only", check_signature_test_keys},
	{"usr.filesystem", "ext2 whose structures agree", check_usr_filesystem},
	{"usr.read-only", "the feature that makes kernels refuse to write", check_usr_read_only},
	{"root.filesystem", "a filesystem whose structures agree", check_root_filesystem},
	{"oem.filesystem", "a filesystem whose structures agree", check_oem_filesystem},
	{"manifest.signature", "the manifest signed by a given certificate",
	 check_manifest_signature},
	{"manifest.disk", "size, sectors and UUID of the disk", check_manifest_disk},
	{"manifest.partitions", "the partitions that are listed", check_manifest_partitions},
	{"manifest.usr", "the parameters of /usr", check_manifest_usr},
	{"manifest.blocks", "the digest of every block", check_manifest_blocks},
	{"manifest.digest", "the digest of the disk", check_manifest_digest},
	{0},
};

/* --- running them ------------------------------------------------------ */

static int new_report(struct ingot_verify_report **ret, struct ingot_error *err)
{
	struct ingot_verify_report *report = ingot_alloc(1, sizeof(*report), err);
	size_t count = 0;

	if (!report)
		return -ENOMEM;
	while (verify_checks[count].name)
		count++;
	report->rows = ingot_alloc(count, sizeof(*report->rows), err);
	if (!report->rows) {
		free(report);
		return -ENOMEM;
	}
	report->count = count;
	for (size_t i = 0; i < count; i++)
		report->rows[i].name = verify_checks[i].name;
	*ret = report;
	return 0;
}

/* What stopped a check is its row's finding; its verdict falls back to "not checked". */
static int could_not(struct ingot_verify_row *row, const struct ingot_error *why,
		     struct ingot_error *err)
{
	free(row->found);
	row->verdict = INGOT_VERIFY_NOT_CHECKED;
	row->found = ingot_format(err, "could not be checked: %s", why->text);
	return row->found ? 0 : -ENOMEM;
}

static int run_one(struct verification *v, const struct verify_entry *entry,
		   struct ingot_verify_row *row, struct ingot_error *err)
{
	struct ingot_error why = {0};
	int rc = v->disk || entry->run == check_container_format ||
				 entry->run == check_container_structure
			 ? entry->run(v, row, &why)
			 : ingot_raise(&why, -EBADMSG, "the disk in the container is not there");

	if (!row->expected)
		row->expected = ingot_strdup(entry->expected, err);
	if (!row->expected)
		return -ENOMEM;
	if (rc == -ENOMEM && *why.text)
		return ingot_raise(err, rc, "%s", why.text);
	if (rc == -ENOMEM || v->no_memory)
		return ingot_raise_oom(err, 0);
	if (rc < 0)
		return could_not(row, &why, err);
	if (!row->found)
		row->found = ingot_strdup("not checked", err);
	return row->found ? 0 : -ENOMEM;
}

/* The file stays the caller's: what owns it is a view of it. */
static int open_disk(struct verification *v, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *view = NULL;
	int rc = ingot_source_part(v->file, 0, v->file->size, &view, err);

	if (rc < 0)
		return rc;
	v->report->format = "unknown";
	rc = ingot_format_open_source(view, &v->report->format, &v->disk, &v->disk_error);
	if (rc == 0)
		view = NULL;
	return rc == -ENOMEM ? ingot_raise(err, rc, "%s", v->disk_error.text) : 0;
}

static int find_all(struct verification *v, struct ingot_error *err)
{
	int rc = open_disk(v, err);

	if (rc < 0 || !v->disk)
		return rc;
	rc = verify_find_partitions(v, err);
	if (rc == 0)
		rc = verify_find_programs(v, err);
	if (rc == 0)
		rc = verify_find_verity(v, err);
	if (rc < 0)
		return rc;
	verify_find_fec(v);
	return verify_find_root_hash(v, err);
}

void verification_done(struct verification *v)
{
	image_digests_done(&v->digests);
	verify_programs_done(v);
	free(v->signature_pkcs7);
	verify_partitions_done(v);
	ingot_layout_free(v->layout);
	free(v->content);
	free(v->gpt);
	ingot_source_free(v->disk);
}

int verification_init(struct verification *v, struct ingot_source *file,
		      const struct ingot_verify_options *options, struct ingot_error *err)
{
	int rc = new_report(&v->report, err);

	v->options = options;
	v->file = file;
	v->clusters_left = VERIFY_CLUSTERS_MAX;
	return rc < 0 ? rc : find_all(v, err);
}

int verification_run(struct verification *v, const char *name, struct ingot_error *err)
{
	struct ingot_verify_report *report = v->report;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < report->count; i++)
		if (!name || strcmp(name, report->rows[i].name) == 0)
			rc = run_one(v, &verify_checks[i], &report->rows[i], err);
	return rc;
}

static int run_all(struct verification *v, struct ingot_error *err)
{
	struct ingot_verify_report *report = v->report;
	int rc = verification_run(v, NULL, err);

	if (rc == 0)
		rc = verify_note_open(v, err);
	report->good = rc == 0;
	for (size_t i = 0; i < report->count; i++)
		if (report->rows[i].verdict != INGOT_VERIFY_GOOD &&
		    report->rows[i].verdict != INGOT_VERIFY_NOT_APPLICABLE)
			report->good = false;
	return rc;
}

int ingot_verify(struct ingot_source *file, const struct ingot_verify_options *options,
		 struct ingot_verify_report **ret, struct ingot_error *err)
{
	struct verification *v = ingot_alloc(1, sizeof(*v), err);
	int rc;

	if (!v)
		return -ENOMEM;
	rc = verification_init(v, file, options, err);
	if (rc == 0)
		rc = run_all(v, err);
	verification_done(v);
	if (rc < 0)
		ingot_verify_report_free(v->report);
	else
		*ret = v->report;
	free(v);
	return rc;
}

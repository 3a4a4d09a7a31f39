/* ingot initrd: append to an initrd what opens /dev/mapper/usr. */
#include <errno.h>

#include "boot/initrd.h"
#include "cli.h"
#include "commands.h"
#include "io/copy.h"
#include "io/output.h"
#include "same_file.h"

enum { FILE_MAX = 1024 * 1024 }; /* a signature, a certificate */

struct initrd_options {
	struct cli_list base;
	struct cli_list certificates;
	const char *root_hash, *data_device, *hash_device, *signature, *output;
	struct cli_u64 hash_offset, systemd_version, epoch;
};

static int load(const char *path, const void **ret, size_t *ret_n, char **owner,
		struct ingot_error *err)
{
	int rc;

	if (!path)
		return 0;
	rc = ingot_load_file(path, FILE_MAX, owner, ret_n, err);
	*ret = *owner;
	return rc;
}

struct certificates {
	struct ingot_initrd_certificate list[INGOT_INITRD_CERTIFICATES_MAX];
	char *owners[INGOT_INITRD_CERTIFICATES_MAX];
	size_t count;
};

static int load_certificates(const struct cli_list *paths, struct certificates *ret,
			     struct ingot_error *err)
{
	if (paths->count > INGOT_INITRD_CERTIFICATES_MAX)
		return ingot_raise(err, -EINVAL, "%zu certificates, at most %d are possible",
				   paths->count, INGOT_INITRD_CERTIFICATES_MAX);
	for (; ret->count < paths->count; ret->count++) {
		size_t i = ret->count;
		int rc = load(paths->items[i], &ret->list[i].pem, &ret->list[i].size,
			      &ret->owners[i], err);

		if (rc < 0)
			return ingot_wrap(err, rc, "certificate");
	}
	return 0;
}

static void certificates_done(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		free(certificates->owners[i]);
}

static int make_segment(const struct initrd_options *options,
			const struct certificates *certificates, struct ingot_source **ret,
			struct ingot_error *err)
{
	INGOT_FREE char *signature = NULL;
	struct ingot_initrd_verity verity = {
		.root_hash = options->root_hash,
		.data_device = options->data_device,
		.hash_device = options->hash_device,
		.hash_offset = options->hash_offset.value,
		.certificates = certificates->list,
		.certificate_count = certificates->count,
	};
	int rc = cli_epoch(&options->epoch, &verity.epoch, err);

	if (rc < 0)
		return rc;
	if (options->systemd_version.given &&
	    (options->systemd_version.value < 1 || options->systemd_version.value > 9999))
		return ingot_raise(err, -EINVAL, "--systemd-version: not a version of systemd");
	verity.systemd_version = (unsigned)options->systemd_version.value;
	rc = load(options->signature, &verity.signature, &verity.signature_size, &signature, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "signature");
	return ingot_initrd_segment(&verity, ret, err);
}

static int add_segment(const struct initrd_options *options, struct ingot_source **ret,
		       struct ingot_error *err)
{
	struct certificates certificates = {0};
	int rc = load_certificates(&options->certificates, &certificates, err);

	if (rc == 0)
		rc = make_segment(options, &certificates, ret, err);
	certificates_done(&certificates);
	return rc;
}

static int write_initrd(const struct cli *cli, struct ingot_source *const *parts, size_t count,
			struct ingot_error *err)
{
	const struct initrd_options *options = cli->options;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SOURCE struct ingot_source *whole = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_initrd_source(parts, count, &whole, err);

	if (rc < 0)
		return rc;
	rc = ingot_output_create(options->output, &output, err);
	if (rc < 0)
		return rc;
	rc = ingot_output_sink(output, whole->size, &sink, err);
	if (rc < 0)
		return rc;
	rc = ingot_copy(whole, sink, cli->jobs, NULL, err);
	if (rc < 0)
		return rc;
	return ingot_output_commit(output, err);
}

static int check_output(const struct initrd_options *o, struct ingot_error *err)
{
	int rc = same_file_refuse(o->signature, o->output, err);

	if (rc == 0)
		rc = same_file_refuse_all(o->base.items, o->base.count, o->output, err);
	return rc < 0 ? rc
		      : same_file_refuse_all(o->certificates.items, o->certificates.count,
					     o->output, err);
}

static int run_initrd(const struct cli *cli, struct ingot_error *err)
{
	const struct initrd_options *options = cli->options;
	size_t count = options->base.count;
	INGOT_FREE struct ingot_source **parts = ingot_alloc(count + 1, sizeof(*parts), err);
	int rc = parts ? check_output(options, err) : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = ingot_source_open(options->base.items[i], &parts[i], err);
	if (rc == 0)
		rc = add_segment(options, &parts[count], err);
	if (rc == 0)
		rc = write_initrd(cli, parts, count + 1, err);
	for (size_t i = 0; parts && i <= count; i++)
		ingot_source_free(parts[i]);
	return rc;
}

#define AT(field) offsetof(struct initrd_options, field)

static const struct cli_option OPTIONS[] = {
	{"base", "FILE", "initrd to append to; several are joined in this order", AT(base),
	 CLI_LIST, false},
	{"root-hash", "HEX", "root hash of the hash tree", AT(root_hash), CLI_TEXT, true},
	{"data-device", "DEVICE", "partition with the filesystem: PARTUUID=..., /dev/...",
	 AT(data_device), CLI_TEXT, true},
	{"hash-device", "DEVICE", "partition with the hash tree, perhaps the same one",
	 AT(hash_device), CLI_TEXT, true},
	{"hash-offset", "BYTES", "where in it the tree's superblock is (default: at its start)",
	 AT(hash_offset), CLI_SIZE, false},
	{"signature", "FILE", "signature of the root hash (PKCS#7, DER), for the kernel",
	 AT(signature), CLI_TEXT, false},
	{"certificate", "FILE", "certificate (PEM) to put into /etc/verity.d; once for each signer",
	 AT(certificates), CLI_LIST, false},
	{"systemd-version", "N", "systemd in the initrd, if it is older than 254",
	 AT(systemd_version), CLI_U64, false},
	{"epoch", "SECONDS", "time of the files (default: $SOURCE_DATE_EPOCH)", AT(epoch), CLI_U64,
	 false},
	{"output", "FILE", "initrd to write; - is standard output", AT(output), CLI_TEXT, true},
};

const struct cli_command cmd_initrd = {
	.name = "initrd",
	.arguments = "",
	.summary = "Append the verity settings to an initrd",
	.description =
		"Writes an initrd that opens /dev/mapper/usr: the base files, each padded to a "
		"multiple of 4 bytes (the kernel silently skips an archive that starts elsewhere), "
		"and then a small uncompressed cpio archive with /etc/veritytab, the signature as "
		"/etc/usr.p7s and the certificate as /etc/verity.d/ingot.crt (others as ingot-2.crt and "
		"so on: systemd takes a signature only if it knows all of its signers). Without --base it "
		"writes that archive alone.\n\n"
		"The base initrd must have systemd-veritysetup: with dracut, --add "
		"\"systemd-veritysetup dm\". Mount the device with mount.usr=/dev/mapper/usr on the "
		"kernel's command line.\n\n"
		"systemd before 254 does not know where to look in a partition that holds data and "
		"tree. With --systemd-version and such a version, the archive has a service "
		"instead, which calls the program veritysetup; with dracut, add it with --install "
		"veritysetup.",
	.examples = "# The tree stands in the same partition, behind the filesystem\n"
		    "ingot initrd --base initrd.img --root-hash \"$HASH\" \\\n"
		    "    --data-device PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132 \\\n"
		    "    --hash-device PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132 \\\n"
		    "    --hash-offset 1065345024 --output initrd.verity\n",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct initrd_options),
	.run = run_initrd,
};

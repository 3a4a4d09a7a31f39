/*
 * A virtual machine in a tar: OVA (DMTF DSP0243, section 5.3), and Vagrant's box for VirtualBox,
 * which is the same with other files around it.
 *
 * The description comes first and names the size of the disk's file, which is known last. So the
 * room that the texts take is measured with numbers of the largest size and left free in front;
 * when all is known they are written there, and the description is filled up with blanks.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "formats/ovf_internal.h"
#include "formats/ustar_internal.h"
#include "formats/vmdk_internal.h"

enum { TEXTS_MAX = 3, STEP = 256 * 1024 };

struct package;

/* A text in front of the disk; the caller frees it. NULL: raised. */
typedef char *(*make_text)(const struct package *p, const struct ingot_ovf *ovf,
			   struct ingot_error *err);

struct text_member {
	const char *suffix; /* behind the machine's name, or if it begins with none, the name */
	make_text make;
};

struct package_kind {
	bool named;	 /* files are called after the machine */
	const char *ovf; /* the description's name or suffix, and the disk's */
	const char *disk;
	struct text_member texts[TEXTS_MAX];
	size_t text_count;
	struct ingot_format_options defaults;
};

struct package {
	struct ingot_writer writer;
	const struct package_kind *kind;
	struct ingot_output *output; /* borrowed */
	struct ingot_format_options machine;
	char *names[TEXTS_MAX], *disk_name;
	size_t room[TEXTS_MAX]; /* bytes of each text */
	uint64_t disk_offset;	/* of the disk's file */
	struct ingot_writer *vmdk;
	char digests[2][2 * INGOT_SHA256_SIZE + 1]; /* of the description and the disk */
	unsigned char mac[3];			    /* behind VirtualBox's 08:00:27 */
};

/* --- texts ------------------------------------------------------------- */

static char *make_ovf(const struct package *p, const struct ingot_ovf *ovf, struct ingot_error *err)
{
	(void)p;
	return ingot_ovf_text(ovf, err);
}

static char *make_manifest(const struct package *p, const struct ingot_ovf *ovf,
			   struct ingot_error *err)
{
	return ingot_format(err, "SHA256(%s)= %s\nSHA256(%s)= %s\n", p->names[0], p->digests[0],
			    ovf->disk_file, p->digests[1]);
}

static char *make_metadata(const struct package *p, const struct ingot_ovf *ovf,
			   struct ingot_error *err)
{
	(void)p;
	(void)ovf;
	return ingot_format(err, "{\"provider\": \"virtualbox\"}\n");
}

/* Vagrant asks for the address that the description would have; VirtualBox's own begin so. */
static char *make_vagrantfile(const struct package *p, const struct ingot_ovf *ovf,
			      struct ingot_error *err)
{
	(void)ovf;
	return ingot_format(err,
			    "Vagrant.configure(\"2\") do |config|\n"
			    "  config.vm.base_mac = \"080027%02X%02X%02X\"\n"
			    "end\n",
			    p->mac[0], p->mac[1], p->mac[2]);
}

static const struct package_kind OVA = {
	.named = true,
	.disk = ".vmdk",
	.texts = {{".ovf", make_ovf}, {".mf", make_manifest}},
	.text_count = 2,
};

static const struct package_kind VAGRANT = {
	.disk = "box.vmdk",
	.texts = {{"box.ovf", make_ovf},
		  {"metadata.json", make_metadata},
		  {"Vagrantfile", make_vagrantfile}},
	.text_count = 3,
	.defaults = {.name = "vagrant", .hardware_version = "virtualbox-2.2"},
};

/* --- names and places -------------------------------------------------- */

/* A machine's name is a file's name too. */
static int check_machine_name(const char *name, struct ingot_error *err)
{
	static const char GOOD[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "._-+";
	size_t n = strlen(name);
	char text[128];

	if (n > 0 && n <= 80 && name[0] != '.' && strspn(name, GOOD) == n)
		return 0;
	return ingot_raise(err, -EINVAL,
			   "'%s' cannot be the name of a machine: it takes 1 to 80 letters, digits "
			   "and ._-+, and does not begin with a dot",
			   ingot_printable(name, n, text, sizeof(text)));
}

static int make_names(struct package *p, struct ingot_error *err)
{
	const char *before = p->kind->named ? p->machine.name : "";
	int rc = check_machine_name(p->machine.name, err);

	for (size_t i = 0; rc == 0 && i < p->kind->text_count; i++) {
		p->names[i] = ingot_format(err, "%s%s", before, p->kind->texts[i].suffix);
		rc = p->names[i] ? 0 : -ENOMEM;
	}
	if (rc < 0)
		return rc;
	p->disk_name = ingot_format(err, "%s%s", before, p->kind->disk);
	return p->disk_name ? 0 : -ENOMEM;
}

/* How long the texts get: with numbers as long as they can be. */
static int measure(struct package *p, struct ingot_error *err)
{
	struct ingot_ovf longest = {.machine = &p->machine,
				    .disk_file = p->disk_name,
				    .file_size = USTAR_SIZE_MAX,
				    .capacity = INT64_MAX};

	memset(p->digests[0], '0', sizeof(p->digests[0]) - 1);
	memset(p->digests[1], '0', sizeof(p->digests[1]) - 1);
	for (size_t i = 0; i < p->kind->text_count; i++) {
		INGOT_FREE char *text = p->kind->texts[i].make(p, &longest, err);

		if (!text)
			return -ENOMEM;
		p->room[i] = strlen(text);
		p->disk_offset += USTAR_BLOCK + ingot_round_up(p->room[i], USTAR_BLOCK);
	}
	p->disk_offset += USTAR_BLOCK;
	return 0;
}

/* --- the beginning ----------------------------------------------------- */

static void package_free(struct ingot_writer *writer)
{
	struct package *p = (struct package *)writer;

	ingot_writer_free(p->vmdk);
	for (size_t i = 0; i < TEXTS_MAX; i++)
		free(p->names[i]);
	free(p->disk_name);
	free(p);
}

static int start_package(struct package *p, const struct ingot_format_options *options,
			 struct ingot_error *err)
{
	int rc;

	p->machine = *options;
	if (!p->machine.name)
		p->machine.name = p->kind->defaults.name ? p->kind->defaults.name : "disk";
	if (!p->machine.hardware_version)
		p->machine.hardware_version = p->kind->defaults.hardware_version;
	rc = make_names(p, err);
	if (rc == 0)
		rc = measure(p, err);
	if (rc == 0)
		rc = ingot_vmdk_start_at(p->output, p->disk_offset, p->writer.size, &p->machine,
					 &p->vmdk, err);
	return rc;
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct package *p = ingot_alloc(1, sizeof(*p), err);
	int rc;

	if (!p)
		return -ENOMEM;
	p->writer = (struct ingot_writer){ops, size};
	p->kind = ops == &ingot_ova_writer ? &OVA : &VAGRANT;
	p->output = output;
	rc = start_package(p, options, err);
	if (rc < 0) {
		package_free(&p->writer);
		return rc;
	}
	*ret = &p->writer;
	return 0;
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	struct package *p = (struct package *)writer;

	return p->vmdk->ops->append(p->vmdk, chunk, err);
}

/* --- the end ----------------------------------------------------------- */

/* The disk's file begins with what was written last, so it is read once more. */
static int digest_disk(struct package *p, struct ingot_sink *file, uint64_t size,
		       struct ingot_error *err)
{
	INGOT_SHA256 struct ingot_sha256 *sha = ingot_sha256_new(err);
	INGOT_FREE unsigned char *buffer = sha ? ingot_alloc_buffer(STEP, err) : NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = buffer ? 0 : -ENOMEM;

	for (uint64_t at = 0; rc == 0 && at < size; at += STEP) {
		size_t n = (size_t)ingot_min(STEP, size - at);

		rc = ingot_sink_read(file, p->disk_offset + at, buffer, n, err);
		if (rc == 0)
			rc = ingot_sha256_update(sha, buffer, n, err);
	}
	if (rc == 0)
		rc = ingot_sha256_final(sha, digest, err);
	if (rc == 0)
		ingot_hex(digest, sizeof(digest), p->digests[1]);
	return rc;
}

static int write_header(struct ingot_sink *file, const char *name, uint64_t size, uint64_t offset,
			struct ingot_error *err)
{
	unsigned char header[USTAR_BLOCK];
	int rc = ingot_ustar_header(name, size, header, err);

	return rc < 0 ? rc : ingot_sink_write(file, offset, header, sizeof(header), err);
}

/* The i-th text, filled up to its room before its last end of line. */
static int write_text(struct package *p, size_t i, const struct ingot_ovf *ovf,
		      struct ingot_sink *file, uint64_t offset, struct ingot_error *err)
{
	INGOT_FREE char *text = p->kind->texts[i].make(p, ovf, err);
	INGOT_FREE char *padded = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc;

	if (!text)
		return -ENOMEM;
	text[strlen(text) - 1] = '\0';
	padded = ingot_format(err, "%-*s\n", (int)p->room[i] - 1, text);
	if (!padded)
		return -ENOMEM;
	if (i == 0) {
		rc = ingot_sha256(padded, p->room[i], digest, err);
		if (rc < 0)
			return rc;
		ingot_hex(digest, sizeof(digest), p->digests[0]);
	}
	rc = write_header(file, p->names[i], p->room[i], offset, err);
	if (rc == 0)
		rc = ingot_sink_write(file, offset + USTAR_BLOCK, padded, p->room[i], err);
	return rc;
}

static int write_front(struct package *p, const struct ingot_ovf *ovf, struct ingot_sink *file,
		       struct ingot_error *err)
{
	uint64_t offset = 0;

	for (size_t i = 0; i < p->kind->text_count; i++) {
		int rc = write_text(p, i, ovf, file, offset, err);

		if (rc < 0)
			return rc;
		offset += USTAR_BLOCK + ingot_round_up(p->room[i], USTAR_BLOCK);
	}
	return write_header(file, p->disk_name, ovf->file_size, offset, err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct package *p = (struct package *)writer;
	INGOT_SINK struct ingot_sink *file = NULL;
	struct ingot_ovf ovf = {.machine = &p->machine,
				.disk_file = p->disk_name,
				.capacity = ingot_round_up(p->writer.size, INGOT_PIECE)};
	int rc = p->vmdk->ops->finish(p->vmdk, seed, err);

	if (rc < 0)
		return rc;
	ovf.file_size = ingot_vmdk_bytes(p->vmdk);
	rc = ingot_output_sink(
		p->output, p->disk_offset + ingot_round_up(ovf.file_size, USTAR_BLOCK) + USTAR_END,
		&file, err);
	if (rc == 0)
		rc = ingot_derive_guid(seed, "ovf machine", &ovf.machine_id, err);
	if (rc == 0)
		rc = ingot_derive_guid(seed, "ovf disk", &ovf.disk_id, err);
	if (rc == 0)
		rc = ingot_derive(seed, "vagrant mac", p->mac, sizeof(p->mac), err);
	if (rc == 0)
		rc = digest_disk(p, file, ovf.file_size, err);
	return rc < 0 ? rc : write_front(p, &ovf, file, err);
}

#define PACKAGE_WRITER(name, summary)                                                              \
	{                                                                                          \
		.format = {name, summary},                                                         \
		.needs = INGOT_NEED_DEFLATE | INGOT_NEED_ADLER | INGOT_NEED_IDENTITY,              \
		.start = start, .append = append, .finish = finish, .free = package_free,          \
	}

const struct ingot_writer_ops ingot_ova_writer =
	PACKAGE_WRITER("ova", "an appliance for VMware: OVF, manifest and vmdk in a tar");
const struct ingot_writer_ops ingot_vagrant_writer =
	PACKAGE_WRITER("vagrant", "a box of Vagrant's for VirtualBox");

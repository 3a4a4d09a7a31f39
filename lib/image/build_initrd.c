/* The initrd of an image: the recipe's files, and the archive that says how /usr is opened. */
#include <errno.h>
#include <stdio.h>

#include "image/build_internal.h"

/* --- places ------------------------------------------------------------ */

int build_partuuid(const struct ingot_gpt *gpt, const struct ingot_placed *placed, char *text,
		   struct ingot_error *err)
{
	const struct ingot_gpt_partition *partition = gpt_partition(gpt, placed);
	char uuid[INGOT_GUID_TEXT];

	if (!partition)
		return ingot_raise(err, -EINVAL, "partition %u is not in the table",
				   placed->number);
	(void)sprintf(text, "PARTUUID=%s", ingot_guid_text(&partition->uuid, uuid));
	return 0;
}

int build_add_fec(const struct build *b, const struct ingot_gpt *gpt, char *device,
		  struct ingot_initrd_verity *verity, struct ingot_error *err)
{
	if (!b->fec_place)
		return 0;
	verity->fec_device = device;
	verity->fec_offset = b->fec_offset;
	verity->fec_roots = b->fec.roots;
	return build_partuuid(gpt, b->fec_place, device, err);
}

/* --- certificates ------------------------------------------------------ */

/* Of all who sign, as text. */
struct certificates {
	struct ingot_initrd_certificate list[INGOT_SIGNERS_MAX];
	char *pem[INGOT_SIGNERS_MAX];
	size_t count;
};

static int make_certificates(const struct build *b, struct certificates *ret,
			     struct ingot_error *err)
{
	const struct ingot_certificate *signers[INGOT_SIGNERS_MAX];
	size_t count = build_signers(b, signers);

	for (; ret->count < count; ret->count++) {
		size_t i = ret->count;
		int rc = ingot_certificate_pem(signers[i], &ret->pem[i], &ret->list[i].size, err);

		if (rc < 0)
			return rc;
		ret->list[i].pem = ret->pem[i];
	}
	return 0;
}

static void certificates_done(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		free(certificates->pem[i]);
}

/* --- the archive ------------------------------------------------------- */

static int make_segment(const struct build *b, const struct root_hash *root,
			const struct ingot_gpt *gpt, const struct certificates *certificates,
			struct ingot_source **ret, struct ingot_error *err)
{
	char device[PARTUUID_TEXT], fec_device[PARTUUID_TEXT];
	struct ingot_initrd_verity verity = {
		.root_hash = root->hex,
		.signature = root->signature,
		.signature_size = root->signature_size,
		.keep_signature = !b->recipe->enforce,
		.certificates = certificates->list,
		.certificate_count = certificates->count,
		.systemd_version = b->recipe->systemd_version,
		.epoch = b->recipe->epoch,
	};

	if (!b->hash_place) { /* appended: systemd cannot find it by itself */
		int rc = build_partuuid(gpt, b->usr_place, device, err);
		if (rc < 0)
			return rc;
		verity.data_device = verity.hash_device = device;
		verity.hash_offset = b->geometry.hash_offset;
		rc = build_add_fec(b, gpt, fec_device, &verity, err);
		if (rc < 0)
			return rc;
	}
	return ingot_initrd_segment(&verity, ret, err);
}

static int add_segment(const struct build *b, const struct root_hash *root,
		       const struct ingot_gpt *gpt, struct ingot_source **ret,
		       struct ingot_error *err)
{
	struct certificates certificates = {0};
	int rc = make_certificates(b, &certificates, err);

	if (rc == 0)
		rc = make_segment(b, root, gpt, &certificates, ret, err);
	certificates_done(&certificates);
	return rc;
}

int initrd_make(struct build *b, const struct root_hash *root, const struct ingot_gpt *gpt,
		struct esp *esp, struct ingot_error *err)
{
	struct ingot_source *parts[INGOT_RECIPE_INITRDS_MAX + 1];
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < b->recipe->initrd_count; i++)
		parts[count++] = b->inputs.initrds[i];
	if (b->usr) {
		rc = add_segment(b, root, gpt, &esp->segment, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "initrd segment");
		parts[count++] = esp->segment;
	}
	return ingot_initrd_source(parts, count, &esp->initrd, err);
}

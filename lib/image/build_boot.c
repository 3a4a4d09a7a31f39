#include "image/build_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/uki.h"
#include "fs/fat.h"
#include "image/tree_file.h"

/*
 * The way from the firmware to /usr: command line and initrd go into a UKI, the UKI onto
 * the ESP. All of it depends on the root hash but none of its sizes do, so the plan makes
 * it once with a made-up hash and finds out early whether it fits.
 */

/* --- inputs ------------------------------------------------------------ */

/* Opens a path of the recipe; what is wrong with it is a problem at its place. */
static int open_path(struct build *b, const struct ingot_recipe_path *path,
		     struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_error inner = {0};
	const struct ingot_node *node;
	int rc;

	if (!path->given)
		return 0;
	if (path->path) {
		rc = ingot_source_open(path->path, ret, &inner);
	} else {
		rc = ingot_tree_match(b->tree, path->in_tree, &node, &inner);
		if (rc == 0)
			rc = ingot_tree_file(b->tree, node, ret, &inner);
	}
	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", inner.text);
	if (rc < 0)
		ingot_yaml_problem(path->node, "%s", inner.text);
	return 0;
}

/* The tree's own os-release, where the recipe names none. */
static int open_os_release(struct build *b, struct ingot_error *err)
{
	const struct ingot_node *node;
	int rc;

	if (b->recipe->os_release.given)
		return open_path(b, &b->recipe->os_release, &b->inputs.os_release, err);
	rc = ingot_tree_match(b->tree, "usr/lib/os-release", &node, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "os-release for the UKI (key boot.os-release)");
	return ingot_tree_file(b->tree, node, &b->inputs.os_release, err);
}

/* A stub for another machine makes an image that nothing boots. */
static void check_stub(const struct build *b)
{
	bool arm = strcmp(b->recipe->architecture, "arm64") == 0;
	uint16_t want = arm ? INGOT_PE_ARM64 : INGOT_PE_X86_64, machine;
	struct ingot_error err;

	if (!b->inputs.stub)
		return;
	if (ingot_pe_machine(b->inputs.stub, &machine, &err) < 0)
		ingot_yaml_problem(b->recipe->stub.node, "stub %s", err.text);
	else if (machine != want)
		ingot_yaml_problem(b->recipe->stub.node,
				   "the stub '%s' is for %s, the image for %s",
				   b->inputs.stub->name, ingot_pe_machine_name(machine),
				   b->recipe->architecture);
}

int boot_open_inputs(struct build *b, struct ingot_problems *problems, struct ingot_error *err)
{
	struct ingot_recipe *recipe = b->recipe;
	int rc = open_path(b, &recipe->linux_image, &b->inputs.linux_image, err);

	if (rc == 0)
		rc = open_path(b, &recipe->stub, &b->inputs.stub, err);
	if (rc == 0)
		check_stub(b);
	for (size_t i = 0; i < recipe->initrd_count && rc == 0; i++)
		rc = open_path(b, &recipe->initrds[i], &b->inputs.initrds[i], err);
	for (size_t i = 0; i < recipe->esp_count && rc == 0; i++)
		rc = open_path(b, &recipe->esp[i].source, &b->inputs.esp[i], err);
	if (rc == 0 && !ingot_problems_any(problems))
		rc = open_os_release(b, err);
	return rc;
}

void boot_close_inputs(struct boot_inputs *inputs)
{
	ingot_source_free(inputs->linux_image);
	ingot_source_free(inputs->stub);
	ingot_source_free(inputs->os_release);
	for (size_t i = 0; i < INGOT_RECIPE_INITRDS_MAX; i++)
		ingot_source_free(inputs->initrds[i]);
	for (size_t i = 0; i < INGOT_RECIPE_FILES_MAX; i++)
		ingot_source_free(inputs->esp[i]);
}

/* --- command line ------------------------------------------------------ */

/* A hash tree in a partition of its own is found by systemd, which is told about the rest. */
static char *make_usr_options(const struct build *b, const struct ingot_gpt *gpt,
			      struct ingot_error *err)
{
	const char *signature =
		b->recipe->enforce && b->certificate ? "root-hash-signature=/etc/usr.p7s" : "";
	struct ingot_initrd_verity verity = {0};
	char device[PARTUUID_TEXT];
	INGOT_FREE char *fec = NULL;

	if (!b->hash_place)
		return ingot_strdup("", err);
	if (build_add_fec(b, gpt, device, &verity, err) < 0)
		return NULL;
	fec = ingot_verity_fec_options(&verity, err);
	if (!fec || (!*fec && !*signature))
		return fec ? INGOT_TAKE(fec) : NULL;
	return ingot_format(err, "systemd.verity_usr_options=%s%s%s ", fec,
			    *fec && *signature ? "," : "", signature);
}

/*
 * What the image needs, then what the recipe adds. A hash tree in a partition of its own
 * is found by systemd through usrhash=; an appended one is opened by the initrd segment.
 */
static char *make_cmdline(const struct build *b, const struct root_hash *root,
			  const struct ingot_gpt *gpt, struct ingot_error *err)
{
	bool enforce = b->recipe->enforce && b->certificate;
	INGOT_FREE char *options = make_usr_options(b, gpt, err);
	char device[PARTUUID_TEXT] = "", hash[160] = "";

	if (!options || (b->root_place && build_partuuid(gpt, b->root_place, device, err) < 0))
		return NULL;
	if (b->usr && b->hash_place)
		(void)snprintf(hash, sizeof(hash), "usrhash=%s ", root->hex);
	return ingot_format(
		err, "%s%s%s%s%s%s%s%s%s%s", *device ? "root=" : "", device, *device ? " rw " : "",
		b->usr ? "mount.usr=/dev/mapper/usr mount.usrfstype=ext2 mount.usrflags=ro " : "",
		hash, options, enforce ? "dm_verity.require_signatures=1 " : "", b->recipe->cmdline,
		b->vendor_arguments && *b->recipe->cmdline ? " " : "",
		b->vendor_arguments ? b->vendor_arguments : "");
}

/* --- UKI --------------------------------------------------------------- */

static int make_uki(struct build *b, const struct root_hash *root, const struct ingot_gpt *gpt,
		    struct esp *esp, struct ingot_error *err)
{
	INGOT_FREE char *text = make_cmdline(b, root, gpt, err);
	INGOT_FREE char *cmdline = NULL;
	int rc;

	if (!text)
		return -ENOMEM;
	rc = ingot_uki_cmdline(text, strlen(text), &cmdline, err);
	if (rc == 0)
		rc = ingot_source_memory("command line", cmdline, strlen(cmdline), &esp->cmdline,
					 err);
	if (rc == 0)
		rc = initrd_make(b, root, gpt, esp, err);
	if (rc < 0)
		return rc;
	return ingot_uki_source(b->inputs.stub,
				(const struct ingot_uki_section[]){
					{".osrel", b->inputs.os_release},
					{".cmdline", esp->cmdline},
					{".initrd", esp->initrd},
					{".linux", b->inputs.linux_image},
				},
				4, &esp->uki, err);
}

/* --- ESP --------------------------------------------------------------- */

const char *build_uki_path(const struct build *b)
{
	return strcmp(b->recipe->architecture, "arm64") == 0 ? "EFI/BOOT/BOOTAA64.EFI"
							     : "EFI/BOOT/BOOTX64.EFI";
}

static int make_fat(struct build *b, const struct ingot_fat_file *files, size_t count,
		    struct esp *esp, struct ingot_error *err)
{
	uint8_t id[4];
	struct ingot_fat_options options = {
		.size = b->esp_place->size,
		.sector_size = b->placement->sector_size,
		.label = entry_of(b, b->esp_place)->filesystem_label,
		.epoch = b->recipe->epoch,
		.hidden_sectors = (uint32_t)(b->esp_place->start / b->placement->sector_size),
	};
	int rc = ingot_derive(&b->recipe->seed, "esp volume id", id, sizeof(id), err);

	if (rc < 0)
		return rc;
	options.volume_id = ingot_get_be32(id);
	rc = ingot_fat_source(&options, files, count, &esp->fat, err);
	return rc < 0 ? ingot_wrap(err, rc, "ESP") : 0;
}

int esp_make(struct build *b, const struct root_hash *root, const struct ingot_gpt *gpt,
	     struct esp *ret, struct ingot_error *err)
{
	struct ingot_fat_file files[INGOT_RECIPE_FILES_MAX + 1];
	size_t count = 0;
	int rc;

	*ret = (struct esp){0};
	if (b->recipe->boot) {
		rc = make_uki(b, root, gpt, ret, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "UKI");
		if (b->boot_certificate)
			rc = uki_sign(b, root, ret->uki, &ret->signed_uki, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "UKI");
		files[count++] = (struct ingot_fat_file){
			build_uki_path(b), ret->signed_uki ? ret->signed_uki : ret->uki};
	}
	for (size_t i = 0; i < b->recipe->esp_count; i++)
		files[count++] =
			(struct ingot_fat_file){b->recipe->esp[i].target, b->inputs.esp[i]};
	return make_fat(b, files, count, ret, err);
}

void esp_done(struct esp *esp)
{
	ingot_source_free(esp->fat);
	ingot_source_free(esp->signed_uki);
	ingot_source_free(esp->uki);
	ingot_source_free(esp->initrd);
	ingot_source_free(esp->segment);
	ingot_source_free(esp->cmdline);
	*esp = (struct esp){0};
}

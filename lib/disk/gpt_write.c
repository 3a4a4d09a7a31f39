/*
 * libfdisk makes the table, on a file in memory as long as the disk (a hole but for the table), so
 * that it never sees a device: sector size, first and last sector and every partition are given,
 * nothing comes from the host. What it made is then read back by our own reader, compared with
 * what was asked for, and copied to the disk.
 */
#include <errno.h>
#include <libfdisk/libfdisk.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "disk/gpt.h"

static void partition_cleanup(struct fdisk_partition **p)
{
	fdisk_unref_partition(*p);
}

static void type_cleanup(struct fdisk_parttype **p)
{
	fdisk_unref_parttype(*p);
}

static void context_cleanup(struct fdisk_context **p)
{
	/* It asserts that there is a device. */
	if (*p && fdisk_get_devfd(*p) >= 0)
		(void)fdisk_deassign_device(*p, /* nosync */ 1);
	fdisk_unref_context(*p);
}

static int raise_fdisk(struct ingot_error *err, int rc, const char *what)
{
	return ingot_raise_errno(err, rc < 0 ? -rc : EIO, "libfdisk: %s", what);
}

/* --- one partition -------------------------------------------------------- */

/* Bits as libfdisk's text: three have names, 48 to 63 are "GUID:48,56". */
static int attributes_text(uint64_t bits, char *text, size_t size, struct ingot_error *err)
{
	static const char *const names[] = {"RequiredPartition", "NoBlockIOProtocol",
					    "LegacyBIOSBootable"};
	const char *separator = "";
	size_t at = 0;

	if (bits >> 3 & ((UINT64_C(1) << 45) - 1))
		return ingot_raise(err, -EINVAL, "attribute bits 3 to 47 are reserved");
	text[0] = '\0';
	for (unsigned i = 0; i < 3; i++)
		if (bits >> i & 1) {
			at += (size_t)snprintf(text + at, size - at, "%s%s", separator, names[i]);
			separator = " ";
		}
	for (unsigned i = 48; i < 64; i++)
		if (bits >> i & 1) {
			at += (size_t)snprintf(text + at, size - at, "%sGUID:%u", separator, i);
			separator = " ";
		}
	return 0;
}

static int set_identity(struct fdisk_partition *pa, const struct ingot_gpt_partition *p,
			struct ingot_error *err)
{
	char guid[INGOT_GUID_TEXT], attributes[256];
	__attribute__((cleanup(type_cleanup))) struct fdisk_parttype *type = fdisk_new_parttype();
	int rc;

	if (!type)
		return ingot_raise_oom(err, 0);
	rc = fdisk_parttype_set_typestr(type, ingot_guid_text(&p->type, guid));
	if (rc == 0)
		rc = fdisk_partition_set_type(pa, type);
	if (rc == 0)
		rc = fdisk_partition_set_uuid(pa, ingot_guid_text(&p->uuid, guid));
	if (rc == 0)
		rc = fdisk_partition_set_name(pa, p->name);
	if (rc < 0)
		return raise_fdisk(err, rc, "describe the partition");
	rc = attributes_text(p->attributes, attributes, sizeof(attributes), err);
	if (rc < 0)
		return rc;
	if (attributes[0])
		rc = fdisk_partition_set_attrs(pa, attributes);
	return rc < 0 ? raise_fdisk(err, rc, "set attributes") : 0;
}

static int add_partition(struct fdisk_context *cxt, const struct ingot_gpt *gpt,
			 const struct ingot_gpt_partition *p, struct ingot_error *err)
{
	__attribute__((cleanup(partition_cleanup))) struct fdisk_partition *pa =
		fdisk_new_partition();
	int rc;

	if (!pa)
		return ingot_raise_oom(err, 0);
	if (p->start % gpt->sector_size || p->size % gpt->sector_size || p->size == 0)
		return ingot_raise(err, -EINVAL, "not whole sectors");
	rc = set_identity(pa, p, err);
	if (rc < 0)
		return rc;
	rc = fdisk_partition_set_partno(pa, p->number - 1);
	if (rc == 0)
		rc = fdisk_partition_set_start(pa, p->start / gpt->sector_size);
	if (rc == 0)
		rc = fdisk_partition_set_size(pa, p->size / gpt->sector_size);
	if (rc == 0)
		rc = fdisk_partition_size_explicit(pa, 1);
	if (rc == 0)
		rc = fdisk_add_partition(cxt, pa, NULL);
	return rc < 0 ? raise_fdisk(err, rc, "add the partition") : 0;
}

/* --- the table ------------------------------------------------------------ */

static int start_table(struct fdisk_context *cxt, const struct ingot_gpt *gpt,
		       struct ingot_error *err)
{
	unsigned sector = gpt->sector_size;
	char guid[INGOT_GUID_TEXT];
	int rc;

	/* Before the label is made, which takes them over. */
	(void)fdisk_set_first_lba(cxt, ingot_gpt_first_usable(sector));
	(void)fdisk_set_last_lba(cxt, ingot_gpt_usable_end(gpt->disk_size, sector) / sector - 1);
	rc = fdisk_create_disklabel(cxt, "gpt");
	if (rc < 0)
		return raise_fdisk(err, rc, "start a table");
	rc = fdisk_set_disklabel_id_from_string(cxt, ingot_guid_text(&gpt->uuid, guid));
	return rc < 0 ? raise_fdisk(err, rc, "set the disk's GUID") : 0;
}

static int make_table(const struct ingot_gpt *gpt, int fd, struct ingot_error *err)
{
	__attribute__((cleanup(context_cleanup))) struct fdisk_context *cxt = fdisk_new_context();
	int rc;

	if (!cxt)
		return ingot_raise_oom(err, 0);
	rc = fdisk_save_user_sector_size(cxt, gpt->sector_size, gpt->sector_size);
	if (rc == 0)
		rc = fdisk_assign_device_by_fd(cxt, fd, "disk", /* readonly */ 0);
	if (rc < 0)
		return raise_fdisk(err, rc, "open the table");
	rc = start_table(cxt, gpt, err);
	for (size_t i = 0; rc == 0 && i < gpt->count; i++) {
		rc = add_partition(cxt, gpt, &gpt->partitions[i], err);
		if (rc < 0)
			rc = ingot_wrap(err, rc, "partition %u '%s'", gpt->partitions[i].number,
					gpt->partitions[i].name);
	}
	if (rc < 0)
		return rc;
	rc = fdisk_write_disklabel(cxt);
	return rc < 0 ? raise_fdisk(err, rc, "write the table") : 0;
}

/* --- what it made --------------------------------------------------------- */

static bool same_partition(const struct ingot_gpt_partition *a, const struct ingot_gpt_partition *b)
{
	return a->number == b->number && a->start == b->start && a->size == b->size &&
	       ingot_guid_equal(&a->type, &b->type) && ingot_guid_equal(&a->uuid, &b->uuid) &&
	       a->attributes == b->attributes && strcmp(a->name, b->name) == 0;
}

static bool same_table(const struct ingot_gpt *a, const struct ingot_gpt *b)
{
	if (a->disk_size != b->disk_size || a->sector_size != b->sector_size ||
	    !ingot_guid_equal(&a->uuid, &b->uuid) || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_partition(&a->partitions[i], &b->partitions[i]))
			return false;
	return true;
}

static int check_table(const struct ingot_gpt *gpt, struct ingot_source *made,
		       struct ingot_error *err)
{
	struct ingot_problems complaints = {0};
	INGOT_FREE struct ingot_gpt *found = NULL;
	int rc = ingot_gpt_read(made, &complaints, &found, err);
	bool good = rc == 0 && !ingot_problems_any(&complaints) && same_table(gpt, found);

	ingot_problems_done(&complaints);
	if (rc < 0)
		return ingot_wrap(err, rc, "the table that libfdisk made");
	return good ? 0 : ingot_raise(err, -EIO, "libfdisk made another table than was asked for");
}

/* The file in memory as a source; extents are of no use here. */
struct made {
	struct ingot_source source;
	struct ingot_sink *file;
};

static int made_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	return ingot_sink_read(((struct made *)source)->file, offset, data, n, err);
}

static void made_free(struct ingot_source *source)
{
	(void)source; /* on the stack */
}

static const struct ingot_source_ops MADE_OPS = {made_read, NULL, made_free};

static int copy_range(struct ingot_source *from, struct ingot_sink *to, uint64_t offset, uint64_t n,
		      struct ingot_error *err)
{
	INGOT_FREE unsigned char *bytes = ingot_alloc(1, (size_t)n, err);
	int rc;

	if (!bytes)
		return -ENOMEM;
	rc = ingot_source_read(from, offset, bytes, (size_t)n, err);
	return rc < 0 ? rc : ingot_sink_write(to, offset, bytes, (size_t)n, err);
}

static int copy_table(const struct ingot_gpt *gpt, struct ingot_source *made,
		      struct ingot_sink *disk, struct ingot_error *err)
{
	unsigned sector = gpt->sector_size;
	uint64_t end = ingot_gpt_usable_end(gpt->disk_size, sector);
	int rc = copy_range(made, disk, 0, ingot_gpt_first_usable(sector) * (uint64_t)sector, err);

	return rc < 0 ? rc : copy_range(made, disk, end, gpt->disk_size - end, err);
}

int ingot_gpt_write(const struct ingot_gpt *gpt, struct ingot_sink *disk, struct ingot_error *err)
{
	INGOT_CLOSE int fd = memfd_create("ingot-gpt", MFD_CLOEXEC);
	INGOT_SINK struct ingot_sink *file = NULL;
	struct made made;
	int rc;

	if (fd < 0)
		return ingot_raise_errno(err, errno, "memory for a partition table");
	if (disk->size != gpt->disk_size)
		return ingot_raise(err, -EINVAL, "'%s' is not as long as its partition table says",
				   disk->name);
	rc = ingot_sink_fd(fd, "partition table", gpt->disk_size, &file, err);
	if (rc == 0)
		rc = make_table(gpt, fd, err);
	made = (struct made){{&MADE_OPS, "partition table", gpt->disk_size}, file};
	if (rc == 0)
		rc = check_table(gpt, &made.source, err);
	if (rc == 0)
		rc = copy_table(gpt, &made.source, disk, err);
	return rc < 0 ? ingot_wrap(err, rc, "'%s': partition table", disk->name) : 0;
}

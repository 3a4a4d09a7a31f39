/*
 * The compressed clusters of a qcow2 file, packed byte to byte: an entry says only in which sector
 * one ends, so each is unpacked to find its last byte. What is between two of them, up to the end
 * of a cluster, is zero.
 */
#include <errno.h>
#include <string.h>

#include "formats/check_internal.h"
#include "formats/unpack_internal.h"

static int by_start(const void *a, const void *b)
{
	const struct qcow2_packed *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Its end to the byte. A stream that is none has been refused, or will be, by whoever reads it. */
static int find_end(struct ingot_source *file, const struct qcow2_check_options *o,
		    struct ingot_unpacker *unpacker, struct qcow2_packed *p, unsigned char *in,
		    unsigned char *out, char *finding, struct ingot_error *err)
{
	size_t n = (size_t)(ingot_min(p->end, file->size) - p->start), used;
	struct ingot_error why = {0};
	int rc = ingot_source_read(file, p->start, in, n, err);

	if (rc < 0)
		return rc;
	rc = ingot_unpack_length(unpacker, o->packing, in, n, out, o->cluster, &used, &why);
	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", why.text);
	if (rc < 0)
		ingot_finding(finding, "a compressed cluster at 0x%llx: %.100s",
			      (unsigned long long)p->start, why.text);
	else
		p->end = p->start + used;
	return 0;
}

static int check_gap(struct ingot_source *file, const struct qcow2_check_options *o, uint64_t from,
		     uint64_t to, char *finding, struct ingot_error *err)
{
	uint64_t end = ingot_min(ingot_round_up(from, o->cluster), file->size);

	return ingot_find_nonzero(file, from, ingot_min(end, to), "behind a compressed cluster",
				  finding, err);
}

/* From the start of the cluster that the first one of it begins in. */
static int check_front(struct ingot_source *file, const struct qcow2_check_options *o,
		       uint64_t before, uint64_t start, char *finding, struct ingot_error *err)
{
	uint64_t from = ingot_max(start / o->cluster * o->cluster, before);

	return ingot_find_nonzero(file, from, start, "before a compressed cluster", finding, err);
}

int ingot_qcow2_check_packed(struct ingot_source *file, const struct qcow2_check_options *o,
			     struct qcow2_packed *list, size_t count, char *finding,
			     struct ingot_error *err)
{
	INGOT_FREE unsigned char *out = ingot_alloc(1, o->cluster, err);
	INGOT_FREE unsigned char *in = out ? ingot_alloc(2, o->cluster + 1024, err) : NULL;
	struct ingot_unpacker unpacker = {0};
	uint64_t before = 0;
	int rc = in ? 0 : -ENOMEM;

	qsort(list, count, sizeof(*list), by_start);
	for (size_t i = 0; rc == 0 && i < count && !*finding; i++) {
		if (list[i].end - list[i].start > 2 * o->cluster) {
			ingot_finding(finding, "a compressed cluster of %llu bytes",
				      (unsigned long long)(list[i].end - list[i].start));
			break;
		}
		rc = find_end(file, o, &unpacker, &list[i], in, out, finding, err);
		if (rc < 0 || *finding)
			break;
		if (list[i].start < before)
			ingot_finding(finding, "compressed clusters overlap at 0x%llx",
				      (unsigned long long)list[i].start);
		rc = check_front(file, o, before, list[i].start, finding, err);
		before = list[i].end;
		if (rc == 0)
			rc = check_gap(file, o, before,
				       i + 1 < count ? list[i + 1].start : UINT64_MAX, finding,
				       err);
	}
	ingot_unpacker_done(&unpacker);
	return rc;
}

/*
 * One byte of an image changed, at a named place or at random ones, and `ingot verify` has to say
 * no, with the check that it belongs to. The image is not copied: a source gives the changed byte.
 *
 *	tamper IMAGE CERTIFICATE[,CERTIFICATE...] MANIFEST|- COUNT SEED
 *
 * First the untouched image must pass. Then every place of the table that the image has; then
 * COUNT random bytes of what is not a hole. Prints a line for each named place, a summary of the
 * random ones, and ends with "N passed, M failed".
 */
#include "tamper.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/pool.h"

/* --- asking ------------------------------------------------------------ */

struct ingot_verify_report *verify(struct image *image, uint64_t at, uint8_t bits)
{
	struct ingot_verify_report *report = NULL;
	struct ingot_error err;

	image->flip.at = at;
	image->flip.bits = bits;
	must(ingot_verify(&image->flip.source, &image->options, &report, &err), &err);
	return report;
}

static bool is_bad(const struct ingot_verify_report *report, const char *name)
{
	const struct ingot_verify_row *row = ingot_verify_find(report, name);

	if (!row) {
		fprintf(stderr, "tamper: no check '%s'\n", name);
		exit(2);
	}
	return row->verdict == INGOT_VERIFY_BAD;
}

bool any_bad(const struct ingot_verify_report *report, const char *checks)
{
	char *copy = strdup(checks), *rest = NULL;
	bool bad = false;

	assert(copy);
	for (char *name = strtok_r(copy, "|", &rest); name; name = strtok_r(NULL, "|", &rest))
		bad |= is_bad(report, name);
	free(copy);
	return bad;
}

void print_bad(const struct ingot_verify_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct ingot_verify_row *row = &report->rows[i];

		if (row->verdict == INGOT_VERIFY_BAD || row->verdict == INGOT_VERIFY_NOT_CHECKED)
			printf("        %s %s: %s\n", ingot_verify_verdict_name(row->verdict),
			       row->name, row->found);
	}
}

static bool check_untouched(struct image *image)
{
	struct ingot_verify_report *report = verify(image, 0, 0);
	bool ok = report->good;

	printf("%s  the untouched image is verified\n", ok ? "ok    " : "FAILED");
	if (!ok)
		print_bad(report);
	ingot_verify_report_free(report);
	return ok;
}

/* Whether it is in this image, and there is what can see a change. */
static bool has_place(const struct image *image, const struct place *place)
{
	return base(image, place->base) != NOWHERE &&
	       (image->options.manifest || strncmp(place->checks, "manifest.", 9) != 0);
}

static bool check_place(struct image *image, const struct place *place)
{
	uint64_t at = base(image, place->base) + place->offset;
	struct ingot_verify_report *report = verify(image, at, place->bits);
	bool ok = !report->good && any_bad(report, place->checks);

	printf("%s  %s (byte %llu): %s\n", ok ? "ok    " : "FAILED", place->what,
	       (unsigned long long)at, place->checks);
	if (!ok)
		print_bad(report);
	ingot_verify_report_free(report);
	return ok;
}

/* --- the program ------------------------------------------------------- */

enum { CERTIFICATES_MAX = 4 };

struct certificates {
	struct ingot_certificate *list[CERTIFICATES_MAX];
	size_t count;
};

/* Of the names between commas. */
static void certificates_load(char *names, struct certificates *ret)
{
	struct ingot_error err;
	char *rest = NULL;

	for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		assert(ret->count < CERTIFICATES_MAX);
		must(ingot_certificate_load(name, &ret->list[ret->count], &err), &err);
		ret->count++;
	}
}

static void certificates_done(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		ingot_certificate_free(certificates->list[i]);
}

static void image_open(struct image *image, char **argv, const struct certificates *certificates)
{
	flip_init(&image->flip, argv[1]);
	image->options = (struct ingot_verify_options){
		.certificates = (const struct ingot_certificate *const *)certificates->list,
		.certificate_count = certificates->count,
		.allow_test_keys = true,
		.jobs = ingot_pool_jobs(0),
	};
	if (strcmp(argv[3], "-") != 0)
		image->options.manifest = json_load_file(argv[3], 0, NULL);
	image_find(image);
}

int main(int argc, char **argv)
{
	struct certificates certificates = {0};
	static struct image image;
	unsigned counts[2] = {0, 0}; /* failed, passed */

	if (argc != 6) {
		fprintf(stderr, "usage: tamper IMAGE CERTIFICATE[,...] MANIFEST|- COUNT SEED\n");
		return 2;
	}
	certificates_load(argv[2], &certificates);
	image_open(&image, argv, &certificates);
	counts[check_untouched(&image)]++;
	for (const struct place *place = places; image.raw && place->what; place++)
		if (has_place(&image, place))
			counts[check_place(&image, place)]++;
	counts[random_places(&image, strtoul(argv[4], NULL, 10), strtoull(argv[5], NULL, 10))]++;
	printf("%u passed, %u failed\n", counts[true], counts[false]);
	image_done(&image);
	certificates_done(&certificates);
	return counts[false] ? 1 : 0;
}

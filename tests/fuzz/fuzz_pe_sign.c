/* Programs from anywhere: checked, and given a signature that must be found again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/pe_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int rc)
{
	if (rc < 0)
		abort();
}

/* A table added to what can be signed is read back, and the digest stays. */
static void attach(struct ingot_source *source, const struct ingot_pe_place *place,
		   const uint8_t *old, size_t old_n)
{
	INGOT_SOURCE struct ingot_source *image = NULL;
	INGOT_FREE uint8_t *table = NULL, *again = NULL;
	struct ingot_pe_certificate list[INGOT_PE_SIGNATURES_MAX];
	uint8_t before[INGOT_SHA256_SIZE], after[INGOT_SHA256_SIZE];
	struct ingot_pe_place now;
	struct ingot_error err = {0};
	size_t n, again_n, count;

	if (ingot_pe_table_add(old, old_n, (const uint8_t *)"signature", 9, &table, &n, &err) < 0)
		return;
	must(ingot_pe_digest(source, place, before, &err));
	must(ingot_pe_attach(source, place, table, n, &image, &err));
	must(ingot_pe_place_read(image, &now, &err));
	must(ingot_pe_digest(image, &now, after, &err));
	must(ingot_pe_table_load(image, &now, &again, &again_n, &err));
	must(ingot_pe_table_read(again, again_n, list, &count, &err));
	if (count == 0 || list[count - 1].n != 9 ||
	    memcmp(list[count - 1].data, "signature", 9) != 0)
		abort();
	if (memcmp(before, after, sizeof(before)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_FREE uint8_t *table = NULL;
	struct ingot_authenticode_report report;
	struct ingot_pe_place place;
	struct ingot_error err = {0};
	size_t n;

	must(ingot_source_memory("program", data, size, &source, &err));
	/* Without a certificate to trust, nothing is good. */
	if (ingot_authenticode_verify(source, NULL, 0, &report, &err) == 0)
		abort();
	ingot_authenticode_report_done(&report);
	if (ingot_pe_place_read(source, &place, &err) < 0)
		return 0;
	must(ingot_pe_table_load(source, &place, &table, &n, &err));
	attach(source, &place, table, n);
	return 0;
}

/* Places that nobody chose: the same ones for the same seed. */
#include "tamper.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* xorshift64*: the same places for the same seed. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

struct run {
	uint64_t start, length;
};

/* What is not a hole, up to 4096 runs; *total is its size. */
static size_t find_runs(const struct image *image, struct run *runs, uint64_t *total)
{
	struct ingot_source *file = image->flip.below;
	struct ingot_extent extent;
	struct ingot_error err;
	size_t count = 0;

	*total = 0;
	for (uint64_t at = 0; at < file->size; at += extent.length) {
		must(ingot_source_extent(file, at, &extent, &err), &err);
		if (extent.hole)
			continue;
		assert(count < 4096);
		runs[count++] = (struct run){at, extent.length};
		*total += extent.length;
	}
	return count;
}

static bool is_in(uint64_t at, const struct ingot_gpt_partition *p)
{
	return p && at >= p->start && at < p->start + p->size;
}

/* The checks whose business a byte of a raw disk is, without the manifest's. */
static const char *owners(const struct image *image, uint64_t at)
{
	unsigned sector = image->gpt->sector_size;

	if (at < 34 * (uint64_t)sector || at >= image->gpt->disk_size - 33 * (uint64_t)sector)
		return "gpt.mbr|gpt.primary|gpt.backup|gpt.agreement|gpt.partitions";
	if (is_in(at, image->usr) || is_in(at, image->hash))
		return "verity.tree|verity.superblock|verity.unused";
	if (is_in(at, image->signature))
		return "signature.partition|roothash.signature-partition";
	if (is_in(at, image->esp))
		return "esp.filesystem|uki.structure|uki.sections|uki.cmdline|uki.initrd|"
		       "uki.signature|roothash.veritytab|roothash.cmdline|signature.initrd|"
		       "signature.certificates";
	if (is_in(at, image->root))
		return "root.filesystem";
	if (is_in(at, image->oem))
		return "oem.filesystem";
	return "unused.gaps|unused.partitions";
}

/* Contents that only a digest of all bytes can see: it has to name the partition. */
static bool is_named_by_manifest(const struct image *image,
				 const struct ingot_verify_report *report, uint64_t at)
{
	const struct ingot_gpt_partition *const parts[] = {image->esp, image->root, image->oem};
	const char *found = ingot_verify_find(report, "manifest.blocks")->found;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (is_in(at, parts[i]))
			return any_bad(report, "manifest.blocks") &&
			       strstr(found, parts[i]->name) && any_bad(report, "manifest.digest");
	return false;
}

struct tally {
	unsigned structure, manifest, missed, wrong;
	unsigned same; /* a compressed stream that unpacks to the same disk, by its digests */
};

static void check_random(struct image *image, uint64_t at, uint8_t bits, struct tally *tally)
{
	struct ingot_verify_report *report = verify(image, at, bits);
	unsigned before = tally->missed + tally->wrong;

	if (report->good && !image->raw && image->options.manifest)
		tally->same++;
	else if (report->good)
		tally->missed++;
	else if (!image->raw || any_bad(report, owners(image, at)))
		tally->structure++;
	else if (is_named_by_manifest(image, report, at))
		tally->manifest++;
	else
		tally->wrong++;
	if (tally->missed + tally->wrong > before) {
		printf("byte %llu ^ 0x%02x: %s\n", (unsigned long long)at, bits,
		       report->good ? "MISSED" : "refused");
		print_bad(report);
	}
	ingot_verify_report_free(report);
}

bool random_places(struct image *image, unsigned long count, uint64_t seed)
{
	static struct run runs[4096];
	struct tally tally = {0};
	uint64_t total, state = seed * 2 + 1;
	size_t n = find_runs(image, runs, &total);

	for (unsigned long i = 0; i < count; i++) {
		uint64_t at = next_random(&state) % total;
		uint8_t bits = (uint8_t)(1 + next_random(&state) % 255);
		size_t run = 0;

		while (run + 1 < n && at >= runs[run].length)
			at -= runs[run++].length;
		check_random(image, runs[run].start + at, bits, &tally);
	}
	printf("%s  %lu random bytes of %llu (seed %llu): %u refused by their own check, %u by the "
	       "manifest's digest of their partition, %u by another, %u that leave the disk as it "
	       "is, %u missed\n",
	       tally.missed + tally.wrong ? "FAILED" : "ok    ", count, (unsigned long long)total,
	       (unsigned long long)seed, tally.structure, tally.manifest, tally.wrong, tally.same,
	       tally.missed);
	return tally.missed + tally.wrong == 0;
}

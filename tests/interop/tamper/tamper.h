/*
 * What the files of this program share: an image, where its parts are, one changed byte.
 *
 * flip.c is the changed byte, image.c finds the parts, base.c gives them names, places.c is the
 * table of places, random.c takes any place, main.c asks `ingot verify`.
 */
#ifndef TAMPER_H
#define TAMPER_H

#include "boot/initrd_read.h"
#include "boot/pe.h"
#include "disk/gpt.h"
#include "fs/fat_read.h"
#include "image/verify.h"
#include "verity/geometry.h"

/* --- flip.c: a source with one byte changed ---------------------------- */

struct flip {
	struct ingot_source source;
	struct ingot_source *below; /* owned */
	uint64_t at;
	uint8_t bits; /* 0: nothing is changed */
};

/* Opens the file; ends the program if it cannot. flip_done closes it. */
void flip_init(struct flip *flip, const char *path);
void flip_done(struct flip *flip);

/* --- image.c: where everything is -------------------------------------- */

struct image {
	struct flip flip;
	struct ingot_verify_options options;
	bool raw;
	struct ingot_source *disk; /* of the untouched container */
	struct ingot_gpt *gpt;
	struct ingot_fat_volume volume;
	uint64_t uki, uki_size; /* on the disk */
	struct ingot_pe pe;
	uint64_t initrd, initrd_size;
	struct ingot_initrd_archive archive;
	const struct ingot_gpt_partition *esp, *usr, *hash, *signature, *root, *oem;
	uint64_t superblock; /* on the disk */
	struct ingot_verity_geometry geometry;
	uint64_t tree_base; /* what the geometry's offsets count from */
};

/* Finds the parts of the image that flip reads; ends the program where one is missing. */
void image_find(struct image *image);
void image_done(struct image *image);

/* The first partition whose name ends in one of these; NULL: none. */
const struct ingot_gpt_partition *find_partition(const struct image *image,
						 const char *const *labels);

/* Ends the program, saying why. */
void must(int rc, const struct ingot_error *err);

/* --- base.c ------------------------------------------------------------ */

#define NOWHERE UINT64_MAX

/* Where the place of that name is on the disk; NOWHERE: not in this image. */
uint64_t base(const struct image *image, const char *name);

/* --- places.c ---------------------------------------------------------- */

/* What is changed, where, by which bits, and which check has to say no: one of these names. */
struct place {
	const char *what, *base;
	uint64_t offset;
	uint8_t bits;
	const char *checks;
};

/* .what NULL at the end. A manifest is not needed for any of them, unless the check is its own. */
extern const struct place places[];

/* --- main.c: asking ---------------------------------------------------- */

/* With these bits of this byte changed; free it with ingot_verify_report_free. */
struct ingot_verify_report *verify(struct image *image, uint64_t at, uint8_t bits);

/* Whether one of the checks "a|b|c" failed. */
bool any_bad(const struct ingot_verify_report *report, const char *checks);
void print_bad(const struct ingot_verify_report *report);

/* --- random.c ---------------------------------------------------------- */

/* Changes `count` bytes of what is not a hole, one at a time; whether each was refused. */
bool random_places(struct image *image, unsigned long count, uint64_t seed);

#endif

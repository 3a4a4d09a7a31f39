/*
 * Bytes of a filesystem that are changed one bit at a time, each of which its checker has to see,
 * and mistakes that it has to name.
 */
#ifndef FLIP_SUPPORT_H
#define FLIP_SUPPORT_H

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/problems.h"
#include "io/source.h"

enum whose { ANYBODYS, OURS };

/* The checker: each test has its own. */
static int check(struct ingot_source *source, enum whose whose, struct ingot_problems *problems,
		 struct ingot_error *err);

struct flips {
	struct ingot_source *source;
	unsigned char *bytes;		/* what the source reads */
	const unsigned char *free_bits; /* any value of these is a good one */
	size_t changed, missed;
};

/* text: the problems, or why there was no checking */
static inline bool is_whole(struct ingot_source *source, enum whose whose, char *text, size_t size)
{
	struct ingot_problems problems = {0};
	struct ingot_error err = {0};
	int rc = check(source, whose, &problems, &err);
	bool whole = rc == 0 && !ingot_problems_any(&problems);
	INGOT_FREE char *said = ingot_problems_text(&problems);

	snprintf(text, size, "%s", rc < 0 ? err.text : said ? said : "");
	ingot_problems_done(&problems);
	return whole;
}

static inline void assert_whole(struct ingot_source *source)
{
	char text[1024];

	if (!is_whole(source, OURS, text, sizeof(text)))
		fail_msg("%s", text);
	if (!is_whole(source, ANYBODYS, text, sizeof(text)))
		fail_msg("%s", text);
}

/* Every bit of a byte that is not free; of one that is zero, as many are, a single bit. */
static inline void flip_byte(struct flips *f, size_t at)
{
	char text[1024];

	for (unsigned bit = 0; bit < 8; bit++) {
		unsigned char flip = (unsigned char)(1U << bit);

		if (f->free_bits[at] & flip || (!f->bytes[at] && bit != at * 5 % 8))
			continue;
		f->bytes[at] ^= flip;
		f->changed++;
		if (is_whole(f->source, OURS, text, sizeof(text))) {
			print_message("missed: bit %u of byte %zu\n", bit, at);
			f->missed++;
		}
		f->bytes[at] ^= flip;
	}
}

static inline void assert_none_missed(const struct flips *f)
{
	print_message("%zu changes\n", f->changed);
	assert_int_equal(f->missed, 0);
	assert_whole(f->source);
}

/* A number in another place's stead is a problem with these words. */
static inline void assert_says(struct flips *f, uint64_t at, uint32_t value, const char *words)
{
	unsigned char before[4];
	char text[4096];

	memcpy(before, f->bytes + at, 4);
	ingot_put_le32(f->bytes + at, value);
	assert_false(is_whole(f->source, ANYBODYS, text, sizeof(text)));
	if (!strstr(text, words))
		fail_msg("'%s' not in: %s", words, text);
	memcpy(f->bytes + at, before, 4);
}

#endif

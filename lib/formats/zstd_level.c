/*
 * libzstd's own levels are made for large inputs: they clear tables of hundreds of KiB before every
 * 64 KiB. These are for the size that we have. All are given, so that the bytes depend on
 * libzstd's version alone and on nothing that it thinks is best.
 */
#include "formats/zstd_level_internal.h"

#include <errno.h>
#include <stddef.h>
#include <zstd.h>

enum { WINDOW_LOG = 16 };

struct level {
	int strategy;
	int hash_log, chain_log; /* with ZSTD_dfast: the tables of long and of short matches */
	int search_log, min_match, target_length;
};

/* 6 to 9 are libzstd's for 64 KiB: its levels 6, 9, 13 and 19. */
static const struct level LEVELS[] = {
	{ZSTD_fast, 11, 11, 1, 6, 0},	    {ZSTD_fast, 12, 12, 1, 5, 0},
	{ZSTD_dfast, 13, 12, 1, 4, 0},	    {ZSTD_dfast, 13, 13, 1, 4, 0},
	{ZSTD_dfast, 14, 13, 1, 4, 0},	    {ZSTD_lazy, 17, 16, 3, 4, 4},
	{ZSTD_lazy2, 17, 16, 5, 4, 8},	    {ZSTD_btopt, 17, 17, 3, 4, 12},
	{ZSTD_btultra2, 17, 17, 5, 3, 256},
};

int ingot_zstd_set_level(struct ZSTD_CCtx_s *zstd, unsigned level, struct ingot_error *err)
{
	const struct level *l = &LEVELS[level - 1];
	const struct {
		ZSTD_cParameter name;
		int value;
	} parameters[] = {
		{ZSTD_c_windowLog, WINDOW_LOG},
		{ZSTD_c_strategy, l->strategy},
		{ZSTD_c_hashLog, l->hash_log},
		{ZSTD_c_chainLog, l->chain_log},
		{ZSTD_c_searchLog, l->search_log},
		{ZSTD_c_minMatch, l->min_match},
		{ZSTD_c_targetLength, l->target_length},
		{ZSTD_c_enableLongDistanceMatching, 0},
		{ZSTD_c_contentSizeFlag, 1},
		{ZSTD_c_checksumFlag, 0},
	};

	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++) {
		size_t rc = ZSTD_CCtx_setParameter(zstd, parameters[i].name, parameters[i].value);

		if (ZSTD_isError(rc))
			return ingot_raise(err, -EINVAL, "Zstandard at level %u: %s", level,
					   ZSTD_getErrorName(rc));
	}
	return 0;
}

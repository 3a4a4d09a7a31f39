/* What the levels of the command line are for Zstandard, over pieces of 64 KiB. */
#ifndef INGOT_FORMATS_ZSTD_LEVEL_INTERNAL_H
#define INGOT_FORMATS_ZSTD_LEVEL_INTERNAL_H

#include "base/error.h"

struct ZSTD_CCtx_s;

/* level is 1 .. 9. Every later ZSTD_compress2 is at that level. */
INGOT_MUST_USE int ingot_zstd_set_level(struct ZSTD_CCtx_s *zstd, unsigned level,
					struct ingot_error *err);

#endif

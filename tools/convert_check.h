/* `ingot convert --check`: what is wanted of files, and what is found, a line each. */
#ifndef INGOT_TOOLS_CONVERT_CHECK_H
#define INGOT_TOOLS_CONVERT_CHECK_H

#include "cli.h"

/* The arguments are the files. 0: all checks passed; 1: some failed. */
INGOT_MUST_USE int convert_check(const struct cli *cli, const char *target, bool json,
				 struct ingot_error *err);

#endif

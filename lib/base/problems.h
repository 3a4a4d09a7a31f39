/*
 * A list of problems, for input that is checked as a whole: a recipe's author
 * wants every mistake at once, each with its line and column.
 */
#ifndef INGOT_BASE_PROBLEMS_H
#define INGOT_BASE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define INGOT_PROBLEMS_MAX 100 /* the rest is counted, not kept */

struct ingot_problem {
	char *file;	     /* NULL: not about a file */
	size_t line, column; /* from 1; 0: no place */
	char *text;
};

struct ingot_problems {
	struct ingot_problem *list;
	size_t count; /* kept in list */
	size_t more;  /* seen beyond INGOT_PROBLEMS_MAX */
	bool oom;     /* one could not be kept for want of memory */
};

INGOT_API void ingot_problems_done(struct ingot_problems *problems);

INGOT_API void ingot_problem_add(struct ingot_problems *problems, const char *file, size_t line,
				 size_t column, const char *format, ...) INGOT_PRINTF(5, 6);

/* A problem that has no file and no place but what its text says. */
INGOT_API void ingot_problem_say(struct ingot_problems *problems, const char *format, ...)
	INGOT_PRINTF(2, 3);

/* Whether anything was found. */
INGOT_API bool ingot_problems_any(const struct ingot_problems *problems);

/*
 * Sorted by file, line and column, as one text: a line "FILE:LINE:COLUMN: TEXT" each.
 * The caller frees it. NULL: out of memory.
 */
INGOT_API char *ingot_problems_text(struct ingot_problems *problems);

#endif

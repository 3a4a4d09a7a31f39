#include "base/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void ingot_problems_done(struct ingot_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].file);
		free(problems->list[i].text);
	}
	free(problems->list);
	*problems = (struct ingot_problems){0};
}

static bool grow(struct ingot_problems *problems)
{
	struct ingot_problem *list;

	list = realloc(problems->list, (problems->count + 1) * sizeof(*list));
	if (!list)
		return false;
	problems->list = list;
	return true;
}

static void add(struct ingot_problems *problems, const char *file, struct ingot_problem p,
		const char *format, va_list args)
{
	if (problems->count >= INGOT_PROBLEMS_MAX) {
		problems->more++;
		return;
	}
	if (vasprintf(&p.text, format, args) < 0) {
		problems->oom = true;
		return;
	}
	p.file = file ? strdup(file) : NULL;
	if ((file && !p.file) || !grow(problems)) {
		free(p.text);
		free(p.file);
		problems->oom = true;
		return;
	}
	problems->list[problems->count++] = p;
}

void ingot_problem_add(struct ingot_problems *problems, const char *file, size_t line,
		       size_t column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, file, (struct ingot_problem){.line = line, .column = column}, format, args);
	va_end(args);
}

void ingot_problem_say(struct ingot_problems *problems, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, NULL, (struct ingot_problem){0}, format, args);
	va_end(args);
}

bool ingot_problems_any(const struct ingot_problems *problems)
{
	return problems->count > 0 || problems->oom;
}

static int compare(const void *a, const void *b)
{
	const struct ingot_problem *x = a, *y = b;
	int c = strcmp(x->file ? x->file : "", y->file ? y->file : "");

	if (c)
		return c;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->text, y->text);
}

static void print(FILE *f, const struct ingot_problem *p)
{
	if (p->file && p->line)
		fprintf(f, "%s:%zu:%zu: %s\n", p->file, p->line, p->column, p->text);
	else if (p->file)
		fprintf(f, "%s: %s\n", p->file, p->text);
	else
		fprintf(f, "%s\n", p->text);
}

char *ingot_problems_text(struct ingot_problems *problems)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int incomplete;

	if (!f)
		return NULL;
	if (problems->count)
		qsort(problems->list, problems->count, sizeof(*problems->list), compare);
	for (size_t i = 0; i < problems->count; i++)
		print(f, &problems->list[i]);
	if (problems->more)
		fprintf(f, "and %zu more\n", problems->more);
	if (problems->oom)
		fprintf(f, "out of memory while collecting problems\n");
	incomplete = ferror(f);
	if (fclose(f) != 0 || incomplete) {
		free(text);
		return NULL;
	}
	return text;
}

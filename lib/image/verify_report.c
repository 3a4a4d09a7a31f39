#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/inspect_internal.h"
#include "image/verify_internal.h"

const char *ingot_verify_verdict_name(enum ingot_verify_verdict verdict)
{
	switch (verdict) {
	case INGOT_VERIFY_GOOD:
		return "good";
	case INGOT_VERIFY_BAD:
		return "bad";
	case INGOT_VERIFY_NOT_APPLICABLE:
		return "not applicable";
	case INGOT_VERIFY_NOT_CHECKED:
		break;
	}
	return "not checked";
}

/* --- a row ------------------------------------------------------------- */

static int set_text(char **to, const char *format, va_list args)
{
	char *text = NULL;

	free(*to);
	*to = NULL;
	if (vasprintf(&text, format, args) < 0)
		return -ENOMEM;
	*to = text;
	return 0;
}

#define SET(row, member, format)                                                                   \
	__extension__({                                                                            \
		va_list args_;                                                                     \
		int rc_;                                                                           \
		va_start(args_, format);                                                           \
		rc_ = set_text(&(row)->member, format, args_);                                     \
		va_end(args_);                                                                     \
		rc_;                                                                               \
	})

int row_good(struct ingot_verify_row *row, const char *format, ...)
{
	row->verdict = INGOT_VERIFY_GOOD;
	return SET(row, found, format);
}

int row_bad(struct ingot_verify_row *row, const char *format, ...)
{
	row->verdict = INGOT_VERIFY_BAD;
	return SET(row, found, format);
}

int row_not_applicable(struct ingot_verify_row *row, const char *format, ...)
{
	row->verdict = INGOT_VERIFY_NOT_APPLICABLE;
	return SET(row, found, format);
}

int row_expect(struct ingot_verify_row *row, const char *format, ...)
{
	return SET(row, expected, format);
}

/* --- the report -------------------------------------------------------- */

int verify_add_open(struct verification *v, const char *format, ...)
{
	struct ingot_verify_report *report = v->report;
	char **more = realloc(report->open, (report->open_count + 1) * sizeof(*more));
	va_list args;
	int n;

	if (!more)
		return -ENOMEM;
	report->open = more;
	va_start(args, format);
	n = vasprintf(&report->open[report->open_count], format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	report->open_count++;
	return 0;
}

void ingot_verify_report_free(struct ingot_verify_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->count; i++) {
		free(report->rows[i].expected);
		free(report->rows[i].found);
	}
	for (size_t i = 0; i < report->open_count; i++)
		free(report->open[i]);
	free(report->open);
	free(report->rows);
	free(report);
}

const struct ingot_verify_row *ingot_verify_find(const struct ingot_verify_report *report,
						 const char *name)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->rows[i].name, name) == 0)
			return &report->rows[i];
	return NULL;
}

static json_t *row_json(struct inspection *in, const struct ingot_verify_row *row)
{
	json_t *o = json_object();

	inspect_set(in, o, "name", json_string(row->name));
	inspect_set(in, o, "verdict", json_string(ingot_verify_verdict_name(row->verdict)));
	inspect_set(in, o, "expected", inspect_text(row->expected, strlen(row->expected)));
	inspect_set(in, o, "found", inspect_text(row->found, strlen(row->found)));
	return o;
}

json_t *ingot_verify_json(const struct ingot_verify_report *report)
{
	json_t *o = json_object(), *rows = json_array(), *open = json_array();
	struct inspection notes = {0}, *in = &notes;

	for (size_t i = 0; i < report->count; i++)
		inspect_append(in, rows, row_json(in, &report->rows[i]));
	for (size_t i = 0; i < report->open_count; i++)
		inspect_append(in, open, inspect_text(report->open[i], strlen(report->open[i])));
	inspect_set(in, o, "verified", json_boolean(report->good));
	inspect_set(in, o, "format", json_string(report->format));
	inspect_set(in, o, "checks", rows);
	inspect_set(in, o, "not_covered", open);
	if (!in->no_memory)
		return o;
	json_decref(o);
	return NULL;
}

/* --- words ------------------------------------------------------------- */

const char *verify_partition_text(const struct ingot_gpt_partition *p, char *text, size_t size)
{
	(void)snprintf(text, size, "partition %u '%s'", p->number, p->name);
	return text;
}

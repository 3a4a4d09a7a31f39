#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char ELLIPSIS[] = " ... ";

int ingot_raise(struct ingot_error *err, int rc, const char *format, ...)
{
	va_list args;

	assert(rc < 0);
	if (!err)
		return rc;
	err->code = rc;
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return rc;
}

int ingot_raise_errno(struct ingot_error *err, int errnum, const char *format, ...)
{
	va_list args;
	size_t len;

	assert(errnum > 0);
	if (!err)
		return -errnum;
	err->code = -errnum;
	va_start(args, format);
	/* Room for the cause is kept whatever the length of the rest. */
	(void)vsnprintf(err->text, sizeof(err->text) - 128, format, args);
	va_end(args);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(errnum));
	return -errnum;
}

int ingot_wrap(struct ingot_error *err, int rc, const char *format, ...)
{
	char front[INGOT_ERROR_MAX / 2];
	size_t n, tail, room, drop;
	va_list args;

	assert(rc < 0);
	if (!err)
		return rc;
	va_start(args, format);
	(void)vsnprintf(front, sizeof(front), format, args);
	va_end(args);
	n = strlen(front);
	memcpy(front + n, ": ", n + 2 < sizeof(front) ? 3 : 1);
	n = strlen(front);
	tail = strlen(err->text);
	room = sizeof(err->text) - 1 - n;
	if (tail <= room) {
		memmove(err->text + n, err->text, tail + 1);
	} else {
		/* The cause stands at the end and must survive. */
		drop = tail - room + sizeof(ELLIPSIS) - 1;
		memmove(err->text + n + sizeof(ELLIPSIS) - 1, err->text + drop, tail - drop + 1);
		memcpy(err->text + n, ELLIPSIS, sizeof(ELLIPSIS) - 1);
	}
	memcpy(err->text, front, n);
	return rc;
}

int ingot_raise_oom(struct ingot_error *err, size_t size)
{
	return ingot_raise(err, -ENOMEM, "out of memory (%zu bytes wanted)", size);
}

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ELLIPSIS[] = " ... ";
enum { ELLIPSIS_SIZE = sizeof(ELLIPSIS) - 1, CAUSE_ROOM = 128 };

/* text of n bytes into out[size]; where it does not fit, its middle goes. */
static void squeeze(char *out, size_t size, const char *text, size_t n)
{
	size_t front, back;

	if (n < size) {
		memcpy(out, text, n);
		out[n] = '\0';
		return;
	}
	front = (size - 1 - ELLIPSIS_SIZE) / 2;
	back = size - 1 - ELLIPSIS_SIZE - front;
	memcpy(out, text, front);
	memcpy(out + front, ELLIPSIS, ELLIPSIS_SIZE);
	memcpy(out + front + ELLIPSIS_SIZE, text + n - back, back);
	out[size - 1] = '\0';
}

/* The arguments may point into an older sentence, so out must not overlap them. */
static INGOT_PRINTF(3, 0) void print(char *out, size_t size, const char *format, va_list args)
{
	char *whole = NULL;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(out, size, format, args);
	if (n < 0)
		out[0] = '\0';
	/* Without memory for the whole, its beginning has to do. */
	if (n > 0 && (size_t)n >= size && vasprintf(&whole, format, again) == n) {
		squeeze(out, size, whole, (size_t)n);
		free(whole);
	}
	va_end(again);
}

int ingot_raise(struct ingot_error *err, int rc, const char *format, ...)
{
	char text[INGOT_ERROR_MAX];
	va_list args;

	assert(rc < 0);
	if (!err)
		return rc;
	va_start(args, format);
	print(text, sizeof(text), format, args);
	va_end(args);
	err->code = rc;
	memcpy(err->text, text, strlen(text) + 1);
	return rc;
}

int ingot_raise_errno(struct ingot_error *err, int errnum, const char *format, ...)
{
	/* A library that failed without a reason still failed. */
	int known = errnum > 0 ? errnum : EIO;
	char text[INGOT_ERROR_MAX - CAUSE_ROOM];
	va_list args;

	if (!err)
		return -known;
	va_start(args, format);
	print(text, sizeof(text), format, args);
	va_end(args);
	err->code = -known;
	(void)snprintf(err->text, sizeof(err->text), "%s: %s", text, strerror(known));
	return -known;
}

int ingot_wrap(struct ingot_error *err, int rc, const char *format, ...)
{
	char front[INGOT_ERROR_MAX / 2], back[INGOT_ERROR_MAX];
	size_t n;
	va_list args;

	assert(rc < 0);
	if (!err)
		return rc;
	va_start(args, format);
	print(front, sizeof(front) - 2, format, args);
	va_end(args);
	n = strlen(front);
	memcpy(front + n, ": ", 3);
	n += 2;
	memcpy(back, err->text, strlen(err->text) + 1);
	memcpy(err->text, front, n);
	squeeze(err->text + n, sizeof(err->text) - n, back, strlen(back));
	err->code = rc;
	return rc;
}

int ingot_raise_oom(struct ingot_error *err, size_t size)
{
	if (size == 0)
		return ingot_raise(err, -ENOMEM, "out of memory");
	return ingot_raise(err, -ENOMEM, "out of memory (%zu bytes wanted)", size);
}

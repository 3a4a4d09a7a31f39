#include "sign/der_internal.h"

#include <errno.h>
#include <string.h>

/* --- writing ----------------------------------------------------------- */

static bool make_room(struct der *der, size_t more)
{
	if (der->rc < 0)
		return false;
	if (more > DER_MAX - der->n)
		der->rc =
			ingot_raise(der->err, -EFBIG, "a signature of more than %d bytes", DER_MAX);
	else
		der->rc = ingot_grow((void **)&der->data, &der->room, der->n + more, 1, der->err);
	return der->rc == 0;
}

void der_raw(struct der *der, const void *data, size_t n)
{
	if (n == 0 || !make_room(der, n))
		return;
	memcpy(der->data + der->n, data, n);
	der->n += n;
}

/* X.690, 8.1.3: the length's bytes. Returns how many. */
static size_t put_length(uint8_t bytes[4], size_t n)
{
	size_t count = n < 0x80 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : 4;

	bytes[0] = count == 1 ? (uint8_t)n : (uint8_t)(0x80 | (count - 1));
	for (size_t i = 1; i < count; i++)
		bytes[i] = (uint8_t)(n >> (8 * (count - 1 - i)));
	return count;
}

size_t der_open(struct der *der, uint8_t tag)
{
	der_raw(der, &tag, 1);
	return der->n;
}

void der_close(struct der *der, size_t at)
{
	uint8_t bytes[4];
	size_t n = der->rc < 0 ? 0 : der->n - at, count;

	count = put_length(bytes, n);
	if (!make_room(der, count))
		return;
	memmove(der->data + at + count, der->data + at, n);
	memcpy(der->data + at, bytes, count);
	der->n += count;
}

void der_put(struct der *der, uint8_t tag, const void *content, size_t n)
{
	size_t at = der_open(der, tag);

	der_raw(der, content, n);
	der_close(der, at);
}

static bool is_before(const struct der_element *a, const struct der_element *b)
{
	int order = memcmp(a->data, b->data, a->n < b->n ? a->n : b->n);

	return order < 0 || (order == 0 && a->n < b->n);
}

void der_sort(struct der_element *elements, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct der_element element = elements[i];
		size_t j = i;

		for (; j > 0 && is_before(&element, &elements[j - 1]); j--)
			elements[j] = elements[j - 1];
		elements[j] = element;
	}
}

int der_finish(struct der *der, uint8_t **ret, size_t *ret_n)
{
	if (der->rc < 0)
		return der->rc;
	*ret = INGOT_TAKE(der->data);
	*ret_n = der->n;
	return 0;
}

/* --- reading ----------------------------------------------------------- */

/* Length bytes at p[1]; DER has one way only to write a length. */
static bool read_length(const struct der_view *in, size_t *ret_head, size_t *ret_n)
{
	size_t count, n = 0;

	if (in->n < 2)
		return false;
	if (in->p[1] < 0x80) {
		*ret_head = 2;
		*ret_n = in->p[1];
		return true;
	}
	count = in->p[1] & 0x7fU;
	if (count < 1 || count > 4 || in->n < 2 + count)
		return false;
	for (size_t i = 0; i < count; i++)
		n = n << 8 | in->p[2 + i];
	if (n < 0x80 || in->p[2] == 0)
		return false;
	*ret_head = 2 + count;
	*ret_n = n;
	return true;
}

bool der_is_next(const struct der_view *in, uint8_t tag)
{
	return in->n > 0 && in->p[0] == tag;
}

bool der_take_whole(struct der_view *in, uint8_t tag, struct der_view *ret, struct der_view *whole)
{
	size_t head, n;

	if (!der_is_next(in, tag) || !read_length(in, &head, &n) || n > in->n - head)
		return false;
	*ret = (struct der_view){in->p + head, n};
	*whole = (struct der_view){in->p, head + n};
	in->p += head + n;
	in->n -= head + n;
	return true;
}

bool der_take(struct der_view *in, uint8_t tag, struct der_view *ret)
{
	struct der_view whole;

	return der_take_whole(in, tag, ret, &whole);
}

bool der_equal(const struct der_view *a, const void *data, size_t n)
{
	return a->n == n && memcmp(a->p, data, n) == 0;
}

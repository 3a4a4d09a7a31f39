#include "formats/kept_internal.h"

#include <stdlib.h>
#include <string.h>

void ingot_kept_init(struct ingot_kept *kept)
{
	(void)pthread_mutex_init(&kept->lock, NULL);
}

void ingot_kept_done(struct ingot_kept *kept)
{
	for (size_t i = 0; i < INGOT_KEPT_PIECES; i++)
		free(kept->pieces[i].data);
	(void)pthread_mutex_destroy(&kept->lock);
}

bool ingot_kept_copy(struct ingot_kept *kept, uint64_t number, size_t inside, void *data, size_t n)
{
	size_t place = (size_t)(number % INGOT_KEPT_PIECES);
	bool found;

	(void)pthread_mutex_lock(&kept->lock);
	found = kept->pieces[place].data && kept->pieces[place].number == number;
	if (found)
		memcpy(data, kept->pieces[place].data + inside, n);
	(void)pthread_mutex_unlock(&kept->lock);
	return found;
}

void ingot_kept_put(struct ingot_kept *kept, uint64_t number, unsigned char **piece)
{
	size_t place = (size_t)(number % INGOT_KEPT_PIECES);
	unsigned char *before;

	(void)pthread_mutex_lock(&kept->lock);
	before = kept->pieces[place].data;
	kept->pieces[place].data = *piece;
	kept->pieces[place].number = number;
	(void)pthread_mutex_unlock(&kept->lock);
	*piece = before;
}

#include "image/background_internal.h"

#include "io/source.h"

static void compute(struct background_digest *b)
{
	INGOT_SOURCE struct ingot_source *source = NULL;

	b->rc = ingot_source_open(b->path, &source, &b->err);
	if (b->rc < 0)
		return;
	b->size = source->size;
	b->rc = ingot_source_sha256(source, b->digest, &b->err);
}

static void *run(void *arg)
{
	compute(arg);
	return NULL;
}

void background_digest_start(struct background_digest *b, const char *path)
{
	*b = (struct background_digest){.path = path};
	b->running = pthread_create(&b->thread, NULL, run, b) == 0;
	if (!b->running)
		compute(b);
}

void background_digest_done(struct background_digest *b)
{
	if (b->running)
		(void)pthread_join(b->thread, NULL);
	b->running = false;
}

int background_digest_wait(struct background_digest *b, struct ingot_error *err)
{
	background_digest_done(b);
	if (b->rc < 0)
		return ingot_raise(err, b->rc, "%s", b->err.text);
	return 0;
}

#include "image/digest_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "io/pool.h"

enum { BLOCK = IMAGE_DIGEST_BLOCK };

struct pass {
	struct ingot_source *source;
	const struct ingot_progress *progress;
	struct image_digests *digests;
	struct ingot_sha256 *whole; /* NULL: the blocks only */
	unsigned char *zeros;	    /* a block of them */
	const struct image_digests_shared *shared;
};

struct slot {
	unsigned char *data;
	size_t size;
	bool zero;
	struct ingot_sha256 *sha;
};

static int slot_init(void *context, void *user, struct ingot_error *err)
{
	struct slot *slot = user;

	(void)context;
	slot->data = ingot_alloc_buffer(BLOCK, err);
	slot->sha = slot->data ? ingot_sha256_new(err) : NULL;
	return slot->sha ? 0 : -ENOMEM;
}

static void slot_done(void *context, void *user)
{
	struct slot *slot = user;

	(void)context;
	free(slot->data);
	ingot_sha256_free(slot->sha);
}

static int is_hole(struct ingot_source *source, uint64_t offset, size_t size, bool *ret,
		   struct ingot_error *err)
{
	uint64_t end = offset + size;
	struct ingot_extent run;

	*ret = true;
	for (; *ret && offset < end; offset += run.length) {
		int rc = ingot_source_extent(source, offset, &run, err);

		if (rc < 0)
			return rc;
		*ret = run.hole;
	}
	return 0;
}

static bool is_shared(const struct image_digests_shared *shared, uint64_t offset, size_t size)
{
	if (!shared || !shared->base || offset + size > shared->base_size)
		return false;
	if (size < BLOCK && offset + size != shared->base_size)
		return false;
	for (size_t i = 0; i < shared->own_count; i++)
		if (shared->own[i].offset < offset + size &&
		    offset - ingot_min(offset, shared->own[i].offset) < shared->own[i].length)
			return false;
	return true;
}

static int work(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	const struct pass *pass = context;
	struct image_block_digest *block = &pass->digests->blocks[index];
	struct slot *slot = user;
	uint64_t offset = index * BLOCK;
	int rc;

	slot->size = (size_t)ingot_min(BLOCK, pass->source->size - offset);
	if (is_shared(pass->shared, offset, slot->size)) {
		*block = pass->shared->base->blocks[index];
		return 0;
	}
	rc = is_hole(pass->source, offset, slot->size, &slot->zero, err);
	if (rc == 0 && !slot->zero) {
		rc = ingot_source_read(pass->source, offset, slot->data, slot->size, err);
		slot->zero = rc == 0 && memcmp(slot->data, pass->zeros, slot->size) == 0;
	}
	block->zero = slot->zero;
	if (rc < 0 || slot->zero)
		return rc;
	rc = ingot_sha256_update(slot->sha, slot->data, slot->size, err);
	return rc < 0 ? rc : ingot_sha256_final(slot->sha, block->sha256, err);
}

static int commit(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	struct pass *pass = context;
	const struct slot *slot = user;

	if (!pass->whole)
		return 0;
	ingot_progress_report(pass->progress, index * BLOCK + slot->size, pass->source->size);
	return ingot_sha256_update(pass->whole, slot->zero ? pass->zeros : slot->data, slot->size,
				   err);
}

static int run(struct pass *pass, unsigned jobs, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct slot),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit};
	int rc = ingot_pool_run(jobs, pass->digests->count, &ops, pass, err);

	return rc < 0 || !pass->whole ? rc
				      : ingot_sha256_final(pass->whole, pass->digests->whole, err);
}

int image_digests(struct ingot_source *source, unsigned jobs, const struct ingot_progress *progress,
		  struct image_digests *ret, struct ingot_error *err)
{
	INGOT_FREE unsigned char *zeros = ingot_alloc_buffer(BLOCK, err);
	INGOT_SHA256 struct ingot_sha256 *whole = zeros ? ingot_sha256_new(err) : NULL;
	struct pass pass = {.source = source,
			    .progress = progress,
			    .digests = ret,
			    .whole = whole,
			    .zeros = zeros};

	*ret = (struct image_digests){.count = ingot_div_up(source->size, BLOCK)};
	if (!whole)
		return -ENOMEM;
	ret->blocks = ingot_alloc((size_t)ret->count, sizeof(*ret->blocks), err);
	return ret->blocks ? run(&pass, jobs, err) : -ENOMEM;
}

int image_digests_blocks(struct ingot_source *source, const struct image_digests_shared *shared,
			 unsigned jobs, struct image_digests *ret, struct ingot_error *err)
{
	INGOT_FREE unsigned char *zeros = ingot_alloc_buffer(BLOCK, err);
	struct pass pass = {.source = source, .digests = ret, .zeros = zeros, .shared = shared};

	*ret = (struct image_digests){.count = ingot_div_up(source->size, BLOCK)};
	if (!zeros)
		return -ENOMEM;
	ret->blocks = ingot_alloc((size_t)ret->count, sizeof(*ret->blocks), err);
	return ret->blocks ? run(&pass, jobs, err) : -ENOMEM;
}

void image_digests_done(struct image_digests *digests)
{
	free(digests->blocks);
	*digests = (struct image_digests){0};
}

int image_output_source(const struct ingot_output *output, struct ingot_source **ret,
			struct ingot_error *err)
{
	INGOT_CLOSE int fd = fcntl(ingot_output_fd(output), F_DUPFD_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return ingot_raise_errno(err, errno, "read '%s'", ingot_output_name(output));
	rc = ingot_source_fd(fd, ingot_output_name(output), ret, err);
	if (rc == 0)
		fd = -1;
	return rc;
}

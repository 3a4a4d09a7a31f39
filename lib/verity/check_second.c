/*
 * libcryptsetup over sources: see check.h. A window is a subtree of so many levels that its data
 * stays small; the blocks at its top are the data of the next round, until one window holds the
 * root.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/pool.h"
#include "verity/check.h"

enum { WINDOW_MAX = 1 << 20 /* bytes of data, if one level of hash blocks does not need more */ };

/* One round: data, or a level of hash blocks, under the levels from `level` on. */
struct round {
	const struct ingot_verity_params *params; /* data_block_size is that of this round */
	const struct ingot_verity_geometry *geometry;
	struct ingot_source *data, *hash;
	uint64_t data_offset; /* of the round's block 0 */
	uint64_t blocks;
	unsigned level;	 /* of the hash blocks right above */
	unsigned height; /* levels in a window */
	uint64_t span;	 /* blocks in a window */
	const uint8_t *root;
	size_t root_size;
	enum ingot_verity_verdict verdict;
	char words[INGOT_VERITY_WORDS];
};

/*
 * A part of a window that is a whole tree of its own. A window has one; but the last window of a
 * round may be so short that its tree has fewer levels, and then the single blocks above it follow,
 * each a tree of one block.
 */
struct subtree {
	unsigned level;		/* of the hash blocks right above its blocks */
	uint64_t first, blocks; /* of the data, or of the level below */
	unsigned height;	/* levels of hash blocks; 0: its one block is all there is */
	size_t block_size;
};

/* A window in memory, and the last one of zeros that was good. */
struct window {
	bool open; /* fd is one */
	int fd;
	char path[32];
	unsigned char *buffer; /* the file, mapped: what is read into it need not be copied */
	size_t size;
	size_t hash_offset; /* behind the data, a multiple of the hash block size */
	size_t hash_size;
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	enum ingot_verity_verdict verdict;
	char words[INGOT_VERITY_WORDS];
	bool zero, known_zero;
	unsigned char *known; /* hash blocks of it */
	uint8_t known_root[INGOT_VERITY_DIGEST_MAX];
};

static size_t data_room(const struct round *r)
{
	return (size_t)(ingot_min(r->span, r->blocks) *
			ingot_max(r->params->data_block_size, r->params->hash_block_size));
}

static size_t hash_room(const struct round *r)
{
	uint64_t n = ingot_min(r->span, r->blocks), blocks = 0;

	for (unsigned i = 0; i < r->height; i++) {
		n = ingot_div_up(n, r->geometry->digests_per_block);
		blocks += n;
	}
	return (size_t)(blocks * r->params->hash_block_size);
}

static int window_init(void *context, void *slot, struct ingot_error *err)
{
	const struct round *r = context;
	struct window *w = slot;
	void *map;

	w->fd = memfd_create("ingot", MFD_CLOEXEC);
	if (w->fd < 0)
		return ingot_raise_errno(err, errno, "memory for libcryptsetup");
	w->open = true;
	(void)snprintf(w->path, sizeof(w->path), "/proc/self/fd/%d", w->fd);
	w->size = data_room(r) + r->params->hash_block_size + hash_room(r);
	if (ftruncate(w->fd, (off_t)w->size) < 0)
		return ingot_raise_errno(err, errno, "memory for libcryptsetup");
	map = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (map == MAP_FAILED)
		return ingot_raise_errno(err, errno, "memory for libcryptsetup");
	w->buffer = map;
	w->known = ingot_alloc(1, hash_room(r) + 1, err);
	return w->known ? 0 : -ENOMEM;
}

static void window_done(void *context, void *slot)
{
	struct window *w = slot;

	(void)context;
	if (w->buffer)
		(void)munmap(w->buffer, w->size);
	if (w->open)
		(void)close(w->fd);
	free(w->known);
}

/* --- filling it -------------------------------------------------------- */

static int read_blocks(const struct round *r, const struct subtree *t, unsigned char *to,
		       struct ingot_error *err)
{
	bool is_data = t->level == r->level;
	uint64_t offset = is_data ? r->data_offset : r->geometry->levels[t->level - 1].offset;

	return ingot_source_read(is_data ? r->data : r->hash, offset + t->first * t->block_size, to,
				 (size_t)t->blocks * t->block_size, err);
}

/* The levels above the blocks, root level first, as a tree has them. */
static int read_levels(const struct round *r, const struct subtree *t, struct window *w,
		       unsigned char *to, struct ingot_error *err)
{
	uint64_t first[INGOT_VERITY_LEVELS_MAX], blocks[INGOT_VERITY_LEVELS_MAX];
	uint64_t per = r->geometry->digests_per_block, at = t->first, n = t->blocks;
	size_t size = r->params->hash_block_size;

	w->hash_size = 0;
	for (unsigned i = 0; i < t->height; i++) {
		first[i] = at = at / per;
		blocks[i] = n = ingot_div_up(n, per);
	}
	for (unsigned i = t->height; i-- > 0;) {
		uint64_t offset = r->geometry->levels[t->level + i].offset + first[i] * size;
		int rc = ingot_source_read(r->hash, offset, to + w->hash_size,
					   (size_t)blocks[i] * size, err);

		if (rc < 0)
			return rc;
		w->hash_size += (size_t)blocks[i] * size;
	}
	return 0;
}

/* The digest of the subtree's top block that the level above it has. */
static int read_root(const struct round *r, const struct subtree *t, struct window *w,
		     struct ingot_error *err)
{
	const struct ingot_verity_geometry *g = r->geometry;
	unsigned above = t->level + t->height;
	uint64_t top = t->first;

	if (above == g->level_count) {
		memcpy(w->root, r->root, r->root_size);
		return 0;
	}
	for (unsigned i = 0; i < t->height; i++)
		top /= g->digests_per_block;
	return ingot_source_read(r->hash,
				 g->levels[above].offset +
					 top / g->digests_per_block * r->params->hash_block_size +
					 top % g->digests_per_block * g->slot_size,
				 w->root, g->digest_size, err);
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return n > 0 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static int fill(const struct round *r, const struct subtree *t, struct window *w,
		struct ingot_error *err)
{
	size_t n = (size_t)t->blocks * t->block_size;
	int rc = read_blocks(r, t, w->buffer, err);

	w->hash_offset = (size_t)ingot_round_up(n, r->params->hash_block_size);
	memset(w->buffer + n, 0, w->hash_offset - n);
	if (rc == 0)
		rc = read_levels(r, t, w, w->buffer + w->hash_offset, err);
	if (rc == 0)
		rc = read_root(r, t, w, err);
	w->zero = rc == 0 && t->blocks == r->span && is_zero(w->buffer, n);
	return rc;
}

/* --- asking ------------------------------------------------------------ */

/* Whether the last question about zeros had the same digests. */
static bool was_asked(const struct window *w, size_t digest_size)
{
	return w->zero && w->known_zero &&
	       memcmp(w->known, w->buffer + w->hash_offset, w->hash_size) == 0 &&
	       memcmp(w->known_root, w->root, digest_size) == 0;
}

static void remember(struct window *w, size_t digest_size)
{
	w->known_zero = true;
	memcpy(w->known, w->buffer + w->hash_offset, w->hash_size);
	memcpy(w->known_root, w->root, digest_size);
}

static int ask(const struct round *r, const struct subtree *t, struct window *w,
	       struct ingot_error *err)
{
	struct ingot_verity_params params = *r->params;
	size_t digest_size = r->geometry->digest_size;
	int rc = fill(r, t, w, err);

	if (rc < 0)
		return rc;
	w->verdict = INGOT_VERITY_GOOD;
	if (was_asked(w, digest_size))
		return 0;
	params.no_superblock = true;
	params.data_block_size = (uint32_t)t->block_size;
	rc = ingot_verity_check_cryptsetup(&params, t->blocks, w->path, w->path, w->hash_offset,
					   w->root, digest_size, &w->verdict, w->words, err);
	if (rc == 0 && w->zero && w->verdict == INGOT_VERITY_GOOD)
		remember(w, digest_size);
	return rc;
}

/* Levels that a tree of so many blocks has, at most `max`. */
static unsigned natural_height(const struct round *r, uint64_t blocks, unsigned max)
{
	unsigned height = 0;

	for (; blocks > 1 && height < max; height++)
		blocks = ingot_div_up(blocks, r->geometry->digests_per_block);
	return height;
}

static int work(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	const struct round *r = context;
	unsigned end = r->level + r->height; /* the next round goes on below it */
	struct subtree t = {
		.level = r->level,
		.first = index * r->span,
		.blocks = ingot_min(r->span, r->blocks - index * r->span),
		.block_size = r->params->data_block_size,
	};
	struct window *w = slot;
	int rc;

	t.height = natural_height(r, t.blocks, r->height);
	rc = ask(r, &t, w, err);
	while (rc == 0 && w->verdict == INGOT_VERITY_GOOD && t.level + t.height + 1 < end) {
		for (unsigned i = 0; i <= t.height; i++)
			t.first /= r->geometry->digests_per_block;
		t.level += t.height + 1;
		t.blocks = 1;
		t.height = 0;
		t.block_size = r->params->hash_block_size;
		rc = ask(r, &t, w, err);
	}
	return rc;
}

static int commit(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct round *r = context;
	const struct window *w = slot;

	if (w->verdict == INGOT_VERITY_GOOD)
		return 0;
	r->verdict = w->verdict;
	(void)snprintf(r->words, sizeof(r->words), "%.200s%s(stretch %llu)", w->words,
		       *w->words ? " " : "", (unsigned long long)index);
	return ingot_raise(err, -ECANCELED, "a bad block: the rest does not matter");
}

/* --- rounds ------------------------------------------------------------ */

static void choose_window(struct round *r)
{
	const struct ingot_verity_geometry *g = r->geometry;

	r->height = g->level_count > r->level ? 1 : 0;
	r->span = r->height ? g->digests_per_block : 1;
	while (r->level + r->height < g->level_count && r->span < r->blocks &&
	       r->span * g->digests_per_block * r->params->data_block_size <= WINDOW_MAX) {
		r->span *= g->digests_per_block;
		r->height++;
	}
}

static int run_round(struct round *r, unsigned jobs, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct window),
						  .slot_init = window_init,
						  .slot_done = window_done,
						  .work = work,
						  .commit = commit};
	struct ingot_error why = {0};
	int rc;

	choose_window(r);
	r->verdict = INGOT_VERITY_GOOD;
	rc = ingot_pool_run(jobs, ingot_div_up(r->blocks, r->span), &ops, r, &why);
	if (rc < 0 && r->verdict == INGOT_VERITY_BAD)
		return 0;
	if (rc < 0)
		r->verdict = INGOT_VERITY_NOT_CHECKED;
	return rc < 0 ? ingot_raise(err, rc, "%s", why.text) : 0;
}

/* The next round's data are the top blocks of this one's windows. */
static bool next_round(struct round *r, struct ingot_verity_params *params)
{
	unsigned top = r->level + r->height;

	if (top >= r->geometry->level_count)
		return false;
	params->data_block_size = params->hash_block_size;
	r->data = r->hash;
	r->data_offset = r->geometry->levels[top - 1].offset;
	r->blocks = r->geometry->levels[top - 1].blocks;
	r->level = top;
	return true;
}

int ingot_verity_check_second(const struct ingot_verity_params *params,
			      const struct ingot_verity_check *check,
			      enum ingot_verity_verdict *ret, char ret_words[INGOT_VERITY_WORDS],
			      struct ingot_error *err)
{
	struct ingot_verity_params round_params = *params;
	struct ingot_verity_geometry g;
	struct round r = {.params = &round_params,
			  .geometry = &g,
			  .data = check->data,
			  .hash = check->hash,
			  .blocks = check->data_blocks,
			  .root = check->root,
			  .root_size = check->root_size};
	int rc;

	*ret = INGOT_VERITY_NOT_CHECKED;
	*ret_words = '\0';
	rc = ingot_verity_geometry(params, check->data_blocks, check->hash_offset, &g, err);
	if (rc == 0 && check->root_size != g.digest_size)
		rc = ingot_raise(err, -EINVAL, "a root hash of %zu bytes, but a digest has %u",
				 check->root_size, g.digest_size);
	if (rc < 0)
		return rc;
	do {
		rc = run_round(&r, check->jobs, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "hash level %u", r.level);
	} while (r.verdict == INGOT_VERITY_GOOD && next_round(&r, &round_params));
	*ret = r.verdict;
	(void)snprintf(ret_words, INGOT_VERITY_WORDS, "%s", r.words);
	return 0;
}

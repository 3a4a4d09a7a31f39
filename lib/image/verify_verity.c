/* Superblock, hash tree and parity of /usr. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/verify_internal.h"
#include "verity/check.h"

static struct ingot_source *hash_source(const struct verification *v)
{
	return v->hash ? v->hash : v->usr;
}

/* --- finding it -------------------------------------------------------- */

/* Behind "KEY=" in comma separated options: digits. */
static bool option_number(const char *options, const char *key, uint64_t *ret)
{
	const char *at = strstr(options, key);
	char *end;

	if (!at)
		return false;
	at += strlen(key);
	if (*at < '0' || *at > '9')
		return false;
	*ret = strtoull(at, &end, 10);
	return end != at;
}

/* Where a UKI's initrd will look for the superblock. */
static bool claimed_offset(const struct verification *v, uint64_t *ret)
{
	for (size_t i = 0; i < v->program_count; i++) {
		const struct verify_program *program = &v->programs[i];

		if ((program->veritytab &&
		     option_number(program->veritytab, "hash-offset=", ret)) ||
		    (program->unit && option_number(program->unit, "--hash-offset=", ret)))
			return true;
	}
	return false;
}

static bool try_offset(struct verification *v, uint64_t offset)
{
	struct ingot_error why = {0};
	int rc = ingot_verity_superblock_read(hash_source(v), offset, &v->superblock, &why);

	if (rc == 0)
		rc = ingot_verity_geometry(&v->superblock.params, v->superblock.data_blocks, offset,
					   &v->geometry, &why);
	v->has_superblock = rc == 0;
	v->hash_offset = offset;
	if (rc < 0 && v->superblock_error.code == 0)
		v->superblock_error = why;
	return rc == 0;
}

/* Behind the filesystem, or where a tree that fills the partition has it. */
static void search_appended(struct verification *v)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	struct ingot_ext_info info;
	uint64_t blocks;

	if (ingot_ext_info(v->usr, &info, NULL) == 0 && info.size < v->usr->size &&
	    try_offset(v, ingot_round_up(info.size, 4096)))
		return;
	if (ingot_verity_fit(&params, v->usr->size, &blocks, NULL) == 0)
		(void)try_offset(v, blocks * params.data_block_size);
}

int verify_find_verity(struct verification *v, struct ingot_error *err)
{
	uint64_t offset = 0;

	(void)err;
	if (!v->usr)
		return 0;
	v->offset_claimed = !v->hash && claimed_offset(v, &offset);
	if (v->hash || v->offset_claimed)
		(void)try_offset(v, offset);
	else
		search_appended(v);
	return 0;
}

/* --- superblock -------------------------------------------------------- */

static int no_usr(struct ingot_error *err)
{
	return ingot_raise(err, -ENODATA, "there is no partition for /usr");
}

static int no_superblock(const struct verification *v, struct ingot_error *err)
{
	if (!v->usr)
		return no_usr(err);
	return ingot_raise(err, -ENODATA, "there is no superblock of a hash tree: %s",
			   v->superblock_error.text);
}

int check_verity_superblock(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err)
{
	const struct ingot_verity_geometry *g = &v->geometry;
	uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE], again[INGOT_VERITY_SUPERBLOCK_SIZE];
	int rc;

	if (!v->usr)
		return row_bad(row, "there is no partition for /usr");
	if (!v->has_superblock)
		return row_bad(row, "none at byte %llu: %s", (unsigned long long)v->hash_offset,
			       v->superblock_error.text);
	rc = ingot_source_read(hash_source(v), v->hash_offset, raw, sizeof(raw), err);
	if (rc < 0)
		return rc;
	ingot_verity_superblock_encode(&v->superblock, again);
	if (memcmp(raw, again, sizeof(raw)) != 0)
		return row_bad(row, "bytes that are reserved are not zero");
	if (!v->hash && g->data_size > v->hash_offset)
		return row_bad(row, "%llu blocks of data reach into the tree",
			       (unsigned long long)g->data_blocks);
	if (g->data_size > v->usr->size || g->end > hash_source(v)->size)
		return row_bad(row, "data or tree end behind their partition");
	return row_good(row, "%s, %llu blocks of %u, at byte %llu", v->superblock.params.hash,
			(unsigned long long)g->data_blocks, v->superblock.params.data_block_size,
			(unsigned long long)v->hash_offset);
}

/* --- tree -------------------------------------------------------------- */

static int prepare(const struct verification *v, struct ingot_verity_check *ret,
		   struct ingot_error *err)
{
	if (!v->has_superblock)
		return no_superblock(v, err);
	if (!v->has_root)
		return ingot_raise(err, -ENODATA, "the root hash is not known");
	*ret = (struct ingot_verity_check){
		.data = v->usr,
		.data_blocks = v->superblock.data_blocks,
		.hash = hash_source(v),
		.hash_offset = v->hash_offset,
		.root = v->root_hash,
		.root_size = v->root_size,
		.jobs = v->options->jobs,
		.progress = v->options->progress,
	};
	return 0;
}

int check_verity_tree(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	struct ingot_verity_result result;
	struct ingot_verity_check check;
	int rc = prepare(v, &check, err);

	if (rc == 0)
		rc = ingot_verity_check(&v->superblock.params, &check, &result, err);
	if (rc < 0)
		return rc;
	if (result.verdict == INGOT_VERITY_GOOD)
		return row_good(row, "%llu data blocks and %llu hash blocks",
				(unsigned long long)v->geometry.data_blocks,
				(unsigned long long)v->geometry.hash_blocks);
	if (result.level == INGOT_VERITY_LEVEL_DATA)
		return row_bad(row, "data block %llu, at byte %llu of %s, is another",
			       (unsigned long long)result.block, (unsigned long long)result.offset,
			       v->usr_at->name);
	return row_bad(row, "hash block %llu of level %d, at byte %llu of %s, is another",
		       (unsigned long long)result.block, result.level,
		       (unsigned long long)result.offset,
		       (v->hash_at ? v->hash_at : v->usr_at)->name);
}

int check_verity_cryptsetup(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err)
{
	char words[INGOT_VERITY_WORDS];
	struct ingot_verity_check check;
	enum ingot_verity_verdict verdict;
	int rc = prepare(v, &check, err);

	if (rc == 0)
		rc = ingot_verity_check_second(&v->superblock.params, &check, &verdict, words, err);
	if (rc < 0)
		return rc;
	if (verdict == INGOT_VERITY_GOOD)
		return row_good(row, "the same, in every block");
	return row_bad(row, "libcryptsetup: %s", *words ? words : "not verified");
}

/* --- zeros around it --------------------------------------------------- */

/* The parity's bytes in a partition are its own; the rest of that is zero. */
static int zero_in(struct verification *v, struct ingot_verify_row *row,
		   const struct ingot_gpt_partition *p, struct ingot_source *part, uint64_t from,
		   uint64_t to, struct ingot_error *err)
{
	uint64_t at = to;
	int rc;

	if (row->verdict == INGOT_VERIFY_BAD || from >= to)
		return 0;
	rc = verify_first_nonzero(part, from, to, v->options->jobs, &at, err);
	if (rc < 0 || at >= to)
		return rc;
	return row_bad(row, "byte %llu of '%s' is not zero", (unsigned long long)at, p->name);
}

int check_verity_unused(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err)
{
	const struct ingot_verity_geometry *g = &v->geometry;
	const struct ingot_gpt_partition *hash_at = v->hash_at ? v->hash_at : v->usr_at;
	struct ingot_source *hash = hash_source(v);
	uint64_t data_end, hash_end;
	int rc;

	if (!v->has_superblock)
		return no_superblock(v, err);
	data_end = v->hash ? v->usr->size : v->hash_offset;
	/* In front of the superblock, behind it in its block, behind the tree. */
	hash_end = v->has_fec && v->fec_source == hash ? v->fec_offset : hash->size;
	rc = zero_in(v, row, v->usr_at, v->usr, g->data_size, data_end, err);
	if (rc == 0 && v->hash)
		rc = zero_in(v, row, hash_at, hash, 0, v->hash_offset, err);
	if (rc == 0)
		rc = zero_in(v, row, hash_at, hash, v->hash_offset + INGOT_VERITY_SUPERBLOCK_SIZE,
			     g->tree_offset, err);
	if (rc == 0)
		rc = zero_in(v, row, hash_at, hash, g->end, hash_end, err);
	if (rc == 0 && v->has_fec && !*v->fec_error)
		rc = zero_in(v, row, v->fec_source == v->fec_part ? v->fec_at : hash_at,
			     v->fec_source, v->fec_offset + v->fec.parity_size, v->fec_source->size,
			     err);
	if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
		return rc;
	return row_good(row, "zero");
}

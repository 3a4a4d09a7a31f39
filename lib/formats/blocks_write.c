#include "formats/blocks_internal.h"

#include <assert.h>
#include <errno.h>

int ingot_block_file_init(struct ingot_block_file *file, const struct ingot_output *output,
			  uint64_t size, struct ingot_error *err)
{
	assert(file->block % INGOT_CHUNK == 0 && file->stride >= file->block);
	if (size == 0)
		return ingot_raise(err, -EINVAL, "a disk of 0 bytes has no place in this format");
	file->count = (size_t)ingot_div_up(size, file->block);
	file->numbers = ingot_alloc(file->count, sizeof(*file->numbers), err);
	if (!file->numbers)
		return -ENOMEM;
	return ingot_sink_growing(ingot_output_fd(output), ingot_output_name(output), &file->sink,
				  err);
}

void ingot_block_file_done(struct ingot_block_file *file)
{
	ingot_sink_free(file->sink);
	free(file->numbers);
}

bool ingot_block_file_find(const struct ingot_block_file *file, size_t block, uint64_t *ret)
{
	if (block >= file->count || file->numbers[block] == 0)
		return false;
	*ret = file->first + (file->numbers[block] - 1) * file->stride;
	return true;
}

static bool has_data(const struct ingot_chunk *chunk)
{
	for (size_t i = 0; i < chunk->piece_count; i++)
		if (!chunk->pieces[i].zero)
			return true;
	return false;
}

void ingot_block_file_append(struct ingot_block_file *file, const struct ingot_chunk *chunk)
{
	uint32_t *number = &file->numbers[chunk->offset / file->block];

	if (*number == 0 && has_data(chunk))
		*number = ++file->used;
}

/* Of a chunk without data the number may be set meanwhile, by another chunk's append. */
int ingot_block_file_place(const struct ingot_block_file *file, const struct ingot_chunk *chunk,
			   struct ingot_error *err)
{
	uint64_t place;

	if (!has_data(chunk) ||
	    !ingot_block_file_find(file, (size_t)(chunk->offset / file->block), &place))
		return 0;
	return ingot_place_pieces_at(file->sink, chunk, place + chunk->offset % file->block, err);
}

uint64_t ingot_block_file_end(const struct ingot_block_file *file)
{
	return file->first + file->used * file->stride;
}

int ingot_block_file_table(const struct ingot_block_file *file,
			   const struct ingot_block_table *table, struct ingot_error *err)
{
	unsigned char buffer[4096];
	uint64_t place = table->place;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < table->count; i++) {
		table->entry(file, i, buffer + n);
		n += table->size;
		if (n < sizeof(buffer) && i + 1 < table->count)
			continue;
		rc = ingot_sink_write(file->sink, place, buffer, n, err);
		place += n;
		n = 0;
	}
	return rc;
}

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fs/ext4_internal.h"

/*
 * libext2fs reads and writes an inode's block for each of the sixteen inodes in it, and a
 * bitmap for each group. The cache makes one write of those: direct-mapped, so that what
 * is written, and when, depends on nothing but the block numbers.
 */
enum { SLOTS = 512 };

struct slot {
	bool valid, dirty;
	uint64_t block;
	unsigned char *data;
};

struct ext4_device {
	struct ingot_sink *sink;
	struct ingot_error error; /* of the sink; code 0: none */
	struct slot slots[SLOTS];
	unsigned char data[];
};

static void fill_error_tables(void)
{
	initialize_ext2_error_table();
}

int ext4_device_new(struct ingot_sink *sink, struct ext4_device **ret, struct ingot_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ext4_device *device;

	(void)pthread_once(&once, fill_error_tables);
	device = ingot_alloc(1, sizeof(*device) + (size_t)SLOTS * EXT4_BLOCK, err);
	if (!device)
		return -ENOMEM;
	device->sink = sink;
	for (size_t i = 0; i < SLOTS; i++)
		device->slots[i].data = device->data + i * EXT4_BLOCK;
	*ret = device;
	return 0;
}

void ext4_device_free(struct ext4_device *device)
{
	free(device);
}

/* --- blocks ------------------------------------------------------------ */

static errcode_t sink_failed(struct ext4_device *device)
{
	return -device->error.code;
}

static errcode_t write_back(struct ext4_device *device, struct slot *slot)
{
	if (!slot->dirty)
		return 0;
	if (ingot_sink_write(device->sink, slot->block * EXT4_BLOCK, slot->data, EXT4_BLOCK,
			     &device->error) < 0)
		return sink_failed(device);
	slot->dirty = false;
	return 0;
}

/* The block's slot, its contents loaded unless all of them are about to be replaced. */
static errcode_t load(struct ext4_device *device, uint64_t block, bool whole, struct slot **ret)
{
	struct slot *slot = &device->slots[block % SLOTS];
	errcode_t code;

	*ret = slot;
	if (slot->valid && slot->block == block)
		return 0;
	code = write_back(device, slot);
	if (code)
		return code;
	slot->valid = false;
	slot->block = block;
	if (!whole && ingot_sink_read(device->sink, block * EXT4_BLOCK, slot->data, EXT4_BLOCK,
				      &device->error) < 0)
		return sink_failed(device);
	slot->valid = true;
	return 0;
}

/* One piece of a transfer, inside one block. */
static errcode_t move(struct ext4_device *device, uint64_t offset, size_t n, void *in,
		      const void *out)
{
	struct slot *slot;
	errcode_t code = load(device, offset / EXT4_BLOCK, out && n == EXT4_BLOCK, &slot);

	if (code)
		return code;
	if (in) {
		memcpy(in, slot->data + offset % EXT4_BLOCK, n);
	} else {
		memcpy(slot->data + offset % EXT4_BLOCK, out, n);
		slot->dirty = true;
	}
	return 0;
}

/* libext2fs counts in blocks of the channel; a negative count is one of bytes. */
static errcode_t transfer(io_channel channel, unsigned long long block, int count, void *in,
			  const void *out)
{
	struct ext4_device *device = channel->private_data;
	uint64_t size = (uint64_t)channel->block_size;
	uint64_t left = count < 0 ? (uint64_t) - (int64_t)count : (uint64_t)count * size;
	uint64_t offset;

	if (!ingot_mul(block, size, &offset) || !ingot_in_range(offset, left, device->sink->size))
		return EXT2_ET_BAD_BLOCK_NUM;
	while (left > 0) {
		size_t n = (size_t)ingot_min(left, EXT4_BLOCK - offset % EXT4_BLOCK);
		errcode_t code = move(device, offset, n, in, out);

		if (code)
			return code;
		if (in)
			in = (char *)in + n;
		else
			out = (const char *)out + n;
		offset += n;
		left -= n;
	}
	return 0;
}

/* --- the manager ------------------------------------------------------- */

void ext4_device_name(const struct ext4_device *device, char name[EXT4_DEVICE_NAME])
{
	/* As libext2fs's own managers of file descriptors do it: the name is the handle. */
	(void)snprintf(name, EXT4_DEVICE_NAME, "%" PRIxPTR, (uintptr_t)device);
}

static errcode_t open_channel(const char *name, int flags, io_channel *ret)
{
	io_channel channel = calloc(1, sizeof(*channel));
	uintptr_t handle = 0;

	(void)flags;
	if (!channel)
		return EXT2_ET_NO_MEMORY;
	channel->name = strdup(name);
	if (!channel->name || sscanf(name, "%" SCNxPTR, &handle) != 1) {
		free(channel->name);
		free(channel);
		return EXT2_ET_NO_MEMORY;
	}
	channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	channel->manager = &ext4_io_manager;
	channel->block_size = 1024;
	channel->refcount = 1;
	channel->private_data = (void *)handle; /* NOLINT: see ext4_device_name */
	*ret = channel;
	return 0;
}

static errcode_t flush_channel(io_channel channel)
{
	struct ext4_device *device = channel->private_data;

	for (size_t i = 0; i < SLOTS; i++) {
		errcode_t code = write_back(device, &device->slots[i]);

		if (code)
			return code;
	}
	return 0;
}

static errcode_t close_channel(io_channel channel)
{
	errcode_t code;

	if (--channel->refcount > 0)
		return 0;
	code = flush_channel(channel);
	free(channel->name);
	free(channel);
	return code;
}

static errcode_t set_block_size(io_channel channel, int size)
{
	channel->block_size = size;
	return 0;
}

static errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void *data)
{
	return transfer(channel, block, count, data, NULL);
}

static errcode_t write_blocks(io_channel channel, unsigned long long block, int count,
			      const void *data)
{
	return transfer(channel, block, count, NULL, data);
}

static errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void *data)
{
	return transfer(channel, block, count, data, NULL);
}

static errcode_t write_blocks_32(io_channel channel, unsigned long block, int count,
				 const void *data)
{
	return transfer(channel, block, count, NULL, data);
}

static errcode_t zero_blocks(io_channel channel, unsigned long long block, unsigned long long count)
{
	static const unsigned char zeros[EXT4_BLOCK];
	int size = channel->block_size;

	assert(size <= EXT4_BLOCK);
	for (unsigned long long i = 0; i < count; i++) {
		errcode_t code = transfer(channel, block + i, -size, NULL, zeros);

		if (code)
			return code;
	}
	return 0;
}

struct struct_io_manager ext4_io_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "ingot sink",
	.open = open_channel,
	.close = close_channel,
	.set_blksize = set_block_size,
	.read_blk = read_blocks_32,
	.write_blk = write_blocks_32,
	.flush = flush_channel,
	.read_blk64 = read_blocks,
	.write_blk64 = write_blocks,
	.zeroout = zero_blocks,
};

/* --- errors ------------------------------------------------------------ */

static int to_errno(errcode_t code)
{
	switch (code) {
	case EXT2_ET_NO_MEMORY:
		return -ENOMEM;
	case EXT2_ET_BLOCK_ALLOC_FAIL:
	case EXT2_ET_INODE_ALLOC_FAIL:
	case EXT2_ET_EA_NO_SPACE:
	case EXT2_ET_TOOSMALL:
		return -ENOSPC;
	default:
		return code > 0 && code < 4096 ? -(int)code : -EIO;
	}
}

int ext4_raise(struct ext4_device *device, errcode_t code, struct ingot_error *err,
	       const char *format, ...)
{
	char what[INGOT_ERROR_MAX / 2];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (!device->error.code)
		return ingot_raise(err, to_errno(code), "%s: %s", what, error_message(code));
	if (err)
		*err = device->error;
	return ingot_wrap(err, device->error.code, "%s", what);
}

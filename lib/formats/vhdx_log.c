/*
 * What waits in a VHDX's log: the entries that are whole, the last sequence of them, its changes.
 *
 * Every sector of the log is looked at once as the start of an entry. An entry's own sectors all
 * begin otherwise, so what is read for one that turns out not to be whole ends before the next
 * begins, and a log takes as long as two readings of it, whatever is in it.
 */
#include "formats/vhdx_log_internal.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "formats/vhdx_internal.h"

struct entry {
	uint64_t place, length; /* in the log */
	uint64_t tail;		/* in the log: where its sequence begins */
	uint64_t sequence;
	uint32_t descriptors;
	uint64_t had, needs; /* bytes of the file */
	size_t before;	     /* the entry that it follows; itself: none */
	bool is_followed;
};

struct log {
	struct ingot_source *file;
	struct ingot_range range;
	const unsigned char *guid;
	struct entry *entries; /* that are whole, by place */
	size_t count, room;
	bool was_used; /* something in it begins like an entry */
};

/* A sector of the ring. */
static uint64_t place_in_file(const struct log *log, uint64_t place)
{
	return log->range.offset + place % log->range.length;
}

static int read_sector(const struct log *log, uint64_t place, unsigned char *raw,
		       struct ingot_error *err)
{
	return ingot_source_read(log->file, place_in_file(log, place), raw, VHDX_LOG_SECTOR, err);
}

/* --- an entry ---------------------------------------------------------- */

/* Sectors with the header and so many descriptors. */
static uint64_t descriptor_sectors(uint64_t descriptors)
{
	return ingot_div_up(VHDX_LOG_HEADER + descriptors * VHDX_LOG_DESCRIPTOR, VHDX_LOG_SECTOR);
}

static bool begins(const struct log *log, const unsigned char *raw)
{
	return memcmp(raw, "loge", 4) == 0 && memcmp(raw + 32, log->guid, VHDX_LOG_GUID) == 0;
}

static bool parse_entry(const struct log *log, uint64_t place, const unsigned char *raw,
			struct entry *ret)
{
	*ret = (struct entry){
		.place = place,
		.length = ingot_get_le32(raw + 8),
		.tail = ingot_get_le32(raw + 12),
		.sequence = ingot_get_le64(raw + 16),
		.descriptors = ingot_get_le32(raw + 24),
		.had = ingot_get_le64(raw + 48),
		.needs = ingot_get_le64(raw + 56),
	};
	return ret->length % VHDX_LOG_SECTOR == 0 && ret->length <= log->range.length &&
	       descriptor_sectors(ret->descriptors) <= ret->length / VHDX_LOG_SECTOR &&
	       ret->tail % VHDX_LOG_SECTOR == 0 && ret->tail < log->range.length &&
	       ret->sequence > 0 && ingot_get_le32(raw + 28) == 0;
}

/* The descriptor as a change; false: it is none. */
static bool parse_descriptor(const unsigned char *raw, uint64_t sequence, struct vhdx_update *ret)
{
	bool zeros = memcmp(raw, "zero", 4) == 0;

	*ret = (struct vhdx_update){
		.offset = ingot_get_le64(raw + 16),
		.length = zeros ? ingot_get_le64(raw + 8) : VHDX_LOG_SECTOR,
		.data = zeros ? VHDX_LOG_ZEROS : 0,
	};
	memcpy(ret->first, raw + 8, sizeof(ret->first));
	memcpy(ret->last, raw + 4, sizeof(ret->last));
	return (zeros || memcmp(raw, "desc", 4) == 0) && ret->offset % VHDX_LOG_SECTOR == 0 &&
	       ret->length % VHDX_LOG_SECTOR == 0 && ingot_get_le64(raw + 24) == sequence;
}

/* The descriptors in one sector; those of data are counted. */
static bool are_descriptors(const struct entry *entry, uint64_t sector, const unsigned char *raw,
			    uint64_t *data)
{
	uint64_t per = VHDX_LOG_SECTOR / VHDX_LOG_DESCRIPTOR, head = 2; /* in the header's place */
	uint64_t end = ingot_min((sector + 1) * per, head + entry->descriptors);

	for (uint64_t i = sector == 0 ? head : sector * per; i < end; i++) {
		struct vhdx_update update;

		if (!parse_descriptor(raw + (i - sector * per) * VHDX_LOG_DESCRIPTOR,
				      entry->sequence, &update))
			return false;
		*data += update.data != VHDX_LOG_ZEROS;
	}
	return true;
}

static bool is_data(const struct entry *entry, const unsigned char *raw)
{
	return memcmp(raw, "data", 4) == 0 &&
	       ingot_get_le32(raw + 4) == (uint32_t)(entry->sequence >> 32) &&
	       ingot_get_le32(raw + VHDX_LOG_SECTOR - 4) == (uint32_t)entry->sequence;
}

/* Every sector is what it has to be, there are as many as it says, and the checksum is right. */
static int check_entry(const struct log *log, const struct entry *entry, bool *ret,
		       struct ingot_error *err)
{
	unsigned char raw[VHDX_LOG_SECTOR];
	uint64_t sectors = entry->length / VHDX_LOG_SECTOR, data = 0;
	uint64_t described = descriptor_sectors(entry->descriptors);
	uint32_t crc = 0, want = 0;

	*ret = false;
	for (uint64_t i = 0; i < sectors; i++) {
		int rc = read_sector(log, entry->place + i * VHDX_LOG_SECTOR, raw, err);

		if (rc < 0)
			return rc;
		if (i < described ? !are_descriptors(entry, i, raw, &data) : !is_data(entry, raw))
			return 0;
		if (i == 0) {
			want = ingot_get_le32(raw + 4);
			memset(raw + 4, 0, 4);
		}
		crc = ingot_crc32c(crc, raw, sizeof(raw));
	}
	*ret = crc == want && data == sectors - described;
	return 0;
}

/* --- all entries ------------------------------------------------------- */

static int add_entry(struct log *log, const struct entry *entry, struct ingot_error *err)
{
	void *items = log->entries;
	int rc = ingot_grow(&items, &log->room, log->count + 1, sizeof(*log->entries), err);

	log->entries = items;
	if (rc == 0)
		log->entries[log->count++] = *entry;
	return rc;
}

static int look_at(struct log *log, uint64_t place, struct ingot_error *err)
{
	unsigned char raw[VHDX_LOG_HEADER];
	struct entry entry;
	bool is_whole = false;
	int rc = ingot_source_read(log->file, place_in_file(log, place), raw, sizeof(raw), err);

	if (rc < 0 || !begins(log, raw))
		return rc;
	log->was_used = true;
	if (!parse_entry(log, place, raw, &entry))
		return 0;
	rc = check_entry(log, &entry, &is_whole, err);
	return rc == 0 && is_whole ? add_entry(log, &entry, err) : rc;
}

/* Holes have no entry. */
static int find_entries(struct log *log, struct ingot_error *err)
{
	uint64_t place = 0;

	while (place < log->range.length) {
		struct ingot_extent run;
		int rc = ingot_source_extent(log->file, log->range.offset + place, &run, err);
		uint64_t end = place;

		if (rc < 0)
			return rc;
		end += ingot_min(run.length, log->range.length - place);
		place += run.hole ? (end - place) / VHDX_LOG_SECTOR * VHDX_LOG_SECTOR : 0;
		for (; rc == 0 && place < end; place += VHDX_LOG_SECTOR)
			rc = look_at(log, place, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- sequences --------------------------------------------------------- */

/* The entry at a place of the ring, or one past the last. */
static size_t entry_at(const struct log *log, uint64_t place)
{
	size_t low = 0, high = log->count;

	place %= log->range.length;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (log->entries[middle].place < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low < log->count && log->entries[low].place == place ? low : log->count;
}

static size_t next_of(const struct log *log, size_t i)
{
	return entry_at(log, log->entries[i].place + log->entries[i].length);
}

static void link_entries(struct log *log)
{
	for (size_t i = 0; i < log->count; i++)
		log->entries[i].before = i;
	for (size_t i = 0; i < log->count; i++) {
		size_t next = next_of(log, i);

		if (next == log->count ||
		    log->entries[next].sequence - 1 != log->entries[i].sequence)
			continue;
		log->entries[i].is_followed = true;
		log->entries[next].before = i;
	}
}

/* The entry that the last one of a sequence says is the first; one past the last: it is not in it.
 */
static size_t first_of(const struct log *log, size_t last)
{
	uint64_t tail = log->entries[last].tail;
	size_t i = last;

	while (log->entries[i].place != tail && log->entries[i].before != i)
		i = log->entries[i].before;
	return log->entries[i].place == tail ? i : log->count;
}

/* The newest sequence that is whole; false: there is none. */
static bool find_sequence(const struct log *log, size_t *first, size_t *last)
{
	bool found = false;

	for (size_t i = 0; i < log->count; i++) {
		size_t start;

		if (log->entries[i].is_followed)
			continue;
		if (found && log->entries[i].sequence <= log->entries[*last].sequence)
			continue;
		start = first_of(log, i);
		if (start == log->count)
			continue;
		*first = start;
		*last = i;
		found = true;
	}
	return found;
}

/* --- changes ----------------------------------------------------------- */

static int add_update(struct vhdx_updates *updates, const struct vhdx_update *update,
		      struct ingot_error *err)
{
	void *items = updates->items;
	uint64_t end;
	int rc;

	if (!ingot_add(update->offset, update->length, &end) || end > VHDX_FILE_MAX)
		return ingot_raise(err, -EBADMSG, "its log changes %llu bytes at 0x%llx",
				   (unsigned long long)update->length,
				   (unsigned long long)update->offset);
	if (updates->count == VHDX_LOG_UPDATES_MAX)
		return ingot_raise(err, -EFBIG, "its log has more than %d changes",
				   VHDX_LOG_UPDATES_MAX);
	rc = ingot_grow(&items, &updates->room, updates->count + 1, sizeof(*updates->items), err);
	updates->items = items;
	if (rc < 0)
		return rc;
	updates->items[updates->count++] = *update;
	updates->file_size = ingot_max(updates->file_size, end);
	return 0;
}

static int add_entry_updates(const struct log *log, const struct entry *entry,
			     struct vhdx_updates *updates, struct ingot_error *err)
{
	uint64_t data = entry->place + descriptor_sectors(entry->descriptors) * VHDX_LOG_SECTOR;

	for (uint64_t i = 0; i < entry->descriptors; i++) {
		uint64_t place = entry->place + VHDX_LOG_HEADER + i * VHDX_LOG_DESCRIPTOR;
		unsigned char raw[VHDX_LOG_DESCRIPTOR];
		struct vhdx_update update;
		int rc = ingot_source_read(log->file, place_in_file(log, place), raw, sizeof(raw),
					   err);

		if (rc < 0)
			return rc;
		if (!parse_descriptor(raw, entry->sequence, &update))
			return ingot_raise(err, -EIO, "its log changes while it is read");
		if (update.data != VHDX_LOG_ZEROS) {
			update.data = place_in_file(log, data);
			data += VHDX_LOG_SECTOR;
		}
		rc = update.length > 0 ? add_update(updates, &update, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_sequence(const struct log *log, size_t first, size_t last,
			struct vhdx_updates *updates, struct ingot_error *err)
{
	const struct entry *head = &log->entries[last];
	int rc = 0;

	if (log->file->size < head->had)
		return ingot_raise(err, -EBADMSG,
				   "it is cut off: it has %llu bytes, and had %llu when its log "
				   "was written",
				   (unsigned long long)log->file->size,
				   (unsigned long long)head->had);
	if (head->needs > VHDX_FILE_MAX)
		return ingot_raise(err, -EBADMSG, "its log wants a file of %llu bytes",
				   (unsigned long long)head->needs);
	updates->file_size = ingot_max(log->file->size, head->needs);
	for (size_t i = first; rc == 0; i = next_of(log, i)) {
		rc = add_entry_updates(log, &log->entries[i], updates, err);
		if (i == last)
			break;
	}
	return rc;
}

/*
 * The specification calls a file without a sequence damaged. QEMU names a log in the header when it
 * opens a file for writing and may never write to it: that one has nothing to say.
 */
static int read_log(struct log *log, struct vhdx_updates *ret, struct ingot_error *err)
{
	size_t first, last;
	int rc = find_entries(log, err);

	if (rc < 0)
		return rc;
	link_entries(log);
	if (find_sequence(log, &first, &last))
		return add_sequence(log, first, last, ret, err);
	if (log->was_used)
		return ingot_raise(err, -EBADMSG,
				   "it was not closed, and what its log says of it is damaged");
	return 0;
}

int ingot_vhdx_log_read(struct ingot_source *file, const struct ingot_range *range,
			const unsigned char guid[VHDX_LOG_GUID], struct vhdx_updates *ret,
			struct ingot_error *err)
{
	struct log log = {.file = file, .range = *range, .guid = guid};
	int rc;

	*ret = (struct vhdx_updates){.file_size = file->size};
	if (range->length == 0 || range->length % VHDX_MIB != 0 || range->offset % VHDX_MIB != 0 ||
	    range->offset < VHDX_MIB || !ingot_in_range(range->offset, range->length, file->size))
		return ingot_raise(err, -EBADMSG, "a log of %llu bytes at 0x%llx",
				   (unsigned long long)range->length,
				   (unsigned long long)range->offset);
	rc = read_log(&log, ret, err);
	free(log.entries);
	return rc;
}

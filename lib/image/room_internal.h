/* A list of the places of signatures, for those who know where they are. */
#ifndef INGOT_IMAGE_ROOM_INTERNAL_H
#define INGOT_IMAGE_ROOM_INTERNAL_H

#include "image/room.h"

/* Ranges of the disk, by rising offset. */
struct image_room {
	struct ingot_range *list;
	size_t count, room;
};

/* As large as the signature, which the caller knows to be apart from the others. */
INGOT_MUST_USE int image_room_add(struct image_room *room, uint64_t offset, uint64_t length,
				  struct ingot_error *err);

/* The places in a UKI that is a file of esp_file_find; the ESP starts at `start` of the disk. */
struct image_room_uki {
	struct ingot_source *file;
	uint64_t start;
	uint64_t signature_offset, signature_size; /* of the root hash, in the file */
	bool secure_boot;			   /* the table and the checksum count as well */
};
INGOT_MUST_USE int image_room_add_uki(struct image_room *room, const struct image_room_uki *uki,
				      struct ingot_error *err);

#endif

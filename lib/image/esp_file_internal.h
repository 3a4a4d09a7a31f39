/* A file on the ESP by its path, and where its bytes are. */
#ifndef INGOT_IMAGE_ESP_FILE_INTERNAL_H
#define INGOT_IMAGE_ESP_FILE_INTERNAL_H

#include "fs/fat_read.h"

/*
 * In a part of a disk. *ret NULL: it is no FAT volume, or has no such file; else its places are
 * those of ingot_fat_file_place, and part and volume are borrowed.
 */
INGOT_MUST_USE int esp_file_find(struct ingot_source *part, const char *path,
				 struct ingot_fat_volume *volume, struct ingot_source **ret,
				 struct ingot_error *err);

/* By its name: what the firmware and boot loaders start. */
bool esp_is_program(const char *path);

#endif

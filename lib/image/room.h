/*
 * Where signatures stand on a disk, or will once they are made: what formats/convert.h calls plain.
 * A build knows it; of a finished disk it is found here, in the disk alone.
 *
 *	the initrd of a UKI on an ESP	the root hash's signature, etc/usr.p7s
 *	that UKI's checksum and end	the one for Secure Boot, if there is a table of them
 *	a partition of its own, if any	the root hash's signature once more
 */
#ifndef INGOT_IMAGE_ROOM_H
#define INGOT_IMAGE_ROOM_H

#include "io/source.h"

/*
 * By rising offset, apart; the caller frees *ret. -ENODATA: there is none. Foreign bytes: at most
 * 16 EFI programs of an ESP are looked into.
 */
INGOT_API INGOT_MUST_USE int ingot_image_room(struct ingot_source *disk, struct ingot_range **ret,
					      size_t *ret_count, struct ingot_error *err);

#endif

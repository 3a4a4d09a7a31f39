/* What nobody vouches for: said, because a list of good checks looks like more than it is. */
#include "image/verify_internal.h"

int verify_note_open(struct verification *v, struct ingot_error *err)
{
	int rc = 0;

	if (v->open_box && !v->file_digested)
		rc = verify_add_open(v, "box.ovf, metadata.json and Vagrantfile: a box has no "
					"digests of them");
	if (rc == 0 && (v->digested || !v->disk))
		return 0;
	if (rc == 0 && v->program_count > 0 && !v->authenticated)
		rc = verify_add_open(v, "kernel, initrd and boot stub: the EFI programs are not "
					"signed, and there is no manifest");
	if (rc == 0 && v->other_files > 0)
		rc = verify_add_open(v, "the contents of the ESP's other files: there is no "
					"manifest");
	if (rc == 0 && v->root)
		rc = verify_add_open(v, "the contents of ROOT: there is no manifest");
	if (rc == 0 && v->oem)
		rc = verify_add_open(v, "the contents of OEM: there is no manifest");
	if (rc == 0 && v->gpt)
		rc = verify_add_open(v, "partitions' attributes, labels, UUIDs, places and sizes, "
					"beyond what the layout and their contents say: they have "
					"checksums, no signature");
	if (rc == 0 && v->has_superblock)
		rc = verify_add_open(v, "the UUID of the hash tree: it is in the superblock, which "
					"the root hash does not cover");
	return rc < 0 ? ingot_raise_oom(err, 0) : 0;
}

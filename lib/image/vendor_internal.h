/* What the files of the vendor reader share. */
#ifndef INGOT_IMAGE_VENDOR_INTERNAL_H
#define INGOT_IMAGE_VENDOR_INTERNAL_H

#include "base/yaml.h"
#include "image/vendor.h"

/* A vendor while it is read. Complaints go to the list; only a real failure ends the reading. */
struct ingot_vendor_reader {
	struct ingot_vendor *vendor;
	const char *directory; /* NULL: no folders */
	struct ingot_error *err;
	int rc; /* the first real failure */
};

/* Memory of the vendor's; NULL after the failure was kept in the reader. */
void *ingot_vendor_alloc(struct ingot_vendor_reader *reader, size_t count, size_t size);

/*
 * A copy of the value; NULL for an absent one, and after a complaint about one that is empty or has
 * a control character in it.
 */
const char *ingot_vendor_line(struct ingot_vendor_reader *reader, struct ingot_yaml_node node);

/* The same for a word without blanks. */
const char *ingot_vendor_word(struct ingot_vendor_reader *reader, struct ingot_yaml_node node);

/* A list of words (one alone may stand without brackets); lines: of lines. */
struct ingot_vendor_words ingot_vendor_words(struct ingot_vendor_reader *reader,
					     struct ingot_yaml_node node, bool lines);

/* A list for all architectures, or a mapping from architectures to lists. */
void ingot_vendor_words_by_architecture(struct ingot_vendor_reader *reader,
					struct ingot_yaml_node node, const char *what,
					struct ingot_vendor_words ret[INGOT_VENDOR_ARCHITECTURES]);

/* The name of a format, as the library writes it; NULL after a complaint. */
const char *ingot_vendor_format(struct ingot_yaml_node node);

/* Sections, each in a file of its own: outputs, oem, hardware, checks. */
void ingot_vendor_read_outputs(struct ingot_vendor_reader *reader, struct ingot_yaml_node node);
void ingot_vendor_read_oem(struct ingot_vendor_reader *reader, struct ingot_yaml_node node);
/* `root` is the whole file, for complaints about what is not given. */
void ingot_vendor_read_hardware(struct ingot_vendor_reader *reader, struct ingot_yaml_node root,
				struct ingot_yaml_node node);
void ingot_vendor_read_checks(struct ingot_vendor_reader *reader, struct ingot_yaml_node node);

/* Every file of a folder, with its path below it, to vendor->files (vendor_folder.c). */
void ingot_vendor_read_folder(struct ingot_vendor_reader *reader, struct ingot_yaml_node node,
			      const char *path);
/* One more file; complains about what is there already, or too much. */
void ingot_vendor_add_file(struct ingot_vendor_reader *reader, struct ingot_yaml_node node,
			   const struct ingot_vendor_file *file);

/* A built-in vendor's text, made at build time from oem/. */
struct ingot_builtin_vendor {
	const char *name;
	const char *text;
	size_t size;
};
extern const struct ingot_builtin_vendor ingot_builtin_vendors[]; /* ends with a NULL name */

#endif

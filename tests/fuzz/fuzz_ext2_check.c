/* Any bytes as an ext filesystem, spread over it as sparse.h says; both kinds of checking. */
#include "sparse.h"

#include "fs/ext2_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What passes as our own is a whole filesystem of anybody's, too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sparse sparse;
	struct ingot_problems ours = {0}, any = {0};
	struct ingot_error err = {0};

	if (!sparse_fill(&sparse, data, size))
		return 0;
	if (ingot_ext_check(&sparse.source, INGOT_EXT_OURS, &ours, NULL, &err) == 0 &&
	    ingot_ext_check(&sparse.source, INGOT_EXT_ANY, &any, NULL, &err) == 0)
		assert(ingot_problems_any(&ours) || !ingot_problems_any(&any));
	ingot_problems_done(&ours);
	ingot_problems_done(&any);
	sparse_empty(&sparse);
	return 0;
}

/* Police events as JSON and as XML, against the adapter's reader. Broken when reader.h says so. */
#include "fuzz.h"

#include "police/police.h"
#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fuzz_reader reader; /* opened once; forgets each document */
	struct fuzz_input input = { data, len };
	char *bytes = fuzz_rest(&input, &len);

	if (!reader.kind)
		fuzz_reader_open(&reader, &police_kind, NULL);
	fuzz_reader_read(&reader, bytes, len);
	free(bytes);
	return 0;
}

/*
 * HMPPS domain events, bare and as notifications of a queue, and extracts as CSV, against the
 * adapter's reader. Broken when reader.h says so.
 */
#include "fuzz.h"

#include "prison/prison.h"
#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct prison_settings settings = {
		.views = PRISON_VIEW_IMMEDIATE | PRISON_VIEW_SETTLED,
		.max_vanish_percent = 20,
		.max_vanish_count = 2,
		.urgent_hours = 72,
	};
	static struct fuzz_reader reader; /* opened once; forgets each document */
	struct fuzz_input input = { data, len };
	char *bytes = fuzz_rest(&input, &len);

	if (!reader.kind)
		fuzz_reader_open(&reader, &prison_kind, &settings);
	fuzz_reader_read(&reader, bytes, len);
	free(bytes);
	return 0;
}

/*
 * Probation's domain events and contacts, as JSON and as CSV, against the adapter's reader.
 * Broken when reader.h says so.
 */
#include "fuzz.h"

#include "probation/probation.h"
#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct probation_settings settings = {
		.voluntary_types = { .items = { "ONES" }, .n = 1 },
		.referral_provider = "st-giles",
	};
	static struct fuzz_reader reader; /* opened once; forgets each document */
	struct fuzz_input input = { data, len };
	char *bytes = fuzz_rest(&input, &len);

	if (!reader.kind)
		fuzz_reader_open(&reader, &probation_kind, &settings);
	fuzz_reader_read(&reader, bytes, len);
	free(bytes);
	return 0;
}

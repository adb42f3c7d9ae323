/* Key files of the three kinds. Broken when what is no key is taken, or a message quotes the file. */
#include "fuzz.h"

#include "base/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char path[512], public[KEYFILE_Z85];
	struct key_pair pair;
	uint8_t symmetric[KEYFILE_SYMMETRIC];
	struct message message = { "" };

	fuzz_write("key", data, len);
	fuzz_path("key", path, sizeof(path));
	if (keyfile_read_public(path, public, &message) == TTG_OK)
		MUST(len == 59 && strlen(public) == KEYFILE_Z85 - 1);
	else
		MUST(message.text[0] != '\0');
	if (keyfile_read_secret(path, &pair, &message) == TTG_OK)
		MUST(len == 100 && strlen(pair.secret_z85) == KEYFILE_Z85 - 1);
	if (keyfile_read_symmetric(path, symmetric, &message) == TTG_OK)
		MUST(len == 86);
	return 0;
}

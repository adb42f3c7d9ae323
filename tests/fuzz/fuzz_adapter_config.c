/* An adapter's configuration, with the tables of the prison's. Broken when a refusal says nothing. */
#include "fuzz.h"

#include "common/config.h"
#include "prison/prison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct prison_settings settings;
	const struct config_table table = { prison_kind.options, prison_kind.n_options, &settings };
	struct message message = { "" };
	char path[512];

	memset(&settings, 0, sizeof(settings));
	fuzz_write("adapter.conf", data, len);
	fuzz_path("adapter.conf", path, sizeof(path));
	if (adapter_config_load(path, &table, 1, &message) == TTG_OK)
		MUST(settings.max_vanish_percent >= 0 && settings.max_vanish_percent <= 100);
	else
		MUST(message.text[0] != '\0');
	return 0;
}

/*
 * ttgd's configuration: main file, agencies and agreements, parted by lines of "%%".
 *
 * Broken when it does not load and no error says why, or a loaded one has no rules.
 */
#include "fuzz.h"

#include <sys/stat.h>
#include "config/config.h"

#define NOW_NS (INT64_C(1795000000) * 1000000000)

static const char part_end[] = "%%\n";

/* Up to the next part_end. */
static void write_part(struct fuzz_input *input, const char *name)
{
	const uint8_t *end = memmem(input->at, input->left, part_end, sizeof(part_end) - 1);
	const size_t len = end ? (size_t)(end - input->at) : input->left;

	fuzz_write(name, input->at, len);
	input->at += len;
	input->left -= len;
	if (end) {
		input->at += sizeof(part_end) - 1;
		input->left -= sizeof(part_end) - 1;
	}
}

static void make_folders(void)
{
	char path[512];

	fuzz_path("agencies.d", path, sizeof(path));
	mkdir(path, 0700);
	fuzz_path("agreements.d", path, sizeof(path));
	mkdir(path, 0700);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct config_errors *errors = config_errors_new();
	char path[512], socket[CONFIG_PATH_MAX];

	MUST(errors);
	make_folders();
	write_part(&input, "ttgd.conf");
	write_part(&input, "agencies.d/all.conf");
	write_part(&input, "agreements.d/all.conf");
	fuzz_path("ttgd.conf", path, sizeof(path));
	config_find_socket(path, socket);
	struct config *config = config_load(path, NOW_NS, errors);
	if (config)
		MUST(config->rules && config_errors_count(errors) == 0);
	else
		MUST(config_errors_count(errors) > 0);
	for (size_t i = 0; i < config_errors_lines(errors); i++) {
		bool warning = false;
		MUST(config_errors_line(errors, i, &warning)[0] != '\0');
	}
	config_errors_free(&errors);
	config_free(&config);
	return 0;
}

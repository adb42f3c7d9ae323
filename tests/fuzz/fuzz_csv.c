/*
 * Extracts of unknown encoding as CSV, below the adapters. Broken when a row has a value that is no
 * UTF-8 or longer than its bound, or lines do not rise.
 */
#include "fuzz.h"

#include "common/csv_file.h"
#include "common/text.h"

#define COLUMNS 3

static const struct csv_column columns[COLUMNS] = {
	{ "number", "prison no,noms", true },
	{ "date", "release date", false },
	{ "note", "", false },
};

struct seen {
	unsigned line;
};

static enum ttg_error on_row(void *user, const struct csv_row *row)
{
	struct seen *seen = user;

	MUST(row->line > seen->line);
	seen->line = row->line;
	for (size_t i = 0; i < COLUMNS; i++) {
		const size_t len = strlen(row->values[i]);

		MUST(len <= CSV_FIELD_MAX && text_is_utf8(row->values[i], len));
	}
	return TTG_OK;
}

static enum ttg_error on_bad(void *user, unsigned line, const char *text, const char *raw,
			     size_t raw_len)
{
	struct seen *seen = user;

	MUST(line > seen->line && text[0] != '\0' && raw && raw_len > 0);
	seen->line = line;
	return TTG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	struct seen seen = { 0 };
	const struct csv_reader reader = {
		.columns = columns, .n_columns = COLUMNS, .user = &seen, .on_row = on_row, .on_bad = on_bad
	};
	struct message message = { "" };
	char *bytes = fuzz_rest(&input, &len), *text = NULL;
	size_t text_len = 0;
	enum text_encoding encoding;

	if (text_to_utf8(bytes, len, &text, &text_len, &encoding, &message) == TTG_OK) {
		MUST(text_is_utf8(text, text_len));
		for (size_t i = 0; i < COLUMNS; i++)
			csv_has_column(text, text_len, &columns[i]);
		if (csv_read(&reader, text, text_len, &message) != TTG_OK)
			MUST(message.text[0] != '\0');
	}
	free(text);
	free(bytes);
	return 0;
}

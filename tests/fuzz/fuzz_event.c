/*
 * One encoded event from each of the agencies in turn, against the core.
 *
 * Broken when: what was accepted cannot be decoded, has no record, or came from another source than
 * the agency; or a refusal has no code or no text.
 */
#include "fuzz.h"

#include "support/core_play.h"

static void check_accepted(const struct play *play, const char *agency, uint64_t sequence)
{
	MUST(sequence >= 1 && sequence <= play->n_records);
	const struct play_record *record = &play->records[sequence - 1];
	struct record_event event;
	struct core_history history;

	MUST(record->kind == RECORD_EVENT);
	MUST(record_get_event(record->data, record->len, &event));
	MUST(strcmp(event.source, agency) == 0);
	MUST(core_history_read(play->core, sequence, record->kind, record->data, record->len,
				    &history));
	Ttg__Event *decoded = ttg__event__unpack(NULL, event.n_bytes, event.bytes);
	MUST(decoded && strcmp(decoded->source, agency) == 0);
	ttg__event__free_unpacked(decoded, NULL);
}

static void publish(struct play *play, const char *agency, const uint8_t *event, size_t len)
{
	struct core_outcome outcome;
	memset(&outcome, 0, sizeof(outcome));

	core_publish(play->core, &play->now, agency, event, len, &outcome);
	MUST(memchr(outcome.text, '\0', sizeof(outcome.text)));
	if (outcome.kind == CORE_ACCEPTED)
		check_accepted(play, agency, outcome.sequence);
	else if (outcome.kind == CORE_DUPLICATE)
		MUST(outcome.sequence >= 1 && outcome.sequence <= play->n_records);
	else
		MUST(outcome.code != TTG_OK && outcome.text[0] != '\0');
}

/* What was refused left nothing behind, so the play is good for the next input; what was accepted
   ends it. A new one costs many times what one input does. */
static struct play *fresh_play(void)
{
	static struct play *kept;
	static size_t n_records;

	if (kept && kept->n_records != n_records)
		play_free(&kept);
	if (!kept) {
		kept = play_new(16, 16);
		play_attach(kept, BOX_ONESERVICE, 1, 100);
		n_records = kept->n_records;
	}
	return kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct play *play = fresh_play();
	uint8_t *event = malloc(len > 0 ? len : 1);

	MUST(event);
	if (len > 0)
		memcpy(event, data, len);
	for (size_t i = PLAY_CHARITY; i <= PLAY_PRISON; i++)
		publish(play, play_agencies[i], event, len);
	publish(play, play_agencies[PLAY_PRISON], event, len);
	play_settle(play);
	free(event);
	return 0;
}

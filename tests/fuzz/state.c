/* A core on hostile records; see state.h. One thread. */
#include "state.h"

#include "core/persons.h"
#include "core/record.h"
#include "core/rules_past.h"
#include "fuzz.h"
#include "support/referral_play.h"

#define RECORDS_MAX 4096
#define PUMPS_MAX 64
#define CREDIT 1000

static enum ttg_error append(void *self, const struct core_record *records, size_t n,
			     uint64_t *first)
{
	struct fuzz_state *state = self;

	if (state->n_records + n > RECORDS_MAX)
		return TTG_ENOSPC;
	*first = state->n_records + 1;
	for (size_t i = 0; i < n; i++)
		fuzz_state_push(state, records[i].kind, records[i].data, records[i].len);
	return TTG_OK;
}

static enum ttg_error read_back(void *self, uint64_t sequence, uint8_t *kind, const uint8_t **data,
				size_t *len)
{
	const struct fuzz_state *state = self;

	if (sequence == 0 || sequence > state->n_records || !state->records[sequence - 1].data)
		return TTG_ENOENT;
	*kind = state->records[sequence - 1].kind;
	*data = state->records[sequence - 1].data;
	*len = state->records[sequence - 1].len;
	return TTG_OK;
}

static bool deliver(void *self, uint64_t consumer, const struct core_delivery *delivery)
{
	(void)self, (void)consumer;
	MUST(delivery->position > 0 && delivery->event && delivery->n_agreements > 0);
	return true;
}

static void flush(void *self, uint64_t consumer)
{
	(void)self, (void)consumer;
}

static void attached(void *self, uint64_t consumer, bool active, uint64_t acknowledged)
{
	(void)self, (void)consumer, (void)active, (void)acknowledged;
}

static void nacked(void *self, uint64_t consumer, uint64_t position, bool parked)
{
	(void)self, (void)consumer, (void)position, (void)parked;
}

static void note(void *self, const char *word, const char *mailbox, uint64_t sequence)
{
	(void)self, (void)word, (void)mailbox, (void)sequence;
}

static struct core *make_core(struct fuzz_state *state)
{
	const struct core_options options = {
		.broker = "broker", .person_secret = { 7 }, .max_event_bytes = 65536,
		.max_skew_s = 300, .dedupe_window_ns = UINT64_C(3600000000000),
		.dedupe_max = 1000, .window = 4, .max_held = 8,
		.look_back_ns = UINT64_C(72) * 3600 * PLAY_SECOND, .max_waiting = 100,
	};
	const struct core_sink sink = { .self = state, .append = append, .read = read_back,
					.deliver = deliver, .flush = flush, .attached = attached,
					.nacked = nacked, .note = note };
	struct core *core = core_new(&options, &sink);

	MUST(core);
	return core;
}

struct rules *fuzz_rules(void)
{
	struct rules *rules = play_rules(true);

	rules->conditions = calloc(1, sizeof(*rules->conditions));
	MUST(rules->conditions);
	rules->n_conditions = 1;
	strcpy(rules->conditions[0].scheme, "oneservice/pilot");
	rules->conditions[0].window_days = 30;
	for (size_t i = 0; i < rules->n_deliver; i++) {
		if (strcmp(rules->types[rules->deliver[i].type], "police.arrest") == 0)
			rules->deliver[i].condition = 1;
	}
	rules->types = realloc(rules->types, (rules->n_types + 1) * sizeof(*rules->types));
	MUST(rules->types);
	snprintf(rules->types[rules->n_types], RULES_TYPE_MAX + 1, "service.enrolled");
	play_grant_publish(rules, (uint32_t)rules->n_types++, PLAY_ONESERVICE);
	referral_rules(rules, false);
	rules->agencies[PLAY_PRISON].links = true;
	MUST(rules_finish(rules));
	return rules;
}

void fuzz_state_init(struct fuzz_state *state)
{
	static struct rules *rules; /* the same for all; made once */
	static struct fuzz_record records[RECORDS_MAX]; /* in use by one at a time */

	*state = (struct fuzz_state){ .now = { PLAY_NOW, 1000 } };
	state->records = records;
	state->core = make_core(state);
	if (!rules)
		rules = fuzz_rules();
	state->rules = rules;
}

void fuzz_state_fini(struct fuzz_state *state)
{
	core_free(&state->core);
	for (size_t i = 0; i < state->n_records; i++)
		free(state->records[i].data);
}

void fuzz_state_push(struct fuzz_state *state, uint8_t kind, const void *data, size_t len)
{
	MUST(state->n_records < RECORDS_MAX);
	struct fuzz_record *record = &state->records[state->n_records++];
	record->kind = kind;
	record->len = len;
	record->data = malloc(len > 0 ? len : 1);
	MUST(record->data);
	if (len > 0)
		memcpy(record->data, data, len);
}

static void check_snapshot(struct fuzz_state *state)
{
	uint8_t *first = NULL, *second = NULL;
	size_t first_len = 0, second_len = 0;
	struct message message = { "" };
	struct core *again = make_core(state);

	MUST(core_snapshot(state->core, &first, &first_len) == TTG_OK);
	if (core_restore(again, first, first_len, &message) != TTG_OK) {
		fprintf(stderr, "its own snapshot: %s\n", message.text);
		abort();
	}
	MUST(core_snapshot(again, &second, &second_len) == TTG_OK);
	MUST(first_len == second_len && memcmp(first, second, first_len) == 0);
	MUST(core_sequence(again) == core_sequence(state->core));
	core_free(&again);
	free(first);
	free(second);
}

static bool count_letter(void *arg, const struct core_dead_letter *letter)
{
	struct fuzz_state *state = arg;

	MUST(letter->mailbox && letter->position > 0);
	return state->core != NULL;
}

/* The last of them. */
static bool take_conflict(void *arg, const struct core_conflict *conflict)
{
	*(struct core_conflict *)arg = *conflict;
	return true;
}

static void pump(struct fuzz_state *state)
{
	for (int i = 0; i < PUMPS_MAX; i++) {
		core_durable(state->core, state->n_records);
		if (core_pump(state->core, &state->now) > state->now.mono_ns)
			break;
	}
}

void fuzz_state_use(struct fuzz_state *state)
{
	struct core_conflict conflict = { 0 };
	uint64_t given_up = 0;

	check_snapshot(state);
	core_durable(state->core, state->n_records);
	if (core_set_rules(state->core, &state->now, state->rules) != TTG_OK)
		return;
	for (int box = 0; box < N_BOXES; box++)
		core_attach(state->core, &state->now, 1 + (uint64_t)box,
			    play_agencies[play_owners[box]], play_mailboxes[box], CREDIT);
	for (int i = 0; i < 3; i++) {
		pump(state);
		state->now.mono_ns += 3600 * PLAY_SECOND;
		state->now.real_ns += 3600 * PLAY_SECOND;
	}
	for (size_t i = 0; i < core_mailbox_count(state->core); i++) {
		struct core_mailbox_view view;
		core_mailbox_view(state->core, i, &view);
		core_ack(state->core, &state->now, 1 + i, view.next_position - 1, NULL, 0);
	}
	core_dead_letters(state->core, NULL, 0, count_letter, state);
	core_conflicts(state->core, take_conflict, &conflict);
	if (conflict.sequence != 0)
		core_decide(state->core, &state->now, conflict.sequence, conflict.part,
			    conflict.sequence % 2 == 0, "me", "looked it up");
	pump(state);
	core_give_up(state->core, &state->now, core_sequence(state->core), &given_up);
	pump(state);
	for (int i = 0; i < 2; i++) /* those of the input, those in force */
		core_keep_rules(state->core, &state->now, core_sequence(state->core) >> (1 - i));
	check_snapshot(state);
}

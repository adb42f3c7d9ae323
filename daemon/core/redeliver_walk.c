/*
 * The walk of a redelivery over the journal: looks at each record that gave the mailbox something,
 * oldest first, and queues it once more (AGAIN, a whole event at a new position) when the mailbox may
 * have it by the rules, grants and conditions of now. In doubt it may not:
 *
 *   - nothing goes that the mailbox was not given at first, whatever is granted today;
 *   - conditions are asked as if the event came now, for the moment it was accepted;
 *   - nothing goes that it was told is withdrawn, nor what that superseded. Such a notice stands behind
 *     what it is about, so a second look runs ahead of the walk, up to the newest record there is;
 *   - what still waits in the mailbox is not queued twice.
 *
 * The walk keeps no more than a window ahead of the consumer: new events do not wait behind millions,
 * and the journal takes a repeat when it is wanted. It holds up no retention: what that takes meanwhile
 * is not repeated. A crash loses what was passed over since the last AGAIN: that is looked at again.
 */
#include <assert.h>
#include <string.h>

#include "base/planted.h"
#include "core/known.h"
#include "core/payload.h"
#include "core/redeliver.h"

static_assert(BARRED_KEY == RECORD_ID, "a key is made of an id");

#define REDELIVER_PER_PUMP 512u    /* records read, of all together */
#define REDELIVER_BESIDE_LIVE 256u /* the same while a pace holds */
#define REPEAT_COSTS 8u            /* as so many that are only read */

struct walk {
	const struct core_now *now;
	struct pump_budget *budget;
	uint32_t reads;
};

/* A record that gave this mailbox an event. TTG_ENOENT: it is none. */
static enum ttg_error read_given(struct core *core, uint64_t sequence, uint32_t mailbox,
				 struct record_event *event, struct record_recipient *to)
{
	const uint8_t *data;
	uint8_t kind;
	size_t len;
	enum ttg_error code = core->sink.read(core->sink.self, sequence, &kind, &data, &len);

	if (code != TTG_OK)
		return code;
	if (!record_gives(kind) || kind == RECORD_AGAIN)
		return TTG_ENOENT;
	if (!record_get_given(kind, data, len, event))
		return TTG_ECORRUPT;
	return core_find_recipient(event, mailbox, to) ? TTG_OK : TTG_ENOENT;
}

static bool is_correction(const struct core *core, const struct record_event *event)
{
	return strcmp(event->source, core->broker) == 0 && strcmp(event->type, "broker.correction") == 0;
}

/* Ids are the publishers' own: two may use the same. */
static void name(const struct core *core, const char *source, const uint8_t *id, uint8_t key[BARRED_KEY])
{
	const uint64_t fingerprint = core_fingerprint(core, source, id);

	memcpy(key, id, BARRED_KEY);
	memcpy(key, &fingerprint, sizeof(fingerprint));
}

/* A notice that cannot be read: nothing older of its person goes. */
static enum ttg_error bar_person(struct redelivery *it, const struct record_event *event)
{
	return event->person_key ? barred_add(&it->barred, event->person_key, it->ahead) : TTG_OK;
}

static enum ttg_error bar_withdrawn(const struct core *core, struct redelivery *it,
				    const struct record_event *event, const struct span *wrong)
{
	const struct event_clock clock = { event->accepted_ns, core->options.max_skew_s };
	char text[EVENT_TEXT_MAX], source[RULES_ID_MAX + 1] = "";
	uint8_t key[BARRED_KEY];
	struct span publisher;
	struct event notice;

	if (event_read(event->bytes, event->n_bytes, core->fields, &clock, &notice, text) != TTG_OK ||
	    !event_payload_text(&notice, "publisher_agency", &publisher) || publisher.len == 0 ||
	    publisher.len > RULES_ID_MAX)
		return bar_person(it, event);
	memcpy(source, publisher.at, publisher.len);
	name(core, source, wrong->at, key);
	return barred_add(&it->barred, key, it->ahead);
}

/* What this says of others that the mailbox was given. */
static enum ttg_error take_notice(const struct core *core, struct redelivery *it,
				  struct record_event *event)
{
	uint8_t by[BARRED_KEY], key[BARRED_KEY];
	enum ttg_error code = core_open_event(core, event);
	struct span wrong;

	/* Kept no longer than what it is about. Who was erased has lost that, too. */
	if (code == TTG_EPERM)
		return is_correction(core, event) && event->until_s != 0 &&
				       event->until_s <= core->keys.lapsed_s ?
			       bar_person(it, event) :
			       TTG_OK;
	if (code != TTG_OK)
		return code;
	wrong = event_supersedes((struct span){ event->bytes, event->n_bytes });
	if (wrong.len != RECORD_ID)
		return TTG_OK;
	if (is_correction(core, event))
		return bar_withdrawn(core, it, event, &wrong);
	name(core, event->source, event->id, by);
	name(core, event->source, wrong.at, key);
	return barred_note(&it->barred, by, key);
}

static enum ttg_error look_ahead(struct core *core, struct redelivery *it)
{
	struct record_recipient to;
	struct record_event event;
	enum ttg_error code = read_given(core, it->ahead, it->mailbox, &event, &to);

	if (code == TTG_OK)
		code = take_notice(core, it, &event);
	if (code == TTG_OK || code == TTG_ENOENT)
		it->ahead++;
	return code == TTG_ENOENT ? TTG_OK : code;
}

/* What it may have of this by now stands in `to`; *goes: anything. */
static enum ttg_error judge(struct core *core, const struct walk *walk, const struct redelivery *it,
			    struct record_event *event, struct record_recipient *to, bool *goes)
{
	const struct mailbox *mailbox = core->mailboxes[it->mailbox];
	const uint64_t first = event->first ? event->first : it->looked;
	uint8_t key[BARRED_KEY];
	enum ttg_error code;

	*goes = false;
	name(core, event->source, event->id, key);
	if (event->routed_ns < it->since_ns ||
	    (mailbox_is_pending(mailbox, to->position) && !PLANTED(REPEAT_WAITING)) ||
	    (event->expires_ns != 0 && event->expires_ns <= walk->now->real_ns))
		return TTG_OK;
	if (barred_has(&it->barred, key, it->looked) ||
	    (event->person_key && barred_has(&it->barred, event->person_key, it->looked)))
		return TTG_OK;
	/* By the records its key is gone, though it may not be destroyed yet. */
	if (event->key != 0 && !keys_has(&core->keys, payload_owner(event), event->key))
		return TTG_OK;
	code = core_open_event(core, event);
	if (code != TTG_OK)
		return code == TTG_EPERM ? TTG_OK : code;
	if (!PLANTED(REPEAT_UNAGREED))
		core_recheck(core, walk->now, mailbox, first, true, event, to);
	event->first = first;
	*goes = to->n_agreements > 0;
	return TTG_OK;
}

static enum ttg_error repeat(struct core *core, const struct walk *walk, const struct redelivery *it,
			     struct record_event *event, struct record_recipient *to)
{
	struct cursor cursor;
	enum ttg_error code;

	event->given = it->looked;
	event->routed_ns = walk->now->real_ns;
	event->n_recipients = 1;
	to->position = core->mailboxes[it->mailbox]->next_position;
	to->ack_within_ms = 0; /* it was urgent once */
	to->fallback = RULES_NONE;
	core_begin_record(core, &cursor);
	code = core_put_again(core, &cursor, event, to);
	return code == TTG_OK ? core_commit(core, walk->now, RECORD_AGAIN, &cursor, NULL) : code;
}

/* One record. When it is repeated, applying that moves the walk on. */
static enum ttg_error look(struct core *core, const struct walk *walk, struct redelivery *it)
{
	const uint64_t sequence = it->looked;
	struct record_recipient to;
	struct record_event event;
	bool goes = false;
	enum ttg_error code = read_given(core, sequence, it->mailbox, &event, &to);

	if (code == TTG_OK)
		code = judge(core, walk, it, &event, &to, &goes);
	if (code == TTG_OK && goes)
		code = repeat(core, walk, it, &event, &to);
	if (code == TTG_ELIMIT) { /* as large as a record can be, and a little more */
		core->sink.note(core->sink.self, "record_missing", core->mailboxes[it->mailbox]->id,
				sequence);
		code = TTG_OK;
	}
	if ((code == TTG_OK || code == TTG_ENOENT || PLANTED(SKIP_REPEAT)) && it->looked == sequence)
		it->looked++;
	return code == TTG_ENOENT ? TTG_OK : code;
}

/* Half of what may be queued is left to new events. */
static bool has_room(const struct core *core, const struct mailbox *mailbox)
{
	const uint64_t max = core->rules->mailboxes[mailbox->rule].max_queued;
	const uint64_t stopped = mailbox->lanes.n_held + mailbox->lanes.n_dead;

	return mailbox->pending - stopped < core->options.window &&
	       (max == 0 || mailbox->pending < (max > 1 ? max / 2 : 1));
}

static enum ttg_error end(struct core *core, const struct walk *walk, const struct redelivery *it,
			  enum redeliver_what what, const char *why)
{
	const struct record_redeliver record = { walk->now->real_ns, 0, it->mailbox, (uint8_t)what, 0,
						 core->broker, why };
	enum ttg_error code = core_redeliver_put(core, walk->now, &record, NULL);

	if (code == TTG_OK)
		core->sink.note(core->sink.self,
				what == REDELIVER_THROUGH ? "redelivered" : "redelivery_ended",
				core->mailboxes[it->mailbox]->id, it->number);
	return code;
}

/* Up to where no notice can be unseen, then as far as there is room. */
static enum ttg_error go_on(struct core *core, struct walk *walk, struct redelivery *it)
{
	const struct mailbox *mailbox = core->mailboxes[it->mailbox];
	enum ttg_error code = TTG_OK;

	if (mailbox->rule < 0)
		return TTG_OK; /* it comes back with its rules */
	if (it->looked < it->number && !has_room(core, mailbox))
		return TTG_OK;
	while (code == TTG_OK && it->looked < it->number && it->ahead <= core->sequence && walk->reads > 0) {
		walk->reads--;
		code = look_ahead(core, it);
	}
	if (code == TTG_ELIMIT)
		return end(core, walk, it, REDELIVER_STOP, "more was corrected than can be kept apart");
	while (code == TTG_OK && it->looked < it->number && has_room(core, mailbox) && walk->reads > 0) {
		const uint64_t before = it->repeated;

		code = look(core, walk, it);
		walk->reads -= it->repeated > before && walk->reads > REPEAT_COSTS ? REPEAT_COSTS : 1;
	}
	if (code == TTG_OK && it->looked >= it->number)
		code = end(core, walk, it, REDELIVER_THROUGH, "");
	if (code == TTG_OK && it->running && walk->reads == 0)
		walk->budget->more = true;
	return code;
}

void core_redeliver_pass(struct core *core, uint64_t sequence, uint8_t kind, const uint8_t *data,
			 size_t len)
{
	struct record_recipient to;
	struct record_event event;

	for (size_t i = 0; i < core->redeliveries.n; i++) {
		struct redelivery *it = &core->redeliveries.items[i];

		if (!it->running || it->ahead != sequence)
			continue;
		if (!record_gives(kind) || kind == RECORD_AGAIN ||
		    (record_get_given(kind, data, len, &event) &&
		     !core_find_recipient(&event, it->mailbox, &to)))
			it->ahead++;
	}
}

enum ttg_error core_run_redeliveries(struct core *core, const struct core_now *now,
				     struct pump_budget *budget)
{
	struct redeliveries *all = &core->redeliveries;
	struct walk walk = { now, budget, REDELIVER_PER_PUMP };

	if (all->n_running == 0 || !core->rules)
		return TTG_OK;
	if (pace_holds(&core->pace, now->mono_ns))
		walk.reads = REDELIVER_BESIDE_LIVE;
	/* Each begins in its turn: one alone may use up what may be read. */
	all->turn++;
	for (size_t i = 0; i < all->n; i++) {
		struct redelivery *it = &all->items[(all->turn + i) % all->n];
		enum ttg_error code = it->running ? go_on(core, &walk, it) : TTG_OK;

		if (code == TTG_EAGAIN)
			budget->fetching = true;
		else if (code != TTG_OK && code != TTG_ENOSPC) /* room: at whatever comes next */
			return code;
	}
	return TTG_OK;
}
